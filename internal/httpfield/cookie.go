package httpfield

import (
	"strings"

	"github.com/seshat-project/seshat"
)

// CookieCursor walks over the cookies of a request. It is a value: copying it saves the position.
type CookieCursor struct {
	rest   string
	header []seshat.Field // the Cookie lines that are still to come are in here
}

// Cookies returns a cursor over the value of one Cookie field.
//
// Reading is lenient, after RFC 6265bis, section 5.8.3, as the servers are that the cookie was meant for:
//   - Cookies are divided by ";" and nothing else, also within quotes.
//   - Spaces and tabs around names and values are removed, and then one pair of quotes around the value. The same is
//     done in Set-Cookie, so that a cookie has the same value on both ways.
//   - A pair without "=" is a cookie without a name whose value is the whole text.
//   - A pair that is empty, or only "=", is skipped. Every other byte is kept: values may be anything, also not UTF-8.
//   - Several cookies of one name are all returned, in order.
func Cookies(value string) CookieCursor {
	return CookieCursor{rest: value}
}

// RequestCookies returns a cursor over all Cookie lines of a header. HTTP/2 clients send several (RFC 9113,
// section 8.2.3).
func RequestCookies(header []seshat.Field) CookieCursor {
	return CookieCursor{header: header}
}

// Next returns the next cookie; ok is false when there is none left.
func (c *CookieCursor) Next() (name, value string, ok bool) {
	for {
		for c.rest != "" {
			var pair string
			if end := strings.IndexByte(c.rest, ';'); end >= 0 {
				pair, c.rest = c.rest[:end], c.rest[end+1:]
			} else {
				pair, c.rest = c.rest, ""
			}
			if name, value, ok = cookiePair(pair); ok {
				return name, value, true
			}
		}
		i := Find(c.header, "Cookie", 0)
		if i < 0 {
			c.header = nil
			return "", "", false
		}
		c.rest, c.header = c.header[i].Value, c.header[i+1:]
	}
}

// cookiePair divides "name=value", and reports whether there is anything in it.
func cookiePair(pair string) (name, value string, ok bool) {
	if equals := strings.IndexByte(pair, '='); equals >= 0 {
		name, value = trimSpace(pair[:equals]), trimSpace(pair[equals+1:])
	} else {
		value = trimSpace(pair)
	}
	if name == "" && value == "" {
		return "", "", false
	}
	return name, unquote(value), true
}

// unquote removes one pair of double quotes around s. Backslashes in it are not escapes: no browser writes them.
func unquote(s string) string {
	if len(s) >= 2 && s[0] == '"' && s[len(s)-1] == '"' {
		return s[1 : len(s)-1]
	}
	return s
}
