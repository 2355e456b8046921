package http1

import (
	"bufio"
	"bytes"
	"io"
	"net/http"
	"net/http/httputil"
	"net/textproto"
	"slices"
	"testing"
	"unsafe"
)

// FuzzRequest checks that whatever is accepted here is accepted by net/http too, and means the same there.
func FuzzRequest(f *testing.F) {
	for _, seed := range []string{
		"GET / HTTP/1.1\r\nHost: a\r\n\r\n",
		"POST /a%20b;c?d=%zz HTTP/1.1\r\nHost: a:80\r\nContent-Length: 3\r\nX:  y\t\r\nX: \r\n\r\nabc",
		"PUT http://a/b HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\nTrailer: X\r\n\r\n0\r\n\r\n",
		"OPTIONS * HTTP/1.1\r\nHost: [::1]\r\nConnection: close, X-A\r\nX-A: 1\r\n\r\n",
		"GET /a HTTP/1.0\r\nConnection: keep-alive\r\nCookie: a=b; c=d\r\n\r\n",
		"\r\nGET //x/../y HTTP/1.1\r\nhost: a\r\nExpect: 100-continue\r\nUpgrade: websocket\r\n\r\n",
		"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 6\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\nG",
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		var r Request
		before := bytes.Clone(b)
		if r.Parse(b, Limits{}) != OK {
			return
		}
		if !bytes.Equal(b, before) {
			t.Fatal("the input was changed")
		}
		theirs, err := http.ReadRequest(bufio.NewReader(bytes.NewReader(b[r.Start:])))
		if err != nil {
			t.Fatalf("net/http refuses what is accepted here: %v", err)
		}
		if r.Method != theirs.Method || r.Target != theirs.RequestURI || r.Minor != theirs.ProtoMinor {
			t.Errorf("%s %s 1.%d, net/http has %s %s 1.%d", r.Method, r.Target, r.Minor, theirs.Method, theirs.RequestURI, theirs.ProtoMinor)
		}
		if path, _, _ := bytes.Cut([]byte(theirs.RequestURI), []byte("?")); r.Form == OriginForm && r.Path != string(path) {
			t.Errorf("path %q, net/http has %q", r.Path, path)
		}
		if r.Query != theirs.URL.RawQuery {
			t.Errorf("query %q, net/http has %q", r.Query, theirs.URL.RawQuery)
		}
		if r.Form == OriginForm && r.Host != theirs.Host {
			t.Errorf("host %q, net/http has %q", r.Host, theirs.Host)
		}
		framing, length := NoBody, theirs.ContentLength
		switch {
		case slices.Equal(theirs.TransferEncoding, []string{"chunked"}):
			framing, length = Chunked, 0
		case theirs.ContentLength > 0 || theirs.Header.Get("Content-Length") != "":
			framing = Length
		}
		if r.Framing != framing || r.Length != length {
			t.Errorf("framing %v of %d, net/http has %v of %d", r.Framing, r.Length, framing, length)
		}
		if r.KeepsOpen() == theirs.Close && !r.Has(Connection) {
			t.Errorf("keeps open %v, net/http closes %v", r.KeepsOpen(), theirs.Close)
		}
		ours := http.Header{}
		for _, field := range r.Fields {
			key := textproto.CanonicalMIMEHeaderKey(field.Name)
			ours[key] = append(ours[key], field.Value)
		}
		for key, values := range theirs.Header {
			if !slices.Equal(values, ours[key]) {
				t.Errorf("%s is %q, net/http has %q", key, ours[key], values)
			}
		}
		checkLines(t, &r.Head, b, r.LineEnd)
	})
}

// checkLines checks that the lines are the head without its first line, one after the other.
func checkLines(t *testing.T, h *Head, b []byte, from int) {
	for i, line := range h.Lines {
		if line.Start != from {
			t.Errorf("line %d starts at %d, not at %d", i, line.Start, from)
		}
		from = line.End
		for _, s := range []string{h.Fields[i].Name, h.Fields[i].Value} {
			if s == "" {
				continue
			}
			at := uintptr(unsafe.Pointer(unsafe.StringData(s))) - uintptr(unsafe.Pointer(unsafe.SliceData(b)))
			if int(at) < line.Start || int(at)+len(s) > line.End {
				t.Errorf("%q is not in its line", s)
			}
		}
	}
	if string(b[from:h.Size]) != "\r\n" {
		t.Errorf("the head ends with %q", b[from:h.Size])
	}
}

// FuzzResponse does the same for responses.
func FuzzResponse(f *testing.F) {
	for _, seed := range []string{
		"HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nabc",
		"HTTP/1.1 404 \r\nTransfer-Encoding: chunked\r\nX: y\r\n\r\n0\r\n\r\n",
		"HTTP/1.0 200 OK\r\n\r\n",
		"HTTP/1.1 304 Not Modified\r\nConnection: close\r\nETag: \"x\"\r\n\r\n",
		"HTTP/1.1 204\r\n\r\n",
	} {
		f.Add([]byte(seed), false)
		f.Add([]byte(seed), true)
	}
	f.Fuzz(func(t *testing.T, b []byte, head bool) {
		method := http.MethodGet
		if head {
			method = http.MethodHead
		}
		var r Response
		if r.Parse(b, method, Limits{}) != OK {
			return
		}
		theirs, err := http.ReadResponse(bufio.NewReader(bytes.NewReader(b)), &http.Request{Method: method})
		if err != nil {
			t.Fatalf("net/http refuses what is accepted here: %v", err)
		}
		_ = theirs.Body.Close()
		if r.Status != theirs.StatusCode || r.Minor != theirs.ProtoMinor {
			t.Errorf("%d 1.%d, net/http has %d 1.%d", r.Status, r.Minor, theirs.StatusCode, theirs.ProtoMinor)
		}
		ours := map[Framing]int64{NoBody: 0, Length: r.Length, Chunked: -1, UntilClose: -1}[r.Framing]
		if theirs.Body == http.NoBody {
			if ours != 0 {
				t.Errorf("framing %v of %d, net/http has no body", r.Framing, r.Length)
			}
		} else if r.Framing == NoBody || !head && theirs.ContentLength != ours {
			t.Errorf("framing %v of %d, net/http has %d", r.Framing, r.Length, theirs.ContentLength)
		}
		checkLines(t, &r.Head, b, r.LineEnd)
	})
}

// FuzzChunks checks that what is accepted decodes to the same as with net/http, ends at the same place, and does not
// depend on the pieces in which it comes.
func FuzzChunks(f *testing.F) {
	f.Add([]byte("5\r\nhello\r\n0\r\n\r\nrest"), 3)
	f.Add([]byte("1;a=\"b\"\r\nx\r\n00\r\nX: y\r\nZ:\r\n\r\n"), 1)
	f.Add([]byte("A;b\r\n0123456789\r\n0;c=d\r\n\r\n"), 7)
	f.Fuzz(func(t *testing.T, b []byte, n int) {
		whole, rest, done, reason := readChunks(string(b), max(len(b), 1))
		pieces, rest2, done2, reason2 := readChunks(string(b), max(n, 1))
		if whole != pieces || done != done2 || reason != reason2 || done && rest != rest2 {
			t.Fatalf("whole: %q %q %v %v, in pieces of %d: %q %q %v %v", whole, rest, done, reason, n, pieces, rest2, done2, reason2)
		}
		if !done {
			return
		}
		r := bufio.NewReader(bytes.NewReader(b))
		theirs, err := io.ReadAll(httputil.NewChunkedReader(r))
		if err != nil || string(theirs) != whole {
			t.Fatalf("content %q, net/http has %q, %v", whole, theirs, err)
		}
		if _, err := textproto.NewReader(r).ReadMIMEHeader(); err != nil { // the trailer section
			t.Fatalf("net/http refuses the trailers: %v", err)
		}
		left, _ := io.ReadAll(r)
		if string(left) != rest {
			t.Fatalf("%q follows the body, for net/http %q", rest, left)
		}
	})
}
