package rule

import (
	"slices"
	"strings"

	"github.com/seshat-project/seshat"
	"github.com/seshat-project/seshat/internal/jsonpath"
)

// Mask is a compiled mask rule: the fields that nothing may see. Masking does not rewrite an exchange; whoever reads
// fields asks [Mask.Hides] first, and blanks the nodes of Path in JSON bodies.
type Mask struct {
	Name     string
	Scope    Scope
	Request  bool // the request's fields are hidden
	Response bool // the response's fields are hidden
	Location seshat.Location
	Key      *Matcher       // nil hides every field of the location
	Path     *jsonpath.Path // nodes of JSON bodies; nil for every other place
	pathText string
}

// Hides reports whether m, in whose scope the exchange is, hides the field called name at l on side.
func (m *Mask) Hides(side seshat.Side, l seshat.Location, name string) bool {
	return m.on(side) && m.Location == l && m.Path == nil && m.Key.Match(name)
}

// PathText is how Path was written; empty when there is none.
func (m *Mask) PathText() string { return m.pathText }

func (m *Mask) on(side seshat.Side) bool {
	if side == seshat.InResponse {
		return m.Response
	}
	return m.Request
}

var maskLocations = [...]seshat.Location{
	seshat.LocationHeader, seshat.LocationCookie, seshat.LocationQuery, seshat.LocationPathParameter, seshat.LocationBody,
}

func compileMask(at place, name string, spec *seshat.MaskRuleSpec) *Mask {
	m := &Mask{Name: name, Scope: compileScope(at.child("scope"), &spec.Scope), pathText: spec.JSONPath}
	m.Request, m.Response = spec.In != "response", spec.In != "request"
	compileSide(at.child("in"), spec.In, seshat.InRequest)
	names := make([]string, len(maskLocations))
	for i, l := range maskLocations {
		names[i] = LocationName(l)
	}
	i := slices.Index(names, spec.Location)
	if i < 0 {
		at.child("location").fault("one of "+strings.Join(names, ", "), "a mask rule cannot have location %q", spec.Location)
		return m
	}
	m.Location = maskLocations[i]
	if requestOnly(m.Location) && spec.In == "response" {
		at.child("location").fault(`use "in: request"`, "a response has no %s", spec.Location)
	}
	switch body := m.Location == seshat.LocationBody; {
	case spec.JSONPath != "" && !body:
		at.child("jsonPath").fault("use location body", "a %s is not read by JSONPath", spec.Location)
	case spec.JSONPath != "" && spec.Key != nil:
		at.fault("jsonPath is for JSON, key for form and multipart fields", "both key and jsonPath")
	case spec.JSONPath != "":
		m.Path = compilePath(at.child("jsonPath"), spec.JSONPath)
	case spec.Key == nil:
		at.child("key").fault("name the "+spec.Location+`, or use "exists: true" for every one`, "no key")
	}
	m.Key = compileMatch(at.child("key"), spec.Key, m.Location == seshat.LocationHeader)
	return m
}

// covers reports whether m hides what s selects, as far as that can be told without an exchange: a key that s names
// and m matches, the same match on both sides, or a path to what is within m's.
func (m *Mask) covers(s *Selector) bool {
	location := s.Location
	header, isCookieHeader := "", false
	switch {
	case location == seshat.LocationUserAgent:
		location, header = seshat.LocationHeader, "User-Agent"
	case location == seshat.LocationCookie && m.Location == seshat.LocationHeader:
		location, isCookieHeader = seshat.LocationHeader, true
		header = "Cookie"
		if s.Side == seshat.InResponse {
			header = "Set-Cookie"
		}
	}
	if !m.on(s.Side) || m.Location != location {
		return false
	}
	if header != "" || isCookieHeader {
		return m.Key.Match(header)
	}
	if m.Path != nil || s.Path != nil {
		return m.Path != nil && s.Path != nil && m.Path.Covers(s.Path)
	}
	if m.Key.Op() == OpExists {
		return true
	}
	if name, ok := s.Key.Exact(); ok {
		return m.Key.Match(name)
	}
	if s.Key.Op() == OpIn {
		return slices.ContainsFunc(s.Key.set, m.Key.Match)
	}
	return s.Key != nil && s.Key.op == m.Key.op && s.Key.same(s.Key.text, m.Key.text)
}
