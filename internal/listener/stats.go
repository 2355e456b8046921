package listener

import "sync/atomic"

// counters only grow.
type counters struct {
	accepted, refusedFull, refusedPerIP, acceptErrors, handshakeErrors, resumed atomic.Uint64
	proxyUntrusted, proxyMalformed, silent, http1, http2                        atomic.Uint64
}

// Stats is what a listener counted since it was made.
type Stats struct {
	Connections    int    // now
	Accepted       uint64 // by the system, those included that were then refused
	RefusedFull    uint64 // over MaxConnections
	RefusedPerIP   uint64 // over MaxConnectionsPerIP
	AcceptErrors   uint64
	HandshakeError uint64 // of TLS: timeouts, no common version, clients that do not know the certificate
	Resumed        uint64 // TLS handshakes that a session ticket shortened
	ProxyUntrusted uint64 // not from a source of PROXY headers
	ProxyMalformed uint64 // PROXY header missing, late or wrong
	Silent         uint64 // closed before a first byte
	HTTP1, HTTP2   uint64 // handed over
	// CertificateReloads is how often certificates were replaced while in use.
	CertificateReloads uint64
}

// Stats returns what was counted.
func (s *Server) Stats() Stats {
	s.mu.Lock()
	connections := len(s.conns)
	s.mu.Unlock()
	c := &s.counts
	stats := Stats{
		Connections: connections, Accepted: c.accepted.Load(), RefusedFull: c.refusedFull.Load(),
		RefusedPerIP: c.refusedPerIP.Load(), AcceptErrors: c.acceptErrors.Load(), HandshakeError: c.handshakeErrors.Load(),
		Resumed: c.resumed.Load(), ProxyUntrusted: c.proxyUntrusted.Load(), ProxyMalformed: c.proxyMalformed.Load(),
		Silent: c.silent.Load(), HTTP1: c.http1.Load(), HTTP2: c.http2.Load(),
	}
	if s.config.Certificates != nil {
		stats.CertificateReloads = s.config.Certificates.reloads.Load()
	}
	return stats
}
