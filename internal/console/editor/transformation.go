package editor

import (
	"github.com/seshat-project/seshat"
)

// The kinds of transformations, as resources call them.
const (
	kindRegex        = "regex"
	kindBase64Decode = "base64Decode"
	kindJSONPath     = "jsonPath"
	kindJWTClaim     = "jwtClaim"
	kindURLDecode    = "urlDecode"
	kindLowercase    = "lowercase"
	kindHash         = "hash"
)

// PutTransformations fills in a list of transformations.
func (f *Form) PutTransformations(list string, transformations []seshat.Transformation) {
	f.PutList(list, len(transformations))
	for i := range transformations {
		f.putTransformation(at(list, i), &transformations[i])
	}
}

func (f *Form) putTransformation(path string, t *seshat.Transformation) {
	kind, set := "", 0
	is := func(name string, there bool) {
		if there {
			kind = name
			set++
		}
	}
	is(kindRegex, t.Regex != nil)
	is(kindBase64Decode, t.Base64Decode != nil)
	is(kindJSONPath, t.JSONPath != "")
	is(kindJWTClaim, t.JWTClaim != "")
	is(kindURLDecode, t.URLDecode != nil)
	is(kindLowercase, t.Lowercase != nil)
	is(kindHash, t.Hash != nil)
	if set != 1 || t.Regex != nil && t.Regex.Pattern == "" {
		f.lose(path)
	}
	f.put(path+".kind", kind)
	if t.Regex == nil {
		t = &seshat.Transformation{Regex: &seshat.RegexTransformation{}, JSONPath: t.JSONPath, JWTClaim: t.JWTClaim}
	}
	f.put(path+".regex.pattern", t.Regex.Pattern)
	f.put(path+".regex.group", t.Regex.Group)
	f.put(path+".jsonPath", t.JSONPath)
	f.put(path+".jwtClaim", t.JWTClaim)
}

// Transformations reads a list of transformations.
func (f *Form) Transformations(list string) []seshat.Transformation {
	var out []seshat.Transformation
	for i := range f.Items(list) {
		out = append(out, f.transformation(at(list, i)))
	}
	return out
}

func (f *Form) transformation(path string) seshat.Transformation {
	var t seshat.Transformation
	empty := &seshat.EmptyTransformation{}
	kind := f.Get(path + ".kind")
	operand := func(name string) string {
		text := f.Get(path + "." + name)
		if text == "" {
			f.fault(path+"."+name, "no text", "")
		}
		return text
	}
	switch kind {
	case kindRegex:
		t.Regex = &seshat.RegexTransformation{Pattern: operand("regex.pattern"), Group: f.Get(path + ".regex.group")}
	case kindBase64Decode:
		t.Base64Decode = empty
	case kindJSONPath:
		t.JSONPath = operand(kindJSONPath)
	case kindJWTClaim:
		t.JWTClaim = operand(kindJWTClaim)
	case kindURLDecode:
		t.URLDecode = empty
	case kindLowercase:
		t.Lowercase = empty
	case kindHash:
		t.Hash = empty
	default:
		f.fault(path+".kind", "there is no such transformation", "")
	}
	return t
}
