package http1

import (
	"strings"
	"testing"
)

// TestRefusedRequests is the table of what smugglers, splitters and broken clients send. Each is refused, for the reason
// that is meant.
func TestRefusedRequests(t *testing.T) {
	f := func(request string, want Reason) {
		t.Helper()
		var r Request
		if got := r.Parse([]byte(request), Limits{}); got != want {
			t.Errorf("Parse(%q) = %s (%v), want %s", request, got.Name(), got, want.Name())
		}
	}
	post := func(fields ...string) string {
		return "POST / HTTP/1.1\r\nHost: a\r\n" + strings.Join(fields, "\r\n") + "\r\n\r\n"
	}
	get := func(fields ...string) string {
		return "GET / HTTP/1.1\r\n" + strings.Join(fields, "\r\n") + "\r\n\r\n"
	}

	// CL.TE and TE.CL: both, in either order, in any spelling that is still understood by somebody.
	f(post("Content-Length: 6", "Transfer-Encoding: chunked"), LengthAndChunked)
	f(post("Transfer-Encoding: chunked", "Content-Length: 6"), LengthAndChunked)
	f(post("content-length: 0", "TRANSFER-ENCODING: CHUNKED"), LengthAndChunked)
	f(post("Content-Length: 6", "Transfer-Encoding:chunked"), LengthAndChunked)
	f(post("Content-Length: 6", "Transfer-Encoding: chunked "), LengthAndChunked)
	f(post("Content-Length: 6", "Transfer-Encoding:\tchunked"), LengthAndChunked)

	// TE.TE: a coding that one side takes for chunked and the other does not.
	f(post("Transfer-Encoding: xchunked"), CodingNotSupported)
	f(post("Transfer-Encoding: chunked-x"), CodingNotSupported)
	f(post("Transfer-Encoding: x-chunked"), CodingNotSupported)
	f(post("Transfer-Encoding: gzip, chunked"), CodingNotSupported)
	f(post("Transfer-Encoding: chunked, gzip"), CodingNotSupported)
	f(post("Transfer-Encoding: chunked, identity"), CodingNotSupported)
	f(post("Transfer-Encoding: identity, chunked"), CodingNotSupported)
	f(post("Transfer-Encoding: identity"), CodingNotSupported)
	f(post("Transfer-Encoding: chunked, chunked"), CodingNotSupported)
	f(post("Transfer-Encoding: cow, chunked"), CodingNotSupported)
	f(post("Transfer-Encoding: cow", "Transfer-Encoding: chunked"), CodingNotSupported)
	f(post("Transfer-Encoding: chunked", "Transfer-Encoding: cow"), CodingNotSupported)
	f(post("Transfer-Encoding: chunked", "Transfer-Encoding: chunked"), SeveralTransferEncodings)
	f(post("Transfer-Encoding: \"chunked\""), BadTransferEncoding)
	f(post("Transfer-Encoding: 'chunked'"), CodingNotSupported)
	f(post("Transfer-Encoding: chunked;q=1"), BadTransferEncoding)
	f(post("Transfer-Encoding: chunked,"), BadTransferEncoding)
	f(post("Transfer-Encoding: ,chunked"), BadTransferEncoding)
	f(post("Transfer-Encoding: , chunked"), BadTransferEncoding)
	f(post("Transfer-Encoding:"), BadTransferEncoding)
	f(post("Transfer-Encoding: "), BadTransferEncoding)
	f(post("Transfer-Encoding: chun ked"), BadTransferEncoding)
	f(post("Transfer-Encoding: chunked\x00"), BadFieldValue)
	f(post("Transfer-Encoding: \x0bchunked"), BadFieldValue)
	f(post("Transfer-Encoding: chunked\x0c"), BadFieldValue)
	f(post("Transfer-Encoding: \xa0chunked"), BadTransferEncoding)
	f(post("Transfer-Encoding: chunked\x85"), BadTransferEncoding)
	f(post("Transfer-Encoding : chunked"), SpaceBeforeColon)
	f(post("Transfer-Encoding\t: chunked"), SpaceBeforeColon)
	f(post(" Transfer-Encoding: chunked"), Folded)
	f(post("\tTransfer-Encoding: chunked"), Folded)
	f(post("X: y", " Transfer-Encoding: chunked"), Folded)
	f(post("Transfer-Encoding:", " chunked"), Folded)
	f(post("Transfer-Encoding:\r\n\tchunked"), Folded)
	f(post("X: y\nTransfer-Encoding: chunked"), BareLF)
	f(post("X: y\rTransfer-Encoding: chunked"), BareCR)
	f(post("Transfer-Encoding\x00: chunked"), BadFieldName)
	f(post("\x00Transfer-Encoding: chunked"), BadFieldName)
	f(post("Transfer\u2010Encoding: chunked"), BadFieldName)
	f(post("Transfer-Encoding"), NoColon)
	f(post(": chunked"), BadFieldName)
	f("POST / HTTP/1.0\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n", TransferEncodingIn10)

	// Lengths.
	f(post("Content-Length: 1", "Content-Length: 2"), SeveralContentLengths)
	f(post("Content-Length: 1", "Content-Length: 1"), SeveralContentLengths)
	f(post("Content-Length: 1, 2"), SeveralContentLengths)
	f(post("Content-Length: 1, 1"), SeveralContentLengths)
	f(post("Content-Length: 1,"), SeveralContentLengths)
	f(post("Content-Length: +1"), BadContentLength)
	f(post("Content-Length: -1"), BadContentLength)
	f(post("Content-Length: -0"), BadContentLength)
	f(post("Content-Length: 0x1"), BadContentLength)
	f(post("Content-Length: 1e1"), BadContentLength)
	f(post("Content-Length: 1.0"), BadContentLength)
	f(post("Content-Length: 1_0"), BadContentLength)
	f(post("Content-Length: 1 0"), BadContentLength)
	f(post("Content-Length: 1;"), BadContentLength)
	f(post("Content-Length: \"1\""), BadContentLength)
	f(post("Content-Length: a"), BadContentLength)
	f(post("Content-Length:"), BadContentLength)
	f(post("Content-Length: "), BadContentLength)
	f(post("Content-Length: 9223372036854775808"), BadContentLength)
	f(post("Content-Length: 18446744073709551617"), BadContentLength)
	f(post("Content-Length: 99999999999999999999999999"), BadContentLength)
	f(post("Content-Length: \u0661"), BadContentLength)
	f(post("Content-Length: 1\x00"), BadFieldValue)
	f(post("Content-Length : 1"), SpaceBeforeColon)
	f(post("Content-Length:\r\n 1"), Folded)
	f(post("Content-Length\r\n: 1"), NoColon)

	// Lines.
	f("GET / HTTP/1.1\nHost: a\n\n", BareLF)
	f("GET / HTTP/1.1\r\nHost: a\n\r\n", BareLF)
	f("GET / HTTP/1.1\r\nHost: a\r\n\n", BareLF)
	f("GET / HTTP/1.1\r\nHost: a\r\rX: b\r\n\r\n", BareCR)
	f("GET / HTTP/1.1\r\nHost: a\r\n\rX: b\r\n\r\n", BareCR)
	f("GET / HTTP/1.1\rHost: a\r\n\r\n", BadVersion)
	f("GET / HTTP/1.1\r\n Host: a\r\n\r\n", Folded)
	f("GET / HTTP/1.1\r\nHost: a\r\nX: a\x01b\r\n\r\n", BadFieldValue)
	f("GET / HTTP/1.1\r\nHost: a\r\nX: a\x7fb\r\n\r\n", BadFieldValue)
	f("GET / HTTP/1.1\r\nHost: a\r\nX: a\x00\r\n\r\n", BadFieldValue)
	f("GET / HTTP/1.1\r\nHost: a\r\nX Y: b\r\n\r\n", BadFieldName)
	f("GET / HTTP/1.1\r\nHost: a\r\nX(Y): b\r\n\r\n", BadFieldName)
	f("GET / HTTP/1.1\r\nHost: a\r\nX\xe9: b\r\n\r\n", BadFieldName)
	f("GET / HTTP/1.1\r\nHost: a\r\n\"X\": b\r\n\r\n", BadFieldName)
	f("GET / HTTP/1.1\r\nHost: a\r\nnonsense\r\n\r\n", NoColon)
	f("GET / HTTP/1.1\r\nHost: a\r\nGET /b HTTP/1.1\r\n\r\n", BadFieldName)
	f("\r\n\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\n", BadRequestLine)
	f("\nGET / HTTP/1.1\r\nHost: a\r\n\r\n", BareLF)
	f(" GET / HTTP/1.1\r\nHost: a\r\n\r\n", BadMethod)

	// Request lines.
	f("GET  / HTTP/1.1\r\nHost: a\r\n\r\n", BadRequestLine)
	f("GET /  HTTP/1.1\r\nHost: a\r\n\r\n", BadVersion)
	f("GET / HTTP/1.1 \r\nHost: a\r\n\r\n", BadRequestLine)
	f("GET\t/\tHTTP/1.1\r\nHost: a\r\n\r\n", BadMethod)
	f("GET /a b HTTP/1.1\r\nHost: a\r\n\r\n", BadVersion)
	f("GET /\r\n\r\n", BadRequestLine)
	f("GET\r\n\r\n", BadRequestLine)
	f("GET / \r\n\r\n", BadVersion)
	f("GET / http/1.1\r\nHost: a\r\n\r\n", BadVersion)
	f("GET / HTTP/1.1x\r\nHost: a\r\n\r\n", BadVersion)
	f("GET / HTTP/11\r\nHost: a\r\n\r\n", BadVersion)
	f("GET / HTTP/1.\r\nHost: a\r\n\r\n", BadVersion)
	f("GET / HTTP/1.2\r\nHost: a\r\n\r\n", VersionNotSupported)
	f("GET / HTTP/0.9\r\nHost: a\r\n\r\n", VersionNotSupported)
	f("GET / HTTP/2.0\r\nHost: a\r\n\r\n", VersionNotSupported)
	f("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", VersionNotSupported)
	f("G(T / HTTP/1.1\r\nHost: a\r\n\r\n", BadMethod)
	f("\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03", BadMethod)
	f("CONNECT a:443 HTTP/1.1\r\nHost: a\r\n\r\n", MethodNotSupported)
	f("CONNECT / HTTP/1.1\r\nHost: a\r\n\r\n", MethodNotSupported)
	f("TRACE / HTTP/1.1\r\nHost: a\r\n\r\n", MethodNotSupported)

	// Targets.
	f("GET a HTTP/1.1\r\nHost: a\r\n\r\n", BadTarget)
	f("GET a:80 HTTP/1.1\r\nHost: a\r\n\r\n", BadTarget)
	f("GET * HTTP/1.1\r\nHost: a\r\n\r\n", BadTarget)
	f("GET /a#b HTTP/1.1\r\nHost: a\r\n\r\n", BadTarget)
	f("GET /a\xe9 HTTP/1.1\r\nHost: a\r\n\r\n", BadTarget)
	f("GET /\u00e9 HTTP/1.1\r\nHost: a\r\n\r\n", BadTarget)
	f("GET /a\x00 HTTP/1.1\r\nHost: a\r\n\r\n", BadTarget)
	f("GET /a\x7f HTTP/1.1\r\nHost: a\r\n\r\n", BadTarget)
	f("GET /a%zz HTTP/1.1\r\nHost: a\r\n\r\n", BadTarget)
	f("GET /a%2 HTTP/1.1\r\nHost: a\r\n\r\n", BadTarget)
	f("GET ?a HTTP/1.1\r\nHost: a\r\n\r\n", BadTarget)
	f("GET ftp://a/ HTTP/1.1\r\nHost: a\r\n\r\n", BadTarget)
	f("GET http:///a HTTP/1.1\r\nHost: a\r\n\r\n", BadTarget)
	f("GET http://u@a/ HTTP/1.1\r\nHost: a\r\n\r\n", BadTarget)
	f("GET http://u:p@a/ HTTP/1.1\r\nHost: a\r\n\r\n", BadTarget)
	f("GET http://b/ HTTP/1.1\r\nHost: a\r\n\r\n", HostDiffers)
	f("GET http://a:81/ HTTP/1.1\r\nHost: a\r\n\r\n", HostDiffers)
	f("GET https://a:80/ HTTP/1.1\r\nHost: a\r\n\r\n", HostDiffers)

	// Hosts.
	f(get("X: y"), NoHost)
	f(get("Host: a", "Host: a"), SeveralHosts)
	f(get("Host: a", "host: b"), SeveralHosts)
	f(get("Host:"), BadHost)
	f(get("Host: "), BadHost)
	f(get("Host: a b"), BadHost)
	f(get("Host: a, b"), BadHost)
	f(get("Host: a/b"), BadHost)
	f(get("Host: a@b"), BadHost)
	f(get("Host: a?b"), BadHost)
	f(get("Host: a#b"), BadHost)
	f(get("Host: a\\b"), BadHost)
	f(get("Host: a:b"), BadHost)
	f(get("Host: a:80:80"), BadHost)
	f(get("Host: a:65536"), BadHost)
	f(get("Host: a:000080"), BadHost)
	f(get("Host: :80"), BadHost)
	f(get("Host: [::1"), BadHost)
	f(get("Host: []"), BadHost)
	f(get("Host: [::1]x"), BadHost)
	f(get("Host: ::1"), BadHost)
	f(get("Host: \u00e9"), BadHost)
	f(get("Host : a"), SpaceBeforeColon)

	// Fields that Connection may not name, and expectations.
	f(get("Host: a", "Connection: Host"), FramingNamedInConnection)
	f(post("Content-Length: 1", "Connection: close, content-length"), FramingNamedInConnection)
	f(post("Transfer-Encoding: chunked", "Connection: Transfer-Encoding"), FramingNamedInConnection)
	f(get("Host: a", "Connection: a b"), ConnectionOptions)
	f(get("Host: a", "Connection: \"close\""), ConnectionOptions)
	f(get("Host: a", "Connection: a,b,c,d,e,f,g,h,i"), ConnectionOptions)
	f(post("Expect: 100-continue-x"), UnknownExpectation)
	f(post("Expect: y 100-continue"), UnknownExpectation)
	f(post("Expect:"), UnknownExpectation)
	f(post("Expect: 100-continue", "Expect: 100-continue"), UnknownExpectation)
	f(post("Expect: 100-continue, 100-continue"), UnknownExpectation)
}

func TestAcceptedRequests(t *testing.T) {
	type want struct {
		method, path, query, host string
		framing                   Framing
		length                    int64
		keeps, waits              bool
	}
	f := func(request string, want want) {
		t.Helper()
		var r Request
		if reason := r.Parse([]byte(request), Limits{}); reason != OK {
			t.Errorf("Parse(%q) = %v", request, reason)
			return
		}
		got := want
		got.method, got.path, got.query, got.host = r.Method, r.Path, r.Query, r.Host
		got.framing, got.length, got.keeps, got.waits = r.Framing, r.Length, r.KeepsOpen(), r.Continue
		if got != want {
			t.Errorf("Parse(%q): got %+v, want %+v", request, got, want)
		}
	}
	f("GET / HTTP/1.1\r\nHost: a\r\n\r\n", want{method: "GET", path: "/", host: "a", keeps: true})
	f("\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\n", want{method: "GET", path: "/", host: "a", keeps: true})
	f("GET /a?b=c?d HTTP/1.1\r\nhOST:a:80\r\n\r\n", want{method: "GET", path: "/a", query: "b=c?d", host: "a:80", keeps: true})
	f("GET /?q=100%&x={y|z} HTTP/1.1\r\nHost: a\r\n\r\n", want{method: "GET", path: "/", query: "q=100%&x={y|z}", host: "a", keeps: true})
	f("GET //a/../%2e%2F;x=1 HTTP/1.1\r\nHost: [2001:db8::1]:8080\r\n\r\n", want{method: "GET", path: "//a/../%2e%2F;x=1", host: "[2001:db8::1]:8080", keeps: true})
	f("GET http://a/b?c HTTP/1.1\r\nHost: A:80\r\n\r\n", want{method: "GET", path: "/b", query: "c", host: "A:80", keeps: true})
	f("GET HTTPS://a:443 HTTP/1.1\r\nHost: a\r\n\r\n", want{method: "GET", path: "/", host: "a", keeps: true})
	f("OPTIONS * HTTP/1.1\r\nHost: a\r\n\r\n", want{method: "OPTIONS", path: "*", host: "a", keeps: true})
	f("get / HTTP/1.1\r\nHost: a_b\r\n\r\n", want{method: "get", path: "/", host: "a_b", keeps: true})
	f("PATCH-X! / HTTP/1.1\r\nHost: a\r\n\r\n", want{method: "PATCH-X!", path: "/", host: "a", keeps: true})
	f("GET / HTTP/1.0\r\n\r\n", want{method: "GET", path: "/"})
	f("GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n", want{method: "GET", path: "/", keeps: true})
	f("GET / HTTP/1.0\r\nExpect: whatever\r\nContent-Length: 1\r\n\r\n", want{method: "GET", path: "/", framing: Length, length: 1})
	f("GET / HTTP/1.1\r\nHost: a\r\nConnection: , Close ,\r\n\r\n", want{method: "GET", path: "/", host: "a"})
	f("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 007\r\n\r\n", want{method: "POST", path: "/", host: "a", framing: Length, length: 7, keeps: true})
	f("POST / HTTP/1.1\r\nHost: a\r\nContent-Length:\t7 \t\r\n\r\n", want{method: "POST", path: "/", host: "a", framing: Length, length: 7, keeps: true})
	f("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n\r\n", want{method: "POST", path: "/", host: "a", framing: Length, keeps: true})
	f("POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: CHUNKED\r\nexpect: 100-Continue\r\n\r\n", want{method: "POST", path: "/", host: "a", framing: Chunked, keeps: true, waits: true})
	f("GET / HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\n\r\n", want{method: "GET", path: "/", host: "a", keeps: true})
	f("GET / HTTP/1.1\r\nHost: a\r\nX:\r\nY: \t\xff a\tb \r\n\r\n", want{method: "GET", path: "/", host: "a", keeps: true})
}

// TestFieldsStayAsTheyAre checks names, values, order and the places of lines.
func TestFieldsStayAsTheyAre(t *testing.T) {
	const head = "GET / HTTP/1.1\r\nHost: a\r\nx-A:  b c \t\r\nX-a:\r\nCookie: a=b; c\r\n\r\n"
	var r Request
	if reason := r.Parse([]byte(head+"rest"), Limits{}); reason != OK {
		t.Fatal(reason)
	}
	var got strings.Builder
	for i, f := range r.Fields {
		got.WriteString(f.Name + "=" + f.Value + "|" + head[r.Lines[i].Start:r.Lines[i].End])
	}
	const want = "Host=a|Host: a\r\nx-A=b c|x-A:  b c \t\r\nX-a=|X-a:\r\nCookie=a=b; c|Cookie: a=b; c\r\n"
	if got.String() != want || r.Size != len(head) {
		t.Errorf("got %q and size %d, want %q and %d", got.String(), r.Size, want, len(head))
	}
}

func TestConnectionDrops(t *testing.T) {
	var r Request
	head := "GET / HTTP/1.1\r\nHost: a\r\nConnection: X-A, close\r\nconnection: x-b\r\nX-A: 1\r\n\r\n"
	if reason := r.Parse([]byte(head), Limits{}); reason != OK {
		t.Fatal(reason)
	}
	for name, want := range map[string]bool{"x-a": true, "X-B": true, "Close": false, "X-C": false} {
		if got := r.Drops(name); got != want {
			t.Errorf("Drops(%q) = %v", name, got)
		}
	}
	if r.Options != Close|Named {
		t.Errorf("options %b", r.Options)
	}
}

// TestIncompleteRequests checks that every beginning of a good head is incomplete, and nothing else.
func TestIncompleteRequests(t *testing.T) {
	const head = "\r\nPOST http://a/b?c HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nX:\ty \r\n\r\n"
	var r Request
	for n := range len(head) {
		if got := r.Parse([]byte(head[:n]), Limits{}); got != Incomplete {
			t.Errorf("Parse(%q) = %v", head[:n], got)
		}
	}
}

func TestLimits(t *testing.T) {
	f := func(request string, limits Limits, want Reason) {
		t.Helper()
		var r Request
		if got := r.Parse([]byte(request), limits); got != want {
			t.Errorf("Parse(%.40q…) with %+v = %v, want %v", request, limits, got, want)
		}
	}
	head := "GET /abc HTTP/1.1\r\nHost: a\r\nX: y\r\n\r\n"
	f(head, Limits{HeadBytes: len(head)}, OK)
	f(head, Limits{HeadBytes: len(head) - 1}, HeadTooLong)
	f(head[:20], Limits{HeadBytes: 20}, HeadTooLong)
	f(head, Limits{Fields: 2}, OK)
	f(head, Limits{Fields: 1}, TooManyFields)
	f(head, Limits{LineBytes: 8}, OK)
	f(head, Limits{LineBytes: 7}, TargetTooLong)
	f("GET /"+strings.Repeat("a", DefaultLineBytes), Limits{}, TargetTooLong)
	f(strings.Repeat("A", DefaultLineBytes+1), Limits{}, TargetTooLong)
	f("GET / HTTP/1.1\r\nHost: a\r\nX: "+strings.Repeat("a", DefaultHeadBytes), Limits{}, HeadTooLong)
}

func TestEveryReasonHasAStatus(t *testing.T) {
	names := map[string]bool{}
	for r := OK; r < reasons; r++ {
		if r.Name() == "" || r.Error() == "" || names[r.Name()] {
			t.Errorf("reason %d: name %q, text %q", r, r.Name(), r.Error())
		}
		names[r.Name()] = true
		if s := r.Status(); r > Incomplete && (s < 400 || s > 599) {
			t.Errorf("%s: status %d", r.Name(), s)
		}
	}
}
