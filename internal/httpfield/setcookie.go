package httpfield

import (
	"strings"
	"time"

	"github.com/seshat-project/seshat"
)

const (
	// MaxCookieLifetime is the longest lifetime a cookie can have: clients cut longer ones (RFC 6265bis, section 5.5).
	MaxCookieLifetime = 400 * 24 * time.Hour
	// maxCookieAttribute is the longest attribute value that counts; longer ones are ignored (RFC 6265bis, section 5.6).
	maxCookieAttribute = 1024
)

// SetCookie is a cookie as a response sets it.
type SetCookie struct {
	Name  string // empty for a cookie without a name
	Value string // without the quotes around it
	// Domain is in the case it was sent in, without a leading dot; empty for the host itself.
	Domain string
	// Path is empty when the attribute is missing or does not start with "/": the request's directory counts then.
	Path string
	// MaxAge is valid when HasMaxAge is set. It is at most [MaxCookieLifetime]; 0 or less deletes the cookie.
	MaxAge    time.Duration
	HasMaxAge bool
	// Expires is zero when the attribute is missing or not a date.
	Expires time.Time
	// HTTPOnly says that scripts cannot read the cookie: the server set it for itself.
	HTTPOnly bool
}

// ParseSetCookie reads the value of one Set-Cookie field as clients do (RFC 6265bis, section 5.6). Attributes that
// are malformed are ignored; of repeated ones the last counts. A cookie without "=" has no name. ok is false for a
// field that clients ignore: one with neither name nor value, or with control characters other than tabs.
func ParseSetCookie(field string) (cookie SetCookie, ok bool) {
	pair, rest, more := strings.Cut(field, ";")
	if hasControl(field) {
		return SetCookie{}, false
	}
	if cookie.Name, cookie.Value, ok = cookiePair(pair); !ok {
		return SetCookie{}, false
	}
	for more {
		var attribute string
		attribute, rest, more = strings.Cut(rest, ";")
		name, value, _ := strings.Cut(attribute, "=")
		cookie.set(trimSpace(name), trimSpace(value))
	}
	return cookie, true
}

func (c *SetCookie) set(name, value string) {
	if len(value) > maxCookieAttribute {
		return
	}
	switch len(name) {
	case len("path"):
		if EqualFold(name, "path") {
			c.Path = ""
			if value != "" && value[0] == '/' {
				c.Path = value
			}
		}
	case len("domain"):
		if EqualFold(name, "domain") {
			c.Domain = strings.TrimPrefix(value, ".")
		}
	case len("httponly"):
		c.HTTPOnly = c.HTTPOnly || EqualFold(name, "httponly")
	case len("expires"): // of "max-age", too
		if EqualFold(name, "max-age") {
			if age, ok := parseMaxAge(value); ok {
				c.MaxAge, c.HasMaxAge = age, true
			}
		} else if EqualFold(name, "expires") {
			if at, ok := parseCookieDate(value); ok {
				c.Expires = at
			}
		}
	}
}

// Deleted reports whether the cookie takes itself away: it lapses at or before now, the time of the response.
// Max-Age counts before Expires. A cookie that is set to an empty value is not deleted by that.
func (c *SetCookie) Deleted(now time.Time) bool {
	if c.HasMaxAge {
		return c.MaxAge <= 0
	}
	return !c.Expires.IsZero() && !c.Expires.After(now)
}

// ExpiresAt is when the cookie lapses, if it was set at now: by Max-Age, else by Expires, and at most
// [MaxCookieLifetime] after now. It is zero for a cookie that lasts as long as the browser runs.
func (c *SetCookie) ExpiresAt(now time.Time) time.Time {
	switch {
	case c.HasMaxAge:
		return now.Add(min(max(c.MaxAge, 0), MaxCookieLifetime))
	case c.Expires.IsZero():
		return time.Time{}
	}
	if latest := now.Add(MaxCookieLifetime); c.Expires.After(latest) {
		return latest
	}
	return c.Expires
}

// SetCookieCursor walks over the cookies that a response sets.
type SetCookieCursor struct {
	header []seshat.Field
}

// ResponseCookies returns a cursor over all Set-Cookie lines of a header. Lines that clients ignore are skipped.
func ResponseCookies(header []seshat.Field) SetCookieCursor {
	return SetCookieCursor{header: header}
}

// Next returns the next cookie; ok is false when there is none left.
func (c *SetCookieCursor) Next() (cookie SetCookie, ok bool) {
	for {
		i := Find(c.header, "Set-Cookie", 0)
		if i < 0 {
			c.header = nil
			return SetCookie{}, false
		}
		field := c.header[i].Value
		c.header = c.header[i+1:]
		if cookie, ok = ParseSetCookie(field); ok {
			return cookie, true
		}
	}
}

// parseMaxAge reads a number of seconds. More digits than a lifetime can have are the longest lifetime, not a fault.
func parseMaxAge(s string) (time.Duration, bool) {
	digits := strings.TrimPrefix(s, "-")
	if digits == "" {
		return 0, false
	}
	const limit = int64(MaxCookieLifetime / time.Second)
	seconds := int64(0)
	for i := 0; i < len(digits); i++ {
		d := digits[i] - '0'
		if d > 9 {
			return 0, false
		}
		seconds = min(seconds*10+int64(d), limit)
	}
	if len(digits) < len(s) {
		seconds = -seconds
	}
	return time.Duration(seconds) * time.Second, true
}

func hasControl(s string) bool {
	for i := 0; i < len(s); i++ {
		if c := s[i]; c < 0x20 && c != '\t' || c == 0x7f {
			return true
		}
	}
	return false
}
