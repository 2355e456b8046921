package httpfield

import "strings"

// ParameterCursor walks over the parameters of a query or a form. It is a value: copying it saves the position.
type ParameterCursor struct {
	rest string
}

// Parameters returns a cursor over the parameters of a query, or of the text of an application/x-www-form-urlencoded
// body. Pairs are divided by "&" alone (";" is part of a value, as the URL standard of WHATWG has it), empty pairs
// are skipped, and a pair without "=" has an empty value. Malformed escapes are kept as they are, where
// [net/url.ParseQuery] would drop the pair: a token with a stray "%" is still a token.
func Parameters(query string) ParameterCursor {
	return ParameterCursor{rest: query}
}

// FormParameters returns a cursor over the parameters of an application/x-www-form-urlencoded body. Names and values
// may alias body. The last value of a body that was cut is cut too; the caller knows whether it was.
func FormParameters(body []byte) ParameterCursor {
	return ParameterCursor{rest: stringOf(body)}
}

// Next returns the next parameter, decoded into scratch where it has to be; ok is false when there is none left.
func (c *ParameterCursor) Next(scratch *Scratch) (name, value string, ok bool) {
	name, value, ok = c.NextRaw()
	if ok {
		name, _ = UnescapeQuery(name, scratch)
		value, _ = UnescapeQuery(value, scratch)
	}
	return name, value, ok
}

// NextRaw is Next without decoding.
func (c *ParameterCursor) NextRaw() (name, value string, ok bool) {
	for c.rest != "" {
		var pair string
		if end := strings.IndexByte(c.rest, '&'); end >= 0 {
			pair, c.rest = c.rest[:end], c.rest[end+1:]
		} else {
			pair, c.rest = c.rest, ""
		}
		if pair == "" {
			continue
		}
		if equals := strings.IndexByte(pair, '='); equals >= 0 {
			return pair[:equals], pair[equals+1:], true
		}
		return pair, "", true
	}
	return "", "", false
}

// Last reports whether the parameter that Next returned last was the last one. It is the one that is not to be
// trusted when the body was cut.
func (c *ParameterCursor) Last() bool { return c.rest == "" }
