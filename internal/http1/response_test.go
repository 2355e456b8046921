package http1

import "testing"

func TestResponses(t *testing.T) {
	type want struct {
		reason  Reason
		status  int
		framing Framing
		length  int64
		keeps   bool
	}
	f := func(method, response string, want want) {
		t.Helper()
		var r Response
		got := want
		got.reason = r.Parse([]byte(response), method, Limits{})
		if got.reason == OK {
			got.status, got.framing, got.length, got.keeps = r.Status, r.Framing, r.Length, r.KeepsOpen()
		}
		if got != want {
			t.Errorf("Parse(%q) to %s: got %+v, want %+v", response, method, got, want)
		}
	}
	f("GET", "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n", want{OK, 200, Length, 5, true})
	f("GET", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", want{OK, 200, Chunked, 0, true})
	f("GET", "HTTP/1.1 200 OK\r\n\r\n", want{OK, 200, UntilClose, 0, true})
	f("GET", "HTTP/1.0 200 OK\r\n\r\n", want{OK, 200, UntilClose, 0, false})
	f("GET", "HTTP/1.1 200\r\nContent-Length: 0\r\n\r\n", want{OK, 200, Length, 0, true})
	f("GET", "HTTP/1.1 200 \r\nContent-Length: 0\r\nConnection: close\r\n\r\n", want{OK, 200, Length, 0, false})
	f("GET", "HTTP/1.1 404 Nicht gefunden \xe9\t!\r\nContent-Length: 1\r\n\r\n", want{OK, 404, Length, 1, true})
	f("GET", "HTTP/1.1 999 ?\r\nContent-Length: 1\r\n\r\n", want{OK, 999, Length, 1, true})
	f("HEAD", "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n", want{OK, 200, NoBody, 5, true})
	f("HEAD", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", want{OK, 200, NoBody, 0, true})
	f("GET", "HTTP/1.1 204 No Content\r\n\r\n", want{OK, 204, NoBody, 0, true})
	f("GET", "HTTP/1.1 204 No Content\r\nContent-Length: 5\r\n\r\n", want{OK, 204, NoBody, 5, true})
	f("GET", "HTTP/1.1 304 Not Modified\r\nContent-Length: 5\r\n\r\n", want{OK, 304, NoBody, 5, true})
	f("GET", "HTTP/1.1 100 Continue\r\n\r\n", want{OK, 100, NoBody, 0, true})
	f("GET", "HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\n\r\n", want{OK, 101, NoBody, 0, true})

	bad := func(response string, reason Reason) {
		t.Helper()
		f("GET", response, want{reason: reason})
	}
	bad("HTTP/1.1 200 OK\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n", LengthAndChunked)
	bad("HTTP/1.1 204 No\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n", LengthAndChunked)
	bad("HTTP/1.1 200 OK\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\n", SeveralContentLengths)
	bad("HTTP/1.1 200 OK\r\nContent-Length: 5\r\nContent-Length: 5\r\n\r\n", SeveralContentLengths)
	bad("HTTP/1.1 200 OK\r\nContent-Length: 5, 5\r\n\r\n", SeveralContentLengths)
	bad("HTTP/1.1 200 OK\r\nContent-Length: -5\r\n\r\n", BadContentLength)
	bad("HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip, chunked\r\n\r\n", CodingNotSupported)
	bad("HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", TransferEncodingIn10)
	bad("HTTP/1.1 200 OK\r\nX : y\r\n\r\n", SpaceBeforeColon)
	bad("HTTP/1.1 200 OK\r\nX: y\r\n z\r\n\r\n", Folded)
	bad("HTTP/1.1 200 OK\nX: y\n\n", BareLF)
	bad("HTTP/1.1 200 OK\r\nX: y\n\r\n", BareLF)
	bad("HTTP/1.1 200 OK\rX: y\r\n\r\n", BareCR)
	bad("HTTP/1.1 200 O\x00K\r\n\r\n", BadStatusLine)
	bad("HTTP/1.1 20 OK\r\n\r\n", BadStatusLine)
	bad("HTTP/1.1 2000 OK\r\n\r\n", BadStatusLine)
	bad("HTTP/1.1 020 OK\r\n\r\n", BadStatusLine)
	bad("HTTP/1.1  200 OK\r\n\r\n", BadStatusLine)
	bad("HTTP/1.1\t200 OK\r\n\r\n", BadStatusLine)
	bad("HTTP/2.0 200 OK\r\n\r\n", BadStatusLine)
	bad("http/1.1 200 OK\r\n\r\n", BadStatusLine)
	bad("ICY 200 OK\r\n\r\n", BadStatusLine)
	bad("\r\nHTTP/1.1 200 OK\r\n\r\n", BadStatusLine)
	bad("<html>", BadStatusLine)
	bad("HTTP/1.1 200 OK\r\nX\r\n\r\n", NoColon)
	bad("HTTP/1.1 200 OK\r\nX: \x00\r\n\r\n", BadFieldValue)
	bad("HTTP/1.1 200 OK\r\nX: y\r\n", Incomplete)
	bad("HTTP/1.1 200", Incomplete)
	bad("HT", Incomplete)
}

func TestIncompleteResponses(t *testing.T) {
	const head = "HTTP/1.1 200 OK fine\r\nContent-Length: 1\r\nX:\ty \r\n\r\n"
	var r Response
	for n := range len(head) {
		if got := r.Parse([]byte(head[:n]), "GET", Limits{}); got != Incomplete {
			t.Errorf("Parse(%q) = %v", head[:n], got)
		}
	}
}
