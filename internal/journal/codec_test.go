package journal

import (
	"bytes"
	"errors"
	"math"
	"net/netip"
	"reflect"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/seshat-project/seshat"
)

// drawValue fills v with random values by reflection, so that a field that is added to an observation is drawn,
// and found missing in the codec, without anybody thinking of it.
func drawValue(t *rapid.T, v reflect.Value, name string) {
	switch v.Type() {
	case reflect.TypeFor[time.Time]():
		if rapid.Bool().Draw(t, name+" set") {
			// Years 1 to 9999.
			sec := rapid.Int64Range(-62135596800, 253402300799).Draw(t, name)
			v.Set(reflect.ValueOf(time.Unix(sec, rapid.Int64Range(0, 999999999).Draw(t, name)).UTC()))
		}
		return
	case reflect.TypeFor[netip.Addr]():
		v.Set(reflect.ValueOf(drawAddress(t, name)))
		return
	}
	switch v.Kind() {
	case reflect.String:
		v.SetString(rapid.OneOf(rapid.Just(""), rapid.String(), rapid.StringN(120, 700, -1)).Draw(t, name))
	case reflect.Bool:
		v.SetBool(rapid.Bool().Draw(t, name))
	case reflect.Int, reflect.Int64:
		v.SetInt(rapid.Int64().Draw(t, name))
	case reflect.Uint8:
		v.SetUint(uint64(rapid.Uint8().Draw(t, name)))
	case reflect.Uint64:
		v.SetUint(rapid.Uint64().Draw(t, name))
	case reflect.Array:
		for i := range v.Len() {
			drawValue(t, v.Index(i), name)
		}
	case reflect.Slice:
		if n := rapid.IntRange(0, 4).Draw(t, name+" length"); n > 0 {
			v.Set(reflect.MakeSlice(v.Type(), n, n))
			for i := range n {
				drawValue(t, v.Index(i), name)
			}
		}
	case reflect.Struct:
		for i := range v.NumField() {
			drawValue(t, v.Field(i), name+"."+v.Type().Field(i).Name)
		}
	default:
		t.Fatalf("%s is of kind %s: teach the codec and this test", name, v.Kind())
	}
}

func drawAddress(t *rapid.T, name string) netip.Addr {
	switch rapid.IntRange(0, 4).Draw(t, name+" kind") {
	case 0:
		return netip.Addr{}
	case 1:
		return netip.AddrFrom4([4]byte(rapid.SliceOfN(rapid.Byte(), 4, 4).Draw(t, name)))
	case 2:
		return netip.MustParseAddr("fe80::1%eth0")
	case 3:
		return netip.MustParseAddr("::ffff:192.0.2.1")
	default:
		return netip.AddrFrom16([16]byte(rapid.SliceOfN(rapid.Byte(), 16, 16).Draw(t, name)))
	}
}

func TestRoundTrip(t *testing.T) {
	decoder := NewDecoder()
	rapid.Check(t, func(t *rapid.T) {
		var o seshat.Observation
		drawValue(t, reflect.ValueOf(&o).Elem(), "observation")
		behind := []byte("behind")
		src := append(Append([]byte("before"), &o), behind...)[len("before"):]
		for _, decode := range []func([]byte) (*seshat.Observation, []byte, error){Decode, decoder.Decode} {
			got, rest, err := decode(src)
			if err != nil || !bytes.Equal(rest, behind) {
				t.Fatalf("decoding %+v: rest %q, %v", o, rest, err)
			}
			if !reflect.DeepEqual(got, &o) {
				t.Fatalf("decoded\n %+v, want\n %+v", *got, o)
			}
		}
	})
}

// setEach calls f once for each field of v, at any depth, with that field alone set.
func setEach(v reflect.Value, path string, f func(path string)) {
	set := func(x reflect.Value) {
		v.Set(x)
		f(path)
		v.SetZero()
	}
	switch v.Type() {
	case reflect.TypeFor[time.Time]():
		set(reflect.ValueOf(time.Unix(1, 2).UTC()))
		return
	case reflect.TypeFor[netip.Addr]():
		set(reflect.ValueOf(netip.MustParseAddr("192.0.2.1")))
		return
	}
	switch v.Kind() {
	case reflect.Struct:
		for i := range v.NumField() {
			setEach(v.Field(i), path+"."+v.Type().Field(i).Name, f)
		}
	case reflect.Slice:
		v.Set(reflect.MakeSlice(v.Type(), 1, 1))
		setEach(v.Index(0), path+"[0]", f)
		v.SetZero()
	case reflect.Array:
		setEach(v.Index(0), path+"[0]", f)
	case reflect.String:
		set(reflect.ValueOf("x").Convert(v.Type()))
	case reflect.Bool:
		set(reflect.ValueOf(true))
	default:
		set(reflect.ValueOf(1).Convert(v.Type()))
	}
}

// TestEveryFieldTravels fails for each field of an observation that the codec forgets.
func TestEveryFieldTravels(t *testing.T) {
	var o seshat.Observation
	fields := 0
	setEach(reflect.ValueOf(&o).Elem(), "Observation", func(path string) {
		fields++
		got, _, err := Decode(Append(nil, &o))
		if err != nil || !reflect.DeepEqual(got, &o) {
			t.Errorf("%s does not travel: %+v, %v", path, got, err)
		}
	})
	if fields < 40 {
		t.Errorf("only %d fields were tried", fields)
	}
}

func TestDecodeRefusesEveryCut(t *testing.T) {
	src := Append(nil, typical())
	for n := range src {
		if _, _, err := Decode(src[:n]); !errors.Is(err, ErrCorrupt) {
			t.Errorf("the first %d of %d bytes: %v, want corrupt", n, len(src), err)
		}
	}
}

func TestHeader(t *testing.T) {
	for _, test := range []struct {
		src     string
		version byte
		rest    string
		kind    seshat.ErrorKind
		bad     bool
	}{
		{src: "SOB\x01rest", version: 1, rest: "rest"},
		{src: "SOB\x02rest", version: 2, rest: "rest"},
		{src: "SOB\x04rest", bad: true, kind: seshat.ErrorUnsupported},
		{src: "SOB\x03rest", version: 3, rest: "rest"},
		{src: "SOB\x00rest", bad: true, kind: seshat.ErrorUnsupported},
		{src: "SOB", bad: true},
		{src: "else", bad: true},
	} {
		version, rest, err := ReadHeader([]byte(test.src))
		if version != test.version || string(rest) != test.rest || (err != nil) != test.bad || err != nil && seshat.KindOfError(err) != test.kind {
			t.Errorf("%q: rest %q, %v", test.src, rest, err)
		}
	}
	if got := AppendHeader([]byte("x")); string(got) != "xSOB\x02" {
		t.Errorf("header %q", got)
	}
}

func TestDecodedObservationsShareMemory(t *testing.T) {
	src := Append(nil, typical())
	d := NewDecoder()
	for range 2 { // what came twice is kept
		if _, _, err := d.Decode(src); err != nil {
			t.Fatal(err)
		}
	}
	allocations := testing.AllocsPerRun(100, func() {
		if _, _, err := d.Decode(src); err != nil {
			t.Fatal(err)
		}
	})
	// The observation, its own ID and its trace ID.
	if allocations > 3 {
		t.Errorf("%v allocations for an observation like the one before, want at most 3", allocations)
	}
}

// TestEndings: whatever else a decoder has seen, it decodes as one that has seen nothing, and what it lends to several
// observations has no room that one of them could write to.
func TestEndings(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		decoder := NewDecoder()
		kinds := make([]seshat.Observation, rapid.IntRange(1, 4).Draw(t, "kinds"))
		for i := range kinds {
			drawValue(t, reflect.ValueOf(&kinds[i]).Elem(), "observation")
		}
		for range 20 {
			o := kinds[rapid.IntRange(0, len(kinds)-1).Draw(t, "kind")]
			o.Key = seshat.ExchangeKey(rapid.Uint64().Draw(t, "key"))
			got, rest, err := decoder.Decode(Append(nil, &o))
			if err != nil || len(rest) > 0 || !reflect.DeepEqual(got, &o) {
				t.Fatalf("decoded\n %+v, want\n %+v, %v", got, o, err)
			}
			if cap(got.IDs) > len(got.IDs) || cap(got.Parameters) > len(got.Parameters) ||
				cap(got.Flows) > len(got.Flows) || cap(got.Verdict.Tags) > len(got.Verdict.Tags) {
				t.Fatalf("%+v can be written beyond", got)
			}
		}
	})
	decoder := NewDecoder()
	src := Append(nil, typical())
	var shown []*seshat.Observation
	for range 3 {
		o, _, err := decoder.Decode(src)
		if err != nil {
			t.Fatal(err)
		}
		shown = append(shown, o)
	}
	if &shown[0].IDs[0] == &shown[1].IDs[0] || &shown[1].IDs[0] != &shown[2].IDs[0] {
		t.Error("what came a second time is not what the third has")
	}
}

func FuzzDecode(f *testing.F) {
	f.Add(Append(nil, typical()))
	f.Add(Append(nil, &seshat.Observation{Status: math.MaxInt, ClientIP: netip.MustParseAddr("fe80::1%eth0")}))
	f.Add([]byte{255, 255, 255, 255})
	decoder := NewDecoder()
	f.Fuzz(func(t *testing.T, src []byte) {
		o, rest, err := Decode(src)
		if err != nil {
			return
		}
		used := len(src) - len(rest)
		if cap(o.IDs)*leastID > used || cap(o.Parameters)*leastParameter > used || cap(o.Flows)*leastFlow > used {
			t.Fatalf("%d bytes made %d IDs, %d parameters, %d flows", used, cap(o.IDs), cap(o.Parameters), cap(o.Flows))
		}
		for range 3 {
			if got, left, err := decoder.Decode(src); err != nil || len(left) != len(rest) || !reflect.DeepEqual(got, o) {
				t.Fatalf("a decoder that has seen others decodes %+v, want %+v, %v", got, o, err)
			}
		}
		again, _, err := Decode(Append(nil, o))
		if err != nil || !reflect.DeepEqual(again, o) {
			t.Fatalf("decoded %+v, and after encoding %+v, %v", o, again, err)
		}
	})
}
