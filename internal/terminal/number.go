package terminal

import (
	"strconv"
	"strings"
	"time"
)

// TimeLayout is how times are shown to people: in UTC, to the second.
const TimeLayout = "2006-01-02 15:04:05Z"

// Time is t as it is shown: in UTC, because logs, captures and filters are. The zero time is "-".
func Time(t time.Time) string {
	if t.IsZero() {
		return "-"
	}
	return t.UTC().Format(TimeLayout)
}

// Count is n with commas between thousands.
func Count(n int64) string {
	digits := strconv.FormatInt(n, 10)
	sign := ""
	if digits[0] == '-' {
		sign, digits = "-", digits[1:]
	}
	var b strings.Builder
	b.WriteString(sign)
	for i := range len(digits) {
		if i > 0 && (len(digits)-i)%3 == 0 {
			b.WriteByte(',')
		}
		b.WriteByte(digits[i])
	}
	return b.String()
}

// Plural is "1 exchange" or "2 exchanges".
func Plural(n int64, one, many string) string {
	if n == 1 {
		return "1 " + one
	}
	return Count(n) + " " + many
}

// Span is a length of time in the two units that matter: "12ms", "3.4s", "5m06s", "2h07m", "3d04h".
func Span(d time.Duration) string {
	if d < 0 {
		return "-" + Span(-d)
	}
	const day = 24 * time.Hour
	two := func(big, small time.Duration, bigUnit, smallUnit string) string {
		// What is left below the small unit is cut, not rounded: 59.9 minutes are not an hour.
		rest := strconv.FormatInt(int64(d%big/small), 10)
		if len(rest) < 2 {
			rest = "0" + rest
		}
		return strconv.FormatInt(int64(d/big), 10) + bigUnit + rest + smallUnit
	}
	switch {
	case d == 0:
		return "0s"
	case d < time.Millisecond:
		return strconv.FormatInt(d.Microseconds(), 10) + "µs"
	case d < time.Second:
		return strconv.FormatInt(d.Milliseconds(), 10) + "ms"
	case d < time.Minute:
		text := strconv.FormatFloat(float64(d/(100*time.Millisecond))/10, 'f', -1, 64)
		return text + "s"
	case d < time.Hour:
		return two(time.Minute, time.Second, "m", "s")
	case d < day:
		return two(time.Hour, time.Minute, "h", "m")
	default:
		return two(day, time.Hour, "d", "h")
	}
}
