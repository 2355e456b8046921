package gateway

import (
	"errors"
	"io"

	"github.com/seshat-project/seshat"
)

// tunnel connects the client with the server, which has switched protocols. The exchange ends with the head of the
// response; what comes after is not looked at, but counted.
func (w *work) tunnel(c *conn) bool {
	up := w.up
	raw := up.unread()[:w.resp.Size]
	up.r += w.resp.Size
	w.closes = true
	w.x.Response = seshat.Response{Status: w.resp.Status, Header: w.resp.Fields}
	w.answer = w.appendResponseHead(w.answer[:0], raw, c, asIs, false)
	w.answer = append(w.answer, up.unread()...)
	up.r = up.w
	c.counts.status(w.resp.Status)
	if w.end(c) != nil {
		return w.cut(c, errNotRecorded)
	}
	if w.toClient(c, nil) != nil {
		return w.cut(c, errClientWrite)
	}
	if early := c.in.unread(); len(early) > 0 {
		if err := up.write(early); err != nil {
			w.dropUpstream()
			return false
		}
		c.in.r = c.in.w
	}
	c.counts.tunnels.Add(1)
	defer c.counts.tunnels.Add(-1)
	other := make(chan struct{})
	go func() {
		defer close(other)
		w.pump(c, up.link, c.in)
	}()
	w.pump(c, c.in, up.link)
	<-other
	w.dropUpstream()
	return false
}

// pump copies from one side of a tunnel to the other until it ends, and says so to the other side. Bytes in either
// direction keep both open.
func (w *work) pump(c *conn, from, to *link) {
	buffer := c.server.buffers.get(smallBuffer)
	defer func() { c.server.buffers.put(buffer) }()
	patience := c.server.config.Timeouts.Tunnel
	for {
		from.arm(&from.reads, patience)
		to.arm(&to.reads, patience)
		n, err := from.read(buffer)
		if err != nil {
			half, ok := to.conn.(interface{ CloseWrite() error })
			if !ok || !errors.Is(err, io.EOF) || half.CloseWrite() != nil {
				from.interrupt(true)
				to.interrupt(true)
				to.interrupt(false)
			}
			return
		}
		to.arm(&to.writes, c.server.config.Timeouts.Body)
		if to.write(buffer[:n]) != nil {
			from.interrupt(true)
			to.interrupt(true)
			return
		}
		to.arm(&to.writes, 0)
		if n == len(buffer) && n < mediumBuffer { // it carries more than messages
			c.server.buffers.put(buffer)
			buffer = c.server.buffers.get(mediumBuffer)
		}
	}
}
