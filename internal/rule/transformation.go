package rule

import (
	"encoding/json"
	"regexp"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/seshat-project/seshat"
	"github.com/seshat-project/seshat/internal/jsonpath"
)

// TransformationKind is what a [Transformation] does.
type TransformationKind uint8

// The kinds of transformations. TransformScheme is what the short form "header: Authorization" adds.
const (
	TransformRegex TransformationKind = iota
	TransformBase64
	TransformJSONPath
	TransformJWTClaim
	TransformURLDecode
	TransformLowercase
	TransformHash
	TransformScheme
)

var transformationNames = [...]string{
	"regex", "base64Decode", "jsonPath", "jwtClaim", "urlDecode", "lowercase", "hash", "stripScheme",
}

func (k TransformationKind) String() string {
	if int(k) < len(transformationNames) {
		return transformationNames[k]
	}
	return "unknown"
}

// Transformation is one compiled step from the text that was found to the client session ID.
type Transformation struct {
	Kind   TransformationKind
	Regexp *regexp.Regexp
	Group  int            // of Regexp; 0 is the whole match
	Path   *jsonpath.Path // of a JSONPath, and of a JWT claim into the payload
	Text   string         // the operand as it was written: expression, path or claim name
}

// String describes t as a person would read it.
func (t *Transformation) String() string {
	if t.Text == "" {
		return t.Kind.String()
	}
	return t.Kind.String() + " " + t.Text
}

func compileTransformations(at place, list []seshat.Transformation) []Transformation {
	at.limit(len(list), MaxTransformations, "transformations")
	out := make([]Transformation, 0, len(list))
	for i := range list {
		out = append(out, compileTransformation(at.item(i), &list[i]))
	}
	return out
}

func compileTransformation(at place, t *seshat.Transformation) Transformation {
	var kinds []TransformationKind
	has := func(k TransformationKind, set bool) {
		if set {
			kinds = append(kinds, k)
		}
	}
	has(TransformRegex, t.Regex != nil)
	has(TransformBase64, t.Base64Decode != nil)
	has(TransformJSONPath, t.JSONPath != "")
	has(TransformJWTClaim, t.JWTClaim != "")
	has(TransformURLDecode, t.URLDecode != nil)
	has(TransformLowercase, t.Lowercase != nil)
	has(TransformHash, t.Hash != nil)
	switch len(kinds) {
	case 1:
	case 0:
		at.fault("one of "+strings.Join(transformationNames[:TransformScheme], ", "), "no transformation")
		return Transformation{}
	default:
		names := make([]string, len(kinds))
		for i, k := range kinds {
			names[i] = k.String()
		}
		at.fault("write one list item for each, in the order in which they apply", "several transformations in one (%s)", strings.Join(names, ", "))
		return Transformation{}
	}
	out := Transformation{Kind: kinds[0]}
	switch out.Kind {
	case TransformRegex:
		out.Regexp, out.Group = compileGroup(at.child("regex"), t.Regex)
		out.Text = t.Regex.Pattern
	case TransformJSONPath:
		out.Path, out.Text = compilePath(at.child("jsonPath"), t.JSONPath), t.JSONPath
	case TransformJWTClaim:
		out.Path, out.Text = compileClaim(at.child("jwtClaim"), t.JWTClaim), t.JWTClaim
	default:
	}
	return out
}

// compileClaim returns the path of a claim into the payload. A plain name is the member of that name, whatever
// characters it has: "https://shop.example/tenant" is a claim.
func compileClaim(at place, claim string) *jsonpath.Path {
	if strings.HasPrefix(claim, "$") {
		return compilePath(at, claim)
	}
	if !utf8.ValidString(claim) {
		at.fault("", "the name of the claim is not UTF-8")
		return nil
	}
	quoted, err := json.Marshal(claim)
	if err != nil {
		at.fault("", "the name of the claim cannot be written: %v", err)
		return nil
	}
	return compilePath(at, "$["+string(quoted)+"]")
}

func compileGroup(at place, r *seshat.RegexTransformation) (*regexp.Regexp, int) {
	re := compileRegexp(at.child("pattern"), r.Pattern, false)
	if re == nil {
		return nil, 0
	}
	if r.Group == "" {
		return re, min(1, re.NumSubexp())
	}
	group, err := strconv.Atoi(r.Group)
	if err != nil {
		group = re.SubexpIndex(r.Group)
		if group < 0 {
			at.child("group").fault("name a group as in (?P<"+r.Group+">...)", "the expression has no group called %q", r.Group)
		}
		return re, group
	}
	if group < 0 || group > re.NumSubexp() {
		at.child("group").fault("0 is the whole match", "the expression has %d groups, not %d", re.NumSubexp(), group)
	}
	return re, group
}
