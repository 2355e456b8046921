package clientaddr

import "net/netip"

// nodeKind is what a node of a forwarding field is.
type nodeKind uint8

const (
	nodeMalformed nodeKind = iota
	nodeAddress
	nodeHidden // "unknown", or an obfuscated name (RFC 7239, section 6.3)
)

// parseNode reads a node: an address with or without port, "unknown", or an obfuscated name (RFC 7239, section 6). lenient
// is for X-Forwarded-For, where an IPv6 address may do without brackets.
func parseNode(text string, lenient bool) (netip.Addr, nodeKind) {
	if text == "" {
		return netip.Addr{}, nodeMalformed
	}
	if text[0] == '[' {
		end := indexByte(text, ']')
		if end < 0 || !portOrNothing(text[end+1:]) {
			return netip.Addr{}, nodeMalformed
		}
		a, ok := parseAddress(text[1:end])
		if !ok || !a.Is6() && !a.Is4In6() {
			return netip.Addr{}, nodeMalformed
		}
		return a.Unmap(), nodeAddress
	}
	if a, ok := parseAddress(text); ok {
		if a.Is6() && !lenient {
			return netip.Addr{}, nodeMalformed
		}
		return a.Unmap(), nodeAddress
	}
	name, port := text, ""
	if i := indexByte(text, ':'); i >= 0 {
		name, port = text[:i], text[i:]
	}
	if !portOrNothing(port) {
		return netip.Addr{}, nodeMalformed
	}
	if a, ok := parseAddress(name); ok && a.Is4() {
		return a, nodeAddress
	}
	if equalFold(name, "unknown") || obfuscated(name) {
		return netip.Addr{}, nodeHidden
	}
	return netip.Addr{}, nodeMalformed
}

// parseAddress reads an address without a zone: a zone has a meaning on one host only.
func parseAddress(text string) (netip.Addr, bool) {
	a, err := netip.ParseAddr(text)
	if err != nil || a.Zone() != "" {
		return netip.Addr{}, false
	}
	return a, true
}

// portOrNothing reports whether text is empty or a colon and a port, which may be obfuscated.
func portOrNothing(text string) bool {
	if text == "" {
		return true
	}
	const maxDigits = 5
	if text[0] != ':' || len(text) == 1 {
		return false
	}
	text = text[1:]
	if text[0] == '_' {
		return obfuscated(text)
	}
	for i := range len(text) {
		if text[i] < '0' || text[i] > '9' {
			return false
		}
	}
	return len(text) <= maxDigits
}

// obfuscated reports whether text is an obfuscated node or port: "_" and letters, digits, ".", "_", "-".
func obfuscated(text string) bool {
	if len(text) < 2 || text[0] != '_' {
		return false
	}
	for i := 1; i < len(text); i++ {
		c := text[i]
		if !alphanumeric(c) && c != '.' && c != '_' && c != '-' {
			return false
		}
	}
	return true
}

func alphanumeric(c byte) bool {
	return '0' <= c && c <= '9' || 'A' <= c && c <= 'Z' || 'a' <= c && c <= 'z'
}

// hostOK reports whether text looks like a host with or without port (RFC 3986, section 3.2.2), without user.
func hostOK(text string) bool {
	const maxHost = 255 + len(":65535") // a DNS name and a port
	if text == "" || len(text) > maxHost {
		return false
	}
	for i := range len(text) {
		c := text[i]
		switch {
		case alphanumeric(c), c == '.', c == '-', c == '_', c == '~', c == ':', c == '[', c == ']', c == '%':
		default:
			return false
		}
	}
	return true
}

// schemeOf returns "http" or "https" as a constant, and "" for anything else.
func schemeOf(text string) string {
	switch {
	case equalFold(text, "https"), equalFold(text, "wss"):
		return "https"
	case equalFold(text, "http"), equalFold(text, "ws"):
		return "http"
	default:
		return ""
	}
}
