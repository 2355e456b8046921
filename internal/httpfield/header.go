package httpfield

import "github.com/seshat-project/seshat"

// Lookup returns the value of the first field called name, whatever its case (RFC 9110, section 5.1).
func Lookup(header []seshat.Field, name string) (value string, ok bool) {
	if i := Find(header, name, 0); i >= 0 {
		return header[i].Value, true
	}
	return "", false
}

// Find returns the index of the first field called name at or after the index from, or -1. It finds the lines of a
// repeated field one after the other.
func Find(header []seshat.Field, name string, from int) int {
	for i := from; i < len(header); i++ {
		if EqualFold(header[i].Name, name) {
			return i
		}
	}
	return -1
}

// EqualFold reports whether a and b are equal but for the case of ASCII letters. Unlike [strings.EqualFold] it does
// not fold other letters: header names have none, and "K" (Kelvin) is not "k".
func EqualFold(a, b string) bool {
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
	if 'A' <= c && c <= 'Z' {
		return c | 0x20
	}
	return c
}

// hasPrefixFold reports whether s starts with prefix, but for the case of ASCII letters.
func hasPrefixFold(s, prefix string) bool {
	return len(s) >= len(prefix) && EqualFold(s[:len(prefix)], prefix)
}

// hasSuffixFold reports whether s ends with suffix, but for the case of ASCII letters.
func hasSuffixFold(s, suffix string) bool {
	return len(s) >= len(suffix) && EqualFold(s[len(s)-len(suffix):], suffix)
}

// trimSpace removes the optional white space of HTTP (RFC 9110, section 5.6.3) from both ends: spaces and tabs.
func trimSpace(s string) string {
	for s != "" && (s[0] == ' ' || s[0] == '\t') {
		s = s[1:]
	}
	for s != "" && (s[len(s)-1] == ' ' || s[len(s)-1] == '\t') {
		s = s[:len(s)-1]
	}
	return s
}

// isToken reports whether s is a token (RFC 9110, section 5.6.2), as header names, methods and schemes are.
func isToken(s string) bool {
	for i := 0; i < len(s); i++ {
		c := s[i]
		switch {
		case 'a' <= c && c <= 'z', 'A' <= c && c <= 'Z', '0' <= c && c <= '9':
		case c == '!' || c == '#' || c == '$' || c == '%' || c == '&' || c == '\'' || c == '*' || c == '+' || c == '-' ||
			c == '.' || c == '^' || c == '_' || c == '`' || c == '|' || c == '~':
		default:
			return false
		}
	}
	return s != ""
}
