package gateway

import (
	"errors"
	"net/http"
	"sync/atomic"

	"github.com/seshat-project/seshat/internal/http1"
)

// uploader passes the rest of a request's body on, while the response may come already.
type uploader struct {
	work    *work
	conn    *conn
	up      *upstream
	stopped atomic.Bool
	done    chan struct{}

	// What came of it, once done is closed.
	clientErr error
	upErr     error
	reason    http1.Reason
	tooLarge  bool
	rest      []byte // what was read past the end of the body
}

func (w *work) startUpload(c *conn) {
	w.uploader = &uploader{work: w, conn: c, up: w.up, done: make(chan struct{})}
	go w.uploader.run()
}

func (u *uploader) run() {
	defer close(u.done)
	in, up, body := u.conn.in, u.up, &u.work.body
	config := &u.conn.server.config
	buffer := u.conn.server.buffers.get(streamBuffer)
	defer u.conn.server.buffers.put(buffer)
	for !body.done {
		in.arm(&in.reads, config.Timeouts.Body)
		if u.stopped.Load() {
			return
		}
		n, err := in.read(buffer)
		if err != nil {
			u.clientErr = err
			up.interrupt(true) // the response that it waits for does not come
			return
		}
		used, reason := body.take(buffer[:n], nil)
		u.tooLarge = config.MaxBody > 0 && body.size() > config.MaxBody
		if u.reason = reason; reason != http1.OK || u.tooLarge {
			up.interrupt(true)
			return
		}
		if used < n {
			u.rest = append([]byte(nil), buffer[used:n]...)
		}
		up.arm(&up.writes, config.Timeouts.Body)
		if err := up.write(buffer[:used]); err != nil {
			u.upErr = err // the server may have answered all the same
			if errors.Is(err, errTimeout) {
				up.interrupt(true)
			}
			return
		}
	}
	in.arm(&in.reads, 0)
	up.arm(&up.writes, 0)
	up.arm(&up.reads, up.backend.pool.config.Response)
}

// finished reports whether the uploader has come to an end, whichever.
func (u *uploader) finished() bool {
	select {
	case <-u.done:
		return true
	default:
		return false
	}
}

// clientFailed reports whether it is the client who is to blame; the uploader has finished.
func (u *uploader) clientFailed() bool {
	return u.clientErr != nil && !u.stopped.Load() || u.reason != http1.OK || u.tooLarge
}

// fault is what the client is told, if it can be told anything.
func (u *uploader) fault() (status int, detail string) {
	switch {
	case u.tooLarge:
		return http.StatusRequestEntityTooLarge, "the content is too large"
	case u.reason != http1.OK:
		u.conn.server.refused.add(u.reason)
		return u.reason.Status(), u.reason.Error()
	case errors.Is(u.clientErr, errTimeout):
		return http.StatusRequestTimeout, "the content did not come in time"
	default:
		return 0, ""
	}
}

// stopUpload ends the uploader and waits for it. The client's connection cannot be read any more if it had not finished.
func (w *work) stopUpload() {
	u := w.uploader
	if u == nil || u.finished() {
		return
	}
	u.stopped.Store(true)
	w.closes = true
	u.conn.in.interrupt(true)
	u.up.interrupt(false)
	<-u.done
}

// joinUpload waits for the uploader once the response is through. A server that has said everything may read on; for how
// long is up to it, as far as bytes move. It reports whether the body was sent to its end.
func (w *work) joinUpload(c *conn) bool {
	u := w.uploader
	if u == nil {
		return w.body.done
	}
	if !u.finished() && (w.resp.Options&http1.Close != 0 || w.body.waiting) {
		w.stopUpload()
	}
	<-u.done
	if u.clientErr != nil || u.upErr != nil || u.reason != http1.OK || u.tooLarge || !w.body.done {
		return false
	}
	return c.putBack(u.rest)
}
