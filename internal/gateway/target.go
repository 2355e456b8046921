package gateway

import "github.com/seshat-project/seshat"

// Target is where the requests of a route go. It is immutable.
type Target struct {
	Pool *Pool
	// HTTP2 says that the servers speak HTTP/2 only: connections of HTTP/1.1 clients are handed over.
	HTTP2 bool
	// Fields are added to every request. The same names are removed from what clients send.
	Fields []seshat.Field
}
