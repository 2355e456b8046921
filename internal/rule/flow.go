package rule

import (
	"regexp"
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
// "*" stands for anything but a space, and "{name}" for what is within one path segment. A pattern that starts with
// "/" is about the path on any host; one without a method about any method. The case of methods and hosts does not
// count; that of paths does.
type Endpoint struct {
	method string // upper case; empty for any
	suffix string // what every match ends with: most URLs are told apart by it
	re     *regexp.Regexp
}

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
	e := Endpoint{method: strings.ToUpper(method), suffix: rest[strings.LastIndexAny(rest, "*}")+1:]}
	var expr strings.Builder
	expr.WriteString(`\A(?s:`)
	for rest != "" {
		i := strings.IndexAny(rest, "*{")
		if i < 0 {
			expr.WriteString(regexp.QuoteMeta(rest))
			break
		}
		expr.WriteString(regexp.QuoteMeta(rest[:i]))
		if rest[i] == '*' {
			expr.WriteString(`[^ ]*`)
			rest = rest[i+1:]
			continue
		}
		end := strings.IndexByte(rest[i:], '}')
		if end < 0 {
			at.fault("close it with }", "%q has a { without }", text)
			return Endpoint{}
		}
		expr.WriteString(`[^/ ]+`)
		rest = rest[i+end+1:]
	}
	expr.WriteString(`)\z`)
	re, err := regexp.Compile(expr.String())
	if err != nil { // such as text that is not UTF-8
		at.fault("", "%q is not an endpoint pattern: %v", text, err)
		return Endpoint{}
	}
	e.re = re
	return e
}

// Match reports whether a request with method to url, as [AppendURL] writes it, is one of e.
func (e *Endpoint) Match(method, url string) bool {
	if e.method != "" && !strings.EqualFold(e.method, method) || !strings.HasSuffix(url, e.suffix) {
		return false
	}
	if i := strings.Index(url, "://"); i >= 0 {
		url = url[i+3:]
	}
	return e.re.MatchString(url)
}
