package rule

import (
	"slices"
	"strconv"
	"strings"

	"github.com/seshat-project/seshat"
	"github.com/seshat-project/seshat/internal/jsonpath"
)

// Selector is a compiled place in an exchange: a location, the keys within it, and the values that count.
type Selector struct {
	Side     seshat.Side
	Location seshat.Location
	Key      *Matcher // of header, cookie, query, path parameter, form and multipart field; nil for any
	// Path is a query into a JSON body; nil for every other place. PathText is how it was written.
	Path     *jsonpath.Path
	PathText string
	// Segment is the position of a path segment, negative from the end. AnySegment says that each one counts.
	Segment    int
	AnySegment bool
	Value      *Matcher // nil for any
	// Members makes Key also name members of a JSON body, at any depth that is scanned. Only the built-in set does so.
	Members bool
}

// locations is indexed by the noun's constants.
var locations = [...]string{
	"", "header", "cookie", "query", "pathSegment", "pathParameter", "body", "status", "clientIP", "userAgent", "ja4",
}

// LocationName is the name of l in resources.
func LocationName(l seshat.Location) string {
	if int(l) < len(locations) {
		return locations[l]
	}
	return "unknown"
}

// keyed reports whether fields of l have names.
func keyed(l seshat.Location) bool {
	switch l {
	case seshat.LocationHeader, seshat.LocationCookie, seshat.LocationQuery, seshat.LocationPathParameter, seshat.LocationBody:
		return true
	default:
		return false
	}
}

// requestOnly reports whether l exists in requests only.
func requestOnly(l seshat.Location) bool {
	switch l {
	case seshat.LocationQuery, seshat.LocationPathSegment, seshat.LocationPathParameter, seshat.LocationClientIP,
		seshat.LocationUserAgent, seshat.LocationJA4:
		return true
	default:
		return false
	}
}

// purpose is what a selector is for: some locations and operators only make sense for one.
type purpose uint8

const (
	toExtract purpose = iota
	toCheck           // a condition
)

func compileSide(at place, in string, fallback seshat.Side) seshat.Side {
	switch in {
	case "":
		return fallback
	case "request":
		return seshat.InRequest
	case "response":
		return seshat.InResponse
	default:
		at.fault(`"request" or "response"`, "unknown side %q", in)
		return fallback
	}
}

// compileSelector compiles e for side. explicit says that the side was written down, so that a location that only
// exists on the other side is a fault rather than understood.
func compileSelector(at place, side seshat.Side, explicit bool, e *seshat.Extract, why purpose) Selector {
	s := Selector{Side: side}
	i := slices.Index(locations[1:], e.Location)
	if i < 0 {
		hint := "one of " + strings.Join(locations[1:], ", ")
		if e.Location == "" {
			at.child("location").fault(hint, "no location")
		} else {
			at.child("location").fault(hint, "unknown location %q", e.Location)
		}
		return s
	}
	s.Location = seshat.Location(i + 1) //nolint:gosec // an index of a short array

	switch {
	case s.Location == seshat.LocationStatus && why == toExtract:
		at.child("location").fault("use it in a condition", "a status cannot be extracted")
	case s.Location == seshat.LocationStatus:
		s.Side = seshat.InResponse
	case requestOnly(s.Location) && side == seshat.InResponse && explicit:
		at.child("location").fault(`use "in: request"`, "a response has no %s", e.Location)
	case requestOnly(s.Location):
		s.Side = seshat.InRequest
	}
	compileKey(at, &s, e, why)
	compileSegment(at, &s, e, why)
	s.Value = compileMatch(at.child("value"), e.Value, false)
	if why == toExtract && s.Value.Op() == OpNotExists {
		at.child("value").fault("use a condition", "what does not exist cannot be extracted")
	}
	return s
}

func compileKey(at place, s *Selector, e *seshat.Extract, why purpose) {
	body := s.Location == seshat.LocationBody
	if e.JSONPath != "" && !body {
		at.child("jsonPath").fault("use location body, or a jsonPath transformation", "a %s is not read by JSONPath", e.Location)
	}
	if e.Key != nil && !keyed(s.Location) {
		at.child("key").fault("remove it, or use value", "a %s has no key", e.Location)
		return
	}
	if body {
		switch {
		case e.Key != nil && e.JSONPath != "":
			at.fault("jsonPath is for JSON, key for form and multipart fields", "both key and jsonPath")
			return
		case e.Key == nil && e.JSONPath == "":
			at.fault("jsonPath for JSON, key for form and multipart fields", "neither key nor jsonPath")
			return
		case e.JSONPath != "":
			s.Path, s.PathText = compilePath(at.child("jsonPath"), e.JSONPath), e.JSONPath
			return
		}
	}
	if e.Key == nil && keyed(s.Location) && e.Value == nil {
		at.child("key").fault("name the "+e.Location, "no key")
		return
	}
	s.Key = compileMatch(at.child("key"), e.Key, s.Location == seshat.LocationHeader)
	if text, ok := s.Key.Exact(); ok && text == "" {
		at.child("key").fault("name the "+e.Location, "the key is empty")
	}
	if why == toExtract && s.Key.Op() == OpNotExists {
		at.child("key").fault("use a condition", "what does not exist cannot be extracted")
	}
}

func compileSegment(at place, s *Selector, e *seshat.Extract, why purpose) {
	if s.Location != seshat.LocationPathSegment {
		if e.Segment != nil {
			at.child("segment").fault("use location pathSegment", "a %s has no segment", e.Location)
		}
		return
	}
	if e.Segment == nil {
		s.AnySegment = true
		if e.Value == nil && why == toExtract {
			at.child("segment").fault("0 is the first segment, -1 the last", "neither segment nor value")
		}
		return
	}
	s.Segment = *e.Segment
	if s.Segment > MaxSegment || s.Segment < -MaxSegment {
		at.child("segment").fault("", "%d is out of range; at most %d", s.Segment, MaxSegment)
	}
}

func compilePath(at place, expr string) *jsonpath.Path {
	if !at.length(expr, MaxPattern) {
		return nil
	}
	p, err := jsonpath.Parse(expr)
	if err != nil {
		at.fault("RFC 9535, such as $.user.id", "broken JSONPath: %v", err)
		return nil
	}
	return p
}

// String describes s as a person would read it, such as "request header Authorization".
func (s *Selector) String() string {
	out := s.Side.String() + " " + LocationName(s.Location)
	if s.Location == seshat.LocationStatus || requestOnly(s.Location) {
		out = LocationName(s.Location)
	}
	switch {
	case s.PathText != "":
		out += " " + s.PathText
	case s.Location == seshat.LocationPathSegment && !s.AnySegment:
		out += " " + strconv.Itoa(s.Segment)
	case s.Key != nil:
		if text, ok := s.Key.Exact(); ok {
			out += " " + text
		} else {
			out += " whose name " + s.Key.String()
		}
	}
	return out
}

func itoa(n int) string { return strconv.Itoa(n) }
