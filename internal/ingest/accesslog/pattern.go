package accesslog

import (
	"fmt"
	"strings"
)

// Pattern is a compiled log format. It is immutable.
type Pattern struct {
	prefix string // in front of the first part
	parts  []part
}

// part is one value in a line, and the text that ends it.
type part struct {
	place
	layout string // of fieldTimeLayout
	quoted bool   // in double quotes, within which quotes are escaped
	until  string // empty only for the last part: up to the end of the line
}

// maxPattern is how long a pattern may be. Real ones have some hundred bytes.
const maxPattern = 8 << 10

// PatternError says what is wrong with a pattern.
type PatternError struct {
	Column int // from 1
	Reason string
}

func (e *PatternError) Error() string {
	if e.Column == 0 {
		return "log format: " + e.Reason
	}
	return fmt.Sprintf("log format, column %d: %s", e.Column, e.Reason)
}

// Compile compiles a pattern in the syntax of NGINX (log_format) or Apache (LogFormat), or in both at once. Variables and
// directives that mean nothing here are passed over in the lines.
func Compile(pattern string) (*Pattern, error) {
	if len(pattern) > maxPattern {
		return nil, &PatternError{Reason: fmt.Sprintf("longer than %d bytes", maxPattern)}
	}
	c := compiler{source: pattern}
	for c.pos < len(pattern) {
		var err error
		switch pattern[c.pos] {
		case '$':
			err = c.variable()
		case '%':
			err = c.directive()
		case '\\':
			c.escape()
		default:
			c.literal = append(c.literal, pattern[c.pos])
			c.pos++
		}
		if err != nil {
			return nil, err
		}
	}
	return c.finish()
}

type compiler struct {
	source  string
	pos     int
	literal []byte // since the last part
	pattern Pattern
}

func (c *compiler) fault(reason string) error {
	return &PatternError{Column: c.pos + 1, Reason: reason}
}

// escape reads a backslash as the configuration files do that patterns are copied from.
func (c *compiler) escape() {
	if c.pos++; c.pos == len(c.source) {
		c.literal = append(c.literal, '\\')
		return
	}
	switch b := c.source[c.pos]; b {
	case 't':
		c.literal = append(c.literal, '\t')
	case '"', '\'', '\\':
		c.literal = append(c.literal, b)
	default:
		c.literal = append(c.literal, '\\', b)
	}
	c.pos++
}

func isWord(b byte) bool {
	return b == '_' || '0' <= b && b <= '9' || 'a' <= b && b <= 'z' || 'A' <= b && b <= 'Z'
}

// variable reads "$name" or "${name}".
func (c *compiler) variable() error {
	rest := c.source[c.pos+1:]
	if inner, ok := strings.CutPrefix(rest, "{"); ok {
		name, _, closed := strings.Cut(inner, "}")
		if !closed || name == "" {
			return c.fault("${ without a name and }")
		}
		return c.add(len("${}")+len(name), part{place: nginxVariable(name)})
	}
	n := 0
	for n < len(rest) && isWord(rest[n]) {
		n++
	}
	if n == 0 {
		return c.fault("$ without a name")
	}
	return c.add(1+n, part{place: nginxVariable(rest[:n])})
}

// directive reads "%verb", "%{name}verb", with the conditions and modifiers that Apache allows in between.
func (c *compiler) directive() error {
	rest := c.source[c.pos+1:]
	if strings.HasPrefix(rest, "%") {
		c.literal = append(c.literal, '%')
		c.pos += 2
		return nil
	}
	n := len(rest) - len(strings.TrimLeft(rest, "!,0123456789<>"))
	name := ""
	if n < len(rest) && rest[n] == '{' {
		end := strings.IndexByte(rest[n:], '}')
		if end < 0 {
			return c.fault("%{ without }")
		}
		name = rest[n+1 : n+end]
		n += end + 1
		for n < len(rest) && (rest[n] == '<' || rest[n] == '>') {
			n++
		}
	}
	if n == len(rest) {
		return c.fault("% without a directive")
	}
	verb := rest[n]
	switch {
	case verb == 't':
		return c.time(n+2, name)
	case verb == '^' && n+2 < len(rest): // %^FB and %^ti: three characters, of no meaning here
		return c.add(n+4, part{})
	case verb < 'A' || verb > 'z' || verb > 'Z' && verb < 'a':
		return c.fault("% without a directive")
	}
	return c.add(n+2, part{place: apacheDirective(verb, name)})
}

// time reads "%t" or "%{format}t".
func (c *compiler) time(size int, format string) error {
	format = strings.TrimPrefix(format, "begin:")
	start := fieldTime
	if rest, ok := strings.CutPrefix(format, "end:"); ok {
		format, start = rest, fieldTimeEnd
	}
	switch format {
	case "": // with its brackets
		c.literal = append(c.literal, '[')
		if err := c.add(size, part{place: place{field: fieldTimeCLF}}); err != nil {
			return err
		}
		c.literal = append(c.literal, ']')
		return nil
	case "sec", "msec", "usec":
		return c.add(size, part{place: place{field: start}})
	case "msec_frac", "usec_frac":
		return c.add(size, part{})
	}
	layout, ok := timeLayout(format)
	if !ok {
		return c.fault("the time format has a conversion that is not known here (known are Y y m d e b h H M S z Z T D F)")
	}
	return c.add(size, part{place: place{field: fieldTimeLayout}, layout: layout})
}

// add ends the literal and begins a part.
func (c *compiler) add(size int, p part) error {
	parts := c.pattern.parts
	switch {
	case len(parts) == 0:
		c.pattern.prefix = string(c.literal)
	case len(c.literal) == 0:
		return c.fault("two values with nothing between them: nothing tells where the first one ends")
	default:
		parts[len(parts)-1].until = string(c.literal)
	}
	p.quoted = len(c.literal) > 0 && c.literal[len(c.literal)-1] == '"'
	c.literal = c.literal[:0]
	c.pattern.parts = append(parts, p)
	c.pos += size
	return nil
}

// finish ends the last part and checks that the lines say enough.
func (c *compiler) finish() (*Pattern, error) {
	parts := c.pattern.parts
	if len(parts) > 0 {
		parts[len(parts)-1].until = string(c.literal)
	}
	var hasTime, hasTarget bool
	for i := range parts {
		p := &parts[i]
		p.quoted = p.quoted && strings.HasPrefix(p.until, `"`)
		switch p.field {
		case fieldTime, fieldTimeCLF, fieldTimeEnd, fieldTimeLayout:
			hasTime = true
		case fieldRequestLine, fieldTarget, fieldPath:
			hasTarget = true
		default:
		}
	}
	switch {
	case !hasTime:
		return nil, &PatternError{Reason: "there is no time in it ($time_local, $time_iso8601, $msec or %t)"}
	case !hasTarget:
		return nil, &PatternError{Reason: "there is no request in it ($request, $request_uri, $uri, %r or %U)"}
	}
	return &c.pattern, nil
}
