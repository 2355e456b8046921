// Package endpoint reduces paths to endpoints: "/orders/42" to "/orders/{var1}". It sees one path at a time, so it
// can only tell by its looks whether a segment is a value; and it has patterns that endpoints are matched with.
package endpoint

import (
	"strings"
	"unsafe"
)

const (
	// MaxTemplate is how many bytes a template may have. Templates are grouped by and kept in tables, and the paths of real
	// APIs are half as long; a path that is longer is cut behind a segment.
	MaxTemplate = 256
	// rest is the last segment of a template that was cut.
	rest = "{rest}"
	// longestVariable is the longest name of a variable: no template has room for 100 of them.
	longestVariable = "{var99}"
)

// Template returns the template of a path: segments that look like values are replaced by {var1}, {var2} and so on
// from left to right. Path parameters and a query are removed, doubled slashes made one, and what makes the template
// longer than 256 bytes is replaced by {rest}. A template consists of printable ASCII characters whatever the path
// holds. Template(Template(path)) is Template(path); nothing is allocated when the path is its own template.
//
// Values are numbers, UUIDs, dates, hexadecimal digits, addresses, text with escapes, random tokens of all kinds, and
// names that end in a number of four or more digits. Versions ("v1", "2.0"), words that happen to hold a digit
// ("oauth2", "base64encode") and file names stay. An extension or a verb behind a value stays too: "{var1}.json",
// "{var1}:cancel", "Orders({var1})".
func Template(path string) string {
	b := builder{path: path}
	b.build()
	return b.String()
}

// AppendTemplate appends the template of a path to dst.
func AppendTemplate(dst []byte, path string) []byte {
	b := builder{path: path}
	if b.out = dst[len(dst):]; b.out == nil {
		b.out = []byte{}
	}
	b.build()
	if len(b.out) == 0 {
		b.out = append(b.out, '/')
	}
	return append(dst, b.out...)
}

// build makes the template.
func (b *builder) build() {
	path := b.path
	if end := strings.IndexByte(path, '?'); end >= 0 {
		path = path[:end]
	}
	b.path = path
	for start := 0; start <= len(path); {
		end := strings.IndexByte(path[start:], '/')
		if end < 0 {
			end = len(path)
		} else {
			end += start
		}
		if !b.add(start, end) {
			break
		}
		start = end + 1
	}
}

// builder makes a template. As long as the template is a prefix of the path, it only counts.
type builder struct {
	path      string
	out       []byte // nil while the template is path[:kept]
	kept      int
	variables int
}

func (b *builder) len() int {
	if b.out != nil {
		return len(b.out)
	}
	return b.kept
}

func (b *builder) String() string {
	switch {
	case b.len() == 0:
		return "/"
	case b.out != nil:
		return unsafe.String(unsafe.SliceData(b.out), len(b.out)) //nolint:gosec // nothing writes to it any more
	default:
		return b.path[:b.kept]
	}
}

// write appends text, which is path[at:at+len(text)] when at is not negative.
func (b *builder) write(text string, at int) {
	if b.out == nil {
		if at == b.kept {
			b.kept += len(text)
			return
		}
		const growth = 16 // a few variables that are longer than what they stand for
		b.out = make([]byte, 0, min(len(b.path)+growth, MaxTemplate))
		b.out = append(b.out, b.path[:b.kept]...)
	}
	b.out = append(b.out, text...)
}

// add appends the segment path[start:end], with the slash before it. It returns false when the template is complete.
func (b *builder) add(start, end int) bool {
	segment := b.path[start:end]
	if parameters := strings.IndexByte(segment, ';'); parameters >= 0 {
		segment = segment[:parameters]
	}
	if segment == "" && start > 0 && end < len(b.path) {
		return true // between doubled slashes
	}
	prefix, suffix, variable := classify(segment)
	size := len(segment)
	if variable {
		size = len(prefix) + len(longestVariable) + len(suffix)
	}
	// What is cut the second time was cut the first time: there is always room for the slash and {rest}.
	cut := segment == rest || b.len()+1+size > MaxTemplate-len("/"+rest)
	if start > 0 {
		b.write("/", start-1)
	}
	switch {
	case cut && segment == rest:
		b.write(rest, start)
	case cut:
		b.write(rest, -1)
	case !variable:
		b.write(segment, start)
	default:
		b.variables++
		b.write(prefix, start)
		b.writeVariable(segment[len(prefix):len(segment)-len(suffix)], start+len(prefix))
		b.write(suffix, start+len(segment)-len(suffix))
	}
	return !cut
}

// writeVariable appends the next variable, which stands for value at path[at:].
func (b *builder) writeVariable(value string, at int) {
	var name [len(longestVariable)]byte
	text := append(name[:0], "{var"...)
	if b.variables >= 10 {
		text = append(text, byte('0'+b.variables/10%10))
	}
	text = append(text, byte('0'+b.variables%10), '}')
	if value == string(text) { // it is a template already
		b.write(value, at)
		return
	}
	b.write("", -1)
	b.out = append(b.out, text...)
}
