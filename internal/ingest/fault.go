package ingest

import "strings"

// FieldError says what is wrong with one field of a record. It never quotes the field's value, which may be a
// secret.
type FieldError struct {
	Field  string // such as "request.headers[3]"; empty when the record as a whole is wrong
	Reason string
	Hint   string // what is expected, or what to do; may be empty
}

func (e *FieldError) Error() string {
	var b strings.Builder
	if e.Field != "" {
		b.WriteString(e.Field + ": ")
	}
	b.WriteString(e.Reason)
	if e.Hint != "" {
		b.WriteString(" (" + e.Hint + ")")
	}
	return b.String()
}
