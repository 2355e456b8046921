package consoletest

import (
	"pgregory.net/rapid"

	"github.com/seshat-project/seshat"
)

// Text draws a text that a resource may have: mostly a tame one, now and then one that a form cannot hold.
func Text(t *rapid.T, name string) string {
	tame := rapid.StringMatching(`[a-zA-Z0-9$.*/<>"'&%;=:{}@\[\]()-]{1,12}`)
	wild := rapid.SampledFrom([]string{"a b", " a", "a ", "a\nb", "\n", "a\r\nb", "on", "item", "a=b", "", "é😀", "\u202E"})
	return rapid.OneOf(tame, tame, tame, tame, tame, tame, tame, tame, wild).Draw(t, name)
}

// Texts draws a list of texts; nil when it is empty.
func Texts(t *rapid.T, name string) []string {
	var out []string
	for range rapid.IntRange(0, 3).Draw(t, "how many "+name) {
		out = append(out, Text(t, name))
	}
	return out
}

// Scope draws a scope.
func Scope(t *rapid.T) seshat.Scope {
	return seshat.Scope{Environments: Texts(t, "environments"), Services: Texts(t, "services"), URLs: Texts(t, "urls")}
}

// Match draws a comparison; nil is none.
func Match(t *rapid.T) *seshat.Match {
	text, yes := Text(t, "text"), true
	switch rapid.IntRange(0, 11).Draw(t, "operator") {
	case 0:
		return nil
	case 1:
		return &seshat.Match{NotEquals: &text}
	case 2:
		return &seshat.Match{Contains: &text}
	case 3:
		return &seshat.Match{NotContains: &text}
	case 4:
		return &seshat.Match{StartsWith: &text}
	case 5:
		return &seshat.Match{EndsWith: &text}
	case 6:
		return &seshat.Match{Matches: &text}
	case 7:
		return &seshat.Match{NotMatches: &text}
	case 8:
		return &seshat.Match{In: append(Texts(t, "in"), text)}
	case 9:
		return &seshat.Match{Exists: &yes}
	case 10:
		return &seshat.Match{NotExists: &yes}
	default:
		return &seshat.Match{Equals: &text}
	}
}

// Extract draws a place in an exchange at one of some locations.
func Extract(t *rapid.T, locations ...string) seshat.Extract {
	e := seshat.Extract{Location: rapid.SampledFrom(locations).Draw(t, "location")}
	switch e.Location {
	case "header", "cookie", "query", "pathParameter":
		e.Key = Match(t)
	case "body":
		if rapid.Bool().Draw(t, "by JSONPath") {
			e.JSONPath = Text(t, "jsonPath")
		} else {
			e.Key = Match(t)
		}
	case "pathSegment":
		n := rapid.IntRange(-9, 9).Draw(t, "segment")
		e.Segment = &n
	}
	e.Value = Match(t)
	return e
}

// Conditions draws a list of conditions; nil when it is empty.
func Conditions(t *rapid.T) []seshat.Condition {
	var out []seshat.Condition
	for range rapid.IntRange(0, 2).Draw(t, "conditions") {
		out = append(out, seshat.Condition{
			In:      rapid.SampledFrom([]string{"", "request", "response"}).Draw(t, "in"),
			Extract: Extract(t, "header", "cookie", "query", "pathSegment", "pathParameter", "body", "status", "clientIP", "userAgent", "ja4"),
		})
	}
	return out
}

// Transformations draws a list of transformations; nil when it is empty.
func Transformations(t *rapid.T) []seshat.Transformation {
	var out []seshat.Transformation
	for range rapid.IntRange(0, 3).Draw(t, "transformations") {
		var one seshat.Transformation
		empty := &seshat.EmptyTransformation{}
		switch rapid.IntRange(0, 6).Draw(t, "transformation") {
		case 0:
			one.Regex = &seshat.RegexTransformation{Pattern: Text(t, "pattern"), Group: rapid.SampledFrom([]string{"", "1", "id"}).Draw(t, "group")}
		case 1:
			one.Base64Decode = empty
		case 2:
			one.JSONPath = Text(t, "path")
		case 3:
			one.JWTClaim = Text(t, "claim")
		case 4:
			one.URLDecode = empty
		case 5:
			one.Lowercase = empty
		default:
			one.Hash = empty
		}
		out = append(out, one)
	}
	return out
}

// Flag draws whether something is on, off, or not said.
func Flag(t *rapid.T, name string) *bool {
	switch rapid.IntRange(0, 2).Draw(t, name) {
	case 0:
		on := true
		return &on
	case 1:
		off := false
		return &off
	default:
		return nil
	}
}

// Metadata draws the name of a resource, and what is said of it.
func Metadata(t *rapid.T) seshat.Metadata {
	m := seshat.Metadata{Name: rapid.StringMatching(`[a-z0-9]([a-z0-9-]{0,8}[a-z0-9])?`).Draw(t, "name"), Description: Text(t, "description")}
	for range rapid.IntRange(0, 2).Draw(t, "labels") {
		if m.Labels == nil {
			m.Labels = map[string]string{}
		}
		m.Labels[rapid.StringMatching(`[a-z]{1,5}`).Draw(t, "label")] = Text(t, "value")
	}
	return m
}
