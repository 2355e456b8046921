package jsonpath

import (
	"unicode/utf16"
	"unicode/utf8"
)

// scanNumber returns the end of the JSON number that starts at i.
func scanNumber[T string | []byte](s T, i int) (end int, ok bool) {
	if i < len(s) && s[i] == '-' {
		i++
	}
	switch {
	case i < len(s) && s[i] == '0':
		i++
		if i < len(s) && isDigit(s[i]) {
			return i, false
		}
	case i < len(s) && isDigit(s[i]):
		i = skipDigits(s, i)
	default:
		return i, false
	}
	if i < len(s) && s[i] == '.' {
		start := i + 1
		if i = skipDigits(s, start); i == start {
			return i, false
		}
	}
	if i < len(s) && s[i]|0x20 == 'e' {
		i++
		if i < len(s) && (s[i] == '+' || s[i] == '-') {
			i++
		}
		start := i
		if i = skipDigits(s, start); i == start {
			return i, false
		}
	}
	return i, true
}

func skipDigits[T string | []byte](s T, i int) int {
	for i < len(s) && isDigit(s[i]) {
		i++
	}
	return i
}

// AppendScalar appends the text of a scalar token, as [Path.First] returns it, to dst: a string without its quotes
// and escapes, a number as it is written, true or false. It returns false, and dst as it was, for anything else.
func AppendScalar(dst, raw []byte) ([]byte, bool) {
	if len(raw) == 0 {
		return dst, false
	}
	switch c := raw[0]; {
	case c == '"':
		end, _, ok := scanString(raw, 0)
		if !ok || end != len(raw) {
			return dst, false
		}
		return appendUnescaped(dst, raw[1:end-1])
	case c == '-' || isDigit(c):
		if end, ok := scanNumber(raw, 0); !ok || end != len(raw) {
			return dst, false
		}
	default:
		if s := string(raw); s != "true" && s != "false" { // the compiler does not allocate for this
			return dst, false
		}
	}
	return append(dst, raw...), true
}

// appendUnescaped appends what stands between the quotes of a JSON string, with escapes resolved. Half a surrogate
// pair becomes U+FFFD.
func appendUnescaped[T string | []byte](dst []byte, s T) ([]byte, bool) {
	before := len(dst)
	for i := 0; i < len(s); {
		c := s[i]
		if c != '\\' {
			if c < 0x20 || c == '"' {
				return dst[:before], false
			}
			dst = append(dst, c)
			i++
			continue
		}
		r, size, ok := unescape(s, i)
		if !ok {
			return dst[:before], false
		}
		dst = utf8.AppendRune(dst, r)
		i += size
	}
	return dst, true
}

// unescape reads the escape sequence at i, which is a backslash.
func unescape[T string | []byte](s T, i int) (r rune, size int, ok bool) {
	if i+1 >= len(s) {
		return 0, 0, false
	}
	switch c := s[i+1]; c {
	case '"', '\\', '/':
		return rune(c), 2, true
	case 'b':
		return '\b', 2, true
	case 'f':
		return '\f', 2, true
	case 'n':
		return '\n', 2, true
	case 'r':
		return '\r', 2, true
	case 't':
		return '\t', 2, true
	case 'u':
		high, ok := hex4(s, i+2)
		if !ok {
			return 0, 0, false
		}
		if !utf16.IsSurrogate(high) {
			return high, 6, true
		}
		if i+7 < len(s) && s[i+6] == '\\' && s[i+7] == 'u' {
			if low, ok := hex4(s, i+8); ok {
				if r := utf16.DecodeRune(high, low); r != utf8.RuneError {
					return r, 12, true
				}
			}
		}
		return utf8.RuneError, 6, true
	default:
		return 0, 0, false
	}
}
