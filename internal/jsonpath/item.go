package jsonpath

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"math"
	"slices"
	"strconv"
)

// kind is the type of a JSON value.
type kind uint8

const (
	kindNull kind = iota
	kindFalse
	kindTrue
	kindNumber
	kindString
	kindArray
	kindObject
)

// item is a value of a document that is being looked at. Numbers are kept as written, so nothing is lost. Members
// of objects are kept in order, with duplicates.
type item struct {
	name       string // of a member
	text       string // a string, unescaped, or a number, as written
	kids       []item
	start, end int // the bytes in the document
	kind       kind
}

// element returns the element at index of an array, from the end for a negative index, or nil.
func (it *item) element(index int64) *item {
	if it.kind != kindArray {
		return nil
	}
	n := int64(len(it.kids))
	if index < 0 {
		index += n
	}
	if index < 0 || index >= n {
		return nil
	}
	return &it.kids[index]
}

// ErrTooManyValues is returned for documents of more than [MaxValues] values.
var ErrTooManyValues = errors.New("the document holds too many values")

// ErrTooDeep is returned for documents that are nested deeper than [MaxDepth].
var ErrTooDeep = errors.New("the document is nested too deeply")

// builder makes items of Go values.
type builder struct{ values int }

func (b *builder) build(v any, depth int) (item, error) {
	if b.values++; b.values > MaxValues {
		return item{}, ErrTooManyValues
	}
	if depth > MaxDepth {
		return item{}, ErrTooDeep
	}
	switch v := v.(type) {
	case nil:
		return item{kind: kindNull}, nil
	case bool:
		if v {
			return item{kind: kindTrue}, nil
		}
		return item{kind: kindFalse}, nil
	case string:
		return item{kind: kindString, text: v}, nil
	case float64:
		if math.IsNaN(v) || math.IsInf(v, 0) {
			return item{}, errors.New("NaN and infinities are not JSON")
		}
		return item{kind: kindNumber, text: strconv.FormatFloat(v, 'g', -1, 64)}, nil
	case json.Number:
		if end, ok := scanNumber(string(v), 0); !ok || end != len(v) {
			return item{}, errors.New("a json.Number that is not a number")
		}
		return item{kind: kindNumber, text: string(v)}, nil
	case int:
		return item{kind: kindNumber, text: strconv.Itoa(v)}, nil
	case int64:
		return item{kind: kindNumber, text: strconv.FormatInt(v, 10)}, nil
	case []any:
		it := item{kind: kindArray, kids: make([]item, 0, min(len(v), MaxValues))}
		for _, element := range v {
			kid, err := b.build(element, depth+1)
			if err != nil {
				return item{}, err
			}
			it.kids = append(it.kids, kid)
		}
		return it, nil
	case map[string]any:
		it := item{kind: kindObject, kids: make([]item, 0, min(len(v), MaxValues))}
		for _, name := range slices.Sorted(maps.Keys(v)) {
			kid, err := b.build(v[name], depth+1)
			if err != nil {
				return item{}, err
			}
			kid.name = name
			it.kids = append(it.kids, kid)
		}
		return it, nil
	default:
		return item{}, fmt.Errorf("a value of type %T is not JSON", v)
	}
}

// value makes a Go value of an item: nil, bool, string, [json.Number], []any or map[string]any.
func (it *item) value() any {
	switch it.kind {
	case kindFalse:
		return false
	case kindTrue:
		return true
	case kindNumber:
		return json.Number(it.text)
	case kindString:
		return it.text
	case kindArray:
		list := make([]any, len(it.kids))
		for i := range it.kids {
			list[i] = it.kids[i].value()
		}
		return list
	case kindObject:
		object := make(map[string]any, len(it.kids))
		for i := range slices.Backward(it.kids) { // so that the first of a name remains
			object[it.kids[i].name] = it.kids[i].value()
		}
		return object
	default:
		return nil
	}
}
