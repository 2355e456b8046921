package recent

import (
	"strings"

	"github.com/seshat-project/seshat"
	"github.com/seshat-project/seshat/internal/rule"
)

const (
	// MaxBody is how many bytes of a body are kept: as many as a gateway reads of it.
	MaxBody = 64 << 10
	// maxExchange is how many bytes an exchange that is kept may have. With the default bounds of a gateway none has more;
	// larger ones would push all others out.
	maxExchange = 512 << 10
	// fieldBytes and exchangeBytes are what a field and an exchange take beside their texts.
	fieldBytes    = 32
	exchangeBytes = 512
)

// entry is an exchange that is kept. It is immutable, so that it can be read while others are added.
type entry struct {
	seshat.Exchange
	client uint64 // which client sent it
	size   int
	// level is the highest one since the entry before: clients that were not kept then may lack exchanges.
	level uint8
}

// newEntry copies what may be kept of x, by the mask rules of rules; nil when it is too large.
func newEntry(x *seshat.Exchange, rules *rule.Ruleset, client uint64) *entry {
	if masks := InScope(x, rules); len(masks) > 0 {
		masked := Hide(x, masks, nil)
		x = &masked
	}
	e := &entry{Exchange: *x, client: client}
	texts := [...]*string{
		&e.ID, &e.Environment, &e.Service, &e.Client.JA4, &e.TraceID, &e.Request.Method, &e.Request.Scheme, &e.Request.Host,
		&e.Request.Path, &e.Request.Query, &e.Request.HTTPVersion,
	}
	size, fields := 0, len(x.Request.Header)+len(x.Response.Header)
	for _, text := range texts {
		size += len(*text)
	}
	for i := range x.Request.Header {
		size += len(x.Request.Header[i].Name) + len(x.Request.Header[i].Value)
	}
	for i := range x.Response.Header {
		size += len(x.Response.Header[i].Name) + len(x.Response.Header[i].Value)
	}
	e.size = size + exchangeBytes + fields*fieldBytes + keptOf(&x.Request.Body) + keptOf(&x.Response.Body)
	if e.size > maxExchange {
		return nil
	}
	// One piece of memory for all texts, which belong together.
	var memory strings.Builder
	memory.Grow(size)
	write := func(list []seshat.Field) {
		for i := range list {
			memory.WriteString(list[i].Name)
			memory.WriteString(list[i].Value)
		}
	}
	for _, text := range texts {
		memory.WriteString(*text)
	}
	write(x.Request.Header)
	write(x.Response.Header)
	rest := memory.String()
	next := func(n int) (piece string) {
		piece, rest = rest[:n], rest[n:]
		return piece
	}
	for _, text := range texts {
		*text = next(len(*text))
	}
	if fields > 0 {
		own := make([]seshat.Field, fields)
		read := func(list []seshat.Field) []seshat.Field {
			out := own[:len(list):len(list)]
			own = own[len(list):]
			for i := range list {
				out[i].Name = next(len(list[i].Name))
				out[i].Value = next(len(list[i].Value))
			}
			return out
		}
		e.Request.Header, e.Response.Header = read(x.Request.Header), read(x.Response.Header)
	} else {
		e.Request.Header, e.Response.Header = nil, nil
	}
	e.Request.Body, e.Response.Body = copyBody(&x.Request.Body), copyBody(&x.Response.Body)
	return e
}

func keptOf(b *seshat.Body) int { return min(len(b.Bytes), MaxBody) }

func copyBody(b *seshat.Body) seshat.Body {
	out := seshat.Body{Size: max(b.Size, int64(len(b.Bytes))), Truncated: b.Truncated || len(b.Bytes) > MaxBody}
	if n := keptOf(b); n > 0 {
		out.Bytes = append(make([]byte, 0, n), b.Bytes[:n]...)
	}
	return out
}
