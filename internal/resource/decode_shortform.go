package resource

import (
	"fmt"
	"reflect"

	"github.com/seshat-project/seshat"
)

// decodeShortForm reads the short forms of the format, where one is written, and reports whether it did:
//
//	key: SESSID              is  key: {equals: SESSID}
//	- base64Decode           is  - base64Decode: {}
//	- regex: 'sid=(\w+)'     is  - regex: {pattern: 'sid=(\w+)'}
func (d *decoder) decodeShortForm(n *node, v reflect.Value, path string) bool {
	switch out := v.Addr().Interface().(type) {
	case *seshat.Match:
		if n.kind != nodeText && n.kind != nodeInteger {
			if n.kind != nodeObject {
				d.wrongType(n, path, "a text, or an object with one operator")
				return true
			}
			return false
		}
		text := n.text
		out.Equals = &text
	case *seshat.Transformation:
		if n.kind != nodeText {
			return false
		}
		d.decodeWord(n, out, path)
	case *seshat.RegexTransformation:
		if n.kind != nodeText || n.text == "" {
			return false
		}
		out.Pattern = n.text
	case *seshat.EmptyTransformation:
		if n.kind == nodeObject && len(n.members) == 0 {
			return true
		}
		d.fault(n.pos, path, "takes no parameters", "write {} or only the word")
	default:
		return false
	}
	return true
}

// decodeWord reads a transformation that is written as a plain word.
func (d *decoder) decodeWord(n *node, out *seshat.Transformation, path string) {
	v := reflect.ValueOf(out).Elem()
	fields := fieldsOf(v.Type())
	for _, f := range fields {
		if f.name != n.text {
			continue
		}
		if f.typ != reflect.TypeFor[*seshat.EmptyTransformation]() {
			d.fault(n.pos, path, n.text+" needs a parameter", fmt.Sprintf("write %s: ...", n.text))
			return
		}
		v.FieldByIndex(f.index).Set(reflect.ValueOf(&seshat.EmptyTransformation{}))
		return
	}
	d.fault(n.pos, path, fmt.Sprintf("unknown transformation %q", n.text), hintFor(n.text, fieldNames(fields)))
}
