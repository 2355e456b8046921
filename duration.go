package seshat

import (
	"errors"
	"math"
	"strconv"
	"strings"
	"time"
)

// day is what "1d" stands for: 24 hours, whatever the calendar says. Retention and lifetimes are lengths of time.
const day = 24 * time.Hour

// ErrBadDuration is returned for text that is not a duration of the form "30m", "1h30m" or "7d".
var ErrBadDuration = errors.New(`not a duration: write it as in "30m", "1h30m" or "7d"`)

// ParseDuration reads a duration: what [time.ParseDuration] reads, without a sign, and optionally a number of whole
// days in front, as in "7d" or "1d12h". The error is ErrBadDuration.
func ParseDuration(s string) (Duration, error) {
	days, rest, found := strings.Cut(s, "d")
	if !found {
		days, rest = "", s
	}
	var total time.Duration
	if found {
		// ParseUint refuses signs, spaces and fractions.
		n, err := strconv.ParseUint(days, 10, 32)
		if err != nil || n > uint64(math.MaxInt64/day) {
			return 0, ErrBadDuration
		}
		total = time.Duration(n) * day
		if rest == "" {
			return Duration(total), nil
		}
	}
	if rest == "" || rest[0] == '-' || rest[0] == '+' {
		return 0, ErrBadDuration
	}
	d, err := time.ParseDuration(rest)
	if err != nil || d > math.MaxInt64-total {
		return 0, ErrBadDuration
	}
	return Duration(total + d), nil
}

// String is d in the shortest form that [ParseDuration] reads back, such as "7d", "1h30m" or "1.5s".
func (d Duration) String() string {
	if d == 0 {
		return "0s"
	}
	if d < 0 {
		return time.Duration(d).String()
	}
	var b strings.Builder
	if days := time.Duration(d) / day; days > 0 {
		b.WriteString(strconv.FormatInt(int64(days), 10) + "d")
	}
	if rest := time.Duration(d) % day; rest > 0 {
		text := rest.String()
		// time.Duration prints "1h0m0s"; the zeros say nothing.
		if trimmed, ok := strings.CutSuffix(text, "m0s"); ok {
			text = trimmed + "m"
			if trimmed, ok := strings.CutSuffix(text, "h0m"); ok {
				text = trimmed + "h"
			}
		}
		b.WriteString(text)
	}
	return b.String()
}

// MarshalText implements [encoding.TextMarshaler].
func (d Duration) MarshalText() ([]byte, error) { return []byte(d.String()), nil }

// UnmarshalText implements [encoding.TextUnmarshaler].
func (d *Duration) UnmarshalText(text []byte) error {
	parsed, err := ParseDuration(string(text))
	if err != nil {
		return err
	}
	*d = parsed
	return nil
}
