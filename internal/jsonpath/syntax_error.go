package jsonpath

import (
	"fmt"
	"unicode/utf8"
)

// SyntaxError says where a query is wrong, and what to do about it.
type SyntaxError struct {
	Offset  int    // of the offending byte in the expression, from 0
	Column  int    // of the offending character, from 1
	Message string // what is wrong
	Hint    string // what to do; may be empty
}

func (e *SyntaxError) Error() string {
	text := fmt.Sprintf("JSONPath, column %d: %s", e.Column, e.Message)
	if e.Hint != "" {
		text += " (" + e.Hint + ")"
	}
	return text
}

// failure carries a SyntaxError from the depth of the recursive descent to Parse, which recovers it. It never leaves
// the package.
type failure struct{ err *SyntaxError }

func (p *parser) fail(offset int, message, hint string) {
	panic(failure{p.errorAt(offset, message, hint)})
}

// warn notes what the RFC allows and what cannot be meant.
func (p *parser) warn(offset int, message, hint string) {
	p.warnings = append(p.warnings, p.errorAt(offset, message, hint))
}

func (p *parser) errorAt(offset int, message, hint string) *SyntaxError {
	offset = min(offset, len(p.src))
	return &SyntaxError{
		Offset:  offset,
		Column:  utf8.RuneCountInString(p.src[:offset]) + 1,
		Message: message,
		Hint:    hint,
	}
}

// found describes the character at offset for a message.
func (p *parser) found(offset int) string {
	if offset >= len(p.src) {
		return "the end"
	}
	r, _ := utf8.DecodeRuneInString(p.src[offset:])
	return fmt.Sprintf("%q", r)
}
