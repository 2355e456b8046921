package accesslogservice

import (
	"iter"
	"strings"
)

// cookies takes apart the Set-Cookie fields of a response, which Envoy joins with commas. A comma parts two cookies when
// a name and "=" follow it: dates, the other place where there are commas ("Expires=Wed, 21 Oct 2026"), have a space after
// the first word. A cookie whose value has a comma and then "name=", which RFC 6265 does not allow, is taken for two.
func cookies(joined string) iter.Seq[string] {
	return func(yield func(string) bool) {
		start := 0
		for i := 0; i < len(joined); i++ {
			if joined[i] != ',' || !beginsCookie(joined[i+1:]) {
				continue
			}
			if !yield(strings.TrimSpace(joined[start:i])) {
				return
			}
			start = i + 1
		}
		if last := strings.TrimSpace(joined[start:]); last != "" {
			yield(last)
		}
	}
}

// beginsCookie reports whether s begins with the name of a cookie and "=".
func beginsCookie(s string) bool {
	s = strings.TrimLeft(s, " ")
	i := strings.IndexAny(s, "=;, \t\"")
	return i > 0 && s[i] == '='
}
