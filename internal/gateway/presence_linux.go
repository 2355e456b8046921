package gateway

import (
	"net"
	"syscall"

	"golang.org/x/sys/unix"
)

// gone reports whether the peer has closed the connection, or its half of it, as far as it has come here. One call to the
// system, which does not wait.
func gone(conn net.Conn) bool {
	c, ok := innermost(conn).(syscall.Conn)
	if !ok {
		return false
	}
	raw, err := c.SyscallConn()
	if err != nil {
		return true
	}
	closed := false
	err = raw.Control(func(fd uintptr) {
		look := [...]unix.PollFd{{Fd: int32(fd), Events: unix.POLLRDHUP}}
		n, err := unix.Poll(look[:], 0)
		closed = err == nil && n > 0 && look[0].Revents&(unix.POLLRDHUP|unix.POLLHUP|unix.POLLERR) != 0
	})
	return closed || err != nil
}
