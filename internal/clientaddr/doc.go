// Package clientaddr works out who sent a request when it came through proxies, and writes what the next server is told
// about it.
//
// A request says in a field where it came from: X-Forwarded-For, Forwarded (RFC 7239) or X-Real-IP. Everybody can write
// such a field, so it is believed as far as trusted proxies wrote it and not a step further: from the peer's own address,
// backwards along the field, as long as each address is a trusted proxy's. The first that is not is the client.
//
// Only one of the fields is read. A proxy that keeps one of them passes the others on as the client sent them, so that
// reading a second one would let clients choose their address.
//
// It is pure, and nothing is allocated where no field has to be read.
package clientaddr
