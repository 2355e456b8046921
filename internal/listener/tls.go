package listener

import (
	"context"
	"crypto/tls"
	"net"
	"slices"

	"github.com/seshat-project/seshat/internal/ja4"
)

// The names of HTTP in TLS (RFC 9113 and RFC 7301).
const (
	protocolHTTP2  = "h2"
	protocolHTTP11 = "http/1.1"
)

// maxJA4Hello bounds the hello that is fingerprinted: more ciphers and extensions than JA4 counts are not a client's.
const maxJA4Hello = 1024

func newTLSConfig(config Config) *tls.Config {
	protocols := []string{protocolHTTP2, protocolHTTP11}
	if config.NoHTTP2 {
		protocols = protocols[1:]
	}
	return &tls.Config{
		MinVersion:             config.MinVersion,
		GetCertificate:         config.Certificates.get,
		NextProtos:             protocols,
		SessionTicketsDisabled: config.NoSessionTickets,
		GetConfigForClient: func(hello *tls.ClientHelloInfo) (*tls.Config, error) {
			if conn, ok := hello.Conn.(*Conn); ok && conn.hello == "" { // not the second one after a HelloRetryRequest
				conn.hello = fingerprint(hello)
			}
			return nil, nil //nolint:nilnil // which means: go on with this configuration
		},
	}
}

// fingerprint returns the JA4 fingerprint of a hello.
func fingerprint(hello *tls.ClientHelloInfo) string {
	if len(hello.CipherSuites) > maxJA4Hello || len(hello.Extensions) > maxJA4Hello {
		return ""
	}
	algorithms := make([]uint16, len(hello.SignatureSchemes))
	for i, scheme := range hello.SignatureSchemes {
		algorithms[i] = uint16(scheme)
	}
	return ja4.Fingerprint(&ja4.Hello{
		SupportedVersions: hello.SupportedVersions, CipherSuites: hello.CipherSuites, Extensions: hello.Extensions,
		SignatureAlgorithms: algorithms, Protocols: hello.SupportedProtos,
	})
}

// serveTLS does the handshake and hands the connection over.
func (s *Server) serveTLS(socket, conn net.Conn, info Info) {
	inner, ok := conn.(*Conn)
	if !ok {
		inner = &Conn{Conn: conn}
	}
	secure := tls.Server(inner, s.tls)
	ctx, cancel := context.WithTimeout(context.Background(), s.config.HandshakeTimeout)
	err := secure.HandshakeContext(ctx)
	cancel()
	if err != nil {
		s.counts.handshakeErrors.Add(1)
		s.config.Log.Debug("a TLS handshake failed", "peer", info.Peer, "error", err)
		return
	}
	state := secure.ConnectionState()
	if state.DidResume {
		s.counts.resumed.Add(1)
	}
	info.TLS, info.JA4 = &state, inner.hello
	s.hand(socket, secure, info, !s.config.NoHTTP2 && slices.Contains(s.tls.NextProtos, protocolHTTP2) &&
		state.NegotiatedProtocol == protocolHTTP2)
}
