package gateway

import (
	"strings"
	"testing"
)

// TestSmuggling sends what is read in two ways by two programs. Whatever is not refused outright must reach the origin
// as the one request that the gateway took it for.
func TestSmuggling(t *testing.T) {
	rec := newRecorder(t, nil)
	g := newGate(t, []string{rec.addr})
	const hidden = "GET /hidden HTTP/1.1\r\nHost: a\r\n\r\n"
	refused := func(request string, want string) {
		t.Helper()
		before := len(rec.got())
		p := g.dial().send(request + hidden)
		got := p.rest()
		if !strings.HasPrefix(got, "HTTP/1.1 "+want) || strings.Count(got, "\r\nDate: ") != 1 || !strings.Contains(got, "\r\nConnection: close\r\n") {
			t.Errorf("of %q the client got %q, want one %s and the end", request, got, want)
		}
		if after := rec.got()[before:]; len(after) > 0 {
			t.Errorf("of %q the origin got %q", request, after)
		}
	}
	const post = "POST / HTTP/1.1\r\nHost: a\r\n"
	// CL.TE, TE.CL, TE.TE
	refused(post+"Content-Length: 6\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\nG", "400")
	refused(post+"Transfer-Encoding: chunked\r\nContent-Length: 4\r\n\r\n5c\r\n", "400")
	refused(post+"Transfer-Encoding: chunked\r\nTransfer-Encoding: cow\r\n\r\n0\r\n\r\n", "501")
	refused(post+"Transfer-Encoding: xchunked\r\nContent-Length: 4\r\n\r\n", "501")
	refused(post+"Transfer-Encoding : chunked\r\nContent-Length: 4\r\n\r\n", "400")
	refused(post+"Transfer-Encoding:\x0bchunked\r\n\r\n0\r\n\r\n", "400")
	refused(post+"X: y\nTransfer-Encoding: chunked\r\nContent-Length: 4\r\n\r\n", "400")
	refused(post+"X: y\rTransfer-Encoding: chunked\r\n\r\n", "400")
	refused(post+" Transfer-Encoding: chunked\r\nContent-Length: 4\r\n\r\n", "400")
	refused(post+"Content-Length: 4\r\nContent-Length: 5\r\n\r\nabcd", "400")
	refused(post+"Content-Length: 4, 5\r\n\r\nabcd", "400")
	refused(post+"Content-Length: +4\r\n\r\nabcd", "400")
	refused(post+"Content-Length: 4\x00\r\n\r\nabcd", "400")
	refused("POST / HTTP/1.0\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", "400")
	refused("GET / HTTP/1.1\nHost: a\n\n", "400")
	refused("GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n", "400")
	refused("GET / HTTP/1.1\r\n\r\n", "400")
	refused("GET http://b/ HTTP/1.1\r\nHost: a\r\n\r\n", "400")
	refused("CONNECT a:80 HTTP/1.1\r\nHost: a\r\n\r\n", "501")
	refused("GET / HTTP/3.0\r\nHost: a\r\n\r\n", "505")
	refused("GET /"+strings.Repeat("a", 40000)+" HTTP/1.1\r\nHost: a\r\n\r\n", "414")
	refused("GET / HTTP/1.1\r\nHost: a\r\nX: "+strings.Repeat("a", 70000)+"\r\n\r\n", "431")
	refused("GET / HTTP/1.1\r\nHost: a\r\n"+strings.Repeat("X: y\r\n", 200)+"\r\n", "431")
	refused(post+"Content-Length: 4\r\nExpect: y 100-continue\r\n\r\n", "417")
	refused(post+"Content-Length: 4\r\nConnection: Content-Length\r\n\r\nabcd", "400")

	// Bodies that are found to be bad on their way: the origin never sees an end, nor anything after it.
	for _, body := range []string{
		"5\r\nhello", "5\nhello\r\n0\r\n\r\n", "5 \r\nhello\r\n0\r\n\r\n", "0x5\r\nhello\r\n0\r\n\r\n", "fffffffffffffffff\r\nhello\r\n",
		"5\r\nhelloX\r\n0\r\n\r\n", "5;a\nb\r\nhello\r\n0\r\n\r\n", "0\r\nContent-Length: 5\r\n\r\n", "0\r\nX: y\n\r\n", "0\n\n", "g\r\n",
	} {
		before := len(rec.got())
		got := g.dial().send(post + "Transfer-Encoding: chunked\r\n\r\n" + body + "\r\n" + hidden).rest()
		if !strings.HasPrefix(got, "HTTP/1.1 400 ") || strings.Count(got, "\r\nDate: ") != 1 {
			t.Errorf("of %q the client got %q", body, got)
		}
		if after := rec.got()[before:]; len(after) > 0 {
			t.Errorf("of %q the origin got %q", body, after)
		}
	}
	if got := g.server.Stats().Refused["length_and_chunked"]; got != 2 {
		t.Errorf("%d requests with both lengths were counted", got)
	}

	// CL.0: a body of a request that has none for most servers is a body all the same.
	before := len(rec.got())
	p := g.dial().send("GET / HTTP/1.1\r\nHost: a\r\nContent-Length: 35\r\n\r\n" + hidden + "  " + "GET /next HTTP/1.1\r\nHost: a\r\n\r\n")
	p.response("GET")
	p.response("GET")
	after := rec.got()[before:]
	if len(after) != 2 || !strings.HasSuffix(after[0], hidden+"  ") || !strings.HasPrefix(after[1], "GET /next ") {
		t.Errorf("the origin got %q", after)
	}
}
