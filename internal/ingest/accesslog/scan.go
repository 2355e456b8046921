package accesslog

import (
	"bytes"
	"fmt"
	"time"

	"github.com/seshat-project/seshat/internal/ingest"
)

// scan reads a line by the pattern into r. Text behind the last part is ignored: formats are extended at their end.
func (p *Pattern) scan(line []byte, r *record) error {
	rest, ok := bytes.CutPrefix(line, []byte(p.prefix))
	if !ok {
		return mismatch(0, p.prefix)
	}
	for i := range p.parts {
		part := &p.parts[i]
		end, escaped := part.end(rest, i == len(p.parts)-1)
		if end < 0 {
			return mismatch(len(line)-len(rest), part.until)
		}
		value := rest[:end]
		rest = rest[end+min(len(part.until), len(rest)-end):]
		switch part.field {
		case fieldIgnored:
		case fieldTimeLayout:
			t, err := time.Parse(part.layout, string(value))
			r.setTime(t.UTC(), err == nil && ingest.CheckTime(t) == nil)
		default:
			r.set(part.place, r.clean(value, escaped))
		}
	}
	return nil
}

// end finds where the value in front of rest ends, or -1.
func (p *part) end(rest []byte, last bool) (end int, escaped bool) {
	switch {
	case p.quoted:
		if end, escaped = p.quotedEnd(rest, last); end < 0 && last {
			end = len(rest) // servers cut long lines
		}
		return end, escaped
	case p.until == "":
		if end = len(rest); p.isNumber() {
			if space := bytes.IndexByte(rest, ' '); space >= 0 {
				end = space
			}
		}
	case len(p.until) == 1:
		end = bytes.IndexByte(rest, p.until[0])
	default:
		end = bytes.Index(rest, []byte(p.until))
	}
	return end, end > 0 && bytes.IndexByte(rest[:end], '\\') >= 0
}

// isNumber reports whether the value is a number, which ends where a space is even if the pattern ends with it.
func (p *part) isNumber() bool {
	switch p.field {
	case fieldStatus, fieldResponseBody, fieldResponseSize, fieldRequestBody, fieldSeconds, fieldMilliseconds, fieldMicroseconds:
		return true
	default:
		return false
	}
}

// quotedEnd finds the quote that ends a value. Quotes within it are escaped, or not at all where the server is older
// than that habit: such a quote does not look like the end, because something else follows it.
func (p *part) quotedEnd(rest []byte, last bool) (end int, escaped bool) {
	for end = 0; ; end++ {
		n := bytes.IndexByte(rest[end:], '"')
		if n < 0 {
			return -1, escaped
		}
		if slash := bytes.IndexByte(rest[end:end+n], '\\'); slash >= 0 {
			escaped = true
			if end += slash + 1; end >= len(rest) {
				return -1, escaped
			}
			continue // behind the escaped byte
		}
		end += n
		behind := rest[end+1:]
		if len(behind) == 0 || bytes.HasPrefix(behind, []byte(p.until[1:])) && (!last || len(p.until) > 1 || behind[0] == ' ') {
			return end, escaped
		}
	}
}

// mismatch says where a line does not match, without quoting it.
func mismatch(at int, want string) error {
	return &ingest.FieldError{
		Reason: fmt.Sprintf("the line does not match the log format: %q is expected behind column %d", want, at+1),
		Hint:   "see --log-format",
	}
}
