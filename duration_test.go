package seshat_test

import (
	"encoding/json"
	"errors"
	"math"
	"testing"
	"time"

	"github.com/seshat-project/seshat"
	"pgregory.net/rapid"
)

func TestParseDuration(t *testing.T) {
	f := func(in string, want time.Duration, wantText string) {
		t.Helper()
		got, err := seshat.ParseDuration(in)
		if err != nil || time.Duration(got) != want || got.String() != wantText {
			t.Errorf("ParseDuration(%q) = %v %q, %v; want %v %q", in, time.Duration(got), got, err, want, wantText)
		}
	}
	f("30m", 30*time.Minute, "30m")
	f("7d", 7*24*time.Hour, "7d")
	f("1d12h", 36*time.Hour, "1d12h")
	f("36h", 36*time.Hour, "1d12h")
	f("1h30m", 90*time.Minute, "1h30m")
	f("60s", time.Minute, "1m")
	f("3600s", time.Hour, "1h")
	f("3601s", time.Hour+time.Second, "1h0m1s")
	f("1.5s", 1500*time.Millisecond, "1.5s")
	f("250ms", 250*time.Millisecond, "250ms")
	f("0s", 0, "0s")
	f("0d", 0, "0s")
	f("0", 0, "0s")
	f("106751d", 106751*24*time.Hour, "106751d")
}

func TestParseDurationRefuses(t *testing.T) {
	for _, in := range []string{
		"", " ", "d", "7", "7 d", "-7d", "+7d", "-30m", "7d-1h", "7d+1h", "1.5d", "7dd", "d7", "7days", "30 m", "1h 30m",
		"106752d", "99999999999d", "106751d24h", "week", "٣d",
	} {
		if got, err := seshat.ParseDuration(in); !errors.Is(err, seshat.ErrBadDuration) {
			t.Errorf("ParseDuration(%q) = %v, %v; want ErrBadDuration", in, got, err)
		}
	}
}

func TestDurationRoundTrip(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		want := seshat.Duration(rapid.Int64Range(0, math.MaxInt64).Draw(t, "d"))
		got, err := seshat.ParseDuration(want.String())
		if err != nil || got != want {
			t.Fatalf("ParseDuration(%q) = %d, %v; want %d", want, got, err, want)
		}
	})
}

func TestDurationJSON(t *testing.T) {
	type doc struct {
		A *seshat.Duration `json:"a,omitempty"`
	}
	d := seshat.Duration(90 * time.Minute)
	text, err := json.Marshal(doc{&d})
	if err != nil || string(text) != `{"a":"1h30m"}` {
		t.Fatalf("Marshal = %s, %v", text, err)
	}
	var back doc
	if err := json.Unmarshal(text, &back); err != nil || *back.A != d {
		t.Fatalf("Unmarshal(%s) = %v, %v; want %v", text, back.A, err, d)
	}
	if err := json.Unmarshal([]byte(`{"a":"soon"}`), &back); !errors.Is(err, seshat.ErrBadDuration) {
		t.Fatalf("Unmarshal of a bad duration: %v; want ErrBadDuration", err)
	}
}

func FuzzDuration(f *testing.F) {
	for _, seed := range []string{"30m", "7d", "1d12h", "1h0m1s", "1.5s", "0", "-1d", "106751d23h", "9223372036854775807ns"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, in string) {
		d, err := seshat.ParseDuration(in)
		if err != nil {
			return
		}
		if d < 0 {
			t.Fatalf("ParseDuration(%q) is negative: %d", in, d)
		}
		if back, err := seshat.ParseDuration(d.String()); err != nil || back != d {
			t.Fatalf("%q reads as %d, prints as %q and reads back as %d, %v", in, d, d, back, err)
		}
	})
}
