package signin

import (
	"net/url"
	"strings"
	"unicode/utf8"
)

// maxNext bounds where somebody goes after the sign-in: it passes through a cookie when they sign in elsewhere.
const maxNext = 1536

// local returns the page of the console that next names, or the first page when it names anything else: links to the sign-in
// can come from anybody, and must not lead away from here afterwards (CWE-601).
func local(next string) string {
	const first = "/"
	switch {
	case len(next) > maxNext || !utf8.ValidString(next) || !strings.HasPrefix(next, "/"):
		return first
	case len(next) > 1 && (next[1] == '/' || next[1] == '\\'): // a host, to browsers
		return first
	case strings.ContainsFunc(next, func(r rune) bool { return r <= ' ' || r == 0x7f || r == '\\' }): // browsers leave some out
		return first
	}
	u, err := url.Parse(next)
	if err != nil || u.Scheme != "" || u.Host != "" || u.User != nil || u.Opaque != "" || !strings.HasPrefix(u.Path, "/") {
		return first
	}
	for _, own := range []string{"/sign-in", "/sign-out"} { // which would lead in circles
		if u.Path == own || strings.HasPrefix(u.Path, own+"/") {
			return first
		}
	}
	to := u.EscapedPath()
	if strings.HasPrefix(to, "//") || strings.HasPrefix(to, "/\\") {
		return first
	}
	if u.RawQuery != "" {
		to += "?" + u.RawQuery
	}
	return to
}

// with adds where to go afterwards to an address.
func with(address, next string) string {
	if next = local(next); next == "/" {
		return address
	}
	return address + "?next=" + url.QueryEscape(next)
}
