package jsonpath_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/seshat-project/seshat/internal/jsonpath"
)

// smallDocument is some 300 bytes, the answer of a sign-in.
const smallDocument = `{"status":"ok","user":{"id":4711,"name":"Alice Example","roles":["buyer","reviewer"]},` +
	`"session":{"id":"7f3e0c9a5d2b48e1a6c4f0d9b8e7a635","created":"2026-01-02T03:04:05Z","ttl":3600},` +
	`"links":[{"rel":"self","href":"/v1/session"},{"rel":"user","href":"/v1/users/4711"}],"trace":"0af7651916cd43dd8448eb211c80319c"}`

// largeDocument is 64 KiB of list with the session at its end.
func largeDocument() []byte {
	var b strings.Builder
	b.WriteString(`{"items":[`)
	for i := 0; b.Len() < 64<<10-200; i++ {
		if i > 0 {
			b.WriteByte(',')
		}
		fmt.Fprintf(&b, `{"id":%d,"name":"item \"%d\"","price":%d.5,"tags":["a","b"],"stock":{"amount":%d,"unit":"piece"}}`, i, i, i, i)
	}
	b.WriteString(`],"session":{"id":"7f3e0c9a5d2b48e1a6c4f0d9b8e7a635"}}`)
	return []byte(b.String())
}

func BenchmarkFirstString(b *testing.B) {
	documents := map[string][]byte{"300B": []byte(smallDocument), "64KiB": largeDocument()}
	for _, size := range []string{"300B", "64KiB"} {
		for _, expr := range []string{"$.session.id", "$..session_id", "$.session['id', 'sid']"} {
			b.Run(size+"/"+expr, func(b *testing.B) {
				p, document := mustParse(b, expr), documents[size]
				scratch := make([]byte, 0, 64)
				b.SetBytes(int64(len(document)))
				b.ReportAllocs()
				for b.Loop() {
					p.FirstString(document, scratch)
				}
			})
		}
	}
}

func BenchmarkSelectJSON(b *testing.B) {
	document := largeDocument()
	for _, expr := range []string{"$.session.id", "$.items[?@.price > 100].id"} {
		b.Run(expr, func(b *testing.B) {
			p := mustParse(b, expr)
			b.SetBytes(int64(len(document)))
			b.ReportAllocs()
			for b.Loop() {
				if _, err := p.SelectJSON(document); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

func BenchmarkParse(b *testing.B) {
	b.ReportAllocs()
	for b.Loop() {
		if _, err := jsonpath.Parse("$.items[?@.price > 100 && match(@.name, 'item.*')].id"); err != nil {
			b.Fatal(err)
		}
	}
}
