package ui

import (
	"fmt"
	"math"
	"strconv"
	"time"
)

// Stamp is a moment to the second, in UTC, as pages write it.
func Stamp(t time.Time) string { return t.UTC().Format("2006-01-02 15:04:05") }

// Clock is a moment within a day, to the millisecond.
func Clock(t time.Time) string { return t.UTC().Format("15:04:05.000") }

// Count is a number with thousands parted.
func Count[N int | int64](n N) string {
	text := strconv.FormatInt(int64(n), 10)
	out := make([]byte, 0, len(text)+len(text)/3)
	for i := range len(text) {
		if i > 0 && (len(text)-i)%3 == 0 && text[i-1] != '-' {
			out = append(out, ',')
		}
		out = append(out, text[i])
	}
	return string(out)
}

// Short is a number in few characters, and a unit from ten thousand on: 1,234, 12.3 k, 4.5 M.
func Short(n float64) string {
	switch {
	case n >= 1e9:
		return fmt.Sprintf("%.1f G", n/1e9)
	case n >= 1e6:
		return fmt.Sprintf("%.1f M", n/1e6)
	case n >= 1e4:
		return fmt.Sprintf("%.1f k", n/1e3)
	case n >= 10 || n == float64(int64(n)):
		return Count(int64(math.Round(n)))
	default:
		return strconv.FormatFloat(n, 'f', 1, 64)
	}
}

// Bytes is a size.
func Bytes(n int64) string {
	const unit = 1024
	if n < unit {
		return strconv.FormatInt(n, 10) + " B"
	}
	f, i := float64(n), -1
	for f >= unit && i < 4 {
		f /= unit
		i++
	}
	return fmt.Sprintf("%.1f %ciB", f, "KMGTP"[i])
}

// Length is a length of time as people say it: 0.35 ms, 12 s, 4 min, 3 h 20 min, 2 d 4 h. It is rounded down, to two units
// at most, and no line ends within it. Every length of time that a page shows is written by it; what forms take is
// [seshat.Duration].
func Length(d time.Duration) string {
	switch {
	case d < 0:
		return "-" + Length(-d)
	case d < time.Millisecond:
		return measure(d, time.Millisecond, 2, "ms")
	case d < 10*time.Millisecond:
		return measure(d, time.Millisecond, 1, "ms")
	case d < time.Second:
		return measure(d, time.Millisecond, 0, "ms")
	case d < 10*time.Second:
		return measure(d, time.Second, 1, "s")
	case d < time.Minute:
		return measure(d, time.Second, 0, "s")
	case d < time.Hour:
		return whole(d, time.Minute, "min", time.Second, "s")
	case d < 24*time.Hour:
		return whole(d, time.Hour, "h", time.Minute, "min")
	default:
		return whole(d, 24*time.Hour, "d", time.Hour, "h")
	}
}

// noBreak is a space at which no line ends.
const noBreak = "\u00a0"

// measure is a length in a unit, with some decimals but for zeros at their end.
func measure(d, unit time.Duration, decimals int, name string) string {
	scale := math.Pow10(decimals)
	return strconv.FormatFloat(math.Floor(float64(d)/float64(unit)*scale)/scale, 'f', -1, 64) + noBreak + name
}

// whole is a length in whole units, and what is left in whole smaller ones.
func whole(d, unit time.Duration, name string, small time.Duration, smallName string) string {
	text := strconv.FormatInt(int64(d/unit), 10) + noBreak + name
	if rest := d % unit / small; rest > 0 {
		text += noBreak + strconv.FormatInt(int64(rest), 10) + noBreak + smallName
	}
	return text
}

// Percent is a share of 0 to 1.
func Percent(share float64) string {
	switch {
	case share > 0 && share < 0.001:
		return "<0.1 %"
	case share < 0.1 || share > 0.995 && share < 1:
		return fmt.Sprintf("%.1f %%", share*100)
	default:
		return fmt.Sprintf("%.0f %%", share*100)
	}
}

// Abbreviate is the beginning of an ID, as tables show it.
func Abbreviate(id string) string {
	if len(id) > 13 {
		return id[:8] + "…" + id[len(id)-4:]
	}
	return id
}

// Plural is a number of things: "1 exchange", "2,000 exchanges".
func Plural[N int | int64](n N, one, many string) string {
	if n == 1 {
		return "1 " + one
	}
	return Count(n) + " " + many
}
