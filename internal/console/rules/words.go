package rules

import (
	"strconv"
	"strings"

	"github.com/seshat-project/seshat"
)

// where says where an identifier looks.
func where(id *seshat.Identifier) string {
	side := "request"
	if id.In == "response" {
		side = "response"
	}
	switch {
	case id.Header != "":
		out := side + " header " + id.Header
		if strings.EqualFold(id.Header, "Authorization") || strings.EqualFold(id.Header, "Proxy-Authorization") {
			out += ", without its scheme"
		}
		return out
	case id.Cookie != "":
		return cookieWords(id.In, id.Cookie)
	case id.JWTClaim != nil && id.JWTClaim.Cookie != "":
		return "claim " + id.JWTClaim.Claim + " of the JWT in the " + cookieWords(id.In, id.JWTClaim.Cookie)
	case id.JWTClaim != nil:
		return "claim " + id.JWTClaim.Claim + " of the JWT in the " + side + " header " + id.JWTClaim.Header
	case id.Extract != nil:
		return place(side, id.Extract)
	default:
		return "nowhere"
	}
}

func cookieWords(in, name string) string {
	switch in {
	case "request":
		return "request cookie " + name
	case "response":
		return "cookie " + name + " as a response sets it"
	default:
		return "cookie " + name + ", in requests and where a response sets it"
	}
}

// place is a place in an exchange, with what must hold for its value.
func place(side string, e *seshat.Extract) string {
	var out string
	switch e.Location {
	case "header", "cookie":
		out = side + " " + e.Location + named(e.Key)
	case "query":
		out = "query parameter" + named(e.Key)
	case "pathParameter":
		out = "path parameter" + named(e.Key)
	case "body":
		if e.JSONPath != "" {
			out = side + " body at " + e.JSONPath
		} else {
			out = side + " body field" + named(e.Key)
		}
	case "pathSegment":
		out = "any path segment"
		if e.Segment != nil {
			out = segment(*e.Segment)
		}
	case "status":
		out = "status"
	case "clientIP":
		out = "client IP"
	case "userAgent":
		out = "user agent"
	case "ja4":
		out = "TLS JA4"
	default:
		out = e.Location
	}
	if e.Value != nil {
		out += ", which " + compared(e.Value)
	}
	return out
}

func segment(n int) string {
	switch {
	case n == 0:
		return "first path segment"
	case n == -1:
		return "last path segment"
	case n < 0:
		return "path segment " + strconv.Itoa(-n) + " from the end"
	default:
		return "path segment " + strconv.Itoa(n+1)
	}
}

// named is the name of a header, cookie or parameter.
func named(m *seshat.Match) string {
	switch {
	case m == nil:
		return " of any name"
	case m.Equals != nil:
		return " " + *m.Equals
	default:
		return " whose name " + compared(m)
	}
}

// compared is a comparison in words.
func compared(m *seshat.Match) string {
	quoted := func(words string, text *string) string { return words + " " + strconv.Quote(*text) }
	switch {
	case m.Equals != nil:
		return quoted("is", m.Equals)
	case m.NotEquals != nil:
		return quoted("is not", m.NotEquals)
	case m.Contains != nil:
		return quoted("contains", m.Contains)
	case m.NotContains != nil:
		return quoted("does not contain", m.NotContains)
	case m.StartsWith != nil:
		return quoted("starts with", m.StartsWith)
	case m.EndsWith != nil:
		return quoted("ends with", m.EndsWith)
	case m.Matches != nil:
		return "matches " + *m.Matches
	case m.NotMatches != nil:
		return "does not match " + *m.NotMatches
	case m.In != nil:
		texts := make([]string, len(m.In))
		for i := range m.In {
			texts[i] = strconv.Quote(m.In[i])
		}
		return "is one of " + strings.Join(texts, ", ")
	case m.Exists != nil && *m.Exists, m.NotExists != nil && !*m.NotExists:
		return "exists"
	case m.Exists != nil || m.NotExists != nil:
		return "does not exist"
	default:
		return "is anything"
	}
}

// conditions are what must hold for an identifier to be tried.
func conditions(id *seshat.Identifier) []string {
	out := make([]string, len(id.Conditions))
	for i := range id.Conditions {
		c := &id.Conditions[i]
		side := c.In
		if side == "" {
			side = id.In
		}
		if side == "" {
			side = "request"
		}
		e := c.Extract
		e.Value = nil
		out[i] = place(side, &e)
		switch {
		case c.Value != nil:
			out[i] += " " + compared(c.Value)
		case c.Key == nil || c.Key.NotExists == nil:
			out[i] += " is there"
		}
	}
	return out
}

// steps are what becomes of the value that was found.
func transformations(list []seshat.Transformation) []string {
	out := make([]string, len(list))
	for i := range list {
		switch t := &list[i]; {
		case t.Regex != nil && t.Regex.Group != "":
			out[i] = "group " + t.Regex.Group + " of " + t.Regex.Pattern
		case t.Regex != nil:
			out[i] = "what " + t.Regex.Pattern + " captures"
		case t.Base64Decode != nil:
			out[i] = "decode Base64"
		case t.JSONPath != "":
			out[i] = "the JSON value at " + t.JSONPath
		case t.JWTClaim != "":
			out[i] = "the claim " + t.JWTClaim
		case t.URLDecode != nil:
			out[i] = "decode URL encoding"
		case t.Lowercase != nil:
			out[i] = "lower-case"
		case t.Hash != nil:
			out[i] = "hash"
		default:
			out[i] = "nothing"
		}
	}
	return out
}

// expires says when client session IDs of an identifier end.
func expires(e *seshat.Expiration) string {
	switch {
	case e == nil:
		return ""
	case e.JWT:
		return "It expires by the exp of the token."
	case e.Attribute == nil:
		return ""
	}
	words := e.Attribute.Format
	for _, o := range expirationFormats() {
		if o.Value == words {
			words = o.Name
		}
	}
	out := "It expires by " + words + " in the " + place("response", &e.Attribute.Extract)
	if steps := transformations(e.Attribute.Transformations); len(steps) > 0 {
		out += " (" + strings.Join(steps, ", then ") + ")"
	}
	return out + "."
}

// kindWords is what the ID of an identifier is.
func kindWords(kind string) string {
	for _, o := range identifierTypes() {
		if o.Value == kind {
			return o.Name
		}
	}
	if kind == "session" {
		return identifierTypes()[0].Name
	}
	return kind
}

// scopeWords says where a rule applies.
func scopeWords(s *seshat.Scope) []string {
	var out []string
	list := func(one, many string, texts []string) {
		switch len(texts) {
		case 0:
		case 1:
			out = append(out, one+" "+texts[0])
		default:
			out = append(out, many+" "+strings.Join(texts, ", "))
		}
	}
	list("environment", "environments", s.Environments)
	list("service", "services", s.Services)
	list("URLs that match", "URLs that match one of", s.URLs)
	if len(out) == 0 {
		return []string{"all exchanges"}
	}
	return out
}

func flag(b *bool) bool { return b == nil || *b }
