// Package jsonrecord reads one JSON object in memory field by field, strict about JSON and about types, without
// building a tree. It is what the readers of NDJSON and of JSON logs stand on.
package jsonrecord

import (
	"bytes"
	"errors"
	"io"
	"strconv"
	"unicode/utf8"
	"unsafe"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/seshat-project/seshat/internal/ingest"
)

// Cursor reads the values of one JSON text in order. Texts that it returns are parts of the JSON text, or of the
// cursor's own memory where they had to be unescaped; they live until the next [Cursor.Reset].
//
// Errors are [*ingest.FieldError] with the field as the caller calls it, and never hold a value.
type Cursor struct {
	text    []byte
	buffer  bytes.Buffer
	decoder *jsontext.Decoder
	memory  []byte // unescaped texts
}

// keepMemory is how much memory for unescaped texts is kept from one text to the next. Records that need more are
// rare, and keeping theirs would hold it for ever.
const keepMemory = 1 << 20

// Reset starts reading text, which may not change until the next Reset.
func (c *Cursor) Reset(text []byte) {
	c.text = text
	c.buffer = *bytes.NewBuffer(text)
	if c.decoder == nil {
		c.decoder = jsontext.NewDecoder(&c.buffer)
	}
	// Repeated names are defined (the last one counts), and bytes that are not UTF-8 must not lose a record.
	c.decoder.Reset(&c.buffer, jsontext.AllowDuplicateNames(true), jsontext.AllowInvalidUTF8(true))
	if c.memory = c.memory[:0]; cap(c.memory) > keepMemory {
		c.memory = nil
	}
}

// Kind is the kind of the next value.
func (c *Cursor) Kind() jsontext.Kind { return c.decoder.PeekKind() }

// Skip passes over the next value.
func (c *Cursor) Skip() error {
	if err := c.decoder.SkipValue(); err != nil {
		return c.broken(err)
	}
	return nil
}

// Object reads an object: it calls member for each of its members, which must read or skip the value. A null
// counts as an object without members. The name is valid until the next call.
func (c *Cursor) Object(field string, member func(name string) error) error {
	if empty, err := c.open(field, '{', "an object"); empty || err != nil {
		return err
	}
	for c.decoder.PeekKind() == '"' {
		name, err := c.stringValue()
		if err != nil {
			return err
		}
		if err := member(name); err != nil {
			return err
		}
	}
	return c.close()
}

// Array reads an array: it calls element for each of its elements, which must read or skip the value. A null counts
// as an empty array.
func (c *Cursor) Array(field, want string, element func(i int) error) error {
	if empty, err := c.open(field, '[', want); empty || err != nil {
		return err
	}
	for i := 0; ; i++ {
		if k := c.decoder.PeekKind(); k == ']' || k == 0 {
			return c.close()
		}
		if err := element(i); err != nil {
			return err
		}
	}
}

func (c *Cursor) open(field string, kind jsontext.Kind, want string) (empty bool, err error) {
	got := c.decoder.PeekKind()
	if got != kind && got != 'n' && got != 0 {
		return false, c.mismatch(field, want)
	}
	if _, err := c.decoder.ReadToken(); err != nil {
		return false, c.broken(err)
	}
	return got == 'n', nil
}

func (c *Cursor) close() error {
	if _, err := c.decoder.ReadToken(); err != nil {
		return c.broken(err)
	}
	return nil
}

// End makes sure that nothing follows the value that was read.
func (c *Cursor) End() error {
	_, err := c.decoder.ReadToken()
	switch {
	case errors.Is(err, io.EOF):
		return nil
	case err != nil:
		return c.broken(err)
	}
	return &ingest.FieldError{Reason: "something follows the JSON object", Hint: "one object a line"}
}

// Text reads a string. A null is the empty text.
func (c *Cursor) Text(field string) (string, error) {
	switch c.decoder.PeekKind() {
	case '"', 0:
		return c.stringValue()
	case 'n':
		return "", c.Skip()
	default:
		return "", c.mismatch(field, "a string")
	}
}

// stringValue reads a string.
func (c *Cursor) stringValue() (string, error) {
	raw, err := c.decoder.ReadValue()
	if err != nil {
		return "", c.broken(err)
	}
	if len(raw) < 2 {
		return "", nil
	}
	end := int(c.decoder.InputOffset())
	inner := c.text[end-len(raw)+1 : end-1]
	if bytes.IndexByte(inner, '\\') < 0 && utf8.Valid(inner) {
		return unsafe.String(unsafe.SliceData(inner), len(inner)), nil //nolint:gosec // see the comment
	}
	start := len(c.memory)
	// The error says that there was invalid UTF-8, which was replaced; everything else was checked on reading.
	c.memory, _ = jsontext.AppendUnquote(c.memory, raw)
	kept := c.memory[start:]
	return unsafe.String(unsafe.SliceData(kept), len(kept)), nil //nolint:gosec // see the comment
}

// Number reads a number. ok is false for a null.
func (c *Cursor) Number(field string) (n float64, ok bool, err error) {
	switch c.decoder.PeekKind() {
	case '0', 0:
		raw, err := c.decoder.ReadValue()
		if err != nil {
			return 0, false, c.broken(err)
		}
		if n, err = strconv.ParseFloat(unsafe.String(unsafe.SliceData(raw), len(raw)), 64); err != nil { //nolint:gosec // see the comment
			return 0, false, &ingest.FieldError{Field: field, Reason: "a number too large"}
		}
		return n, true, nil
	case 'n':
		return 0, false, c.Skip()
	default:
		return 0, false, c.mismatch(field, "a number")
	}
}

// Integer reads a number without fraction that fits. ok is false for a null.
func (c *Cursor) Integer(field string) (n int64, ok bool, err error) {
	f, ok, err := c.Number(field)
	if !ok || err != nil {
		return 0, false, err
	}
	const exact = 1 << 53
	if n = int64(f); f < -exact || f > exact || float64(n) != f {
		return 0, false, &ingest.FieldError{Field: field, Reason: "not an integer"}
	}
	return n, true, nil
}

// Bool reads true or false. A null is false.
func (c *Cursor) Bool(field string) (bool, error) {
	switch k := c.decoder.PeekKind(); k {
	case 't', 'f', 'n', 0:
		return k == 't', c.Skip()
	default:
		return false, c.mismatch(field, "true or false")
	}
}

func (c *Cursor) mismatch(field, want string) error {
	return &ingest.FieldError{Field: field, Reason: kindName(c.decoder.PeekKind()) + " where " + want + " is expected"}
}

func kindName(k jsontext.Kind) string {
	switch k {
	case '"':
		return "a string"
	case '0':
		return "a number"
	case '{':
		return "an object"
	case '[':
		return "an array"
	case 't', 'f':
		return "true or false"
	default:
		return "something else"
	}
}

// broken turns an error of the JSON decoder, which may quote what it met, into one that says only where.
func (c *Cursor) broken(err error) error {
	if errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, io.EOF) {
		return &ingest.FieldError{Reason: "the JSON ends too early", Hint: "is the file cut off, or one object on several lines?"}
	}
	at := c.decoder.InputOffset()
	var syntax *jsontext.SyntacticError
	if errors.As(err, &syntax) {
		at = syntax.ByteOffset
	}
	return &ingest.FieldError{Reason: "not valid JSON at column " + strconv.FormatInt(at+1, 10)}
}

// Offset is the position behind what was read last.
func (c *Cursor) Offset() int64 { return c.decoder.InputOffset() }

// Scalar reads a string, number or truth value as text, for formats whose writers do not agree on types. Anything
// else is skipped and the empty text.
func (c *Cursor) Scalar() (string, error) {
	switch c.decoder.PeekKind() {
	case '"', 0:
		return c.stringValue()
	case '0', 't', 'f':
		raw, err := c.decoder.ReadValue()
		if err != nil {
			return "", c.broken(err)
		}
		end := int(c.decoder.InputOffset())
		return unsafe.String(unsafe.SliceData(c.text[end-len(raw):end]), len(raw)), nil //nolint:gosec // see the comment
	default:
		return "", c.Skip()
	}
}
