//go:build linux && !race

package gateway

import (
	"io"
	"net"
	"os"
	"syscall"
	"unsafe"
)

// socket reads and writes a TCP connection without telling the scheduler of each call, as net.Conn does.
//
// The calls do not block, so that the scheduler has nothing to do about them. But to be told costs: each time that it is
// told by a process that was idle a moment ago, it wakes the thread that looks after blocked calls, which then looks
// every 20 µs until all is idle again. At some thousands of requests a second that is a quarter of the processor time
// of a gateway. Waiting for the connection to be ready, deadlines and closing are those of net.Conn.
//
// The race detector learns from net.Conn what happens before what, so that it gets that.
type socket struct {
	raw     syscall.RawConn
	in, out transfer
}

// transfer is one call that reads or writes.
type transfer struct {
	p   []byte
	n   int
	err error
	try func(fd uintptr) bool // reports whether it is over; kept, because making one allocates
}

// mostUntold is up to how many bytes the scheduler is not told: copying them takes some microseconds, for which nobody
// else gets the processor.
const mostUntold = 64 << 10

// newSocket returns nil for what is not a plain TCP connection.
func newSocket(conn net.Conn) *socket {
	tcp, ok := conn.(*net.TCPConn)
	if !ok {
		return nil
	}
	raw, err := tcp.SyscallConn()
	if err != nil {
		return nil // and the connection says why when it is used
	}
	s := &socket{raw: raw}
	s.in.try, s.out.try = s.in.read, s.out.write
	return s
}

// read is net.Conn.Read for one goroutine at a time.
func (s *socket) read(p []byte) (int, error) {
	t := &s.in
	t.p, t.n, t.err = p, 0, nil
	err := s.raw.Read(t.try)
	t.p = nil
	switch {
	case err != nil:
		return 0, err
	case t.err != nil:
		return 0, t.err
	case t.n == 0 && len(p) > 0:
		return 0, io.EOF
	}
	return t.n, nil
}

// write is net.Conn.Write for one goroutine at a time.
func (s *socket) write(p []byte) (int, error) {
	t := &s.out
	t.p, t.n, t.err = p, 0, nil
	err := s.raw.Write(t.try)
	t.p = nil
	if err == nil {
		err = t.err
	}
	return t.n, err
}

func (t *transfer) read(fd uintptr) bool {
	p := t.p[:min(len(t.p), mostUntold)]
	for len(p) > 0 {
		n, _, e := syscall.RawSyscall(syscall.SYS_READ, fd, uintptr(unsafe.Pointer(unsafe.SliceData(p))), uintptr(len(p))) //nolint:gosec // as syscall.Read does
		switch e {
		case 0:
			t.n = int(n) //nolint:gosec // at most len(p)
			return true
		case syscall.EAGAIN:
			return false
		case syscall.EINTR:
		default:
			t.err = os.NewSyscallError("read", e)
			return true
		}
	}
	return true
}

func (t *transfer) write(fd uintptr) bool {
	for t.n < len(t.p) {
		p := t.p[t.n:min(len(t.p), t.n+mostUntold)]
		n, _, e := syscall.RawSyscall(syscall.SYS_WRITE, fd, uintptr(unsafe.Pointer(unsafe.SliceData(p))), uintptr(len(p))) //nolint:gosec // as syscall.Write does
		switch e {
		case 0:
			t.n += int(n) //nolint:gosec // at most len(p)
		case syscall.EAGAIN:
			return false
		case syscall.EINTR:
		default:
			t.err = os.NewSyscallError("write", e)
			return true
		}
	}
	return true
}
