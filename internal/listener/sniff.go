package listener

import (
	"errors"
	"net"
	"strings"
	"time"
)

// preface is what an HTTP/2 client that needs no introduction says first (RFC 9113, section 3.4).
const preface = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"

// sniff reads the beginning of a plain connection until it is clear whether it is HTTP/2.
func (s *Server) sniff(conn net.Conn) (_ net.Conn, two bool, err error) {
	if s.config.NoHTTP2 {
		return conn, false, nil
	}
	if err := conn.SetReadDeadline(time.Now().Add(s.config.FirstByteTimeout)); err != nil {
		return nil, false, err
	}
	buffer := make([]byte, 0, len(preface))
	for {
		n, err := conn.Read(buffer[len(buffer):cap(buffer)])
		buffer = buffer[:len(buffer)+n]
		if !strings.HasPrefix(preface, string(buffer)) || len(buffer) == len(preface) {
			break
		}
		if err != nil {
			return nil, false, err
		}
	}
	if err := conn.SetReadDeadline(time.Time{}); err != nil {
		return nil, false, err
	}
	two = string(buffer) == preface
	if early, ok := conn.(*Conn); ok {
		early.early = append(buffer, early.early...)
		return early, two, nil
	}
	return &Conn{Conn: conn, early: buffer}, two, nil
}

// readProxyHeader reads the PROXY header at the beginning of a connection, and returns what it read beyond it.
func readProxyHeader(conn net.Conn, timeout time.Duration) (h proxyHeader, rest []byte, err error) {
	if err := conn.SetReadDeadline(time.Now().Add(timeout)); err != nil {
		return proxyHeader{}, nil, err
	}
	const usual = 512 // a header without a client certificate, and the beginning of a TLS hello
	buffer := make([]byte, 0, usual)
	for {
		if len(buffer) == cap(buffer) {
			buffer = append(make([]byte, 0, min(2*cap(buffer), maxProxy2)), buffer...)
		}
		var n int
		n, err = conn.Read(buffer[len(buffer):cap(buffer)])
		buffer = buffer[:len(buffer)+n]
		header, length, parseErr := parseProxyHeader(buffer)
		if parseErr == nil {
			return header, buffer[length:], conn.SetReadDeadline(time.Time{})
		}
		if !errors.Is(parseErr, errProxyIncomplete) {
			return proxyHeader{}, nil, parseErr
		}
		if err != nil {
			return proxyHeader{}, nil, err
		}
	}
}
