package clientaddr

import (
	"strings"

	"github.com/seshat-project/seshat"
)

// byForwarded walks along Forwarded (RFC 7239). Each element was written by one proxy.
func (r *Resolver) byForwarded(header []seshat.Field, c *Client) {
	list := newBackwards(header, nameForwarded, true)
	for {
		text, ok := list.next()
		if !ok {
			return
		}
		e, ok := parseForwarded(text)
		if !ok {
			return
		}
		if e.proto != "" {
			if s := schemeOf(e.proto); s != "" {
				c.Scheme = s
			}
		}
		if hostOK(e.host) {
			c.Host = e.host
		}
		a, kind := parseNode(e.node, false)
		if kind != nodeAddress || !r.step(c, a) {
			return
		}
	}
}

// forwardedElement is an element of Forwarded. "by" is of no use: it is the proxy's name for itself.
type forwardedElement struct {
	node, host, proto string
}

// parseForwarded reads one element:
//
//	forwarded-element = [ forwarded-pair ] *( ";" [ forwarded-pair ] )
//	forwarded-pair    = token "=" ( token / quoted-string )
//
// A parameter that is there twice makes the element malformed, as section 4 has it.
func parseForwarded(text string) (e forwardedElement, ok bool) {
	var seenFor, seenHost, seenProto, seenBy bool
	for first := true; text != "" || first; first = false {
		if !first {
			if text[0] != ';' {
				return forwardedElement{}, false
			}
			text = text[1:]
		}
		// White space around ";" is not in the grammar, and written all the same.
		if text = strings.TrimLeft(text, " \t"); text == "" || text[0] == ';' {
			continue
		}
		var name, value string
		if name, value, text, ok = cutPair(text); !ok {
			return forwardedElement{}, false
		}
		text = strings.TrimLeft(text, " \t")
		var seen *bool
		switch {
		case equalFold(name, "for"):
			seen, e.node = &seenFor, value
		case equalFold(name, "host"):
			seen, e.host = &seenHost, value
		case equalFold(name, "proto"):
			seen, e.proto = &seenProto, value
		case equalFold(name, "by"):
			seen = &seenBy
		default:
			continue // an extension (section 5.5)
		}
		if *seen {
			return forwardedElement{}, false
		}
		*seen = true
	}
	return e, true
}

// cutPair reads a name, "=" and a value from the beginning of text.
func cutPair(text string) (name, value, rest string, ok bool) {
	n := tokenLength(text)
	if n == 0 || n == len(text) || text[n] != '=' {
		return "", "", "", false
	}
	name, text = text[:n], text[n+1:]
	if text != "" && text[0] == '"' {
		value, rest, ok = cutQuoted(text)
		return name, value, rest, ok
	}
	n = tokenLength(text)
	// Colons and brackets need quotes by the grammar. Proxies leave these out (":8080" behind an address), and nothing
	// else begins with them.
	for n < len(text) && (text[n] == ':' || text[n] == '[' || text[n] == ']' || tokenLength(text[n:n+1]) == 1) {
		n++
	}
	return name, text[:n], text[n:], n > 0
}

// cutQuoted reads a quoted string (RFC 9110, section 5.6.4) from the beginning of text.
func cutQuoted(text string) (value, rest string, ok bool) {
	plain := true
	for i := 1; i < len(text); i++ {
		switch c := text[i]; {
		case c == '"':
			value = text[1:i]
			if !plain {
				value = unescape(value)
			}
			return value, text[i+1:], true
		case c == '\\':
			plain = false
			i++
			if i == len(text) || text[i] < ' ' && text[i] != '\t' || text[i] == 0x7f {
				return "", "", false
			}
		case c < ' ' && c != '\t' || c == 0x7f:
			return "", "", false
		}
	}
	return "", "", false
}

func unescape(s string) string {
	var b strings.Builder
	for i := 0; i < len(s); i++ {
		if s[i] == '\\' {
			i++
		}
		b.WriteByte(s[i])
	}
	return b.String()
}

// tokenLength is how many bytes of a token (RFC 9110, section 5.6.2) text begins with.
func tokenLength(text string) int {
	for i := range len(text) {
		if c := text[i]; !alphanumeric(c) && strings.IndexByte("!#$%&'*+-.^_`|~", c) < 0 {
			return i
		}
	}
	return len(text)
}
