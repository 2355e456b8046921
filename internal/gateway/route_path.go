package gateway

import (
	"strings"
)

// pathTable finds the longest prefix of a path, by whole segments.
type pathTable struct {
	routes map[string]Match // by prefix without a slash at its end; "" is every path
	// deepest is how many segments the longest prefix has: paths are not looked at beyond, so that a path of thousands of
	// slashes costs no more than any other.
	deepest int
}

func newPathTable() *pathTable { return &pathTable{routes: map[string]Match{}} }

func (t *pathTable) add(path string, route *Route) bool {
	prefix := strings.TrimRight(path, "/")
	if _, taken := t.routes[prefix]; taken {
		return false
	}
	t.routes[prefix] = Match{Route: route, prefix: prefix}
	t.deepest = max(t.deepest, strings.Count(prefix, "/"))
	return true
}

func (t *pathTable) match(path string) (Match, bool) {
	if path != "" && path[0] == '/' {
		end := 0
		for range t.deepest { // to the end of the segment that the deepest prefix ends with
			next := strings.IndexByte(path[end+1:], '/')
			if next < 0 {
				end = len(path)
				break
			}
			end += 1 + next
		}
		for prefix := path[:end]; prefix != ""; prefix = prefix[:strings.LastIndexByte(prefix, '/')] {
			if m, ok := t.routes[prefix]; ok {
				return m, true
			}
		}
	}
	m, ok := t.routes[""]
	return m, ok
}

// pathOK reports whether a configured prefix is one that a normal path can begin with.
func pathOK(path string) bool {
	for i := range len(path) {
		if c := path[i]; c <= ' ' || c >= 0x7f || c == '?' || c == '#' || c == '\\' {
			return false
		}
	}
	return !needsNormal(path)
}

// needsNormal reports whether an origin may see path as another one. It may report more than that.
func needsNormal(path string) bool {
	for i := range len(path) {
		switch path[i] {
		case '%', '\\', ';':
			return true
		case '/', '.':
			if i > 0 && path[i-1] == '/' {
				return true
			}
		}
	}
	return false
}

// normalPath is what the most obliging of origins makes of a path: escapes decoded, backslashes turned, parameters of
// segments (";jsessionid=…") and empty segments dropped, dot segments removed.
func normalPath(path string) string {
	decoded := make([]byte, 0, len(path))
	for i := 0; i < len(path); i++ {
		c := path[i]
		if c == '%' && i+2 < len(path) {
			if high, low := unhex(path[i+1]), unhex(path[i+2]); high >= 0 && low >= 0 {
				c = byte(high<<4 | low)
				i += 2
			}
		}
		if c == '\\' {
			c = '/'
		}
		decoded = append(decoded, c)
	}
	out := decoded[:0] // never longer than what was read
	for rest := string(decoded); rest != ""; {
		var segment string
		segment, rest, _ = strings.Cut(rest, "/")
		segment, _, _ = strings.Cut(segment, ";")
		switch segment {
		case "", ".":
		case "..":
			out = out[:max(0, strings.LastIndexByte(string(out), '/'))]
		default:
			out = append(append(out, '/'), segment...)
		}
	}
	if len(out) == 0 {
		return "/"
	}
	return string(out)
}

func unhex(c byte) int {
	switch {
	case '0' <= c && c <= '9':
		return int(c - '0')
	case 'a' <= c && c <= 'f':
		return int(c-'a') + 10
	case 'A' <= c && c <= 'F':
		return int(c-'A') + 10
	default:
		return -1
	}
}

// canonicalHost returns a host in lower case, without its port and without the dot of the root. Nothing is allocated for a
// host that is in lower case already.
func canonicalHost(host string) string {
	if i := strings.LastIndexByte(host, ':'); i >= 0 && strings.IndexByte(host[i:], ']') < 0 {
		host = host[:i]
	}
	return strings.ToLower(strings.TrimSuffix(host, "."))
}

// cutLabel takes the first label from a host name.
func cutLabel(host string) (rest string, ok bool) {
	_, rest, ok = strings.Cut(host, ".")
	return rest, ok
}

// hostNameOK reports whether a configured name is a DNS name or an address.
func hostNameOK(name string) bool {
	const maxName = 253 // RFC 1035, section 2.3.4, without the length bytes at both ends
	if len(name) > maxName {
		return false
	}
	for i := range len(name) {
		switch c := name[i]; {
		case 'a' <= c && c <= 'z', '0' <= c && c <= '9', c == '-', c == '_', c == ':', c == '[', c == ']':
		case c == '.' && i > 0 && name[i-1] != '.':
		default:
			return false
		}
	}
	return true
}
