package accesslog

import (
	"strconv"
	"strings"
	"time"

	"github.com/seshat-project/seshat/internal/ingest"
)

// clf parses times of the common log format, "17/May/2015:10:05:03 +0200". Lines follow each other within a second or
// a day: it remembers the last time, and its day.
type clf struct {
	last     [len(clfLayout)]byte
	lastTime time.Time
	day      string // up to the hour, and the zone
	midnight int64
}

const (
	clfLayout = "02/Jan/2006:15:04:05 -0700"
	clfDay    = len("02/Jan/2006:")
	clfZone   = len("02/Jan/2006:15:04:05")
)

func (c *clf) parse(s string) (time.Time, bool) {
	if s == string(c.last[:]) {
		return c.lastTime, true
	}
	if len(s) != len(clfLayout) {
		return time.Time{}, false
	}
	if len(c.day) == 0 || s[:clfDay] != c.day[:clfDay] || s[clfZone:] != c.day[clfDay:] {
		midnight, err := time.Parse(clfLayout, s[:clfDay]+"00:00:00"+s[clfZone:])
		if err != nil || ingest.CheckTime(midnight) != nil {
			return time.Time{}, false
		}
		c.day, c.midnight = s[:clfDay]+s[clfZone:], midnight.Unix()
	}
	hour, minute, second := twoDigits(s[clfDay:]), twoDigits(s[clfDay+3:]), twoDigits(s[clfDay+6:])
	if s[clfDay+2] != ':' || s[clfDay+5] != ':' || hour > 23 || minute > 59 || second > 60 {
		return time.Time{}, false
	}
	copy(c.last[:], s)
	c.lastTime = time.Unix(c.midnight+int64(hour*3600+minute*60+second), 0).UTC()
	return c.lastTime, true
}

// twoDigits reads two digits; it returns more than 99 for anything else.
func twoDigits(s string) int {
	tens, ones := s[0]-'0', s[1]-'0'
	if tens > 9 || ones > 9 {
		return 100
	}
	return int(tens)*10 + int(ones)
}

// parseTime reads the other forms that logs write: RFC 3339 with and without colon in the zone, Caddy's and Envoy's
// own, and a number since 1970 whose unit its size tells.
func parseTime(s string) (time.Time, bool) {
	if t, err := time.Parse(time.RFC3339, s); err == nil {
		return t.UTC(), ingest.CheckTime(t) == nil
	}
	if t, ok := epoch(s); ok {
		return t, true
	}
	for _, layout := range [...]string{
		"2006-01-02T15:04:05.999999999Z0700", "2006/01/02 15:04:05.999999999", clfLayout,
		"2006-01-02 15:04:05.999999999Z07:00", "2006-01-02 15:04:05.999999999 -0700", "2006-01-02 15:04:05.999999999",
	} {
		if t, err := time.Parse(layout, s); err == nil {
			return t.UTC(), ingest.CheckTime(t) == nil
		}
	}
	return time.Time{}, false
}

// epoch reads a number of seconds, milliseconds, microseconds or nanoseconds since 1970: a unit fits if the time lies
// between 1973 and 5138. Digits behind the point are read as digits: a float would lose some of them.
func epoch(s string) (time.Time, bool) {
	if strings.ContainsAny(s, "eE") { // 1.7673e9
		f, err := strconv.ParseFloat(s, 64)
		if err != nil {
			return time.Time{}, false
		}
		t, err := ingest.UnixTime(f)
		return t, err == nil
	}
	whole, fraction, _ := strings.Cut(s, ".")
	n, err := strconv.ParseInt(whole, 10, 64)
	if err != nil {
		return time.Time{}, false
	}
	var t time.Time
	const seconds = 1e11
	switch {
	case n < 1e8:
		return time.Time{}, false
	case n < seconds:
		nanoseconds, ok := fractionOfSecond(fraction)
		if !ok {
			return time.Time{}, false
		}
		t = time.Unix(n, nanoseconds)
	case n < seconds*1e3:
		t = time.UnixMilli(n)
	case n < seconds*1e6:
		t = time.UnixMicro(n)
	default:
		t = time.Unix(0, n)
	}
	return t.UTC(), ingest.CheckTime(t) == nil
}

// fractionOfSecond turns the digits behind the point into nanoseconds.
func fractionOfSecond(digits string) (int64, bool) {
	const most = 9
	n := int64(0)
	for i := range most {
		d := byte(0)
		if i < len(digits) {
			if d = digits[i] - '0'; d > 9 {
				return 0, false
			}
		}
		n = n*10 + int64(d)
	}
	return n, true
}

// timeLayout turns a strftime format into a layout of Go's.
func timeLayout(format string) (string, bool) {
	var b strings.Builder
	for i := 0; i < len(format); i++ {
		if format[i] != '%' {
			b.WriteByte(format[i])
			continue
		}
		if i++; i == len(format) {
			return "", false
		}
		layout, ok := conversion(format[i])
		if !ok {
			return "", false
		}
		b.WriteString(layout)
	}
	return b.String(), true
}

func conversion(c byte) (string, bool) {
	switch c {
	case 'Y':
		return "2006", true
	case 'y':
		return "06", true
	case 'm':
		return "01", true
	case 'd':
		return "02", true
	case 'e':
		return "_2", true
	case 'b', 'h':
		return "Jan", true
	case 'H':
		return "15", true
	case 'M':
		return "04", true
	case 'S':
		return "05", true
	case 'z':
		return "-0700", true
	case 'Z':
		return "MST", true
	case 'T':
		return "15:04:05", true
	case 'D':
		return "01/02/06", true
	case 'F':
		return "2006-01-02", true
	case '%':
		return "%", true
	}
	return "", false
}
