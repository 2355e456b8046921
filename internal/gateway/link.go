package gateway

import (
	"errors"
	"io"
	"net"
	"time"
)

// link is a connection to a client or to a server, with what was read of it and not yet used: buf[r:w].
//
// One goroutine reads and one writes at a time. They are the same but while a request's body is streamed.
type link struct {
	conn    net.Conn
	socket  *socket // of a plain connection; nil when conn reads and writes itself
	sweeper *sweeper
	buffers *buffers
	index   int // in the sweeper

	least   int // of the size of buf
	buf     []byte
	r, w    int
	retired [][]byte // former buffers that strings still point to

	reads, writes wait
	in, out       int64 // bytes read and written since the last count
}

// errTimeout is what reading and writing fail with when the sweeper ended the wait.
var errTimeout = errors.New("it took too long")

// longAgo is a deadline that is over.
func longAgo() time.Time { return time.Unix(1, 0) }

// newLink returns a link whose first buffer has least bytes.
func newLink(conn net.Conn, s *sweeper, b *buffers, least int) *link {
	l := &link{conn: conn, socket: newSocket(conn), sweeper: s, buffers: b, least: least}
	s.add(l)
	return l
}

// close closes the connection, and gives the buffers back. Nobody may use the link any more.
func (l *link) close() {
	l.sweeper.remove(l)
	_ = l.conn.Close()
	l.release()
}

// reset has the connection closed without an orderly end, so that the peer cannot take what it got for all there is.
func (l *link) reset() {
	if c, ok := innermost(l.conn).(interface{ SetLinger(sec int) error }); ok {
		_ = c.SetLinger(0)
	}
}

// innermost is the socket that TLS, and whoever looked at its beginning, are around.
func innermost(conn net.Conn) net.Conn {
	for {
		around, ok := conn.(interface{ NetConn() net.Conn })
		if !ok {
			return conn
		}
		conn = around.NetConn()
	}
}

func (l *link) release() {
	l.retire()
	if l.buf != nil {
		l.buffers.put(l.buf)
		l.buf, l.r, l.w = nil, 0, 0
	}
}

// retire gives back the buffers that nothing points to any more.
func (l *link) retire() {
	for i, b := range l.retired {
		l.buffers.put(b)
		l.retired[i] = nil
	}
	l.retired = l.retired[:0]
}

// interrupt makes a read or a write that goes on fail.
func (l *link) interrupt(read bool) {
	if read {
		_ = l.conn.SetReadDeadline(longAgo())
	} else {
		_ = l.conn.SetWriteDeadline(longAgo())
	}
}

// arm says how long reading or writing may take from now on. It stays expired once it is.
func (l *link) arm(w *wait, d time.Duration) {
	var until int64
	if d > 0 {
		until = l.sweeper.now.Load() + int64(d+l.sweeper.tick)
	}
	if w.until.Swap(until) == expired {
		w.until.Store(expired)
	}
}

// late reports whether the sweeper has ended a wait: the connection cannot be used any more.
func (l *link) late() bool {
	return l.reads.until.Load() == expired || l.writes.until.Load() == expired
}

func (l *link) unread() []byte { return l.buf[l.r:l.w] }

// fill reads more behind what is unread, in one call. most bounds the buffer.
func (l *link) fill(most int) error {
	if l.w == len(l.buf) {
		if err := l.grow(most); err != nil {
			return err
		}
	}
	n, err := l.read(l.buf[l.w:])
	l.w += n
	if n > 0 {
		return nil
	}
	return err
}

// errFull says that what has to be kept does not fit.
var errFull = errors.New("the buffer is full")

// grow makes room behind what is unread. The former buffer stays as it is until retire.
func (l *link) grow(most int) error {
	if len(l.buf) >= most {
		return errFull
	}
	size := l.least
	if len(l.buf) > 0 {
		size = min(4*len(l.buf), max(most, mediumBuffer))
	}
	larger := l.buffers.get(size)
	copy(larger, l.buf[:l.w])
	if l.buf != nil {
		l.retired = append(l.retired, l.buf)
	}
	l.buf = larger
	return nil
}

// compact moves what is unread to the beginning of a buffer that is no larger than need be. Nothing may point to it.
func (l *link) compact() {
	l.retire()
	unread := l.unread()
	if len(l.buf) > smallBuffer && len(unread) <= smallBuffer {
		smaller := l.buffers.get(smallBuffer)
		n := copy(smaller, unread)
		l.buffers.put(l.buf)
		l.buf, l.r, l.w = smaller, 0, n
		return
	}
	l.r, l.w = 0, copy(l.buf, unread)
}

// read reads into p.
func (l *link) read(p []byte) (int, error) {
	n, err := l.receive(p)
	l.in += int64(n)
	if n > 0 {
		return n, nil
	}
	if err == nil {
		return 0, io.ErrNoProgress
	}
	if l.reads.until.Load() == expired {
		return 0, errTimeout
	}
	return 0, err
}

func (l *link) receive(p []byte) (int, error) {
	if l.socket != nil {
		return l.socket.read(p)
	}
	return l.conn.Read(p)
}

func (l *link) send(p []byte) (int, error) {
	if l.socket != nil {
		return l.socket.write(p)
	}
	return l.conn.Write(p)
}

// write writes all of p.
func (l *link) write(p []byte) error {
	n, err := l.send(p)
	l.out += int64(n)
	if err != nil && l.writes.until.Load() == expired {
		return errTimeout
	}
	return err
}

// writeTwo writes a and then b, in one call where that can be done.
func (l *link) writeTwo(a, b []byte) error {
	if len(b) == 0 {
		return l.write(a)
	}
	both := net.Buffers{a, b}
	n, err := both.WriteTo(l.conn)
	l.out += n
	if err != nil && l.writes.until.Load() == expired {
		return errTimeout
	}
	return err
}
