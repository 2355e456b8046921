package rule

import (
	"strings"

	"github.com/seshat-project/seshat"
)

// Flow is a compiled flow.
type Flow struct {
	Name       string
	Type       seshat.FlowType
	Scope      Scope
	Endpoints  []Endpoint // one of them must match; none means every endpoint
	Conditions []Condition
}

// maxFlowType is how long the name of a flow type may be: it is stored with every exchange of the flow.
const maxFlowType = 63

func compileFlow(at place, name string, spec *seshat.FlowSpec) *Flow {
	f := &Flow{
		Name:       name,
		Type:       seshat.FlowType(spec.Type),
		Scope:      compileScope(at.child("scope"), &spec.Scope),
		Conditions: compileConditions(at.child("conditions"), seshat.InRequest, spec.Conditions),
	}
	if !isFlowType(spec.Type) {
		at.child("type").fault("authentication, logout, token-refresh, account-creation, billing, admin, messaging, ai, or a name of your own in lower-case letters, digits and -",
			"%q is not a flow type", spec.Type)
	}
	list := at.child("endpoints")
	list.limit(len(spec.Endpoints), MaxEndpoints, "endpoints")
	for i, text := range spec.Endpoints {
		f.Endpoints = append(f.Endpoints, compileEndpoint(list.item(i), text))
	}
	return f
}

func isFlowType(s string) bool {
	if s == "" || len(s) > maxFlowType {
		return false
	}
	for _, c := range []byte(s) {
		if c-'a' >= 26 && c-'0' >= 10 && c != '-' {
			return false
		}
	}
	return true
}

// Endpoint is a compiled endpoint pattern such as "POST */login": a method, and a pattern for host and path in which
// "*" stands for anything but a space, and "{name}" for one path segment. A pattern that starts with "/" is about the
// path on any host; one without a method about any method. The case of methods and hosts does not count; that of
// paths does.
type Endpoint struct {
	method string // upper case; empty for any
	glob   []string
}

// wildcards of a compiled glob; neither can be part of a URL.
const (
	anyText    = "\x00*"
	anySegment = "\x00{}"
)

func compileEndpoint(at place, text string) Endpoint {
	if !at.length(text, MaxPattern) {
		return Endpoint{}
	}
	method, rest, found := strings.Cut(strings.TrimSpace(text), " ")
	if !found {
		method, rest = "", method
	}
	rest = strings.TrimLeft(rest, " ")
	if rest == "" || strings.Contains(rest, " ") {
		at.fault(`method and host/path, such as "POST */login"`, "%q is not an endpoint pattern", text)
		return Endpoint{}
	}
	if method == "*" {
		method = ""
	}
	if strings.HasPrefix(rest, "/") {
		rest = "*" + rest
	}
	if !strings.HasPrefix(rest, "*") {
		host, path, _ := strings.Cut(rest, "/")
		rest = strings.ToLower(host) + "/" + path
	}
	e := Endpoint{method: strings.ToUpper(method)}
	for rest != "" {
		i := strings.IndexAny(rest, "*{")
		if i < 0 {
			e.glob = append(e.glob, rest)
			break
		}
		if i > 0 {
			e.glob = append(e.glob, rest[:i])
		}
		if rest[i] == '*' {
			e.glob, rest = append(e.glob, anyText), rest[i+1:]
			continue
		}
		end := strings.IndexByte(rest[i:], '}')
		if end < 0 {
			at.fault("close it with }", "%q has a { without }", text)
			return Endpoint{}
		}
		e.glob, rest = append(e.glob, anySegment), rest[i+end+1:]
	}
	return e
}

// Match reports whether a request with method to url, as [AppendURL] writes it, is one of e.
func (e *Endpoint) Match(method, url string) bool {
	if e.method != "" && !strings.EqualFold(e.method, method) {
		return false
	}
	if i := strings.Index(url, "://"); i >= 0 {
		url = url[i+3:]
	}
	return matchGlob(e.glob, url)
}

// matchGlob matches s against parts. The last "*" that was passed is where matching goes on after a mismatch, which
// is enough: an earlier one could only take what the last one can take as well. A "{}" takes a whole segment, so it
// has no choice of its own.
func matchGlob(parts []string, s string) bool {
	star, mark := -1, 0
	for p, i := 0, 0; ; {
		switch {
		case p < len(parts) && parts[p] == anyText:
			star, mark = p, i
			p++
			continue
		case p == len(parts) && i == len(s):
			return true
		case p < len(parts) && parts[p] == anySegment:
			if n := segmentLength(s[i:]); n > 0 {
				i += n
				p++
				continue
			}
		case p < len(parts) && strings.HasPrefix(s[i:], parts[p]):
			i += len(parts[p])
			p++
			continue
		}
		if star < 0 || mark >= len(s) || s[mark] == ' ' {
			return false
		}
		mark++
		p, i = star+1, mark
	}
}

func segmentLength(s string) int {
	if i := strings.IndexByte(s, '/'); i >= 0 {
		return i
	}
	return len(s)
}
