package identify

import (
	"reflect"
	"testing"
	"unsafe"

	"github.com/seshat-project/seshat"
	"pgregory.net/rapid"
)

// borrowed makes copies of texts in memory that is overwritten by end, as a source does that reuses its buffers.
type borrowed struct{ buffers [][]byte }

func (b *borrowed) text(s *string) {
	if *s == "" {
		return
	}
	buffer := []byte(*s)
	b.buffers = append(b.buffers, buffer)
	*s = unsafe.String(unsafe.SliceData(buffer), len(buffer))
}

func (b *borrowed) exchange(x *seshat.Exchange) {
	for _, s := range []*string{&x.ID, &x.Environment, &x.Service, &x.Request.Method, &x.Request.Scheme, &x.Request.Host, &x.Request.Path, &x.Request.Query, &x.Client.JA4} {
		b.text(s)
	}
	for _, header := range [][]seshat.Field{x.Request.Header, x.Response.Header} {
		for i := range header {
			b.text(&header[i].Name)
			b.text(&header[i].Value)
		}
	}
	b.buffers = append(b.buffers, x.Request.Body.Bytes, x.Response.Body.Bytes)
}

func (b *borrowed) end() {
	for _, buffer := range b.buffers {
		for i := range buffer {
			buffer[i] = '#'
		}
	}
	b.buffers = nil
}

// drawWildExchange draws exchanges that are odd everywhere: mostly they are no more than what a parser could let pass.
func drawWildExchange(t *rapid.T) *seshat.Exchange {
	x := drawExchange(t)
	wild := rapid.OneOf(
		rapid.SampledFrom(append([]string{
			"Cookie", "Set-Cookie", "Content-Type", "application/json", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x",
			`{"access_token":"0123456789abcdef0123","expires_in":60,"data":{"refresh_token":"q7Zp2-mK9xW4_vT1sR8n"}}`, `{"a":`, `[[[`, "--x\r\n\r\nv\r\n--x--",
			"grant_type=refresh_token&refresh_token=0123456789abcdef", "/a;jsessionid=0123456789;b//%zz", "%", "=;=", "foo=q7Zp2-mK9xW4_vT1sR8n; HttpOnly", "/login", "POST",
		}, append(poolNames, poolValues...)...)),
		rapid.String(),
		rapid.Custom(func(t *rapid.T) string { return string(rapid.SliceOfN(rapid.Byte(), 0, 40).Draw(t, "bytes")) }),
	)
	draw := func(s *string) {
		if rapid.Bool().Draw(t, "wild") {
			*s = wild.Draw(t, "text")
		}
	}
	for _, s := range []*string{&x.Request.Method, &x.Request.Host, &x.Request.Path, &x.Request.Query, &x.Environment, &x.Service} {
		draw(s)
	}
	for _, header := range []*[]seshat.Field{&x.Request.Header, &x.Response.Header} {
		if rapid.Bool().Draw(t, "typed") {
			types := []string{"application/json", "application/json", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x", ""}
			*header = append(*header, seshat.Field{Name: "Content-Type", Value: rapid.SampledFrom(types).Draw(t, "type")})
		}
		for range rapid.IntRange(0, 3).Draw(t, "more") {
			*header = append(*header, seshat.Field{Name: wild.Draw(t, "name"), Value: wild.Draw(t, "value")})
		}
	}
	for _, body := range []*seshat.Body{&x.Request.Body, &x.Response.Body} {
		text := rapid.OneOf(wild, rapid.Custom(drawJSON)).Draw(t, "body")
		body.Bytes, body.Truncated = []byte(text), rapid.Bool().Draw(t, "truncated")
	}
	return x
}

// drawJSON draws bodies that hold something to find.
func drawJSON(t *rapid.T) string {
	name := rapid.SampledFrom([]string{"access_token", "refresh_token", "session_id", "username", "password", "grant_type", "expires_in"})
	return `{"` + name.Draw(t, "name") + `":"` + rapid.StringMatching(`[a-z0-9]{20}`).Draw(t, "value") + `"}`
}

// TestWorkerKeepsNothing overwrites the memory of each exchange once the next one is to come. What a worker finds then
// must be what a new one finds, and must stay what it is while its own exchange lives.
func TestWorkerKeepsNothing(t *testing.T) {
	rapid.Check(t, checkKeepsNothing)
}

func FuzzWorkerKeepsNothing(f *testing.F) { f.Fuzz(rapid.MakeFuzz(checkKeepsNothing)) }

func checkKeepsNothing(t *rapid.T) {
	e := drawRuleset(t)
	w := e.NewWorker()
	var out seshat.Identity
	for range 3 {
		x := drawWildExchange(t)
		var memory borrowed
		memory.exchange(x)
		w.Identify(x, &out)
		var fresh seshat.Identity
		e.Identify(x, &fresh)
		if !reflect.DeepEqual(out.IDs, fresh.IDs) || out.Grouping != fresh.Grouping || !sameList(out.Parameters, fresh.Parameters) || !sameList(out.Flows, fresh.Flows) {
			t.Fatalf("%+v\n got %+v\nwant %+v", x, out, fresh)
		}
		if out.Grouping < 0 || out.Grouping >= len(out.IDs) {
			t.Fatalf("grouping %d of %d", out.Grouping, len(out.IDs))
		}
		if again := w.Explain(x); len(again.IDs) != len(out.IDs) {
			t.Fatalf("explained %d, identified %d", len(again.IDs), len(out.IDs))
		}
		memory.end()
	}
}

// sameList is reflect.DeepEqual, except that an empty list is like none.
func sameList[T any](a, b []T) bool {
	return len(a) == 0 && len(b) == 0 || reflect.DeepEqual(a, b)
}
