package ndjson

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/netip"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/seshat-project/seshat"
	"github.com/seshat-project/seshat/internal/ingest"
)

const full = `{"id":"e1","time":"2026-01-02T03:04:05.678901234Z","duration_ms":12.3,"environment":"prod","service":"shop",` +
	`"client":{"ip":"203.0.113.9","ja4":"t13d1516h2_8daaf6152771_e5627efa2ab1"},` +
	`"request":{"method":"POST","scheme":"https","host":"api.shop.example","path":"/orders/42","query":"a=1","http_version":"1.1",` +
	`"headers":[["Cookie","SESS=abc"],["User-Agent","curl/8.9"]],"body":"{}","body_bytes":2,"body_truncated":false},` +
	`"response":{"status":200,"headers":[["Set-Cookie","SESS=def; HttpOnly"]],"body_base64":"/wA=","body_bytes":9,"body_truncated":true},` +
	`"trace_id":"4BF92F3577b34da6a3ce929d0e0e4736","later":{"deep":[1,{"x":null}]}}`

func fullExchange() *seshat.Exchange {
	return &seshat.Exchange{
		ID: "e1", Time: time.Date(2026, 1, 2, 3, 4, 5, 678901234, time.UTC), Duration: 12300 * time.Microsecond,
		Environment: "prod", Service: "shop",
		Client: seshat.Client{IP: netip.MustParseAddr("203.0.113.9"), JA4: "t13d1516h2_8daaf6152771_e5627efa2ab1"},
		Request: seshat.Request{
			Method: "POST", Scheme: "https", Host: "api.shop.example", Path: "/orders/42", Query: "a=1", HTTPVersion: "1.1",
			Header: []seshat.Field{{Name: "Cookie", Value: "SESS=abc"}, {Name: "User-Agent", Value: "curl/8.9"}},
			Body:   seshat.Body{Bytes: []byte("{}"), Size: 2},
		},
		Response: seshat.Response{
			Status: 200, Header: []seshat.Field{{Name: "Set-Cookie", Value: "SESS=def; HttpOnly"}},
			Body: seshat.Body{Bytes: []byte{0xff, 0}, Size: 9, Truncated: true},
		},
		TraceID: "4bf92f3577b34da6a3ce929d0e0e4736",
	}
}

func TestReadsEveryField(t *testing.T) {
	x, at, err := NewReader(strings.NewReader("\n" + full + "\r\n")).Read(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	if want := fullExchange(); !reflect.DeepEqual(x, want) {
		t.Errorf("read\n %+v, want\n %+v", x, want)
	}
	if at.Line != 2 || at.Offset != 1 || at.Content == 0 {
		t.Errorf("position %+v, want line 2, offset 1 and a digest", at)
	}
}

func TestFields(t *testing.T) {
	record := func(members string) string {
		return `{"time":"2026-01-02T03:04:05Z","request":{"method":"GET","path":"/a"}` + members + `}`
	}
	request := func(members string) string {
		return `{"time":"2026-01-02T03:04:05Z","request":{"method":"GET","path":"/a"` + members + `}}`
	}
	host := `,"scheme":"https","host":"Shop.Example:443"`
	for _, test := range []struct {
		name, line string
		f          func(*seshat.Exchange) any
		want       any
	}{
		{"service is the host", request(host), func(x *seshat.Exchange) any { return x.Service }, "shop.example"},
		{"host is kept as sent", request(host), func(x *seshat.Exchange) any { return x.Request.Host }, "Shop.Example:443"},
		{"host from the field", request(`,"headers":[["hOST","a.example:80"]]`), func(x *seshat.Exchange) any { return x.Request.Host + " " + x.Service }, "a.example:80 a.example"},
		{"host from the pseudo header", request(`,"headers":[[":authority","b.example"]]`), func(x *seshat.Exchange) any { return x.Request.Host }, "b.example"},
		{"empty service is none", record(`,"service":""`), func(x *seshat.Exchange) any { return x.Service }, ""},
		{"query in the path", `{"time":"2026-01-02T03:04:05Z","request":{"method":"GET","path":"/a?b=1?c"}}`, func(x *seshat.Exchange) any { return x.Request.Path + " " + x.Request.Query }, "/a b=1?c"},
		{"a question mark stays beside a query", `{"time":"2026-01-02T03:04:05Z","request":{"query":"","method":"GET","path":"/a?b"}}`, func(x *seshat.Exchange) any { return x.Request.Path }, "/a?b"},
		{"the last of equal names counts", record(`,"id":"1","id":"2"`), func(x *seshat.Exchange) any { return x.ID }, "2"},
		{"the last request counts whole", `{"request":{"method":"PUT","path":"/b","query":"x","body":"x"},"time":"2026-01-02T03:04:05Z","request":{"method":"GET","path":"/a"}}`, func(x *seshat.Exchange) any {
			return x.Request.Method + x.Request.Query + string(x.Request.Body.Bytes)
		}, "GET"},
		{"names may be escaped", record(`,"\u0069d":"\ud83d\ude00\n\"\\"`), func(x *seshat.Exchange) any { return x.ID }, "😀\n\"\\"},
		{"null is absent", `{"id":null,"client":null,"response":null,"trace_id":null,"duration_ms":null,"time":"2026-01-02T03:04:05Z","request":{"method":"GET","path":"/a","headers":null,"body":null,"body_base64":null,"body_bytes":null,"body_truncated":null}}`, func(x *seshat.Exchange) any { return x.Request.Path }, "/a"},
		{"zone", `{"time":"2026-01-02T03:04:05.5+02:00","request":{"method":"GET","path":"/a"}}`, func(x *seshat.Exchange) any { return x.Time }, time.Date(2026, 1, 2, 1, 4, 5, 5e8, time.UTC)},
		{"bytes that are no UTF-8", record(",\"id\":\"a\xffb\""), func(x *seshat.Exchange) any { return x.ID }, "a\uFFFDb"},
		{"bytes that are no UTF-8, and an escape", record(",\"id\":\"a\xffb\\n\""), func(x *seshat.Exchange) any { return x.ID }, "a\uFFFDb\n"},
		{"mapped address", record(`,"client":{"ip":"::ffff:192.0.2.1"}`), func(x *seshat.Exchange) any { return x.Client.IP }, netip.MustParseAddr("192.0.2.1")},
		{"no address", record(`,"client":{"ip":""}`), func(x *seshat.Exchange) any { return x.Client.IP.IsValid() }, false},
		{"negative duration", record(`,"duration_ms":-1`), func(x *seshat.Exchange) any { return x.Duration }, time.Duration(0)},
		{"impossible duration", record(`,"duration_ms":1e300`), func(x *seshat.Exchange) any { return x.Duration }, time.Duration(0)},
		{"size below what is there", request(`,"body":"abc","body_bytes":1`), func(x *seshat.Exchange) any { return x.Request.Body.Size }, int64(3)},
		{"version", request(`,"http_version":"HTTP/2.0"`), func(x *seshat.Exchange) any { return x.Request.HTTPVersion }, "2"},
		{"body still packed", request(`,"headers":[["content-encoding","gzip"]],"body_base64":"H4sIAAAAAAAA/6quBQQAAP//Q7+mowIAAAA="`), func(x *seshat.Exchange) any { return string(x.Request.Body.Bytes) }, "{}"},
		{"byte order mark", "\xef\xbb\xbf" + record(`,"id":"1"`), func(x *seshat.Exchange) any { return x.ID }, "1"},
	} {
		x, _, err := NewReader(strings.NewReader(test.line)).Read(context.Background())
		if err != nil {
			t.Errorf("%s: %v", test.name, err)
			continue
		}
		if got := test.f(x); got != test.want {
			t.Errorf("%s: %v, want %v", test.name, got, test.want)
		}
	}
}

func TestBadRecords(t *testing.T) {
	good := `"time":"2026-01-02T03:04:05Z","request":{"method":"GET","path":"/a"}`
	request := func(members string) string {
		return `{"time":"2026-01-02T03:04:05Z","request":{"method":"GET","path":"/a",` + members + `}}`
	}
	for _, test := range []struct{ line, want string }{
		{`{`, "the JSON ends too early (is the file cut off, or one object on several lines?)"},
		{`{"time":"2026-01-02T03:04:05Z","request":{"method":"GE`, "the JSON ends too early (is the file cut off, or one object on several lines?)"},
		{`[1]`, errNoObject.Error()},
		{`null`, errNoObject.Error()},
		{`secret`, "not valid JSON at column 1"},
		{`{"a":secret}`, "not valid JSON at column 6"},
		{`{` + good + `}{}`, "something follows the JSON object (one object a line)"},
		{`{` + good + `} secret`, "not valid JSON at column 72"},
		{`{"time":"secret"}`, "time: not RFC 3339 (such as 2026-01-02T03:04:05.678901Z)"},
		{`{"time":1767323045}`, "time: a number where RFC 3339 text is expected (such as 2026-01-02T03:04:05.678901Z)"},
		{`{"time":"0001-01-02T03:04:05Z"}`, "time: outside the years 1990 to 2199"},
		{`{"request":{"method":"GET","path":"/a"}}`, "time: missing (such as 2026-01-02T03:04:05.678901Z)"},
		{`{"time":"2026-01-02T03:04:05Z"}`, "request.method: missing"},
		{`{"time":"2026-01-02T03:04:05Z","request":{"method":"GET"}}`, "request.path: missing (such as /orders/42)"},
		{`{"time":"2026-01-02T03:04:05Z","request":"secret"}`, "request: a string where an object is expected"},
		{`{"id":7,` + good + `}`, "id: a number where a string is expected"},
		{`{"id":"` + strings.Repeat("x", 129) + `",` + good + `}`, "id: longer than 128 bytes"},
		{`{"response":{"status":"200"}}`, "response.status: a string where a number is expected"},
		{`{"response":{"status":20.5}}`, "response.status: not an integer"},
		{`{"response":{"status":42}}`, "response.status: not between 100 and 999 (0, or no field, when no response was seen)"},
		{`{"client":{"ip":"secret"}}`, "client.ip: not an IP address (such as 203.0.113.9, without port)"},
		{`{"client":{"ja4":"` + strings.Repeat("x", 129) + `"}}`, "client.ja4: longer than 128 bytes"},
		{`{"trace_id":"secret"}`, "trace_id: not 32 hexadecimal digits"},
		{`{"trace_id":"4bf92f3577b34da6a3ce929d0e0e473g"}`, "trace_id: not 32 hexadecimal digits"},
		{`{"duration_ms":"secret"}`, "duration_ms: a string where a number is expected"},
		{request(`"headers":{"Cookie":"secret"}`), "request.headers: an object where a list of [name, value] is expected"},
		{request(`"headers":[["A","b"],"secret"]`), "request.headers[1]: not a list of name and value (a list of [name, value] is expected)"},
		{request(`"headers":[["secret"]]`), "request.headers[0]: not a list of name and value (a list of [name, value] is expected)"},
		{request(`"headers":[["A","secret","c"]]`), "request.headers[0]: more than a name and a value (a list of [name, value] is expected)"},
		{request(`"headers":[["A",7]]`), "request.headers[0]: name and value must be strings (a list of [name, value] is expected)"},
		{request(`"headers":[` + strings.Repeat(`["",""],`, maxFields) + `["",""]]`), "request.headers: more than 10000 fields"},
		{request(`"body":{"a":"secret"}`), "request.body: an object where a string is expected"},
		{request(`"body":"a","body_base64":"YQ=="`), "request.body_base64: given together with body (body_base64 replaces body when it is not UTF-8)"},
		{request(`"body_base64":"secret!"`), "request.body_base64: not Base64 (the standard alphabet with padding, RFC 4648 section 4)"},
		{request(`"body_bytes":-1`), "request.body_bytes: negative"},
		{request(`"body_truncated":"secret"`), "request.body_truncated: a string where true or false is expected"},
		{`{` + good + `,"response":{"body_truncated":1}}`, "response.body_truncated: a number where true or false is expected"},
	} {
		r := NewReader(strings.NewReader(test.line + "\n" + full + "\n"))
		_, at, err := r.Read(context.Background())
		var bad *ingest.BadRecord
		if !errors.As(err, &bad) {
			t.Errorf("%.80s: %v, want a bad record", test.line, err)
			continue
		}
		if bad.Error() != test.want {
			t.Errorf("%.80s:\n %v, want\n %v", test.line, bad, test.want)
		}
		if at.Line != 1 || bad.Position.Line != 1 {
			t.Errorf("%.80s: line %d, want 1", test.line, at.Line)
		}
		if x, _, err := r.Read(context.Background()); err != nil || !reflect.DeepEqual(x, fullExchange()) {
			t.Errorf("%.80s: the record behind it became %+v, %v", test.line, x, err)
		}
	}
}

func TestDecodeReadsSeveralLines(t *testing.T) {
	var pretty bytes.Buffer
	if err := json.Indent(&pretty, []byte(full), "", "  "); err != nil {
		t.Fatal(err)
	}
	var d Decoder
	x, err := d.Decode(pretty.Bytes())
	if err != nil || !reflect.DeepEqual(x, fullExchange()) {
		t.Errorf("decoded %+v, %v", x, err)
	}
}

// TestAgreesWithEncodingJSON compares a whole capture with what the standard library reads.
func TestAgreesWithEncodingJSON(t *testing.T) {
	text := capture(t)
	r := NewReader(bytes.NewReader(text))
	var lines int64
	for raw := range bytes.Lines(text) {
		x, at, err := r.Read(context.Background())
		if lines++; err != nil || at.Line != lines {
			t.Fatalf("line %d: position %+v, %v", lines, at, err)
		}
		var want struct {
			ID       string
			Time     time.Time
			Duration float64 `json:"duration_ms"`
			Service  string
			Client   struct{ IP string }
			Request  struct {
				Method, Host, Path, Query string
				Headers                   [][]string
				Body                      string
				BodyBytes                 int64 `json:"body_bytes"`
			}
			Response struct {
				Status    int
				Headers   [][]string
				Body      string
				BodyBytes int64 `json:"body_bytes"`
			}
		}
		if err := json.Unmarshal(raw, &want); err != nil {
			t.Fatal(err)
		}
		same := x.ID == want.ID && x.Time.Equal(want.Time) && x.Service == want.Service && x.Client.IP.String() == want.Client.IP &&
			x.Request.Method == want.Request.Method && x.Request.Host == want.Request.Host && x.Request.Path == want.Request.Path &&
			x.Request.Query == want.Request.Query && equalFields(x.Request.Header, want.Request.Headers) &&
			string(x.Request.Body.Bytes) == want.Request.Body && x.Request.Body.Size == want.Request.BodyBytes &&
			x.Response.Status == want.Response.Status && equalFields(x.Response.Header, want.Response.Headers) &&
			string(x.Response.Body.Bytes) == want.Response.Body && x.Response.Body.Size == want.Response.BodyBytes
		if !same {
			t.Fatalf("line %d: read %+v, want %+v", lines, x, want)
		}
	}
	if _, _, err := r.Read(context.Background()); !errors.Is(err, io.EOF) {
		t.Errorf("at the end: %v, want EOF", err)
	}
}

func equalFields(got []seshat.Field, want [][]string) bool {
	if len(got) != len(want) {
		return false
	}
	for i, f := range got {
		if f.Name != want[i][0] || f.Value != want[i][1] {
			return false
		}
	}
	return true
}

func FuzzRead(f *testing.F) {
	f.Add([]byte(full))
	f.Add([]byte("\xef\xbb\xbf" + full + "\r\n\r\n{\"time\":\n" + full))
	f.Add([]byte(`{"time":"2026-01-02T03:04:05Z","request":{"method":"GET","path":"/?","headers":[["\ud800","\u0000"]],"body_base64":""}}`))
	f.Fuzz(func(t *testing.T, input []byte) {
		r := NewReader(bytes.NewReader(input))
		var before int64
		for {
			x, at, err := r.Read(context.Background())
			if errors.Is(err, io.EOF) {
				return
			}
			var bad *ingest.BadRecord
			if err != nil && !errors.As(err, &bad) {
				t.Fatalf("an error that is final: %v", err)
			}
			if at.Line <= before || at.Offset > int64(len(input)) {
				t.Fatalf("position %+v after line %d of %d bytes", at, before, len(input))
			}
			before = at.Line
			if err == nil && (x.Time.IsZero() || x.Request.Method == "" || x.Request.Body.Size < int64(len(x.Request.Body.Bytes))) {
				t.Fatalf("incomplete: %+v", x)
			}
		}
	})
}
