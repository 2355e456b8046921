// Package gateway is a reverse proxy that identifies, judges and records every exchange that goes through it.
//
// HTTP/1.1 has a loop of its own: one goroutine for each client's connection reads a request, has it judged, writes it to
// a connection of a [Pool] and answers with what comes back. Bytes are passed on as they came, but for what is between two
// hops only (RFC 9110, section 7.6.1) and what the configuration adds. What can be read in two ways is refused; see
// internal/http1. HTTP/2 uses net/http.
//
// Everything that a peer can make wait or grow is bounded; see [Timeouts], [Config] and [PoolConfig].
package gateway
