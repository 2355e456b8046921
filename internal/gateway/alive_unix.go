//go:build unix

package gateway

import (
	"net"
	"syscall"
)

// closedByPeer reports whether there is anything to read on a connection that nothing may come on: its end, or bytes that
// nobody asked for. One call to the system, which does not wait.
func closedByPeer(conn net.Conn) bool {
	c, ok := innermost(conn).(syscall.Conn)
	if !ok {
		return false
	}
	raw, err := c.SyscallConn()
	if err != nil {
		return true
	}
	closed := true
	if err := raw.Read(func(fd uintptr) bool {
		var one [1]byte
		_, _, err := syscall.Recvfrom(int(fd), one[:], syscall.MSG_PEEK|syscall.MSG_DONTWAIT)
		closed = err != syscall.EAGAIN && err != syscall.EINTR //nolint:errorlint // a number of the system
		return true
	}); err != nil {
		return true
	}
	return closed
}
