package listener

import (
	"crypto/tls"
	"io"
	"net"
	"net/netip"
)

// Info is what is known of a connection before its first request.
type Info struct {
	// Peer is who connected: the source in the PROXY header where one is expected, otherwise the peer of the socket.
	Peer netip.AddrPort
	// Proxy is the peer of the socket where a PROXY header named another; the invalid address otherwise.
	Proxy netip.Addr
	Local netip.AddrPort
	// TLS is the state of the connection; nil when it is plain.
	TLS *tls.ConnectionState
	// JA4 is the fingerprint of the client's TLS hello; empty when the connection is plain.
	JA4 string
}

// Conn is a connection of which the beginning was read already. It reads as if nothing had happened.
type Conn struct {
	net.Conn
	early []byte // read, and not yet read again
	hello string // JA4, which the handshake leaves here
}

// Read reads what was read before, and then from the socket.
func (c *Conn) Read(p []byte) (int, error) {
	if len(c.early) > 0 {
		n := copy(p, c.early)
		if c.early = c.early[n:]; len(c.early) == 0 {
			c.early = nil
		}
		return n, nil
	}
	return c.Conn.Read(p)
}

// Unread returns the socket and what was read of it, for somebody who can do with both: the Conn is not used any more then.
func (c *Conn) Unread() (socket net.Conn, read []byte) { return c.Conn, c.early }

// NetConn is the socket, for those who ask the system about it. Reading from it leaves out what was read before.
func (c *Conn) NetConn() net.Conn { return c.Conn }

// ReadFrom copies to the socket, with the kernel's help where it can.
func (c *Conn) ReadFrom(r io.Reader) (int64, error) {
	if to, ok := c.Conn.(io.ReaderFrom); ok {
		return to.ReadFrom(r)
	}
	return io.Copy(struct{ io.Writer }{c.Conn}, r)
}

// CloseWrite says that nothing more will be written.
func (c *Conn) CloseWrite() error {
	if half, ok := c.Conn.(interface{ CloseWrite() error }); ok {
		return half.CloseWrite()
	}
	return c.Close()
}

// addrPort returns an address in netip's form; IPv4 addresses are never mapped, and zones are kept.
func addrPort(a net.Addr) netip.AddrPort {
	tcp, ok := a.(*net.TCPAddr)
	if !ok {
		return netip.AddrPort{}
	}
	ap := tcp.AddrPort()
	return netip.AddrPortFrom(ap.Addr().Unmap(), ap.Port())
}
