package gateway

import (
	"strconv"
	"strings"

	"github.com/seshat-project/seshat/internal/clientaddr"
	"github.com/seshat-project/seshat/internal/http1"
	"github.com/seshat-project/seshat/internal/httpfield"
)

// ownField is the name of a field that only the gateway sets, with hyphens for underscores: servers that hand fields on as
// variables cannot tell them apart.
type ownField string

func ownFields(names []string) []ownField {
	var out []ownField
	for _, name := range names {
		out = append(out, ownField(strings.ReplaceAll(strings.ToLower(name), "_", "-")))
	}
	return out
}

func (o ownField) is(name string) bool {
	if len(name) != len(o) {
		return false
	}
	for i := range len(name) {
		c := name[i]
		switch {
		case 'A' <= c && c <= 'Z':
			c |= 0x20
		case c == '_':
			c = '-'
		}
		if c != o[i] {
			return false
		}
	}
	return true
}

// buildForward writes the head that the origin gets to w.forward, and a short body that was read already behind it.
//
// Lines are copied as they came, in their order, in as few pieces as can be; what is added comes after them.
func (w *work) buildForward(c *conn, m *Match) {
	r := &w.req
	raw := c.in.buf[:r.Size]
	w.upgrading = r.Options&http1.UpgradeOption != 0 && r.Minor == 1 && r.Framing == http1.NoBody && upgradable(r)
	dst := w.appendRequestLine(w.forward[:0], raw, m)
	from := r.LineEnd // of what is to be copied next
	for i := range r.Lines {
		line := &r.Lines[i]
		if w.passes(c, m, i) {
			continue
		}
		dst = append(dst, raw[from:line.Start]...)
		from = line.End
	}
	dst = append(dst, raw[from:r.Size-len("\r\n")]...)
	dst = w.appendAdded(dst, c, m)
	dst = append(dst, "\r\n"...)
	if n := w.body.buffered; n > 0 && n <= smallBody {
		dst = append(dst, c.in.buf[c.in.r-n:c.in.r]...)
	}
	w.forward = dst
}

// passes reports whether line i goes to the origin as it is.
func (w *work) passes(c *conn, m *Match, i int) bool {
	r := &w.req
	name := r.Fields[i].Name
	switch r.Lines[i].Kind {
	case http1.Connection, http1.KeepAlive, http1.ProxyConnection, http1.HTTP2Settings, http1.TE:
		return false
	case http1.Upgrade:
		return w.upgrading
	case http1.TransferEncoding:
		return r.Fields[i].Value == "chunked" // another case may be another coding to somebody
	case http1.Expect:
		return r.Minor == 1 && !w.asked
	case http1.MaxForwards:
		return r.Method != "OPTIONS"
	case http1.Other:
		if clientaddr.Removes(name) {
			return false
		}
		for _, own := range c.server.own {
			if own.is(name) {
				return false
			}
		}
		for j := range m.Target.Fields {
			if httpfield.EqualFold(m.Target.Fields[j].Name, name) {
				return false
			}
		}
		return r.Options&http1.Named == 0 || !r.Drops(name)
	default:
		return true
	}
}

// upgradable reports whether the protocol that is asked for may be tunnelled. HTTP/2 may not: it would carry requests past
// everything that looks at them.
func upgradable(r *http1.Request) bool {
	value := r.Value(http1.Upgrade)
	for _, protocol := range strings.Split(value, ",") {
		name, _, _ := strings.Cut(strings.Trim(protocol, " \t"), "/")
		if name == "" || httpfield.EqualFold(name, "h2c") || httpfield.EqualFold(name, "h2") ||
			httpfield.EqualFold(name, "HTTP") || httpfield.EqualFold(name, "TLS") {
			return false
		}
	}
	return true
}

// appendRequestLine appends the request line: that of the client where it can be.
func (w *work) appendRequestLine(dst, raw []byte, m *Match) []byte {
	r := &w.req
	path := m.OriginPath(r.Path)
	if r.Minor == 1 && path == r.Path && r.Form != http1.AbsoluteForm {
		return append(dst, raw[r.Start:r.LineEnd]...)
	}
	dst = append(append(dst, r.Method...), ' ')
	dst = append(dst, path...)
	if r.HasQuery {
		dst = append(append(dst, '?'), r.Query...)
	}
	return append(dst, " HTTP/1.1\r\n"...)
}

// appendAdded appends the fields that the origin gets beyond the client's.
func (w *work) appendAdded(dst []byte, c *conn, m *Match) []byte {
	r := &w.req
	if !r.Has(http1.Host) {
		host := r.Host
		if host == "" { // HTTP/1.0
			host = m.Target.Pool.servers[0].Address
		}
		dst = http1.AppendField(dst, "Host", host)
	}
	if r.Framing == http1.Chunked && r.Value(http1.TransferEncoding) != "chunked" {
		dst = append(dst, "Transfer-Encoding: chunked\r\n"...)
	}
	trailers := r.Has(http1.TE) && acceptsTrailers(r)
	switch {
	case w.upgrading && trailers:
		dst = append(dst, "Connection: Upgrade, TE\r\nTE: trailers\r\n"...)
	case w.upgrading:
		dst = append(dst, "Connection: Upgrade\r\n"...)
	case trailers:
		dst = append(dst, "Connection: TE\r\nTE: trailers\r\n"...)
	}
	if r.Method == "OPTIONS" && r.Has(http1.MaxForwards) {
		if n, err := strconv.ParseUint(r.Value(http1.MaxForwards), 10, 32); err == nil && n > 0 {
			dst = append(dst, "Max-Forwards: "...)
			dst = append(strconv.AppendUint(dst, n-1, 10), "\r\n"...)
		}
	}
	if !c.server.config.HideClient {
		dst = c.server.config.Clients.AppendHeader(dst, &w.client)
	}
	if via := c.server.config.Via; via != "" {
		dst = append(append(dst, "Via: 1."...), byte('0'+r.Minor), ' ')
		dst = append(append(dst, via...), "\r\n"...)
	}
	for _, f := range w.passage.RequestFields() {
		dst = http1.AppendField(dst, f.Name, f.Value)
	}
	for i := range m.Target.Fields {
		dst = http1.AppendField(dst, m.Target.Fields[i].Name, m.Target.Fields[i].Value)
	}
	return dst
}

// acceptsTrailers reports whether the client wants trailers (RFC 9110, section 10.1.4).
func acceptsTrailers(r *http1.Request) bool {
	for i := range r.Lines {
		if r.Lines[i].Kind != http1.TE {
			continue
		}
		for _, coding := range strings.Split(r.Fields[i].Value, ",") {
			if httpfield.EqualFold(strings.Trim(coding, " \t"), "trailers") {
				return true
			}
		}
	}
	return false
}
