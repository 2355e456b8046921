package gateway

import (
	"context"
	"errors"
	"io"
	"net"
	"sync/atomic"
	"time"

	"github.com/seshat-project/seshat/internal/http1"
)

// conn is a connection of a client. Its goroutine does everything but to stream the bodies of requests and half of a
// tunnel.
type conn struct {
	server *Server
	ctx    context.Context //nolint:containedctx // of the connection, not of a call; it is never done
	until  context.Context //nolint:containedctx // what ServeConn got
	info   ConnInfo
	in     *link
	counts *stripe
	work   *work // of the request that goes on; nil between two
	state  atomic.Int32
	leaves atomic.Bool // no request follows the one that goes on
	handed bool        // over to somebody else, who closes it

	awaited atomic.Pointer[upstream] // what the client waits for; see presence.go
	since   atomic.Int64             // when that began, or when the client was last looked after
}

// The states of a connection. One that is idle waits for a request and may be closed; whoever decides that makes it
// hurried, so that no request is begun meanwhile.
const (
	busy int32 = iota
	idle
	hurried
)

// hurry closes the connection if it waits for a request.
func (c *conn) hurry() {
	if c.state.CompareAndSwap(idle, hurried) {
		c.in.interrupt(true)
	}
}

// leave ends the connection with the request that goes on.
func (c *conn) leave() {
	c.leaves.Store(true)
	c.hurry()
}

// kill ends whatever goes on on the connection: also that the client waits for a server that says nothing.
func (c *conn) kill() {
	_ = innermost(c.in.conn).Close() // TLS would wait for a client that does not read
	if up := c.awaited.Load(); up != nil && c.awaited.CompareAndSwap(up, nil) {
		up.interrupt(true)
	}
}

// next serves one request. It reports whether another can follow.
func (c *conn) next() bool {
	c.in.compact()
	reason, ok := c.readHead()
	if !ok {
		return false
	}
	if reason != http1.OK {
		if reason == http1.VersionNotSupported && c.server.config.Preface != nil && isPreface(c.in.unread()) {
			c.handOver(c.server.config.Preface)
			return false
		}
		c.refuse(reason)
		return false
	}
	again := c.work.serve(c)
	c.putWork()
	c.count()
	return again && !c.in.late()
}

// readHead reads the head of a request. It reports whether there is one, good or bad.
func (c *conn) readHead() (reason http1.Reason, ok bool) {
	limits := c.server.config.Limits
	most := limits.HeadBytes
	started := c.in.w > 0
	if started {
		c.in.arm(&c.in.reads, c.server.config.Timeouts.Header)
	} else {
		c.state.Store(idle)
		if c.leaves.Load() || c.server.draining.Load() {
			return 0, false
		}
		c.in.arm(&c.in.reads, c.server.config.Timeouts.KeepAlive)
	}
	parse := started
	for {
		if parse {
			c.getWork()
			// Only with another line can an incomplete head become complete, or be found to be bad.
			if reason = c.work.req.Parse(c.in.unread(), limits); reason != http1.Incomplete {
				c.in.arm(&c.in.reads, 0)
				return reason, true
			}
		}
		seen := c.in.w
		err := c.in.fill(most)
		if err != nil {
			return c.noHead(err, started)
		}
		if !started {
			started = true
			if !c.state.CompareAndSwap(idle, busy) {
				return 0, false
			}
			c.in.arm(&c.in.reads, c.server.config.Timeouts.Header)
		}
		parse = seen == 0 || c.in.w >= most || hasLF(c.in.buf[seen:c.in.w])
	}
}

func hasLF(b []byte) bool {
	for _, c := range b {
		if c == '\n' {
			return true
		}
	}
	return false
}

// noHead is for a head that does not come.
func (c *conn) noHead(err error, started bool) (http1.Reason, bool) {
	switch {
	case errors.Is(err, errFull):
		return http1.HeadTooLong, true
	case started && errors.Is(err, errTimeout):
		c.counts.slowHeads.Add(1)
		c.sayTimeout()
	case started && errors.Is(err, io.EOF):
		c.counts.cutHeads.Add(1)
	}
	return 0, false
}

// refuse answers a request that cannot be understood, and ends the connection: where the next one starts is not known.
func (c *conn) refuse(reason http1.Reason) {
	c.server.refused.add(reason)
	c.say(reason.Status(), reason.Error())
	c.linger()
}

func (c *conn) getWork() {
	if c.work == nil {
		c.work = c.server.works.Get().(*work)
	}
}

func (c *conn) putWork() {
	if w := c.work; w != nil {
		c.work = nil
		w.reset()
		c.server.works.Put(w)
	}
}

// count adds what the link counted to the statistics.
func (c *conn) count() {
	c.counts.bytesIn.Add(c.in.in)
	c.counts.bytesOut.Add(c.in.out)
	c.in.in, c.in.out = 0, 0
}

// linger has the client read what it was sent before the connection is closed: closing while bytes are unread resets the
// connection, and the answer is lost on the way (RFC 9112, section 9.6).
func (c *conn) linger() {
	half, ok := c.in.conn.(interface{ CloseWrite() error })
	if !ok || half.CloseWrite() != nil {
		return
	}
	// A deadline of its own: reading may have been interrupted for good.
	if c.in.conn.SetReadDeadline(time.Now().Add(c.server.config.Timeouts.Linger)) != nil {
		return
	}
	scratch := c.server.buffers.get(mediumBuffer)
	defer c.server.buffers.put(scratch)
	for read := 0; read < mostLinger; {
		n, err := c.in.read(scratch)
		if err != nil {
			return
		}
		read += n
	}
}

// mostLinger is how many bytes are thrown away so that an answer arrives. Whoever sends more does not read.
const mostLinger = 1 << 20

// replayed is a connection whose first bytes were read before.
type replayed struct {
	net.Conn
	read []byte
}

func (r *replayed) Read(p []byte) (int, error) {
	if len(r.read) == 0 {
		return r.Conn.Read(p)
	}
	n := copy(p, r.read)
	r.read = r.read[n:]
	return n, nil
}

// isPreface reports whether b starts as the client's preface of HTTP/2 does (RFC 9113, section 3.4).
func isPreface(b []byte) bool {
	const preface = "PRI * HTTP/2.0\r\n"
	return len(b) >= len(preface) && string(b[:len(preface)]) == preface
}

// handOver gives the connection to somebody else, with everything that was not used of it.
func (c *conn) handOver(to func(ctx context.Context, conn net.Conn, info ConnInfo)) {
	read := append([]byte(nil), c.in.unread()...)
	nc := c.in.conn
	c.putWork()
	c.in.sweeper.remove(c.in)
	c.in.release()
	c.handed = true
	to(c.until, &replayed{Conn: nc, read: read}, c.info)
}
