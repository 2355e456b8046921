package jwt

import (
	"bytes"
	"errors"
	"io"

	"github.com/go-json-experiment/json/jsontext"
)

// members reads a JSON object (RFC 8259) that everybody reads in the same way: valid UTF-8, no two members of one name
// in any object, nothing after it. Each is called with the name and the value of a member, which must not be kept.
// RFC 7515, section 4, and RFC 7519, section 4, let a reader take the last of two members; readers that differ in it
// are how a token is made to say one thing to a gateway and another to an origin.
func members(part string, data []byte, each func(name []byte, value jsontext.Value) error) error {
	d := jsontext.NewDecoder(bytes.NewBuffer(data))
	if d.PeekKind() != '{' {
		if _, err := d.ReadValue(); err != nil {
			return notJSON(part, err)
		}
		return refuse(Malformed, "the %s is not a JSON object", part)
	}
	if _, err := d.ReadToken(); err != nil {
		return notJSON(part, err)
	}
	var name []byte
	for d.PeekKind() == '"' {
		quoted, err := d.ReadValue()
		if err != nil {
			return notJSON(part, err)
		}
		if name, err = jsontext.AppendUnquote(name[:0], quoted); err != nil { // before the next read, which takes its memory
			return notJSON(part, err)
		}
		value, err := d.ReadValue()
		if err != nil {
			return notJSON(part, err)
		}
		if err := each(name, value); err != nil {
			return err
		}
	}
	if _, err := d.ReadToken(); err != nil { // the closing brace, or what is wrong
		return notJSON(part, err)
	}
	if _, err := d.ReadToken(); !errors.Is(err, io.EOF) {
		return refuse(Malformed, "the %s is not JSON: something follows the object", part)
	}
	return nil
}

// notJSON says what is wrong without the decoder's text, which quotes the token.
func notJSON(part string, err error) error {
	if errors.Is(err, jsontext.ErrDuplicateName) {
		return refuse(Malformed, "the %s has two members of one name", part)
	}
	if syntax, ok := errors.AsType[*jsontext.SyntacticError](err); ok {
		return refuse(Malformed, "the %s is not JSON at byte %d", part, syntax.ByteOffset)
	}
	return refuse(Malformed, "the %s is not JSON", part)
}

// text returns the string that a value is.
func text(value jsontext.Value) (string, bool) {
	if value.Kind() != '"' {
		return "", false
	}
	s, err := jsontext.AppendUnquote(nil, value)
	return string(s), err == nil
}

// texts reads a value that is an array of strings.
func texts(value jsontext.Value, to *[]string) bool {
	d := jsontext.NewDecoder(bytes.NewBuffer(value))
	if opening, err := d.ReadToken(); err != nil || opening.Kind() != '[' {
		return false
	}
	for d.PeekKind() == '"' {
		element, err := d.ReadToken()
		if err != nil {
			return false
		}
		*to = append(*to, element.String())
	}
	closing, err := d.ReadToken()
	return err == nil && closing.Kind() == ']'
}
