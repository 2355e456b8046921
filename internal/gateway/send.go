package gateway

import (
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"time"

	"github.com/seshat-project/seshat/internal/http1"
)

// result is what one attempt to have a request answered came to.
type result uint8

const (
	answered result = iota // there is a head of a final response in w.resp
	stale                  // the connection had been closed while it was idle
	failed                 // the server failed, before it answered anything
	lost                   // the client went away, or must get an answer of the gateway's own: w.lostStatus
)

// send has the request answered by a server of the route's pool, another one if that fails and the request may be
// repeated. It reports whether another request can follow on the client's connection.
func (w *work) send(c *conn, m *Match) bool {
	pool := m.Target.Pool
	w.buildForward(c, m)
	var avoid *Backend
	fresh := false
	for tries := 0; ; {
		b, err := pool.Acquire(c.ctx, avoid)
		if err != nil {
			return w.answerProblem(c, http.StatusServiceUnavailable, unavailable(err))
		}
		up, err := b.connection(c.ctx, fresh)
		if err != nil {
			b.Release(Failed)
			w.logFailure(c, b, err)
			if tries < pool.config.Retries && w.replayable() { // nothing was sent: any method may be repeated
				tries++
				avoid = b
				pool.retries.Add(1)
				continue
			}
			return w.unreachable(c, err)
		}
		w.up, w.outcome = up, NoOutcome
		result, err := w.attempt(c)
		switch result {
		case stale:
			w.dropUpstream()
			fresh = true // what else is idle is likely to be closed as well
			continue
		case failed:
			w.outcome = Failed
			w.logFailure(c, b, err)
			w.dropUpstream()
			if tries < pool.config.Retries && w.safe() && w.replayable() && !errors.Is(err, errTimeout) {
				tries++
				avoid = b
				pool.retries.Add(1)
				continue
			}
			return w.unreachable(c, err)
		case lost:
			return w.clientLost(c)
		case answered:
		}
		pool.latency.Observe(time.Since(w.x.Time))
		if pool.config.RetryStatuses && tries < pool.config.Retries && retryStatus(w.resp.Status) &&
			len(pool.servers) > 1 && w.safe() && w.replayable() {
			w.outcome = Failed
			w.dropUpstream()
			tries++
			avoid = b
			pool.retries.Add(1)
			continue
		}
		w.outcome = Succeeded
		if w.resp.Status == statusSwitching {
			return w.tunnel(c)
		}
		return w.respond(c)
	}
}

func retryStatus(status int) bool {
	return status == http.StatusBadGateway || status == http.StatusServiceUnavailable || status == http.StatusGatewayTimeout
}

// unavailable is what a client is told when no server can be had.
func unavailable(err error) string {
	switch {
	case errors.Is(err, ErrNoServer):
		return "no server is available"
	case errors.Is(err, ErrBusy), errors.Is(err, ErrWaited):
		return "the servers are busy"
	default:
		return "the service is being stopped"
	}
}

// attempt sends the request on w.up and reads the head of the final response.
func (w *work) attempt(c *conn) (result, error) {
	up, b := w.up, &w.body
	before := up.out
	up.arm(&up.writes, c.server.config.Timeouts.Body)
	var err error
	if b.buffered > smallBody {
		err = up.writeTwo(w.forward, c.in.buf[c.in.r-b.buffered:c.in.r])
	} else {
		err = up.write(w.forward)
	}
	if err != nil {
		if up.reused && (up.out == before || w.idempotent()) && w.replayable() {
			return stale, err
		}
		return failed, err
	}
	up.arm(&up.writes, 0)
	if b.done {
		up.arm(&up.reads, up.backend.pool.config.Response)
	} else {
		w.startUpload(c)
	}
	c.await(up)
	for interims := 0; ; {
		if len(up.unread()) > 0 {
			reason := w.resp.Parse(up.unread(), w.req.Method, w.responseLimits(c))
			switch {
			case reason == http1.Incomplete:
			case !c.arrived():
				return w.goneWhileWaiting()
			case reason != http1.OK:
				return w.failedAt(reason)
			case w.resp.Informational():
				if interims++; interims > mostInterims {
					return w.failedAt(errInterims)
				}
				if !w.forwardInterim(c) {
					return lost, nil
				}
				c.await(up)
				continue
			case w.resp.Status == statusSwitching && !w.upgrading:
				return w.failedAt(errSwitched)
			default:
				return answered, nil
			}
		}
		if err := up.fill(2 * c.server.config.Limits.HeadBytes); err != nil {
			if !c.arrived() {
				return w.goneWhileWaiting()
			}
			return w.noResponse(c, err, interims > 0)
		}
	}
}

// mostInterims is how many interim responses may come before the final one: 103 (Early Hints) comes once or twice, 102
// (Processing) every some seconds.
const mostInterims = 100

var (
	errInterims = errors.New("too many interim responses")
	errSwitched = errors.New("the server switched protocols though nobody had asked")
)

// responseLimits are those of requests twice over: servers set many cookies at once, and policies are long.
func (w *work) responseLimits(c *conn) http1.Limits {
	l := c.server.config.Limits
	l.HeadBytes *= 2
	l.Fields = 2 * max(l.Fields, http1.DefaultFields)
	return l
}

func (w *work) goneWhileWaiting() (result, error) {
	w.stopUpload()
	return lost, nil
}

func (w *work) failedAt(err error) (result, error) {
	w.stopUpload()
	return failed, err
}

// noResponse is for a connection that failed before the head of a response was complete.
func (w *work) noResponse(c *conn, err error, interim bool) (result, error) {
	up := w.up
	if u := w.uploader; u != nil {
		w.stopUpload()
		if u.clientFailed() {
			return lost, nil
		}
	}
	if len(up.unread()) == 0 && !interim && up.reused && !errors.Is(err, errTimeout) && w.idempotent() && w.replayable() {
		return stale, err
	}
	if errors.Is(err, errFull) {
		err = http1.HeadTooLong
	}
	if c.in.late() {
		return lost, nil
	}
	return failed, err
}

// forwardInterim passes a 1xx response on. Clients of HTTP/1.0 do not know them (RFC 9110, section 15.2).
func (w *work) forwardInterim(c *conn) bool {
	up := w.up
	raw := up.unread()[:w.resp.Size]
	up.r += w.resp.Size
	if w.resp.Status == statusContinue {
		w.body.waiting = false
	}
	if w.req.Minor == 0 || w.resp.Status == statusContinue && w.asked {
		return true
	}
	w.answer = w.appendResponseHead(w.answer[:0], raw, c, asIs, false)
	c.in.arm(&c.in.writes, c.server.config.Timeouts.Body)
	err := c.in.write(w.answer)
	c.in.arm(&c.in.writes, 0)
	return err == nil
}

// replayable reports whether everything that was sent can be sent again.
func (w *work) replayable() bool { return w.uploader == nil && (w.body.done || w.body.buffered == 0) }

// safe methods change nothing (RFC 9110, section 9.2.1).
func (w *work) safe() bool {
	switch w.req.Method {
	case http.MethodGet, http.MethodHead, http.MethodOptions:
		return true
	default:
		return false
	}
}

// idempotent methods may be repeated (RFC 9110, section 9.2.2).
func (w *work) idempotent() bool {
	return w.safe() || w.req.Method == http.MethodPut || w.req.Method == http.MethodDelete
}

// unreachable answers for a server that did not. Nothing has gone to the client yet.
func (w *work) unreachable(c *conn, err error) bool {
	w.closes = w.closes || w.uploader != nil
	if isTimeout(err) {
		return w.answerProblem(c, http.StatusGatewayTimeout, "the server did not answer in time")
	}
	return w.answerProblem(c, http.StatusBadGateway, "the server did not answer as it should")
}

func isTimeout(err error) bool {
	var timeout net.Error
	return errors.Is(err, errTimeout) || errors.Is(err, context.DeadlineExceeded) || errors.As(err, &timeout) && timeout.Timeout()
}

// clientLost ends a request whose client went away, or sent a body that is no good.
func (w *work) clientLost(c *conn) bool {
	w.closes = true
	w.dropUpstream()
	c.counts.aborts.Add(1)
	if u := w.uploader; u != nil && !w.wrote {
		if status, detail := u.fault(); status != 0 {
			return w.answerProblem(c, status, detail)
		}
	}
	_ = w.end(c) // nobody is there to be refused an answer
	c.in.reset()
	return false
}

// dropUpstream closes the connection to the server.
func (w *work) dropUpstream() {
	up := w.up
	if up == nil {
		return
	}
	w.stopUpload()
	w.up = nil
	up.close()
	up.backend.Release(w.outcome)
}

// keepUpstream gives the connection to the server back.
func (w *work) keepUpstream() {
	up := w.up
	w.up = nil
	b := up.backend
	up.arm(&up.reads, 0)
	up.arm(&up.writes, 0)
	if up.late() {
		up.close()
	} else {
		b.keep(up)
	}
	b.Release(w.outcome)
}

func (w *work) logFailure(c *conn, b *Backend, err error) {
	if errors.Is(err, io.EOF) {
		err = errors.New("the connection was closed")
	}
	c.server.config.Logger.Debug("a server failed", "upstream", b.pool.Name(), "server", b.Address, "error", err)
}
