package accesslog

import "unicode/utf8"

// unescape appends src to dst with the escape sequences undone that NGINX and Apache write: \xHH, \", \\, \n, \r, \t,
// \b, \v, \f, \/, and \uHHHH of NGINX's escape=json. A backslash in front of anything else is kept.
func unescape(dst, src []byte) []byte {
	for i := 0; i < len(src); i++ {
		if src[i] != '\\' || i+1 == len(src) {
			dst = append(dst, src[i])
			continue
		}
		i++
		switch c := src[i]; c {
		case '"', '\\', '/':
			dst = append(dst, c)
		case 'n':
			dst = append(dst, '\n')
		case 'r':
			dst = append(dst, '\r')
		case 't':
			dst = append(dst, '\t')
		case 'b':
			dst = append(dst, '\b')
		case 'v':
			dst = append(dst, '\v')
		case 'f':
			dst = append(dst, '\f')
		case 'x':
			if n, ok := hexadecimal(src[i+1:], 2); ok {
				dst = append(dst, byte(n)) //nolint:gosec // two digits
				i += 2
				continue
			}
			dst = append(dst, '\\', c)
		case 'u':
			if n, ok := hexadecimal(src[i+1:], 4); ok {
				dst = utf8.AppendRune(dst, n)
				i += 4
				continue
			}
			dst = append(dst, '\\', c)
		default:
			dst = append(dst, '\\', c)
		}
	}
	return dst
}

// hexadecimal reads so many digits.
func hexadecimal(b []byte, digits int) (n rune, ok bool) {
	if len(b) < digits {
		return 0, false
	}
	for _, c := range b[:digits] {
		switch {
		case '0' <= c && c <= '9':
			n = n<<4 | rune(c-'0')
		case 'a' <= c|0x20 && c|0x20 <= 'f':
			n = n<<4 | rune(c|0x20-'a'+10)
		default:
			return 0, false
		}
	}
	return n, true
}
