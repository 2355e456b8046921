package rule

import (
	"regexp"
	"slices"
	"strings"

	"github.com/seshat-project/seshat"
)

// Scope is a compiled scope. The zero Scope holds for every exchange.
type Scope struct {
	environments []string
	services     []string
	urls         []urlPattern
}

// urlPattern is one URL expression. Most are literal up to a point: what can be decided by comparing is not left to
// the expression.
type urlPattern struct {
	text     string
	re       *regexp.Regexp
	prefixes []string // every URL it matches starts with one of them; nil when that is not known
	exact    bool     // every URL that starts with one of prefixes matches
}

func compileScope(at place, s *seshat.Scope) Scope {
	out := Scope{environments: s.Environments, services: s.Services}
	names := func(at place, list []string) {
		at.limit(len(list), MaxScopeEntries, "entries")
		for i, name := range list {
			if name == "" {
				at.item(i).fault("leave the list out to mean all", "an empty name holds for nothing")
			}
			at.item(i).length(name, MaxText)
		}
	}
	names(at.child("environments"), s.Environments)
	names(at.child("services"), s.Services)
	at = at.child("urls")
	at.limit(len(s.URLs), MaxScopeEntries, "entries")
	for i, expr := range s.URLs {
		re := compileRegexp(at.item(i), expr, false)
		if re == nil {
			continue
		}
		p := urlPattern{text: expr, re: re}
		p.prefixes, p.exact = literalPrefixes(expr)
		out.urls = append(out.urls, p)
	}
	out.environments, out.services = slices.Clone(out.environments), slices.Clone(out.services)
	return out
}

// Refusal is why an exchange is not in a scope.
type Refusal uint8

// The reasons why an exchange is not in a scope, in the order in which they are looked at.
const (
	InScope Refusal = iota
	OtherEnvironment
	OtherService
	OtherURL
)

func (r Refusal) String() string {
	switch r {
	case InScope:
		return "in scope"
	case OtherEnvironment:
		return "another environment"
	case OtherService:
		return "another service"
	default:
		return "another URL"
	}
}

// Check says whether an exchange of environment and service at url, as [AppendURL] writes it, is in s, and why not.
func (s *Scope) Check(environment, service, url string) Refusal {
	switch {
	case len(s.environments) > 0 && !slices.Contains(s.environments, environment):
		return OtherEnvironment
	case len(s.services) > 0 && !slices.Contains(s.services, service):
		return OtherService
	case len(s.urls) > 0 && !s.matchURL(url):
		return OtherURL
	}
	return InScope
}

func (s *Scope) matchURL(url string) bool {
	for i := range s.urls {
		if s.urls[i].match(url) {
			return true
		}
	}
	return false
}

func (p *urlPattern) match(url string) bool {
	if p.prefixes == nil {
		return p.re.MatchString(url)
	}
	for _, prefix := range p.prefixes {
		if strings.HasPrefix(url, prefix) {
			return p.exact || p.re.MatchString(url)
		}
	}
	return false
}

// overlaps reports whether an exchange may be in both s and t. Two URL lists are told apart by what their expressions
// start with; where that says nothing they count as overlapping.
func (s *Scope) overlaps(t *Scope) bool {
	return listsOverlap(s.environments, t.environments) && listsOverlap(s.services, t.services) && s.urlsOverlap(t)
}

func listsOverlap(a, b []string) bool {
	if len(a) == 0 || len(b) == 0 {
		return true
	}
	return slices.ContainsFunc(a, func(e string) bool { return slices.Contains(b, e) })
}

func (s *Scope) urlsOverlap(t *Scope) bool {
	if len(s.urls) == 0 || len(t.urls) == 0 {
		return true
	}
	for i := range s.urls {
		for j := range t.urls {
			if prefixesOverlap(s.urls[i].prefixes, t.urls[j].prefixes) {
				return true
			}
		}
	}
	return false
}

func prefixesOverlap(a, b []string) bool {
	if a == nil || b == nil {
		return true
	}
	for _, p := range a {
		for _, q := range b {
			if strings.HasPrefix(p, q) || strings.HasPrefix(q, p) {
				return true
			}
		}
	}
	return false
}

// AppendURL appends the URL of x as scopes see it: scheme://host/path, without query. Scheme and host are in lower
// case. A scheme that is not known counts as https; the host is [Host].
func AppendURL(dst []byte, x *seshat.Exchange) []byte {
	start := len(dst)
	dst = append(dst, schemeOf(x)...)
	dst = append(dst, "://"...)
	dst = append(dst, Host(x)...)
	for i := start; i < len(dst); i++ {
		dst[i] = lower(dst[i])
	}
	if path := x.Request.Path; path == "" || path[0] != '/' {
		dst = append(dst, '/')
	}
	return append(dst, x.Request.Path...)
}

func schemeOf(x *seshat.Exchange) string {
	if x.Request.Scheme == "" {
		return "https"
	}
	return x.Request.Scheme
}

// Host is the host of x as scopes see it, but for its case: with its port, unless that is the default of the scheme
// (RFC 9110, section 4.2.3). A host that is not known counts as the service.
func Host(x *seshat.Exchange) string {
	host, port := x.Request.Host, ""
	if host == "" {
		return x.Service
	}
	switch scheme := schemeOf(x); {
	case EqualFoldASCII(scheme, "https"), EqualFoldASCII(scheme, "wss"):
		port = ":443"
	case EqualFoldASCII(scheme, "http"), EqualFoldASCII(scheme, "ws"):
		port = ":80"
	}
	if port != "" && strings.HasSuffix(host, port) {
		return host[:len(host)-len(port)]
	}
	return strings.TrimSuffix(host, ":")
}
