package identify_test

import (
	"testing"

	"github.com/seshat-project/seshat"
	"github.com/seshat-project/seshat/internal/identify"
)

func measureNeeds(b *testing.B, e *identify.Engine, x *seshat.Exchange, side seshat.Side) {
	b.Helper()
	if n := testing.AllocsPerRun(10, func() { e.NeedsBody(x, side) }); n != 0 {
		b.Errorf("%v allocations", n)
	}
	b.ReportAllocs()
	for b.Loop() {
		e.NeedsBody(x, side)
	}
}

func BenchmarkNeedsBody(b *testing.B) {
	read := typical()
	read.Response.Header = fields([]string{"Content-Type: application/json", "Content-Length: 350", "Cache-Control: no-store", "Date: x"})
	write := typical()
	write.Request.Method = "POST"
	write.Request.Header = append(write.Request.Header, fields([]string{"Content-Type: application/json", "Content-Length: 350", "Authorization: Bearer " + sampleToken})...)
	write.Response = read.Response
	inBody := seshat.Extract{Location: "body", JSONPath: "$.id"}
	scoped := declare("scoped", &seshat.ContextParameterSpec{Scope: seshat.Scope{URLs: []string{`^https://api\.shop\.example/v1/things/`}}, In: "response", Extract: inBody})
	for _, c := range []struct {
		name      string
		resources []seshat.Resource
	}{{"built-in", rules(10)}, {"a body rule elsewhere", append(rules(10), scoped)}} {
		e := engine(b, c.resources...)
		b.Run(c.name+"/request of a GET", func(b *testing.B) { measureNeeds(b, e, read, seshat.InRequest) })
		b.Run(c.name+"/response to a GET", func(b *testing.B) { measureNeeds(b, e, read, seshat.InResponse) })
		b.Run(c.name+"/request of a POST", func(b *testing.B) { measureNeeds(b, e, write, seshat.InRequest) })
		b.Run(c.name+"/response to a POST", func(b *testing.B) { measureNeeds(b, e, write, seshat.InResponse) })
	}
}
