package extproc

import (
	"strconv"
	"strings"

	"github.com/seshat-project/seshat"
	"github.com/seshat-project/seshat/internal/httpfield"
	"github.com/seshat-project/seshat/internal/ingest"
)

// The attributes of Envoy that are read when its filter lists them in request_attributes.
const (
	attributeAddress  = "source.address"   // the client, as Envoy understands x-forwarded-for
	attributeProtocol = "request.protocol" // "HTTP/1.1"
)

// readRequest fills in the request of x from the header of m. Texts are those of m.
func readRequest(x *seshat.Exchange, m *incoming, ja4Header string) {
	r := &x.Request
	for i := range m.fields {
		f := &m.fields[i]
		if strings.HasPrefix(f.Name, ":") {
			switch f.Name {
			case ":method":
				r.Method = f.Value
			case ":scheme":
				r.Scheme = f.Value
			case ":authority":
				r.Host = f.Value
			case ":path":
				r.Path, r.Query, _ = strings.Cut(f.Value, "?")
			}
			continue
		}
		if ja4Header != "" && f.Name == ja4Header {
			x.Client.JA4 = f.Value
			continue
		}
		if f.Name == "x-request-id" && len(f.Value) <= seshat.MaxExchangeID {
			x.ID = f.Value
		}
		r.Header = append(r.Header, *f)
	}
	r.HTTPVersion = ingest.HTTPVersion(m.attribute(attributeProtocol))
	x.Client.IP = ingest.AddressPort(withoutPort(m.attribute(attributeAddress)))
	if !x.Client.IP.IsValid() {
		x.Client.IP = ingest.Address(lastForwarded(r.Header))
	}
	if !m.end {
		r.Body.Size = announced(r.Header)
	}
}

// withoutPort is an address as Envoy writes it, "192.0.2.1:1234" or "[2001:db8::1]:1234", without the port.
func withoutPort(s string) string {
	i := strings.LastIndexByte(s, ':')
	if i > 0 && (s[i-1] == ']' || strings.IndexByte(s, ':') == i) {
		return s[:i]
	}
	return s
}

// lastForwarded is the last address of x-forwarded-for: the one that Envoy appended, or left there as it trusts it. What
// is before it came from outside.
func lastForwarded(header []seshat.Field) string {
	for i := len(header) - 1; i >= 0; i-- {
		if header[i].Name == "x-forwarded-for" {
			value := header[i].Value
			return strings.Trim(value[strings.LastIndexByte(value, ',')+1:], " \t")
		}
	}
	return ""
}

// announced is how long the body is by Content-Length, and 0 when it does not say.
func announced(header []seshat.Field) int64 {
	value, ok := httpfield.Lookup(header, "content-length")
	if !ok {
		return 0
	}
	n, err := strconv.ParseInt(value, 10, 64)
	if err != nil || n < 0 {
		return 0
	}
	return n
}

// bodyCanWait reports whether a request may be held back until its body is there: not when the client and the origin take
// turns (RPCs of gRPC, WebSocket, CONNECT), and nothing is looked for in those.
func bodyCanWait(r *seshat.Request) bool {
	if r.Method == "CONNECT" {
		return false
	}
	for i := range r.Header {
		switch r.Header[i].Name {
		case "upgrade":
			return false
		case "content-type":
			if isGRPC(r.Header[i].Value) {
				return false
			}
		}
	}
	return true
}

// isGRPC reports whether a content type is of gRPC.
func isGRPC(contentType string) bool {
	const grpc = "application/grpc"
	return len(contentType) >= len(grpc) && httpfield.EqualFold(contentType[:len(grpc)], grpc)
}
