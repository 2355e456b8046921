package filter

import (
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/seshat-project/seshat"
)

// Error says what is wrong with a filter, where, and what to do about it.
type Error struct {
	Input   string // the whole filter
	Column  int    // from 1, in characters
	Message string
	Hint    string // may be empty
}

func (e *Error) Error() string {
	text := fmt.Sprintf("filter, column %d: %s", e.Column, e.Message)
	if e.Hint != "" {
		text += " (" + e.Hint + ")"
	}
	return text
}

// Unwrap makes [seshat.KindOfError] see invalid input.
func (e *Error) Unwrap() error {
	return &seshat.Error{Kind: seshat.ErrorInvalid, Op: e.Message, Hint: e.Hint}
}

// Detail is the error for a terminal, over several lines: the message, the filter with a caret under the column, and
// the hint. It has no newline at its end.
func (e *Error) Detail() string {
	// One line, whatever the input: a caret cannot point into the middle of several.
	shown := strings.Map(func(r rune) rune {
		if unicode.IsSpace(r) || unicode.IsControl(r) {
			return ' '
		}
		return r
	}, e.Input)
	text := fmt.Sprintf("%s\n  %s\n  %s^", e.Message, shown, strings.Repeat(" ", max(e.Column-1, 0)))
	if e.Hint != "" {
		text += "\n" + e.Hint
	}
	return text
}

// errorAt makes an error about the byte at offset of input.
func errorAt(input string, offset int, message, hint string) *Error {
	return &Error{
		Input:   input,
		Column:  utf8.RuneCountInString(input[:min(offset, len(input))]) + 1,
		Message: message,
		Hint:    hint,
	}
}
