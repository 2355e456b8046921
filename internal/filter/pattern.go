package filter

import (
	"regexp"
	"strings"
)

// Pattern is a text with wildcards: the literal texts between the wildcards, each of which stands for any text, the
// empty one included. Pattern{"a", "b"} is written a*b; a pattern of one element has no wildcard. Two wildcards are
// never adjacent, so only the first and the last element can be empty.
type Pattern []string

// Match reports whether the whole of s matches.
func (p Pattern) Match(s string) bool {
	if len(p) == 0 {
		return false
	}
	first, last := p[0], p[len(p)-1]
	if len(p) == 1 {
		return s == first
	}
	if len(s) < len(first)+len(last) || !strings.HasPrefix(s, first) || !strings.HasSuffix(s, last) {
		return false
	}
	s = s[len(first) : len(s)-len(last)]
	for _, part := range p[1 : len(p)-1] {
		// The leftmost occurrence leaves the most for what follows, so taking it never misses a match.
		i := strings.Index(s, part)
		if i < 0 {
			return false
		}
		s = s[i+len(part):]
	}
	return true
}

// Literal returns the text that the pattern stands for when it has no wildcard.
func (p Pattern) Literal() (string, bool) {
	if len(p) != 1 {
		return "", false
	}
	return p[0], true
}

// Like returns the pattern for SQL's LIKE with the given escape character.
func (p Pattern) Like(escape byte) string {
	var b strings.Builder
	for i, part := range p {
		if i > 0 {
			b.WriteByte('%')
		}
		for j := range len(part) {
			if c := part[j]; c == '%' || c == '_' || c == escape {
				b.WriteByte(escape)
			}
			b.WriteByte(part[j])
		}
	}
	return b.String()
}

// Regexp returns the pattern as an RE2 expression that matches the whole text.
func (p Pattern) Regexp() string { return `(?s)\A` + p.regexp() + `\z` }

func (p Pattern) regexp() string {
	quoted := make([]string, len(p))
	for i, part := range p {
		quoted[i] = regexp.QuoteMeta(part)
	}
	return strings.Join(quoted, ".*")
}

// lower returns p in lower case.
func (p Pattern) lower() Pattern {
	low := make(Pattern, len(p))
	for i, part := range p {
		low[i] = strings.ToLower(part)
	}
	return low
}

// contains returns the pattern that matches where p matches any part of a text.
func (p Pattern) contains() Pattern {
	anywhere := append(Pattern{""}, p...)
	return append(anywhere, "").collapse()
}

// collapse removes empty elements between wildcards, so that equal patterns are equal values.
func (p Pattern) collapse() Pattern {
	out := make(Pattern, 0, len(p))
	for i, part := range p {
		if part == "" && i > 0 && i < len(p)-1 {
			continue
		}
		out = append(out, part)
	}
	return out
}

// matchesAll reports whether p matches every text.
func (p Pattern) matchesAll() bool { return len(p) == 2 && p[0] == "" && p[1] == "" }
