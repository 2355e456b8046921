package gateway

import (
	"errors"
	"io"

	"github.com/seshat-project/seshat"
	"github.com/seshat-project/seshat/internal/http1"
	"github.com/seshat-project/seshat/internal/pipeline"
)

// responseBody is how far the body of a response has come.
type responseBody struct {
	framing http1.Framing
	mode    bodyMode
	left    int64
	chunks  http1.ChunkReader
	done    bool
}

// respond passes the response in w.resp on. It reports whether another request can follow on the client's connection.
func (w *work) respond(c *conn) bool {
	up, r := w.up, &w.resp
	raw := up.unread()[:r.Size]
	up.r += r.Size
	body := responseBody{framing: r.Framing, mode: w.mode(), left: r.Length}
	body.done = r.Framing == http1.NoBody || r.Framing == http1.Length && r.Length == 0
	w.x.Response = seshat.Response{Status: r.Status, Header: r.Fields}
	w.download.wanted = !body.done && c.server.config.Guard.NeedsResponseBody(&w.x)
	if u := w.uploader; u != nil && !u.finished() && (r.Options&http1.Close != 0 || w.body.waiting) {
		w.closes = true // the rest of the request will not be read
	}
	again := w.keepsOpen(c)
	w.answer = w.appendResponseHead(w.answer[:0], raw, c, body.mode, !again)
	c.counts.status(r.Status)

	if r.Framing == http1.Length && r.Length <= smallBody {
		// Short ones go to the client with the head, in one call. That costs the client nothing: what it can use is the
		// whole.
		for int64(len(up.unread())) < r.Length {
			up.arm(&up.reads, c.server.config.Timeouts.Body)
			if err := up.fill(up.w + smallBody); err != nil {
				return w.cut(c, err)
			}
		}
	}
	if err := w.stream(c, &body); err != nil {
		return w.cut(c, err)
	}
	sent := w.joinUpload(c)
	if sent && r.KeepsOpen() && r.Framing != http1.UntilClose && len(up.unread()) == 0 {
		w.keepUpstream()
	} else {
		w.dropUpstream()
	}
	if !sent || w.closes || !again {
		c.linger()
		return false
	}
	return true
}

// What stream fails with, besides what reading from the server fails with.
var (
	errClientWrite = errors.New("the client does not take the response")
	errNotRecorded = errors.New("the exchange is not in the journal")
)

// stream passes the body on: what is in the buffer of w.up with the head, in w.answer, and then what comes.
func (w *work) stream(c *conn, body *responseBody) error {
	up := w.up
	piece := up.unread()
	var buffer []byte
	defer func() {
		if buffer != nil {
			c.server.buffers.put(buffer)
		}
	}()
	for {
		used, out, err := w.pass(body, piece)
		if buffer == nil {
			up.r += used
		} else if used < len(piece) { // nobody asked for more: the connection is not used again
			up.w = up.r
			_ = up.putBack(piece[used:])
		}
		if err != nil {
			return err
		}
		if body.done {
			return w.last(c, out)
		}
		if err := w.toClient(c, out); err != nil {
			return err
		}
		if buffer == nil {
			buffer = c.server.buffers.get(streamBuffer)
		}
		up.arm(&up.reads, c.server.config.Timeouts.Body)
		c.await(up)
		n, err := up.read(buffer)
		if !c.arrived() {
			return errClientWrite
		}
		if err != nil {
			if body.framing == http1.UntilClose && errors.Is(err, io.EOF) {
				return w.lastOfConnection(c, body)
			}
			return err
		}
		piece = buffer[:n]
	}
}

// putBack notes that bytes came that nobody had asked for.
func (l *link) putBack(p []byte) error {
	if len(p) > 0 && l.w == len(l.buf) {
		if err := l.grow(len(l.buf) + smallBuffer); err != nil {
			return err
		}
	}
	l.w += copy(l.buf[l.w:], p)
	return nil
}

// pass takes bytes of the body, and returns what the client gets of them. What was to be said before them is in w.answer,
// and comes to be behind it where it is changed.
func (w *work) pass(body *responseBody, p []byte) (used int, out []byte, err error) {
	switch body.framing {
	case http1.NoBody:
		return 0, nil, nil
	case http1.Length:
		used = len(p)
		if int64(used) > body.left {
			used = int(body.left)
		}
		body.left -= int64(used)
		body.done = body.left == 0
		w.download.add(p[:used])
		return used, p[:used], nil
	case http1.UntilClose:
		w.download.add(p)
		if body.mode == encode && len(p) > 0 {
			w.answer = http1.AppendChunkHead(w.answer, len(p))
			w.answer = append(append(w.answer, p...), "\r\n"...)
			return len(p), nil, nil
		}
		return len(p), p, nil
	default:
	}
	for used < len(p) && !body.done {
		n, data, reason := body.chunks.Next(p[used:])
		if used += n; reason != http1.OK {
			return used, nil, reason
		}
		w.download.add(data)
		if body.mode == decode {
			w.answer = append(w.answer, data...)
		}
		body.done = body.chunks.Done()
	}
	if body.mode == decode {
		return used, nil, nil
	}
	return used, p[:used], nil
}

// toClient sends what is in w.answer, and out.
func (w *work) toClient(c *conn, out []byte) error {
	if len(w.answer)+len(out) == 0 {
		return nil
	}
	c.in.arm(&c.in.writes, c.server.config.Timeouts.Body)
	w.wrote = true
	var err error
	switch {
	case len(w.answer) == 0:
		err = c.in.write(out)
	case len(out) <= smallBody:
		w.answer = append(w.answer, out...)
		err = c.in.write(w.answer)
	default:
		err = c.in.writeTwo(w.answer, out)
	}
	w.answer = w.answer[:0]
	c.in.arm(&c.in.writes, 0)
	if err != nil {
		return errClientWrite
	}
	return nil
}

// last records the exchange, and sends the last bytes of the response if that may be.
func (w *work) last(c *conn, out []byte) error {
	w.showDownload()
	if w.end(c) != nil {
		return errNotRecorded
	}
	return w.toClient(c, out)
}

// lastOfConnection is last for a body that the end of the server's connection ends.
func (w *work) lastOfConnection(c *conn, body *responseBody) error {
	var end []byte
	if body.mode == encode {
		end = []byte(http1.LastChunk)
	}
	body.done = true
	return w.last(c, end)
}

// showDownload shows identification what was captured of the body.
func (w *work) showDownload() {
	w.x.Response.Body = seshat.Body{Size: w.download.size, Truncated: w.download.size > 0}
	if w.download.wanted {
		w.x.Response.Body = w.decoded(&w.resp.Head, w.download.bytes, int64(len(w.download.bytes)) < w.download.size)
		w.x.Response.Body.Size = w.download.size
	}
}

// decoded removes content codings from what was captured of a body. What cannot be decoded stays as it is.
func (w *work) decoded(h *http1.Head, captured []byte, cut bool) seshat.Body {
	body := seshat.Body{Bytes: captured, Truncated: cut}
	if !h.Has(http1.ContentEncoding) || len(captured) == 0 {
		return body
	}
	out, short, err := w.decoder.Decode(captured, h.Value(http1.ContentEncoding), pipeline.MaxBody)
	if err == nil || len(out) > 0 {
		body.Bytes, body.Truncated = out, cut || short || err != nil
	}
	return body
}

// cut ends an exchange whose response cannot be passed on to its end.
func (w *work) cut(c *conn, err error) bool {
	switch {
	case errors.Is(err, errClientWrite):
		w.outcome = NoOutcome
		c.counts.aborts.Add(1)
	case errors.Is(err, errNotRecorded):
		w.outcome = NoOutcome
		c.counts.unrecorded.Add(1)
	default:
		w.outcome = Failed
		c.counts.cutResponses.Add(1)
		w.logFailure(c, w.up.backend, err)
	}
	w.stopUpload()
	w.dropUpstream()
	if !w.wrote && !errors.Is(err, errClientWrite) {
		w.closes = true
		if errors.Is(err, errNotRecorded) {
			return w.reply(c, statusUnavailable, nil, nil)
		}
		return w.unreachable(c, err)
	}
	w.showDownload()
	_ = w.end(c) // the client does not get a complete answer either way
	c.in.reset() // so that it cannot take what it got for all
	return false
}

const statusUnavailable = 503
