package middleware

import (
	"bytes"
	"io"
	"net/http"

	"github.com/seshat-project/seshat"
	"github.com/seshat-project/seshat/internal/httpfield"
	"github.com/seshat-project/seshat/internal/pipeline"
)

// sentBody is the body of a request on its way to the next handler.
type sentBody struct {
	io.ReadCloser
	rest io.Reader // what the next handler reads: nil when it is the body itself
	seen int64
	on   bool
}

// count counts the bytes of a body whose length is not known. Others are left alone: handlers may look at what they are.
func (b *sentBody) count(r *http.Request) *http.Request {
	if r.ContentLength >= 0 || r.Body == nil || r.Body == http.NoBody {
		return r
	}
	return b.replace(r, nil)
}

// capture reads the beginning of the body into x, and gives the next handler all of it. It waits for the client to send
// that much: rules that want bodies are for sign-in forms and the like.
func (b *sentBody) capture(r *http.Request, x *seshat.Exchange) *http.Request {
	if r.ContentLength == 0 || r.Body == nil || r.Body == http.NoBody {
		return r
	}
	size := int64(pipeline.MaxBody)
	if r.ContentLength > 0 {
		size = min(size, r.ContentLength)
	}
	beginning := bytes.NewBuffer(make([]byte, 0, min(size, bytes.MinRead)))
	// One byte more than is looked at tells whether there is more.
	n, err := io.Copy(beginning, io.LimitReader(r.Body, pipeline.MaxBody+1))
	var rest io.Reader = r.Body
	if err != nil {
		rest = failed{err}
	}
	read := beginning.Bytes()
	x.Request.Body = body(read[:min(len(read), pipeline.MaxBody)], x.Request.Header, n > pipeline.MaxBody || err != nil)
	x.Request.Body.Size = max(x.Request.Body.Size, r.ContentLength)
	return b.replace(r, io.MultiReader(bytes.NewReader(read), rest))
}

func (b *sentBody) replace(r *http.Request, rest io.Reader) *http.Request {
	b.ReadCloser, b.rest, b.on = r.Body, rest, true
	if rest == nil {
		b.rest = r.Body
	}
	r = r.WithContext(r.Context()) // a copy: the request is the caller's
	r.Body = b
	return r
}

// Read implements [io.Reader].
func (b *sentBody) Read(p []byte) (int, error) {
	n, err := b.rest.Read(p)
	b.seen += int64(n)
	return n, err
}

// finish says how long the body was, as far as the next handler read it.
func (b *sentBody) finish(x *seshat.Exchange) {
	if b.on && b.seen > x.Request.Body.Size {
		x.Request.Body.Size = b.seen
		x.Request.Body.Truncated = x.Request.Body.Truncated || b.seen > int64(len(x.Request.Body.Bytes))
	}
}

// failed is the rest of a body that broke off.
type failed struct{ err error }

func (f failed) Read([]byte) (int, error) { return 0, f.err }

// body is the beginning of a body without its content codings. What cannot be decoded is not looked at.
func body(raw []byte, header []seshat.Field, cut bool) seshat.Body {
	out := seshat.Body{Bytes: raw, Size: int64(len(raw)), Truncated: cut}
	coding, coded := httpfield.Lookup(header, "Content-Encoding")
	if !coded || len(raw) == 0 {
		return out
	}
	decoded, truncated, err := httpfield.Decode(raw, coding, pipeline.MaxBody)
	out.Bytes, out.Truncated = decoded, cut || truncated || err != nil
	return out
}
