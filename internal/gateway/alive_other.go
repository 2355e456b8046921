//go:build !unix

package gateway

import "net"

// closedByPeer cannot tell here: a request on a connection that was closed is repeated where it may be.
func closedByPeer(net.Conn) bool { return false }
