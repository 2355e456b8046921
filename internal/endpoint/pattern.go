package endpoint

import (
	"errors"
	"fmt"
	"strings"

	"github.com/seshat-project/seshat"
)

// maxPattern is how long a pattern may be; it bounds the time that one match can take. The longest templates are half
// as long.
const maxPattern = 512

// Pattern is a pattern of endpoints. It is immutable, and safe for concurrent use.
type Pattern struct {
	method []string // in lower case; nil is any method
	// anyHost says that target is the whole path. Otherwise it is host and path, written together.
	anyHost bool
	target  []string // the host, as far as no wildcard is before it, in lower case
}

// ParsePattern reads an endpoint pattern: a method, one space, and host and path.
//
//	POST */login                          any host, any path that ends in /login
//	POST /login                           any host, and this is the whole path
//	GET api.shop.example/orders/{var1}    one endpoint
//	GET api.shop.example/orders/*         everything below
//	api.shop.example/*                    any method
//
// "*" stands for any run of characters other than a space, also for none, and crosses slashes. {var1}, {var2} and so
// on are the variables of endpoints, as [Template] writes them. Methods have no case, and hosts have none as far as no
// "*" is before them; behind one they are written in lower case. A port is part of the host.
//
// An error is a [seshat.Error] with a hint.
func ParsePattern(s string) (*Pattern, error) { return NewPattern(strings.Split(s, "*")) }

// NewPattern makes a pattern of the texts between its wildcards, which may hold an asterisk that is meant.
func NewPattern(parts []string) (*Pattern, error) {
	size := len(parts) - 1
	for _, part := range parts {
		size += len(part)
	}
	if size > maxPattern {
		return nil, invalid("", "an endpoint pattern of %d bytes; at most %d are allowed", size, maxPattern)
	}
	method, target := splitMethod(trim(parts))
	p := &Pattern{target: collapse(target)}
	if method = collapse(method); !isAny(method) {
		for _, part := range method {
			if i := strings.IndexFunc(part, notInMethod); i >= 0 {
				return nil, invalid("the method comes first, then host and path", "%q is not a method", written(method))
			}
			p.method = append(p.method, strings.ToLower(part))
		}
	}
	switch {
	case len(p.target) == 0 || len(p.target) == 1 && !strings.Contains(p.target[0], "/"):
		return nil, invalid(`write /login, "POST /login" or "GET api.shop.example/orders/*"`, "an endpoint needs a path")
	case strings.ContainsAny(written(p.target), " \t\r\n"):
		return nil, invalid("one space, between the method and host and path", "an endpoint has no space in host and path")
	}
	if name, ok := foreignVariable(p.target); !ok {
		return nil, invalid("variables are {var1}, {var2} and so on from left to right, as endpoints are shown; * stands for any text",
			"no endpoint has a variable %s", name)
	}
	p.anyHost = strings.HasPrefix(p.target[0], "/")
	if !p.anyHost {
		p.target[0] = lowerHost(p.target[0])
	}
	return p, nil
}

func invalid(hint, format string, args ...any) error {
	return &seshat.Error{Kind: seshat.ErrorInvalid, Op: "read endpoint pattern", Hint: hint, Err: fmt.Errorf(format, args...)}
}

// Complaint returns what an error of [ParsePattern] says without where it says it, and its hint.
func Complaint(err error) (message, hint string) {
	var e *seshat.Error
	if errors.As(err, &e) {
		return e.Err.Error(), e.Hint
	}
	return err.Error(), ""
}

// trim removes the spaces around a pattern.
func trim(parts []string) []string {
	out := append([]string{}, parts...)
	out[0] = strings.TrimLeft(out[0], " ")
	out[len(out)-1] = strings.TrimRight(out[len(out)-1], " ")
	return out
}

// splitMethod splits a pattern at its first space. A pattern without one has no method.
func splitMethod(parts []string) (method, target []string) {
	for i, part := range parts {
		if before, after, found := strings.Cut(part, " "); found {
			method = append(append(method, parts[:i]...), before)
			return method, append([]string{strings.TrimLeft(after, " ")}, parts[i+1:]...)
		}
	}
	return []string{"", ""}, parts
}

// collapse removes the empty texts between wildcards, so that equal patterns are equal values.
func collapse(parts []string) []string {
	out := make([]string, 0, len(parts))
	for i, part := range parts {
		if part != "" || i == 0 || i == len(parts)-1 {
			out = append(out, part)
		}
	}
	return out
}

func isAny(parts []string) bool { return len(parts) == 2 && parts[0] == "" && parts[1] == "" }

func written(parts []string) string { return strings.Join(parts, "*") }

// notInMethod reports whether no method can have r (RFC 9110, section 5.6.2).
func notInMethod(r rune) bool {
	return r > '~' || r <= ' ' || strings.ContainsRune(`/{}()<>@,;:\"[]?=`, r)
}

// foreignVariable returns the first thing in braces that is in no template.
func foreignVariable(parts []string) (name string, ok bool) {
	for _, part := range parts {
		for {
			i := strings.IndexAny(part, "{}")
			if i < 0 {
				break
			}
			end := strings.IndexByte(part[i:], '}')
			if end < 0 {
				return part[i:], false
			}
			if name = part[i : i+end+1]; !isVariable(name) && name != rest {
				return name, false
			}
			part = part[i+end+1:]
		}
	}
	return "", true
}

func isVariable(s string) bool {
	digits, ok := strings.CutPrefix(s, "{var")
	digits = strings.TrimSuffix(digits, "}")
	if !ok || digits == "" || len(s) > len(longestVariable) {
		return false
	}
	return strings.Trim(digits, "0123456789") == ""
}

// lowerHost returns a text that begins with a host with that in lower case.
func lowerHost(s string) string {
	slash := strings.IndexByte(s, '/')
	if slash < 0 {
		slash = len(s)
	}
	b := []byte(s)
	for i := range slash {
		b[i] = lower(b[i])
	}
	return string(b)
}

// String is the pattern as it is written when no asterisk in it is meant.
func (p *Pattern) String() string { return written(p.Parts()) }

// Parts are the texts between the wildcards of the pattern. [NewPattern] makes an equal pattern of them.
func (p *Pattern) Parts() []string {
	if p.method == nil {
		return append([]string{}, p.target...)
	}
	out := make([]string, 0, len(p.method)+len(p.target)-1)
	for _, part := range p.method {
		out = append(out, strings.ToUpper(part))
	}
	out[len(out)-1] += " " + p.target[0]
	return append(out, p.target[1:]...)
}

// Method are the texts between the wildcards of the method, to be compared with a method in lower case. It is nil when
// every method matches. The caller must not change it.
func (p *Pattern) Method() []string { return p.method }

// Target are the texts between the wildcards of the path or, unless anyHost, of host and path in one. The caller must
// not change them. They are to be compared with the host in lower case.
func (p *Pattern) Target() (parts []string, anyHost bool) { return p.target, p.anyHost }

// HasVariable reports whether the pattern names a variable, so that it can match templates only.
func (p *Pattern) HasVariable() bool {
	for _, part := range p.target {
		if strings.IndexByte(part, '{') >= 0 {
			return true
		}
	}
	return false
}
