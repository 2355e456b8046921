package rule

import (
	"slices"
	"strings"

	"github.com/seshat-project/seshat"
)

// Identifier is a compiled session identifier.
type Identifier struct {
	Index int
	// Probes are the places to look at, in order. An identifier has one; the short form "cookie" has one on each side.
	Probes          []Selector
	Conditions      []Condition
	Transformations []Transformation
	Expiration      *Expiration // nil when none is set
	Kind            seshat.IDKind
	Clear           bool // obfuscate: false
}

// identifierTypes are the kinds that a rule may give an identifier, by their spelling.
var identifierTypes = [...]seshat.IDKind{
	seshat.KindSession, seshat.KindAccessToken, seshat.KindRefreshToken, seshat.KindAuthorizationCode,
	seshat.KindAPIKey, seshat.KindClaim, seshat.KindTransaction,
}

func compileKind(at place, name string) seshat.IDKind {
	if name == "" {
		return seshat.KindSession
	}
	i := slices.IndexFunc(identifierTypes[:], func(k seshat.IDKind) bool { return k.String() == name })
	if i < 0 {
		names := make([]string, len(identifierTypes))
		for i, k := range identifierTypes {
			names[i] = k.String()
		}
		at.fault("one of "+strings.Join(names, ", "), "unknown type %q", name)
		return seshat.KindSession
	}
	return identifierTypes[i]
}

func compileIdentifier(at place, index int, spec *seshat.Identifier) Identifier {
	side := compileSide(at.child("in"), spec.In, seshat.InRequest)
	out := Identifier{
		Index:           index,
		Conditions:      compileConditions(at.child("conditions"), side, spec.Conditions),
		Transformations: compileTransformations(at.child("transformations"), spec.Transformations),
		Expiration:      compileExpiration(at.child("expiration"), spec.Expiration),
		Kind:            compileKind(at.child("type"), spec.Type),
		Clear:           spec.Obfuscate != nil && !*spec.Obfuscate,
	}
	forms := make([]string, 0, 1)
	form := func(name string, set bool) {
		if set {
			forms = append(forms, name)
		}
	}
	form("extract", spec.Extract != nil)
	form("header", spec.Header != "")
	form("cookie", spec.Cookie != "")
	form("jwtClaim", spec.JWTClaim != nil)
	const ways = "extract, or one of the short forms header, cookie, jwtClaim"
	switch len(forms) {
	case 0:
		at.fault("set "+ways, "the identifier does not say where to look")
		return out
	case 1:
	default:
		at.fault("use one identifier for each; they are tried in order", "several of %s are set", strings.Join(forms, ", "))
		return out
	}
	switch forms[0] {
	case "extract":
		out.Probes = []Selector{compileSelector(at.child("extract"), side, spec.In != "", spec.Extract, toExtract)}
	case "header":
		out.headerForm(at.child("header"), side, spec.Header)
	case "cookie":
		out.cookieForm(at.child("cookie"), side, spec.In != "", spec.Cookie)
	case "jwtClaim":
		out.claimForm(at.child("jwtClaim"), side, spec.In != "", spec.JWTClaim)
	}
	if out.Clear && out.wholeCookies() {
		at.child("obfuscate").fault("name the cookie with cookie, or take its value out with a transformation",
			"all cookies of a request would be kept in clear, not only the ID")
	}
	return out
}

// wholeCookies reports whether the value is that of a field with all cookies: also those that mask rules name.
func (id *Identifier) wholeCookies() bool {
	return len(id.Transformations) == 0 && slices.ContainsFunc(id.Probes, func(s Selector) bool {
		return s.Location == seshat.LocationHeader && (s.Key.Match("Cookie") || s.Key.Match("Set-Cookie"))
	})
}
