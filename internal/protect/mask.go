package protect

import (
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"
)

const (
	// maskShare is the part of a value that its masked form may show: one in so many characters.
	maskShare = 4
	// maskShortest is the shortest value of which anything is shown. Of shorter ones, even a few characters help to
	// guess the rest.
	maskShortest = 16
	// maskFirst and maskLast are how many characters are shown of a long value: enough to recognise it beside others.
	maskFirst, maskLast = 4, 2
	// ellipsis stands for what is not shown, and unprintable for a character that a terminal might obey.
	ellipsis, unprintable = "…", '?'
)

// Mask returns the form in which a secret may be shown: "s%3A…kI(82)" has the first and last characters, and how many
// there are. It shows no more than a quarter of the value, at most 6 characters, and nothing of a value of fewer than
// 16. It is printable text whatever the value holds. The masked form of nothing is "".
func Mask(value string) string {
	var buf [64]byte
	return string(AppendMask(buf[:0], value))
}

// AppendMask appends the masked form of value to dst.
func AppendMask(dst []byte, value string) []byte {
	if value == "" {
		return dst
	}
	n := utf8.RuneCountInString(value)
	first, last := 0, 0
	if n >= maskShortest {
		shown := min(n/maskShare, maskFirst+maskLast)
		last = min(maskLast, shown/2)
		first = shown - last
	}
	rest := value
	for range first {
		r, size := utf8.DecodeRuneInString(rest)
		dst, rest = appendPrintable(dst, r), rest[size:]
	}
	dst = append(dst, ellipsis...)
	tail := len(value)
	for range last {
		_, size := utf8.DecodeLastRuneInString(value[:tail])
		tail -= size
	}
	for _, r := range value[tail:] {
		dst = appendPrintable(dst, r)
	}
	dst = append(dst, '(')
	dst = strconv.AppendInt(dst, int64(n), 10)
	return append(dst, ')')
}

func appendPrintable(dst []byte, r rune) []byte {
	if r == utf8.RuneError || !unicode.IsPrint(r) {
		r = unprintable
	}
	return utf8.AppendRune(dst, r)
}

// clean returns s as text that can be stored and shown anywhere, at most limit bytes of it: valid UTF-8 without
// control characters. NUL is removed; other control characters, and bytes that are not UTF-8, become U+FFFD.
func clean(s string, limit int) string {
	if len(s) <= limit && isPlain(s) {
		return s
	}
	const replacement = "\uFFFD"
	if len(s) > limit { // cut at a rune, if it is one, so that none is left in half
		end := limit
		for end > limit-utf8.UTFMax && end > 0 && !utf8.RuneStart(s[end]) {
			end--
		}
		if s = s[:end]; isPlain(s) {
			return s
		}
	}
	var b strings.Builder
	for _, r := range s {
		switch {
		case r == 0:
		case r == utf8.RuneError || unicode.IsControl(r):
			if b.Len()+len(replacement) > limit {
				return b.String()
			}
			b.WriteString(replacement)
		default:
			if b.Len()+utf8.RuneLen(r) > limit {
				return b.String()
			}
			b.WriteRune(r)
		}
	}
	return b.String()
}

// isPlain reports whether s is printable ASCII, which is nearly always so and quick to see.
func isPlain(s string) bool {
	for i := 0; i < len(s); i++ {
		if s[i] < ' ' || s[i] > '~' {
			return false
		}
	}
	return true
}
