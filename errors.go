package seshat

import (
	"errors"
	"fmt"
	"strings"
)

// ErrorKind is one of the few kinds of errors that callers tell apart. Each maps to one exit code and one HTTP
// status, in one place.
type ErrorKind uint8

// The kinds of errors.
const (
	ErrorInternal    ErrorKind = iota
	ErrorInvalid               // the input is wrong; the message says where and what to do
	ErrorUsage                 // the command line is wrong
	ErrorNotFound              // there is no such thing
	ErrorConflict              // it exists already, or changed meanwhile
	ErrorUnavailable           // in use by another process, or not reachable
	ErrorUnsupported           // made by a newer version, or not possible here
)

// Error is an error for an operator: what went wrong with what, and a hint what to do.
type Error struct {
	Kind ErrorKind
	Op   string // operation and subject, such as "open data directory /var/lib/seshat"
	Hint string // what to do; may be empty
	Err  error
}

func (e *Error) Error() string {
	var b strings.Builder
	b.WriteString(e.Op)
	if e.Err != nil {
		if e.Op != "" {
			b.WriteString(": ")
		}
		b.WriteString(e.Err.Error())
	}
	if e.Hint != "" {
		b.WriteString(" (" + e.Hint + ")")
	}
	return b.String()
}

func (e *Error) Unwrap() error { return e.Err }

// KindOfError returns the kind of the first [Error] or [Faults] in err's chain, or ErrorInternal.
func KindOfError(err error) ErrorKind {
	var e *Error
	if errors.As(err, &e) {
		return e.Kind
	}
	var f Faults
	if errors.As(err, &f) {
		return ErrorInvalid
	}
	return ErrorInternal
}

// Fault is one thing that is wrong with an input, with the place where it is.
type Fault struct {
	File   string // "-" for standard input
	Line   int    // from 1; 0 when it is not known
	Column int    // from 1; 0 when it is not known
	// Field is the path of the field within its document, such as "spec.identifiers[1].extract.key.matches".
	Field   string
	Message string
	Hint    string
}

func (f Fault) String() string {
	var b strings.Builder
	if f.File != "" {
		b.WriteString(f.File)
		if f.Line > 0 {
			fmt.Fprintf(&b, ":%d", f.Line)
			if f.Column > 0 {
				fmt.Fprintf(&b, ":%d", f.Column)
			}
		}
		b.WriteString(": ")
	}
	if f.Field != "" {
		b.WriteString(f.Field + ": ")
	}
	b.WriteString(f.Message)
	if f.Hint != "" {
		b.WriteString(" (" + f.Hint + ")")
	}
	return b.String()
}

// Faults is every fault of an input at once. It is an error when it is not empty.
type Faults []Fault

func (f Faults) Error() string {
	lines := make([]string, len(f))
	for i := range f {
		lines[i] = f[i].String()
	}
	return strings.Join(lines, "\n")
}
