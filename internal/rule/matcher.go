package rule

import (
	"regexp"
	"strings"
)

// Op is an operator of a [Matcher].
type Op uint8

// The operators. OpExists and OpNotExists speak of the presence of a field; the others of its text.
const (
	OpExists Op = iota
	OpNotExists
	OpEquals
	OpNotEquals
	OpContains
	OpNotContains
	OpStartsWith
	OpEndsWith
	OpMatches
	OpNotMatches
	OpIn
)

var opNames = [...]string{
	"exists", "notExists", "equals", "notEquals", "contains", "notContains", "startsWith", "endsWith", "matches",
	"notMatches", "in",
}

func (o Op) String() string {
	if int(o) < len(opNames) {
		return opNames[o]
	}
	return "unknown"
}

// Matcher is a compiled condition on one text. It is immutable. A nil Matcher holds for every text.
type Matcher struct {
	op   Op
	fold bool // ASCII letters are compared without case: header names
	text string
	set  []string
	re   *regexp.Regexp
}

// Op returns the operator. A nil Matcher has [OpExists].
func (m *Matcher) Op() Op {
	if m == nil {
		return OpExists
	}
	return m.op
}

// Negative reports whether the operator forbids something rather than asks for it.
func (m *Matcher) Negative() bool {
	switch m.Op() {
	case OpNotEquals, OpNotContains, OpNotMatches, OpNotExists:
		return true
	default:
		return false
	}
}

// Exact returns the one text that m holds for, if m is an equals operator.
func (m *Matcher) Exact() (string, bool) {
	if m == nil || m.op != OpEquals {
		return "", false
	}
	return m.text, true
}

// Text is the operand of operators that have one text.
func (m *Matcher) Text() string {
	if m == nil {
		return ""
	}
	return m.text
}

// Match reports whether m holds for s, a text that is present. It does not allocate.
func (m *Matcher) Match(s string) bool {
	if m == nil {
		return true
	}
	switch m.op {
	case OpExists:
		return true
	case OpNotExists:
		return false
	case OpEquals:
		return m.same(s, m.text)
	case OpNotEquals:
		return !m.same(s, m.text)
	case OpContains:
		return m.contains(s)
	case OpNotContains:
		return !m.contains(s)
	case OpStartsWith:
		return len(s) >= len(m.text) && m.same(s[:len(m.text)], m.text)
	case OpEndsWith:
		return len(s) >= len(m.text) && m.same(s[len(s)-len(m.text):], m.text)
	case OpMatches:
		return m.re != nil && m.re.MatchString(s) // it is nil when it is broken, which is a fault of its own
	case OpNotMatches:
		return m.re != nil && !m.re.MatchString(s)
	case OpIn:
		for _, t := range m.set {
			if m.same(s, t) {
				return true
			}
		}
		return false
	default:
		return false
	}
}

// String describes m as a person would read it, such as `startsWith "sess"`.
func (m *Matcher) String() string {
	switch m.Op() {
	case OpExists, OpNotExists:
		return m.Op().String()
	case OpIn:
		return "in [" + strings.Join(m.set, ", ") + "]"
	case OpMatches, OpNotMatches:
		return m.op.String() + " /" + m.text + "/"
	default:
		return m.op.String() + ` "` + m.text + `"`
	}
}

func (m *Matcher) same(a, b string) bool {
	if m.fold {
		return EqualFoldASCII(a, b)
	}
	return a == b
}

func (m *Matcher) contains(s string) bool {
	if !m.fold {
		return strings.Contains(s, m.text)
	}
	for i := 0; i+len(m.text) <= len(s); i++ {
		if EqualFoldASCII(s[i:i+len(m.text)], m.text) {
			return true
		}
	}
	return false
}

// EqualFoldASCII reports whether a and b are equal when the case of ASCII letters does not count. Header names are
// ASCII (RFC 9110, section 5.1), so that Unicode folding would only find equality where there is none.
func EqualFoldASCII(a, b string) bool {
	if len(a) != len(b) {
		return false
	}
	for i := 0; i < len(a); i++ {
		if x, y := a[i], b[i]; x != y && lower(x) != lower(y) {
			return false
		}
	}
	return true
}

func lower(c byte) byte {
	if c-'A' < 26 {
		return c | 0x20
	}
	return c
}
