package endpoint

import (
	"fmt"
	"strings"

	"github.com/seshat-project/seshat"
)

// maxPattern is how long a pattern may be; it bounds the time that one match can take.
const maxPattern = 512

// Pattern is a compiled endpoint pattern. It is immutable, and safe for concurrent use.
type Pattern struct {
	method string // empty for every method
	text   string // of host and path, or of the path alone when it starts with "/"
	// literal is the longest text that every path that matches has in it. Looking for it first settles nearly all
	// exchanges that do not match.
	literal string
}

// ParsePattern reads an endpoint pattern: a method, one space, and host and path.
//
//	POST */login                          any host, any path that ends in /login
//	GET api.shop.example/orders/{var1}    one endpoint
//	GET api.shop.example/orders/*         everything below
//	/orders/{var1}                        any method, any host, and this is the whole path
//	* *.shop.example/*                    any method
//
// "*" stands for any characters, also none; "{name}" for one variable of the endpoint, whatever it is called. Methods
// and hosts have no case.
func ParsePattern(s string) (*Pattern, error) {
	fail := func(hint, format string, args ...any) (*Pattern, error) {
		return nil, &seshat.Error{Kind: seshat.ErrorInvalid, Op: "read endpoint pattern", Hint: hint, Err: fmt.Errorf(format, args...)}
	}
	if len(s) > maxPattern {
		return fail("", "it has %d bytes, more than %d", len(s), maxPattern)
	}
	p := new(Pattern)
	switch words := strings.Fields(s); len(words) {
	case 1:
		p.text = words[0]
	case 2:
		p.method, p.text = words[0], words[1]
	case 0:
		return fail(`such as "GET */orders/{var1}"`, "it is empty")
	default:
		return fail(`a method, a space, and host and path, such as "GET */orders/{var1}"`, "%q has %d words", s, len(words))
	}
	if p.method == "*" {
		p.method = ""
	}
	if i := strings.IndexFunc(p.method, func(r rune) bool { return r > '~' || r < '!' || strings.ContainsRune(`/*{}()<>@,;:\"[]?=`, r) }); i >= 0 {
		return fail("the method comes first, then host and path", "%q is not a method", p.method)
	}
	if !strings.ContainsAny(p.text, "/") && !strings.HasSuffix(p.text, "*") {
		return fail("host and path are needed, such as \"GET api.shop.example/*\"", "%q has no path", s)
	}
	for t := p.text; ; {
		i := strings.IndexAny(t, "{}")
		if i < 0 {
			break
		}
		end := strings.IndexAny(t[i+1:], "{}/")
		if t[i] == '}' || end < 0 || t[i+1+end] != '}' {
			return fail("write a variable as in {var1}", "braces do not match in %q", s)
		}
		t = t[i+1+end+1:]
	}
	for strings.Contains(p.text, "**") {
		p.text = strings.ReplaceAll(p.text, "**", "*")
	}
	p.literal = longestLiteral(p.text)
	return p, nil
}

// longestLiteral returns the longest part of a pattern, from its first slash on, that stands for itself.
func longestLiteral(pattern string) (longest string) {
	slash := strings.IndexByte(pattern, '/')
	if slash < 0 {
		return ""
	}
	for piece := range strings.SplitSeq(pattern[slash:], "*") {
		for piece != "" {
			literal, variable, _ := strings.Cut(piece, "{")
			if len(literal) > len(longest) {
				longest = literal
			}
			_, piece, _ = strings.Cut(variable, "}")
		}
	}
	return longest
}

// String is the pattern in its canonical form: parsing it again gives an equal pattern.
func (p *Pattern) String() string {
	if p.method == "" {
		return "* " + p.text
	}
	return p.method + " " + p.text
}

// Match reports whether the pattern holds for an exchange, by its template or by its path as it was sent. A pattern
// without a port matches every port of its host. It does not allocate.
func (p *Pattern) Match(method, host, template, path string) bool {
	if p.method != "" && !equalFold(p.method, method) {
		return false
	}
	if p.matchHosts(host, template) {
		return true
	}
	return path != template && path != "" && p.matchHosts(host, path)
}

func (p *Pattern) matchHosts(host, path string) bool {
	if !strings.Contains(path, p.literal) {
		return false
	}
	if p.text[0] == '/' {
		return p.match(text{"", path})
	}
	if p.match(text{host, path}) {
		return true
	}
	port := strings.LastIndexByte(host, ':')
	return port > 0 && strings.IndexByte(host[port:], ']') < 0 && p.match(text{host[:port], path})
}

// text is host and path in one, without a copy.
type text struct {
	host, path string
}

func (t text) len() int { return len(t.host) + len(t.path) }

// at returns the byte at i; those of the host in lower case.
func (t text) at(i int) (c byte, inHost bool) {
	if i < len(t.host) {
		return lower(t.host[i]), true
	}
	return t.path[i-len(t.host)], false
}

// match is the usual search for a text with "*": at a difference it goes back to the last star and lets it take one
// more byte. Earlier stars need not be tried again, so it takes at most len(pattern) * len(text) steps.
func (p *Pattern) match(t text) bool {
	i, j := 0, 0 // in the pattern, in the text
	star, starred := -1, 0
	for j < t.len() || i < len(p.text) {
		if i < len(p.text) {
			if p.text[i] == '*' {
				star, starred = i, j
				i++
				continue
			}
			if j < t.len() {
				if size, taken := p.one(i, t, j); taken > 0 {
					i, j = i+size, j+taken
					continue
				}
			}
		}
		if star < 0 || starred >= t.len() {
			return false
		}
		if c, _ := t.at(starred); c == ' ' {
			return false // "*" stands for anything but a space
		}
		starred++
		i, j = star+1, starred
	}
	return true
}

// one matches the element at i of the pattern, which is not a star, at j of the text. It returns how much both have,
// and 0 for the text when they differ.
func (p *Pattern) one(i int, t text, j int) (size, taken int) {
	c, inHost := t.at(j)
	if p.text[i] == '{' {
		size = strings.IndexByte(p.text[i:], '}') + 1
		if c != '{' || inHost {
			return size, 0
		}
		end := strings.IndexByte(t.path[j-len(t.host):], '}')
		return size, end + 1
	}
	want := p.text[i]
	if inHost {
		want = lower(want)
	}
	if want != c {
		return 1, 0
	}
	return 1, 1
}

func lower(c byte) byte {
	if 'A' <= c && c <= 'Z' {
		return c | 0x20
	}
	return c
}

func equalFold(a, b string) bool {
	if len(a) != len(b) {
		return false
	}
	for i := 0; i < len(a); i++ {
		if lower(a[i]) != lower(b[i]) {
			return false
		}
	}
	return true
}
