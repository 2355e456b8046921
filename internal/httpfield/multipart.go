package httpfield

import (
	"bytes"
	"strings"
)

const (
	// maxParts is how many parts of a form are read. net/http stops at the same number.
	maxParts = 1000
	// maxPartHeader is how long the header of a part may be; the one header line that matters has some 60 bytes.
	maxPartHeader = 4 << 10
	// maxFieldValue is the longest value that is returned. No field that a session could be known by is longer.
	maxFieldValue = 64 << 10
)

// MultipartCursor walks over the text fields of a multipart/form-data body.
type MultipartCursor struct {
	rest  []byte // what follows the delimiter of the next part
	parts int
	// delimiter is "\r\n--" and the boundary, of which the first skip bytes do not count: 1 when the body has bare
	// line feeds.
	delimiter [4 + maxBoundary]byte
	length    int
	skip      int
}

// MultipartFields returns a cursor over the text fields of body (RFC 7578), which boundary, as from [Boundary],
// divides. Files are skipped, and so are parts without a name, with a transfer encoding that changes their content,
// and with values of more than 64 KiB. A part whose end is missing, because the body was cut, is not returned: half
// a value is not a value. Line ends may be CR LF or, if that is how the first delimiter ends, LF.
func MultipartFields(body []byte, boundary string) MultipartCursor {
	var c MultipartCursor
	if boundary == "" || len(boundary) > maxBoundary {
		return c
	}
	c.length = copy(c.delimiter[:], "\r\n--")
	c.length += copy(c.delimiter[c.length:], boundary)
	c.skip = 2
	for rest := body; ; { // the preamble may be anything; the first delimiter may come without a line end before it
		at := bytes.Index(rest, c.separator())
		if at < 0 {
			return c
		}
		atLineStart := at == 0 && len(rest) == len(body) || at > 0 && rest[at-1] == '\n'
		rest = rest[at+c.length-c.skip:]
		if atLineStart && c.begin(rest) {
			return c
		}
	}
}

func (c *MultipartCursor) separator() []byte { return c.delimiter[c.skip:c.length] }

// begin starts behind the first delimiter if its line ends as it should, which also says how all lines end.
func (c *MultipartCursor) begin(rest []byte) bool {
	if bytes.HasPrefix(rest, []byte("--")) {
		c.skip = 0
		return true // a form without parts
	}
	line := trimLeftSpaceBytes(rest)
	switch {
	case bytes.HasPrefix(line, []byte("\r\n")):
		c.skip = 0
	case bytes.HasPrefix(line, []byte("\n")):
		c.skip = 1
	default:
		return false
	}
	c.rest = rest
	return true
}

// Next returns the next text field; ok is false when there is none left. A name with escapes is decoded into
// scratch. Name and value may alias the body.
func (c *MultipartCursor) Next(scratch *Scratch) (name, value string, ok bool) {
	for c.parts < maxParts {
		part, ok := c.nextPart()
		if !ok {
			break
		}
		c.parts++
		var header, content []byte
		newline := c.delimiter[c.skip:2]
		if bytes.HasPrefix(part, newline) { // no header at all
			continue
		}
		blank := bytes.Index(part[:min(len(part), maxPartHeader)], c.blankLine())
		switch {
		case blank >= 0:
			header, content = part[:blank], part[blank+2*len(newline):]
		case len(part) <= maxPartHeader && bytes.HasSuffix(part, newline):
			header = part // without content, the blank line is the beginning of the delimiter
		default:
			continue
		}
		if len(content) > maxFieldValue {
			continue
		}
		if name, ok = fieldName(header, scratch); ok {
			return name, stringOf(content), true
		}
	}
	c.rest = nil
	return "", "", false
}

func (c *MultipartCursor) blankLine() []byte {
	if c.skip == 1 {
		return []byte("\n\n")
	}
	return []byte("\r\n\r\n")
}

// nextPart returns header and content of the next part whose end is there.
func (c *MultipartCursor) nextPart() ([]byte, bool) {
	rest := c.rest
	if rest == nil || bytes.HasPrefix(rest, []byte("--")) {
		return nil, false
	}
	rest = trimLeftSpaceBytes(rest)
	newline := 2 - c.skip
	start := newline // of the part, behind the end of the delimiter's line
	// An empty part may share its line end with the delimiter, hence the search from 0.
	for from := 0; ; {
		at := bytes.Index(rest[from:], c.separator())
		if at < 0 {
			return nil, false
		}
		at += from
		from = at + c.length - c.skip
		if c.endsDelimiter(rest[from:]) {
			c.rest = rest[from:]
			return rest[start:max(at, start)], true
		}
	}
}

// endsDelimiter reports whether rest continues a delimiter rather than a longer line that only starts like one.
func (c *MultipartCursor) endsDelimiter(rest []byte) bool {
	if bytes.HasPrefix(rest, []byte("--")) {
		return true
	}
	return bytes.HasPrefix(trimLeftSpaceBytes(rest), c.delimiter[c.skip:2])
}

// fieldName returns the name of a text field by its Content-Disposition.
func fieldName(header []byte, scratch *Scratch) (name string, ok bool) {
	found := false
	for rest := stringOf(header); rest != ""; {
		var line string
		line, rest, _ = strings.Cut(rest, "\n")
		key, value, _ := strings.Cut(strings.TrimSuffix(line, "\r"), ":")
		switch {
		case EqualFold(key, "Content-Transfer-Encoding"):
			if value = trimSpace(value); EqualFold(value, "quoted-printable") || EqualFold(value, "base64") {
				return "", false
			}
		case !found && EqualFold(key, "Content-Disposition"):
			found = true
			if name, ok = dispositionName(value, scratch); !ok {
				return "", false
			}
		}
	}
	return name, ok
}

// dispositionName returns the name parameter of a form-data disposition that is not a file's.
func dispositionName(value string, scratch *Scratch) (name string, ok bool) {
	if !EqualFold(MediaType(value), "form-data") {
		return "", false
	}
	for {
		_, parameters, more := strings.Cut(value, ";")
		if !more {
			return name, ok
		}
		key, text, rest, valid := nextParameter(parameters)
		if !valid {
			return name, ok
		}
		switch {
		case EqualFold(key, "filename") || EqualFold(key, "filename*"):
			return "", false
		case !ok && EqualFold(key, "name") && text != "":
			name, ok = unescapeQuotes(text, scratch), true
		}
		value = rest
	}
}

// unescapeQuotes removes the backslashes before quotes and backslashes.
func unescapeQuotes(s string, scratch *Scratch) string {
	if strings.IndexByte(s, '\\') < 0 {
		return s
	}
	out := scratch.take(len(s))
	for i := 0; i < len(s); i++ {
		if s[i] == '\\' && i+1 < len(s) && (s[i+1] == '"' || s[i+1] == '\\') {
			i++
		}
		out = append(out, s[i])
	}
	return scratch.keep(out)
}

func trimLeftSpaceBytes(b []byte) []byte {
	for len(b) > 0 && (b[0] == ' ' || b[0] == '\t') {
		b = b[1:]
	}
	return b
}
