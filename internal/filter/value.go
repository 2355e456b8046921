package filter

import (
	"fmt"
	"math"
	"net/netip"
	"strconv"
	"strings"
	"time"
)

func ipTest(a atom) (Test, *fault) {
	bad := &fault{fmt.Sprintf("%q is neither an address nor a network", a.text), "for example 10.1.2.3, 10.0.0.0/8 or 2001:db8::/32"}
	if prefix, err := netip.ParsePrefix(a.text); err == nil {
		if prefix.Addr().Is4In6() {
			return Test{}, &fault{"an IPv4 network is written as one", "for example 10.0.0.0/8"}
		}
		return Test{Op: OpEqual, Value: Value{IP: prefix.Masked()}}, nil
	}
	addr, err := netip.ParseAddr(a.text)
	if err != nil || addr.Zone() != "" {
		return Test{}, bad
	}
	addr = addr.Unmap()
	return Test{Op: OpEqual, Value: Value{IP: netip.PrefixFrom(addr, addr.BitLen())}}, nil
}

// span is what one written value of an ordered type stands for: a point, or for a date or minute everything from
// low to high, both included.
type span struct{ low, high Value }

// orderedTest makes a test of numbers, sizes, durations and times.
func (p *parser) orderedTest(f *Field, op string, a atom) (Test, *fault) {
	if from, to, isRange := strings.Cut(a.text, ".."); isRange && op == "" && !a.quoted {
		return p.rangeTest(f, from, to)
	}
	v, bad := p.ordered(f.Type, a.text)
	if bad != nil {
		return Test{}, bad
	}
	switch op {
	case ">":
		return Test{Op: OpGreater, Value: v.high}, nil
	case ">=":
		return Test{Op: OpGreaterEqual, Value: v.low}, nil
	case "<":
		return Test{Op: OpLess, Value: v.low}, nil
	case "<=":
		return Test{Op: OpLessEqual, Value: v.high}, nil
	}
	if compare(f.Type, v.low, v.high) == 0 {
		return Test{Op: OpEqual, Value: v.low}, nil
	}
	return Test{Op: OpRange, Value: v.low, High: v.high}, nil
}

func (p *parser) rangeTest(f *Field, from, to string) (Test, *fault) {
	if from == "" && to == "" {
		return Test{}, &fault{"a range needs at least one end", "for example " + f.Name + ":400..499, 400.. or ..499, in the field's unit"}
	}
	var low, high span
	var bad *fault
	if from != "" {
		if low, bad = p.ordered(f.Type, from); bad != nil {
			return Test{}, bad
		}
	}
	if to != "" {
		if high, bad = p.ordered(f.Type, to); bad != nil {
			return Test{}, bad
		}
	}
	switch {
	case to == "":
		return Test{Op: OpGreaterEqual, Value: low.low}, nil
	case from == "":
		return Test{Op: OpLessEqual, Value: high.high}, nil
	case compare(f.Type, low.low, high.high) > 0:
		return Test{}, &fault{"the range ends before it begins", fmt.Sprintf("write %s..%s", to, from)}
	case compare(f.Type, low.low, high.high) == 0:
		return Test{Op: OpEqual, Value: low.low}, nil
	}
	return Test{Op: OpRange, Value: low.low, High: high.high}, nil
}

// ordered reads one value of an ordered type.
func (p *parser) ordered(t Type, text string) (span, *fault) {
	var v Value
	var ok bool
	switch t {
	case TypeNumber:
		if v.Number, ok = parseNumber(text); !ok {
			hint := "a range is written 400..499, several values (200,201)"
			return span{}, &fault{fmt.Sprintf("%q is not a number", text), hint}
		}
	case TypeBytes:
		if v.Number, ok = parseBytes(text); !ok {
			return span{}, &fault{fmt.Sprintf("%q is not a size", text), "for example 512, 10KiB or 1.5MB"}
		}
	case TypeDuration:
		if v.Duration, ok = parseDuration(text); !ok {
			return span{}, &fault{fmt.Sprintf("%q is not a duration", text), "a duration has a unit: us, ms, s, m, h or d, as in 250ms or 1h30m"}
		}
	default:
		return p.time(text)
	}
	return span{v, v}, nil
}

// maxNumber is the largest number that a float64 and a 64-bit integer column agree on.
const maxNumber = 1 << 53

// parseNumber reads a decimal number. What [strconv.ParseFloat] also takes (hexadecimal, infinity, underscores) is
// more likely a mistake than meant.
func parseNumber(text string) (float64, bool) {
	if strings.Trim(text, "0123456789.-+eE") != "" {
		return 0, false
	}
	n, err := strconv.ParseFloat(text, 64)
	if err != nil || math.Abs(n) > maxNumber {
		return 0, false
	}
	return n + 0, true // turns -0 into 0
}

// parseBytes reads a number of bytes with an optional unit: decimal (kB, MB, GB) or binary (KiB, MiB, GiB).
func parseBytes(text string) (float64, bool) {
	end := len(text)
	for end > 0 && (text[end-1] < '0' || text[end-1] > '9') && text[end-1] != '.' {
		end--
	}
	factor := 0.0
	switch strings.ToLower(text[end:]) {
	case "", "b":
		factor = 1
	case "kb":
		factor = 1e3
	case "mb":
		factor = 1e6
	case "gb":
		factor = 1e9
	case "kib":
		factor = 1 << 10
	case "mib":
		factor = 1 << 20
	case "gib":
		factor = 1 << 30
	}
	n, ok := parseNumber(text[:end])
	return n * factor, ok && factor > 0 && n >= 0 && n*factor <= maxNumber
}

// parseDuration reads what [time.ParseDuration] reads, and days before it ("7d", "1d12h"). Negative ones are refused.
func parseDuration(text string) (time.Duration, bool) {
	var days time.Duration
	if count, rest, found := strings.Cut(text, "d"); found {
		n, err := strconv.ParseUint(count, 10, 16) // 2^16 days fit a duration
		if err != nil {
			return 0, false
		}
		days = time.Duration(n) * 24 * time.Hour //nolint:gosec // 16 bits
		if text = rest; text == "" {
			return days, true
		}
	}
	d, err := time.ParseDuration(text)
	if err != nil || d < 0 || strings.HasPrefix(text, "-") || days+d < 0 {
		return 0, false
	}
	return days + d, true
}

// time reads RFC 3339, a date with or without time of day (in UTC), or a time relative to now.
func (p *parser) time(text string) (span, *fault) {
	bad := &fault{fmt.Sprintf("%q is not a time", text), "for example 2026-01-02T15:04:05Z, 2026-01-02, now or now-1h30m"}
	point := func(t time.Time) (span, *fault) {
		if t = t.UTC(); t.Year() < 1 || t.Year() > 9999 { // beyond what RFC 3339 can write
			return span{}, bad
		}
		return span{Value{Time: t}, Value{Time: t}}, nil
	}
	if len(text) >= 3 && strings.EqualFold(text[:3], "now") {
		rest := text[3:]
		if rest == "" {
			return point(p.now)
		}
		d, ok := parseDuration(rest[1:])
		switch {
		case ok && rest[0] == '-':
			return point(p.now.Add(-d))
		case ok && rest[0] == '+':
			return point(p.now.Add(d))
		}
		return span{}, bad
	}
	if t, err := time.Parse(time.RFC3339Nano, text); err == nil {
		return point(t)
	}
	for _, partial := range []struct {
		layout string
		unit   time.Duration
	}{
		{"2006-01-02", 24 * time.Hour},
		{"2006-01-02T15:04", time.Minute},
		{"2006-01-02T15:04:05", time.Second},
	} {
		if t, err := time.Parse(partial.layout, text); err == nil && t.Year() >= 1 {
			return span{Value{Time: t}, Value{Time: t.Add(partial.unit - time.Nanosecond)}}, nil
		}
	}
	return span{}, bad
}

// compare orders two values of an ordered type.
func compare(t Type, a, b Value) int {
	switch t {
	case TypeDuration:
		return compareNumbers(a.Duration, b.Duration)
	case TypeTime:
		return a.Time.Compare(b.Time)
	default:
		return compareNumbers(a.Number, b.Number)
	}
}

func compareNumbers[N float64 | time.Duration](a, b N) int {
	switch {
	case a < b:
		return -1
	case a > b:
		return 1
	}
	return 0
}
