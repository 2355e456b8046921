package httpfield

import (
	"strings"
	"testing"

	"github.com/seshat-project/seshat"
)

func BenchmarkRequestCookies(b *testing.B) {
	header := []seshat.Field{
		{Name: "Host", Value: "api.shop.example"},
		{Name: "Accept", Value: "*/*"},
		{Name: "Cookie", Value: "theme=dark; _ga=GA1.2.1234567890.1700000000; connect.sid=s%3AZj3kq0s8y7hVbT2m.9aXkI; csrf=abcdefgh"},
	}
	b.ReportAllocs()
	for b.Loop() {
		n := 0
		c := RequestCookies(header)
		for name, _, ok := c.Next(); ok; name, _, ok = c.Next() {
			n += len(name)
		}
		if n == 0 {
			b.Fatal("no cookies")
		}
	}
}

func BenchmarkParseSetCookie(b *testing.B) {
	b.ReportAllocs()
	for b.Loop() {
		if _, ok := ParseSetCookie("sid=31d4d96e407aad42; Path=/; Expires=Fri, 02 Jan 2026 03:04:05 GMT; Max-Age=3600; HttpOnly"); !ok {
			b.Fatal("not a cookie")
		}
	}
}

func BenchmarkParameters(b *testing.B) {
	var scratch Scratch
	b.ReportAllocs()
	for b.Loop() {
		scratch.Reset()
		c := Parameters("page=2&sort=price&q=red+shoes%20size&session=31d4d96e407aad42")
		n := 0
		for _, _, ok := c.Next(&scratch); ok; _, _, ok = c.Next(&scratch) {
			n++
		}
		if n == 0 {
			b.Fatal("found nothing")
		}
	}
}

func BenchmarkDecodeGzip(b *testing.B) {
	body := pack(b, []byte(strings.Repeat(`{"access_token":"value","n":1}`, 40)), "gzip")
	var d Decoder
	b.ReportAllocs()
	for b.Loop() {
		if _, _, err := d.Decode(body, "gzip", 1<<20); err != nil {
			b.Fatal(err)
		}
	}
}
