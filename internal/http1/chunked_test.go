package http1

import (
	"strings"
	"testing"
)

// readChunks reads a body in pieces of n bytes.
func readChunks(body string, n int) (content, rest string, done bool, reason Reason) {
	var c ChunkReader
	var out strings.Builder
	for at := 0; at < len(body) && !c.Done(); {
		piece := []byte(body[at:min(at+n, len(body))])
		for len(piece) > 0 && !c.Done() {
			used, data, reason := c.Next(piece)
			if reason != OK {
				return out.String(), "", false, reason
			}
			out.Write(data)
			piece = piece[used:]
			at += used
		}
		rest = body[at:]
	}
	return out.String(), rest, c.Done(), OK
}

func TestChunkReader(t *testing.T) {
	f := func(body, content, rest string, reason Reason) {
		t.Helper()
		const most = 40 // sizes of pieces; all of them, for short bodies
		for n := 1; n <= min(len(body), most); n++ {
			gotContent, gotRest, done, gotReason := readChunks(body, n)
			if gotReason != reason {
				t.Errorf("%.80q in pieces of %d: %v, want %v", body, n, gotReason, reason)
				return
			}
			if reason == OK && (gotContent != content || gotRest != rest || !done) {
				t.Errorf("%.80q in pieces of %d: content %q, rest %q, done %v", body, n, gotContent, gotRest, done)
				return
			}
		}
	}
	ok := func(body, content, rest string) { t.Helper(); f(body, content, rest, OK) }
	ok("0\r\n\r\n", "", "")
	ok("5\r\nhello\r\n0\r\n\r\nGET", "hello", "GET")
	ok("1\r\na\r\n2\r\nbc\r\n000\r\n\r\n", "abc", "")
	ok("A\r\n0123456789\r\n0\r\n\r\n", "0123456789", "")
	ok("a\r\n0123456789\r\n0\r\n\r\n", "0123456789", "")
	ok("0000000000000001\r\na\r\n0\r\n\r\n", "a", "")
	ok("2;a\r\nhi\r\n0;b=c\r\n\r\n", "hi", "")
	ok("2;a=\"b;\\\"c\\\\ d\";e\r\nhi\r\n0\r\n\r\n", "hi", "")
	ok("2\r\n\r\n\r\n0\r\n\r\n", "\r\n", "")
	ok("0\r\nX: y\r\nDigest:\r\n\r\nrest", "", "rest")
	ok("0\r\nX:\ty \xff\r\n\r\n", "", "")

	bad := func(body string, reason Reason) { t.Helper(); f(body, "", "", reason) }
	bad("\r\n", BadChunkSize)
	bad(";a\r\n", BadChunkSize)
	bad(" 5\r\nhello\r\n", BadChunkSize)
	bad("5 \r\nhello\r\n", BadChunkSize)
	bad("5\t\r\nhello\r\n", BadChunkSize)
	bad("5 ;a\r\nhello\r\n", BadChunkSize)
	bad("0x5\r\nhello\r\n", BadChunkSize)
	bad("+5\r\nhello\r\n", BadChunkSize)
	bad("-1\r\n", BadChunkSize)
	bad("g\r\n", BadChunkSize)
	bad("5_\r\n", BadChunkSize)
	bad("5,\r\n", BadChunkSize)
	bad("5\x00\r\n", BadChunkSize)
	bad("5\nhello\r\n0\r\n\r\n", BareLF)
	bad("5\rXhello\r\n0\r\n\r\n", BareCR)
	bad("5\r\rhello", BareCR)
	bad("00000000000000001\r\n", ChunkTooLarge)
	bad("8000000000000000\r\n", ChunkTooLarge)
	bad("ffffffffffffffff\r\n", ChunkTooLarge)
	bad("10000000000000000\r\n", ChunkTooLarge)
	bad("fffffffffffffffff\r\n", ChunkTooLarge)
	bad("5\r\nhelloX\r\n0\r\n\r\n", BadChunkEnd)
	bad("5\r\nhello\n0\r\n\r\n", BadChunkEnd)
	bad("5\r\nhello\rX", BadChunkEnd)
	bad("5\r\nhello0\r\n\r\n", BadChunkEnd)
	bad("5;\nhello\r\n0\r\n\r\n", BareLF)
	bad("5;a\nhello\r\n0\r\n\r\n", BareLF)
	bad("5;a\rb\r\nhello", BareCR)
	bad("5;a b\r\nhello", BadChunkExtension)
	bad("5;\x00\r\nhello", BadChunkExtension)
	bad("5;a=\"b\nc\"\r\nhello", BadChunkExtension)
	bad("5;a=\"b\r\nhello\"\r\n", BadChunkExtension)
	bad("5;a=\"\\\n\"\r\n", BadChunkExtension)
	bad("5;"+strings.Repeat("a", maxChunkLine)+"\r\n", ChunkExtensionsTooLong)
	bad(strings.Repeat("1;"+strings.Repeat("a", maxChunkLine-2)+"\r\na\r\n", 20), ChunkExtensionsTooLong)
	bad("0\r\n\n", BareLF)
	bad("0\r\nX\r\n\r\n", BadTrailer)
	bad("0\r\nX : y\r\n\r\n", BadTrailer)
	bad("0\r\n X: y\r\n\r\n", BadTrailer)
	bad("0\r\nX: y\n\r\n", BareLF)
	bad("0\r\nX: y\rZ", BareCR)
	bad("0\r\nX: y\x00\r\n\r\n", BadTrailer)
	bad("0\r\n\rX", BareCR)
	bad("0\r\n: y\r\n\r\n", BadTrailer)
	bad("0\r\nGET / HTTP/1.1\r\n\r\n", BadTrailer)
	bad("0\r\nContent-Length: 5\r\n\r\n", ForbiddenTrailer)
	bad("0\r\ntransfer-encoding: chunked\r\n\r\n", ForbiddenTrailer)
	bad("0\r\nHOST: b\r\n\r\n", ForbiddenTrailer)
	bad("0\r\nX: y\r\nAuthorization: x\r\n\r\n", ForbiddenTrailer)
	bad("0\r\nSet-Cookie: x\r\n\r\n", ForbiddenTrailer)
	bad("0\r\nX: "+strings.Repeat("a", maxTrailerBytes)+"\r\n\r\n", TrailersTooLong)
	bad("0\r\n"+strings.Repeat("X: y\r\n", maxTrailerFields+1)+"\r\n", TrailersTooLong)
}
