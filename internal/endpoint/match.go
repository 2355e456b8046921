package endpoint

import "strings"

// Match reports whether the pattern holds for a method, a host as it was sent, and a path or path template. It does
// not allocate.
func (p *Pattern) Match(method, host, path string) bool {
	if last := p.target[len(p.target)-1]; len(last) <= len(path) && !strings.HasSuffix(path, last) {
		return false // which settles nearly everything
	}
	if p.method != nil && !(text{host: method}).match(p.method) {
		return false
	}
	if p.anyHost {
		host = ""
	}
	return text{host, path}.match(p.target)
}

// MatchName reports whether the pattern holds for an endpoint as it is written: method, a space, host and path.
func (p *Pattern) MatchName(name string) bool {
	method, target, found := strings.Cut(name, " ")
	if !found {
		return false
	}
	slash := strings.IndexByte(target, '/')
	if slash < 0 {
		slash = len(target)
	}
	return p.Match(method, target[:slash], target[slash:])
}

// text is host and path in one, without a copy.
type text struct {
	host, path string
}

func (t text) len() int { return len(t.host) + len(t.path) }

// match reports whether all of t is the parts with anything between them.
func (t text) match(parts []string) bool {
	first, last := parts[0], parts[len(parts)-1]
	end := t.len() - len(last)
	if len(parts) == 1 {
		return end == 0 && t.has(0, first)
	}
	if end < len(first) || !t.has(end, last) || !t.has(0, first) {
		return false
	}
	at := len(first)
	for _, part := range parts[1 : len(parts)-1] {
		// The leftmost occurrence leaves the most for what follows, so taking it never misses a match.
		if at = t.index(at, part); at < 0 || at+len(part) > end {
			return false
		}
		at += len(part)
	}
	return true
}

// has reports whether part is at a place of t. The host counts as lower case.
func (t text) has(at int, part string) bool {
	for ; part != "" && at < len(t.host); at++ {
		if lower(t.host[at]) != part[0] {
			return false
		}
		part = part[1:]
	}
	return strings.HasPrefix(t.path[max(at-len(t.host), 0):], part)
}

// index returns the first place of part in t from at on, or a negative number.
func (t text) index(at int, part string) int {
	for ; at < len(t.host); at++ {
		if t.has(at, part) {
			return at
		}
	}
	i := strings.Index(t.path[at-len(t.host):], part)
	if i < 0 {
		return i
	}
	return at + i
}

func lower(c byte) byte {
	if 'A' <= c && c <= 'Z' {
		return c | 0x20
	}
	return c
}
