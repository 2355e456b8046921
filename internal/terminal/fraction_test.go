package terminal

import "testing"

func TestFraction(t *testing.T) {
	f := func(in, want float64) {
		t.Helper()
		if got := Fraction(in); got != want {
			t.Errorf("Fraction(%v) is %v; want %v", in, got, want)
		}
	}
	f(0.9499999999999998, 0.95)
	f(0.30000000000000004, 0.3)
	f(1.0/3, 0.333)
	f(2.0/3, 0.667)
	f(0, 0)
	f(1, 1)
	f(0.9999999999999998, 1)
	f(0.9999, 0.999)
	f(0.0001, 0.001)
	f(1e-17, 0)
}
