package rule

import (
	"fmt"
	"strconv"

	"github.com/seshat-project/seshat"
)

// place is where in a document compilation is. It carries the list to which faults are added, so that all of them
// are reported at once.
type place struct {
	faults *seshat.Faults
	file   string // "Kind/name"
	field  string
}

func (p place) child(name string) place {
	if p.field != "" {
		name = p.field + "." + name
	}
	p.field = name
	return p
}

func (p place) item(i int) place {
	p.field += "[" + strconv.Itoa(i) + "]"
	return p
}

func (p place) fault(hint, format string, args ...any) {
	*p.faults = append(*p.faults, seshat.Fault{
		File: p.file, Field: p.field, Message: fmt.Sprintf(format, args...), Hint: hint,
	})
}

// clean reports whether nothing was added since the list had n faults.
func (p place) clean(n int) bool { return len(*p.faults) == n }

func (p place) count() int { return len(*p.faults) }

// limit reports a list that is longer than it may be.
func (p place) limit(n, most int, what string) {
	if n > most {
		p.fault("split it", "%d %s; at most %d are allowed", n, what, most)
	}
}

// length reports a text that is longer than it may be.
func (p place) length(s string, most int) bool {
	if len(s) > most {
		p.fault("", "%d bytes long; at most %d are allowed", len(s), most)
		return false
	}
	return true
}
