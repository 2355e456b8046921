package httpfield

import "strings"

// UnescapePath decodes the percent-encoding of s (RFC 3986, section 2.1) into scratch, or returns s itself when there
// is nothing to decode. An escape that is malformed, such as "%zz" or a final "%4", is kept as it is, and wellFormed
// is false. The result may be any bytes: it need not be UTF-8.
func UnescapePath(s string, scratch *Scratch) (text string, wellFormed bool) {
	first := strings.IndexByte(s, '%')
	if first < 0 {
		return s, true
	}
	return unescape(s, first, ' ', scratch)
}

// UnescapeQuery is [UnescapePath] for application/x-www-form-urlencoded text, where "+" stands for a space too.
func UnescapeQuery(s string, scratch *Scratch) (text string, wellFormed bool) {
	first := strings.IndexByte(s, '%')
	if plus := strings.IndexByte(s, '+'); first < 0 || plus >= 0 && plus < first {
		first = plus
	}
	if first < 0 {
		return s, true
	}
	return unescape(s, first, '+', scratch)
}

// unescape decodes s from the byte at first on. The byte space is turned into a space; ' ' itself turns nothing.
func unescape(s string, first int, space byte, scratch *Scratch) (string, bool) {
	wellFormed := true
	out := append(scratch.take(len(s)), s[:first]...)
	for i := first; i < len(s); i++ {
		switch c := s[i]; c {
		case '%':
			if i+2 < len(s) && isHex(s[i+1]) && isHex(s[i+2]) {
				out = append(out, unhex(s[i+1])<<4|unhex(s[i+2]))
				i += 2
				continue
			}
			wellFormed = false
			out = append(out, c)
		case space:
			out = append(out, ' ')
		default:
			out = append(out, c)
		}
	}
	return scratch.keep(out), wellFormed
}

func isHex(c byte) bool {
	return '0' <= c && c <= '9' || 'a' <= c && c <= 'f' || 'A' <= c && c <= 'F'
}

func unhex(c byte) byte {
	if c <= '9' {
		return c - '0'
	}
	return c&^0x20 - 'A' + 10
}
