package ui

import (
	"strings"
	"testing"
	"time"
)

func TestLength(t *testing.T) {
	const ms, s, minute, h, d = time.Millisecond, time.Second, time.Minute, time.Hour, 24 * time.Hour
	for _, c := range []struct {
		of   time.Duration
		want string
	}{
		{0, "0 ms"},
		{83 * time.Microsecond, "0.08 ms"},
		{400 * time.Microsecond, "0.4 ms"},
		{1500 * time.Microsecond, "1.5 ms"},
		{2 * ms, "2 ms"},
		{350 * ms, "350 ms"},
		{999*ms + 999*time.Microsecond, "999 ms"},
		{s, "1 s"},
		{9*s + 990*ms, "9.9 s"},
		{10 * s, "10 s"},
		{59*s + 999*ms, "59 s"},
		{minute, "1 min"},
		{90 * s, "1 min 30 s"},
		{3*h + 20*minute + 59*s, "3 h 20 min"},
		{d, "1 d"},
		{2*d + 4*h + 59*minute, "2 d 4 h"},
		{-90 * s, "-1 min 30 s"},
	} {
		got := Length(c.of)
		if strings.Contains(got, " ") {
			t.Errorf("the length of %v is %q: a line may end within it", c.of, got)
		}
		if got = strings.ReplaceAll(got, noBreak, " "); got != c.want {
			t.Errorf("the length of %v is %q, want %q", c.of, got, c.want)
		}
	}
}

func TestRangeWords(t *testing.T) {
	for _, c := range []struct {
		of   Range
		want string
	}{
		{Range{Since: "90m"}, "Last 1 h 30 min"},
		{Range{Since: "2026-05-01T10:00:00Z"}, "since 2026-05-01 10:00:00"},
		{Range{Since: "2026-05-01T10:00:00Z", Until: "2026-05-01T11:00:00Z"}, "2026-05-01 10:00:00 – 11:00:00"},
		{Range{Since: "2026-05-01T10:00:00Z", Until: "2026-05-02T11:00:00Z"}, "2026-05-01 10:00:00 – 2026-05-02 11:00:00"},
		{Range{Until: "2026-05-02T11:00:00Z"}, "until 2026-05-02 11:00:00"},
		{Range{Since: "3h", Until: "1h"}, "3h 1h"},
	} {
		if got := strings.ReplaceAll(c.of.Words(), noBreak, " "); got != c.want {
			t.Errorf("%+v is %q, want %q", c.of, got, c.want)
		}
	}
}
