package jsonpath

import (
	"math/big"
	"testing"

	"pgregory.net/rapid"
)

func TestCompareNumbers(t *testing.T) {
	f := func(a, b string, want int) {
		t.Helper()
		if got := compareNumbers(a, b); got != want {
			t.Fatalf("%s and %s: got %d, want %d", a, b, got, want)
		}
		if got := compareNumbers(b, a); got != -want {
			t.Fatalf("%s and %s: got %d, want %d", b, a, got, -want)
		}
	}
	f("0", "-0", 0)
	f("0", "0.00e99999999999999999999", 0)
	f("1", "1.0", 0)
	f("100", "1e2", 0)
	f("0.011", "1.1E-2", 0)
	f("1e400", "1e401", -1) // beyond float64
	f("1e-400", "0", 1)
	f("12345678901234567890", "12345678901234567891", -1) // equal as float64
	f("-2", "1", -1)
	f("-2", "-1", -1)
	f("9.99", "10", -1)
	f("1e99999999999999999999", "9e99999", 1)
	f("-1e99999999999999999999", "-9e99999", -1)
	f("1e-99999999999999999999", "1e-99999", -1)
}

func TestCompareNumbersIsExact(t *testing.T) {
	number := rapid.StringMatching(`-?(0|[1-9][0-9]{0,3})(\.[0-9]{1,4})?([eE][+-]?[0-9]{1,2})?`)
	rapid.Check(t, func(t *rapid.T) {
		a, b := number.Draw(t, "a"), number.Draw(t, "b")
		x, _ := new(big.Rat).SetString(a)
		y, _ := new(big.Rat).SetString(b)
		if got, want := compareNumbers(a, b), x.Cmp(y); got != want {
			t.Fatalf("%s and %s: got %d, want %d", a, b, got, want)
		}
	})
}
