package pipeline

import (
	"unsafe"

	"github.com/seshat-project/seshat"
	"github.com/seshat-project/seshat/internal/ingest"
)

// ownedExchange is a copy of an exchange in memory of its own, so that its reader can go on while it is worked on.
// The memory is used again for the next exchange.
type ownedExchange struct {
	seshat.Exchange
	position ingest.Position
	memory   []byte
	request  []seshat.Field
	response []seshat.Field
}

// add copies the exchange to the end of the chunk.
func (c *chunk) add(x *seshat.Exchange, position ingest.Position) {
	n := len(c.exchanges)
	if n < cap(c.exchanges) {
		c.exchanges = c.exchanges[:n+1] // with the memory of the exchange that was there before
	} else {
		c.exchanges = append(c.exchanges, ownedExchange{})
	}
	c.exchanges[n].copy(x, position)
}

func (o *ownedExchange) copy(x *seshat.Exchange, position ingest.Position) {
	o.Exchange, o.position = *x, position
	texts := [...]*string{
		&o.ID, &o.Environment, &o.Service, &o.Client.JA4, &o.TraceID,
		&o.Request.Method, &o.Request.Scheme, &o.Request.Host, &o.Request.Path, &o.Request.Query, &o.Request.HTTPVersion,
	}
	size := len(x.Request.Body.Bytes) + len(x.Response.Body.Bytes)
	for _, s := range texts {
		size += len(*s)
	}
	for _, fields := range [2][]seshat.Field{x.Request.Header, x.Response.Header} {
		for i := range fields {
			size += len(fields[i].Name) + len(fields[i].Value)
		}
	}
	if cap(o.memory) < size || cap(o.memory) > 1<<16 && size < 1<<12 {
		o.memory = make([]byte, 0, size)
	}
	o.memory = o.memory[:0]
	for _, s := range texts {
		*s = o.keep(*s)
	}
	o.request = o.keepFields(o.request[:0], x.Request.Header)
	o.response = o.keepFields(o.response[:0], x.Response.Header)
	o.Request.Header, o.Response.Header = o.request, o.response
	o.Request.Body.Bytes = o.keepBytes(x.Request.Body.Bytes)
	o.Response.Body.Bytes = o.keepBytes(x.Response.Body.Bytes)
}

// keep copies s into the memory, which has room for it: a text that points there stays valid until the exchange is
// overwritten by the next one, which is when everybody is done with it.
func (o *ownedExchange) keep(s string) string {
	if s == "" {
		return ""
	}
	b := o.keepBytes(unsafe.Slice(unsafe.StringData(s), len(s))) //nolint:gosec // read only
	return unsafe.String(unsafe.SliceData(b), len(b))            //nolint:gosec // see above
}

func (o *ownedExchange) keepBytes(b []byte) []byte {
	if len(b) == 0 {
		return nil
	}
	at := len(o.memory)
	o.memory = append(o.memory, b...)
	return o.memory[at:len(o.memory):len(o.memory)]
}

func (o *ownedExchange) keepFields(dst, fields []seshat.Field) []seshat.Field {
	for i := range fields {
		dst = append(dst, seshat.Field{Name: o.keep(fields[i].Name), Value: o.keep(fields[i].Value)})
	}
	return dst
}
