package gateway

import (
	"errors"
	"net/http"
	"sync/atomic"

	"github.com/seshat-project/seshat/internal/http1"
	"github.com/seshat-project/seshat/internal/pipeline"
)

// requestBody is how far the body of a request has come.
type requestBody struct {
	framing http1.Framing
	left    int64 // with Length: how many bytes are still to be read
	chunks  http1.ChunkReader
	// buffered are the bytes of the body in the client's buffer, behind the head, as they were sent.
	buffered int
	content  int64 // how many bytes of content were read; atomic
	// waiting says that the client waits for 100 (Continue), which it has not got.
	waiting bool
	done    bool // read to its end
}

// smallBody is how long an announced body may be that is read before the origin hears of the request: it goes there with
// the head in one call, can be sent again, and holds no connection while a slow client sends it. NGINX does so with all.
const smallBody = 16 << 10

func (b *requestBody) begin(r *http1.Request) {
	b.framing, b.left, b.waiting = r.Framing, r.Length, r.Continue
	b.done = r.Framing == http1.NoBody || r.Framing == http1.Length && r.Length == 0
}

func (b *requestBody) size() int64 { return atomic.LoadInt64(&b.content) }

// take checks bytes that were read and belongs to the body as many as n. Content is what is in them without chunk
// heads, if it is wanted.
func (b *requestBody) take(p []byte, want *[]byte) (n int, reason http1.Reason) {
	if b.framing == http1.Length {
		n = len(p)
		if int64(n) > b.left {
			n = int(b.left)
		}
		b.left -= int64(n)
		atomic.AddInt64(&b.content, int64(n))
		b.done = b.left == 0
		return n, http1.OK
	}
	for n < len(p) && !b.done {
		used, data, reason := b.chunks.Next(p[n:])
		n += used
		if reason != http1.OK {
			return n, reason
		}
		atomic.AddInt64(&b.content, int64(len(data)))
		if want != nil {
			*want = append(*want, data...)
		}
		b.done = b.chunks.Done()
	}
	return n, http1.OK
}

// prepareBody reads as much of the body as identification wants, or all of a short one. A status other than 0 is what the
// client gets instead; a negative one says that it is gone.
func (w *work) prepareBody(c *conn) (status int, text string) {
	b := &w.body
	if b.done {
		return 0, ""
	}
	needed := c.server.config.Guard.NeedsRequestBody(&w.x)
	var content *[]byte
	most := smallBody
	if needed {
		if most = pipeline.MaxBody; b.framing == http1.Chunked {
			content = &w.content
			w.content = w.content[:0]
		}
		if b.waiting { // nobody else will ask for the body
			if c.in.write([]byte("HTTP/1.1 100 Continue\r\n\r\n")) != nil {
				return -1, ""
			}
			b.waiting, w.asked = false, true
		}
	}
	if status, text = w.takeBuffered(c, content); status != 0 {
		return status, text
	}
	if needed || b.framing == http1.Length && w.req.Length <= smallBody && !b.waiting {
		for !b.done && (b.buffered < most || content != nil && len(w.content) < most && b.buffered < 2*most) {
			c.in.arm(&c.in.reads, c.server.config.Timeouts.Body)
			if err := c.in.fill(c.in.w + most); err != nil {
				return w.bodyLost(c, err)
			}
			if status, text = w.takeBuffered(c, content); status != 0 {
				return status, text
			}
		}
		c.in.arm(&c.in.reads, 0)
	}
	if needed {
		w.captureRequest(c)
	}
	return 0, ""
}

// takeBuffered takes what is unread in the client's buffer.
func (w *work) takeBuffered(c *conn, content *[]byte) (status int, text string) {
	b := &w.body
	n, reason := b.take(c.in.unread(), content)
	c.in.r += n
	b.buffered += n
	if reason != http1.OK {
		c.server.refused.add(reason)
		w.closes = true
		return reason.Status(), reason.Error()
	}
	if most := c.server.config.MaxBody; most > 0 && b.size() > most {
		w.closes = true
		return http.StatusRequestEntityTooLarge, "the content is too large"
	}
	return 0, ""
}

func (w *work) bodyLost(c *conn, err error) (status int, text string) {
	w.closes = true
	c.counts.cutBodies.Add(1)
	if errors.Is(err, errTimeout) {
		return http.StatusRequestTimeout, "the content did not come in time"
	}
	return http.StatusBadRequest, "the content is cut"
}

// captureRequest shows identification the body, as far as it was read.
func (w *work) captureRequest(c *conn) {
	b := &w.body
	bytes := w.content
	if b.framing == http1.Length {
		bytes = c.in.buf[c.in.r-b.buffered : c.in.r]
	}
	cut := !b.done
	if len(bytes) > pipeline.MaxBody {
		bytes, cut = bytes[:pipeline.MaxBody], true
	}
	w.x.Request.Body = w.decoded(&w.req.Head, bytes, cut)
	w.x.Request.Body.Size = b.size()
}

// drainable reports whether the rest of a body that nobody wants is worth reading.
func (w *work) drainable() bool {
	b := &w.body
	switch {
	case b.done:
		return true
	case b.waiting, w.uploader != nil:
		return false // whether the client sends the body at all is not known, or how far it has come
	default:
		return b.framing != http1.Length || b.left <= mostDrained
	}
}

// drainBody reads the rest of a body that nobody wants. It reports whether the connection can go on.
func (w *work) drainBody(c *conn) bool {
	b := &w.body
	if b.done {
		return true
	}
	c.in.arm(&c.in.reads, c.server.config.Timeouts.Linger)
	scratch := c.server.buffers.get(mediumBuffer)
	defer c.server.buffers.put(scratch)
	for read := 0; read < mostDrained; {
		n, err := c.in.read(scratch)
		if err != nil {
			return false
		}
		read += n
		used, reason := b.take(scratch[:n], nil)
		if reason != http1.OK {
			return false
		}
		if b.done {
			c.in.arm(&c.in.reads, 0)
			return c.putBack(scratch[used:n])
		}
	}
	return false
}

// mostDrained is how much of a body is read and thrown away to keep a connection. A new one costs about as much.
const mostDrained = 256 << 10

// putBack makes bytes unread that were read past the end of a body.
func (c *conn) putBack(p []byte) bool {
	for len(c.in.buf)-c.in.w < len(p) {
		if c.in.grow(c.in.w+len(p)+smallBuffer) != nil {
			return false
		}
	}
	c.in.w += copy(c.in.buf[c.in.w:], p)
	return true
}
