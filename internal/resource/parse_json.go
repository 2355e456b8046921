package resource

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
	"unicode/utf8"
)

// readJSON reads the documents of a stream of JSON values. The members of an array at the top are documents.
func readJSON(data []byte, faults *faultList) []*node {
	r := jsonReader{data: data, at: position{1, 1}, decoder: json.NewDecoder(bytes.NewReader(data))}
	r.decoder.UseNumber()
	var documents []*node
	for {
		n, err := r.value(0)
		if errors.Is(err, io.EOF) {
			return documents
		}
		if err != nil {
			at, message := r.explain(err)
			faults.add(at, "", message, "")
			return documents
		}
		found := []*node{n}
		if n.kind == nodeList {
			found = n.items
		}
		for _, document := range found {
			if document.size > MaxValues {
				faults.add(document.pos, "", fmt.Sprintf("more than %d values in one document", MaxValues), "split it into several resources")
				continue
			}
			documents = append(documents, document)
		}
	}
}

// errTooDeep is returned for values that are nested beyond MaxDepth.
var errTooDeep = fmt.Errorf("nested more than %d levels deep", MaxDepth)

// jsonReader turns the tokens of encoding/json, which knows only offsets, into nodes with positions.
type jsonReader struct {
	data    []byte
	decoder *json.Decoder
	offset  int // that at belongs to
	at      position
}

// next reads a token and returns where it begins.
func (r *jsonReader) next() (json.Token, position, error) {
	start := int(r.decoder.InputOffset())
	token, err := r.decoder.Token()
	if err != nil {
		return nil, position{}, err
	}
	// The offset before a token is the end of the one before it.
	for start < len(r.data) && strings.IndexByte(" \t\r\n,:", r.data[start]) >= 0 {
		start++
	}
	return token, r.locate(start), nil
}

// locate is the position of offset. Offsets must not decrease.
func (r *jsonReader) locate(offset int) position {
	for r.offset < min(offset, len(r.data)) {
		c, size := utf8.DecodeRune(r.data[r.offset:])
		if c == '\n' {
			r.at = position{r.at.line + 1, 1}
		} else {
			r.at.column++
		}
		r.offset += size
	}
	return r.at
}

func (r *jsonReader) value(depth int) (*node, error) {
	token, at, err := r.next()
	if err != nil {
		return nil, err
	}
	n := &node{pos: at}
	switch v := token.(type) {
	case nil:
		n.kind = nodeNull
	case bool:
		n.kind, n.text = nodeBool, fmt.Sprint(v)
	case json.Number:
		n.kind, n.text = numberKind(v.String()), v.String()
	case string:
		n.kind, n.text = nodeText, v
	case json.Delim:
		if depth > MaxDepth { // one more than within a document: an array may be around it
			return nil, errTooDeep
		}
		if v == '[' {
			n.kind = nodeList
		} else {
			n.kind = nodeObject
		}
		for r.decoder.More() {
			if err := r.child(n, depth); err != nil {
				return nil, unexpectedEnd(err)
			}
		}
		if _, _, err := r.next(); err != nil { // the closing bracket
			return nil, unexpectedEnd(err)
		}
	}
	return n.measure(), nil
}

// child reads one more item or member of n.
func (r *jsonReader) child(n *node, depth int) error {
	if n.kind == nodeList {
		item, err := r.value(depth + 1)
		n.items = append(n.items, item)
		return err
	}
	token, at, err := r.next()
	if err != nil {
		return err
	}
	key, _ := token.(string) // encoding/json accepts no other keys
	value, err := r.value(depth + 1)
	n.members = append(n.members, member{key: key, pos: at, value: value})
	return err
}

// unexpectedEnd marks the end of the input as an error where a value is not complete.
func unexpectedEnd(err error) error {
	if errors.Is(err, io.EOF) {
		return io.ErrUnexpectedEOF
	}
	return err
}

// explain says where and why reading failed.
func (r *jsonReader) explain(err error) (position, string) {
	var syntax *json.SyntaxError
	switch {
	case errors.Is(err, errTooDeep):
		return r.at, err.Error()
	case errors.Is(err, io.ErrUnexpectedEOF):
		return r.locate(len(r.data)), "the JSON ends in the middle of a value"
	case errors.As(err, &syntax):
		return r.locate(int(r.decoder.InputOffset())), "not JSON: " + syntax.Error()
	default:
		return r.locate(int(r.decoder.InputOffset())), "not JSON: " + err.Error()
	}
}

// numberKind tells integers from other numbers.
func numberKind(text string) nodeKind {
	digits := strings.TrimPrefix(text, "-")
	if digits == "" || strings.Trim(digits, "0123456789") != "" {
		return nodeNumber
	}
	return nodeInteger
}
