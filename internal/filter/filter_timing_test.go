package filter

import "testing"

const timedFilter = `status:>=500 user:alice endpoint:"GET */orders/{var1}" -flow:admin ip:10.0.0.0/8 duration:>250ms`

func BenchmarkParse(b *testing.B) {
	fields := Exchanges()
	b.ReportAllocs()
	for b.Loop() {
		if _, err := Parse(timedFilter, fields, testNow()); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkMatch(b *testing.B) {
	e, err := Parse(timedFilter, Exchanges(), testNow())
	if err != nil {
		b.Fatal(err)
	}
	row := aliceOrders()
	b.ReportAllocs()
	for b.Loop() {
		if !Match(e, row) {
			b.Fatal("the row does not match")
		}
	}
}
