package clientaddr

import (
	"net/netip"

	"github.com/seshat-project/seshat"
)

// prefixXForwarded is what the names of the fields begin with that speak of a request's way.
const prefixXForwarded = "x-forwarded-"

// Removes reports whether a field of a request must not reach the origin as it came: it speaks of the request's way, and
// what is true of it is sent in its place. An underscore counts as a hyphen: servers that hand fields on as variables
// (CGI, WSGI, FastCGI) cannot tell them apart.
func Removes(name string) bool {
	if name == "" || name[0]|0x20 != 'x' && name[0]|0x20 != 'f' {
		return false // most fields
	}
	return len(name) > len(prefixXForwarded) && sameName(name[:len(prefixXForwarded)], prefixXForwarded) ||
		sameName(name, nameXRealIP) || sameName(name, nameForwarded)
}

// sameName compares names of fields, whatever their case, and with underscores for hyphens.
func sameName(name, want string) bool {
	if len(name) != len(want) {
		return false
	}
	for i := range len(name) {
		if fold(name[i]) != fold(want[i]) {
			return false
		}
	}
	return true
}

func fold(c byte) byte {
	switch {
	case 'A' <= c && c <= 'Z':
		return c | 0x20
	case c == '_':
		return '-'
	default:
		return c
	}
}

// AppendFields appends the fields that tell the origin who sent the request. Only what is known to be true is sent: the
// client, and the trusted proxies behind it.
func (r *Resolver) AppendFields(dst []seshat.Field, c *Client) []seshat.Field {
	var buffer [128]byte
	if r.sendX && c.IP.IsValid() {
		dst = append(dst, seshat.Field{Name: nameXForwardedFor, Value: string(appendChain(buffer[:0], c))})
	}
	if r.sendX {
		dst = append(dst, seshat.Field{Name: nameXForwardedProto, Value: c.Scheme})
	}
	if r.sendX && c.Host != "" {
		dst = append(dst, seshat.Field{Name: nameXForwardedHost, Value: c.Host})
	}
	if r.sendRealIP && c.IP.IsValid() {
		dst = append(dst, seshat.Field{Name: nameXRealIP, Value: string(c.IP.AppendTo(buffer[:0]))})
	}
	if r.sendForwarded {
		dst = append(dst, seshat.Field{Name: nameForwarded, Value: string(appendForwarded(buffer[:0], c))})
	}
	return dst
}

// AppendHeader appends the same fields as lines of an HTTP/1.1 header.
func (r *Resolver) AppendHeader(dst []byte, c *Client) []byte {
	if r.sendX && c.IP.IsValid() {
		dst = append(dst, nameXForwardedFor+": "...)
		dst = append(appendChain(dst, c), "\r\n"...)
	}
	if r.sendX {
		dst = append(dst, nameXForwardedProto+": "...)
		dst = append(append(dst, c.Scheme...), "\r\n"...)
	}
	if r.sendX && c.Host != "" {
		dst = append(dst, nameXForwardedHost+": "...)
		dst = append(append(dst, c.Host...), "\r\n"...)
	}
	if r.sendRealIP && c.IP.IsValid() {
		dst = append(dst, nameXRealIP+": "...)
		dst = append(c.IP.AppendTo(dst), "\r\n"...)
	}
	if r.sendForwarded {
		dst = append(dst, nameForwarded+": "...)
		dst = append(appendForwarded(dst, c), "\r\n"...)
	}
	return dst
}

// appendChain appends the client and the proxies, as X-Forwarded-For has them.
func appendChain(dst []byte, c *Client) []byte {
	dst = c.IP.AppendTo(dst)
	for _, p := range c.Proxies {
		dst = p.AppendTo(append(dst, ", "...))
	}
	return dst
}

// appendForwarded appends the value of Forwarded: scheme and host belong to the client's element.
func appendForwarded(dst []byte, c *Client) []byte {
	dst = appendForwardedNode(dst, c.IP)
	dst = append(append(dst, ";proto="...), c.Scheme...)
	if c.Host != "" {
		dst = appendQuoted(append(dst, ";host="...), c.Host)
	}
	for _, p := range c.Proxies {
		dst = appendForwardedNode(append(dst, ", "...), p)
	}
	return dst
}

func appendForwardedNode(dst []byte, a netip.Addr) []byte {
	dst = append(dst, "for="...)
	switch {
	case !a.IsValid():
		return append(dst, "unknown"...)
	case a.Is4():
		return a.AppendTo(dst)
	default:
		dst = a.AppendTo(append(dst, `"[`...))
		return append(dst, `]"`...)
	}
}

// appendQuoted appends s as a token where it is one, and as a quoted string where it is not.
func appendQuoted(dst []byte, s string) []byte {
	if tokenLength(s) == len(s) {
		return append(dst, s...)
	}
	dst = append(dst, '"')
	for i := range len(s) {
		if s[i] == '"' || s[i] == '\\' {
			dst = append(dst, '\\')
		}
		dst = append(dst, s[i])
	}
	return append(dst, '"')
}
