package http1

import "testing"

var benchmarkHead = []byte("GET /api/orders/1042?page=2 HTTP/1.1\r\nHost: shop.example\r\n" +
	"User-Agent: Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0\r\n" +
	"Accept: application/json\r\nAccept-Language: en-US,en;q=0.5\r\nAccept-Encoding: gzip, deflate, br\r\n" +
	"Referer: https://shop.example/orders\r\n" +
	"Authorization: Bearer eyJhbGciOiJIUzI1NiJ9.8c2f1e7a9b3d5064f1a2e7c9d1b3a5f70812aabbccddeeff.00112233445566778899\r\n" +
	"Cookie: SHOPSESS=Zk3vQ9xTt1LmN8pR2s; theme=dark; _ga=GA1.2.1234567890.1700000000\r\n\r\n")

func BenchmarkParseRequest(b *testing.B) {
	var r Request
	b.SetBytes(int64(len(benchmarkHead)))
	b.ReportAllocs()
	for b.Loop() {
		if reason := r.Parse(benchmarkHead, Limits{}); reason != OK {
			b.Fatal(reason)
		}
	}
}

func BenchmarkChunks(b *testing.B) {
	body := []byte("400\r\n" + string(make([]byte, 1024)) + "\r\n0\r\n\r\n")
	b.SetBytes(int64(len(body)))
	b.ReportAllocs()
	for b.Loop() {
		var c ChunkReader
		for at := 0; !c.Done(); {
			n, _, reason := c.Next(body[at:])
			if reason != OK {
				b.Fatal(reason)
			}
			at += n
		}
	}
}
