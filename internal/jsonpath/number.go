package jsonpath

import (
	"cmp"
	"strings"
)

// maxExponent is where exponents are cut off. No document is long enough to make up for the difference, so numbers
// beyond compare by their digits, and are larger (or smaller) than all others.
const maxExponent = 1 << 40

// decimal is a number as 0.digits × 10^exponent, with neither leading nor trailing zeros. Zero has no digits.
type decimal struct {
	negative bool
	whole    string // digits before the point
	fraction string // digits after the point
	exponent int64
}

// newDecimal reads a valid JSON number. It does not allocate: the digits stay in two pieces.
func newDecimal(s string) decimal {
	var d decimal
	if s[0] == '-' {
		d.negative = true
		s = s[1:]
	}
	mantissa := s
	if i := strings.IndexAny(s, "eE"); i >= 0 {
		mantissa = s[:i]
		d.exponent = readExponent(s[i+1:])
	}
	d.whole, d.fraction, _ = strings.Cut(mantissa, ".")
	d.fraction = strings.TrimRight(d.fraction, "0")
	if d.whole = strings.TrimLeft(d.whole, "0"); d.whole == "" {
		trimmed := strings.TrimLeft(d.fraction, "0")
		d.exponent -= int64(len(d.fraction) - len(trimmed))
		d.fraction = trimmed
	} else {
		d.exponent += int64(len(d.whole))
		if d.fraction == "" {
			d.whole = strings.TrimRight(d.whole, "0")
		}
	}
	if d.len() == 0 {
		return decimal{} // zero, and negative zero
	}
	return d
}

func readExponent(s string) int64 {
	negative := s[0] == '-'
	s = strings.TrimLeft(s, "+-")
	var n int64
	for i := 0; i < len(s) && n < maxExponent; i++ {
		n = n*10 + int64(s[i]-'0')
	}
	n = min(n, maxExponent)
	if negative {
		return -n
	}
	return n
}

func (d *decimal) len() int { return len(d.whole) + len(d.fraction) }

func (d *decimal) digit(i int) byte {
	if i < len(d.whole) {
		return d.whole[i]
	}
	return d.fraction[i-len(d.whole)]
}

// compareNumbers compares two JSON numbers by their exact values.
func compareNumbers(a, b string) int {
	if a == b {
		return 0
	}
	x, y := newDecimal(a), newDecimal(b)
	switch {
	case x.negative != y.negative:
		if x.negative {
			return -1
		}
		return 1
	case x.negative:
		return -x.compareMagnitude(&y)
	default:
		return x.compareMagnitude(&y)
	}
}

func (d *decimal) compareMagnitude(other *decimal) int {
	if d.len() == 0 || other.len() == 0 {
		return cmp.Compare(d.len(), other.len())
	}
	if c := cmp.Compare(d.exponent, other.exponent); c != 0 {
		return c
	}
	for i := range min(d.len(), other.len()) {
		if c := cmp.Compare(d.digit(i), other.digit(i)); c != 0 {
			return c
		}
	}
	return cmp.Compare(d.len(), other.len())
}
