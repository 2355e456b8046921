package rules

import (
	"bytes"

	"github.com/seshat-project/seshat"
	"github.com/seshat-project/seshat/internal/console/editor"
	"github.com/seshat-project/seshat/internal/resource"
)

// The lists of a form that belong to a rule.
const listIdentifiers = "spec.identifiers"

// The ways to say where an identifier looks: the short forms, and the full one.
const (
	formHeader   = "header"
	formCookie   = "cookie"
	formJWTClaim = "jwtClaim"
	formExtract  = "extract"
)

// The kinds of expiration.
const (
	expiresNever     = ""
	expiresJWT       = "jwt"
	expiresAttribute = "attribute"
)

// PutRule fills a form in with a session rule. What the form cannot show it calls lost; see [editor.Form.Lost].
func PutRule(f *editor.Form, r *seshat.Resource) {
	spec, ok := r.Spec.(*seshat.SessionRuleSpec)
	if !ok || spec == nil {
		spec = &seshat.SessionRuleSpec{}
	}
	f.PutMetadata(&r.Metadata)
	f.PutFlag("spec.enabled", spec.Enabled, true)
	f.PutNumber("spec.priority", spec.Priority)
	f.PutScope("spec.scope", &spec.Scope)
	f.PutDuration("spec.idleTimeout", spec.IdleTimeout)
	f.PutDuration("spec.absoluteLifetime", spec.AbsoluteLifetime)
	f.PutList(listIdentifiers, len(spec.Identifiers))
	for i := range spec.Identifiers {
		putIdentifier(f, editor.At(listIdentifiers, i), &spec.Identifiers[i])
	}
	if len(f.Lost()) == 0 && !same(r, ReadRule(editor.New(f.Values))) {
		f.Lose("spec") // something that nobody thought of
	}
}

// same reports whether two resources are printed in the same way.
func same(a, b *seshat.Resource) bool {
	one, err := resource.Marshal([]seshat.Resource{*a}, resource.FormatJSON)
	if err != nil {
		return false
	}
	two, err := resource.Marshal([]seshat.Resource{*b}, resource.FormatJSON)
	return err == nil && bytes.Equal(one, two)
}

// ReadRule reads a session rule from a form that is filled in. What is no rule at all, such as a text where a number has to
// be, is a fault of the form.
func ReadRule(f *editor.Form) *seshat.Resource {
	spec := &seshat.SessionRuleSpec{
		Enabled: f.Flag("spec.enabled", true), Priority: f.Number("spec.priority"), Scope: f.Scope("spec.scope"),
		IdleTimeout: f.Duration("spec.idleTimeout"), AbsoluteLifetime: f.Duration("spec.absoluteLifetime"),
	}
	for i := range f.Items(listIdentifiers) {
		spec.Identifiers = append(spec.Identifiers, identifier(f, editor.At(listIdentifiers, i)))
	}
	return &seshat.Resource{APIVersion: seshat.APIVersion, Kind: seshat.KindSessionRule, Metadata: f.Metadata(), Spec: spec}
}

func putIdentifier(f *editor.Form, path string, id *seshat.Identifier) {
	form, forms := "", 0
	is := func(name string, set bool) {
		if set {
			form = name
			forms++
		}
	}
	is(formHeader, id.Header != "")
	is(formCookie, id.Cookie != "")
	is(formJWTClaim, id.JWTClaim != nil)
	is(formExtract, id.Extract != nil)
	if forms != 1 {
		f.Lose(path)
	}
	f.PutLine(path+".form", form)
	f.PutLine(path+".in", id.In)
	f.PutLine(path+".header", id.Header)
	f.PutLine(path+".cookie", id.Cookie)
	putClaim(f, path+".jwtClaim", id.JWTClaim)
	extract := id.Extract
	if extract == nil {
		extract = &seshat.Extract{Location: "body"}
	}
	f.PutExtract(path+".extract", extract)
	f.PutConditions(path+".conditions", id.Conditions)
	f.PutTransformations(path+".transformations", id.Transformations)
	f.PutLine(path+".type", id.Type)
	f.PutFlag(path+".obfuscate", id.Obfuscate, true)
	putExpiration(f, path+".expiration", id.Expiration)
}

func putClaim(f *editor.Form, path string, claim *seshat.JWTClaimShort) {
	if claim == nil {
		claim = &seshat.JWTClaimShort{Header: "Authorization"}
	} else if (claim.Header == "") == (claim.Cookie == "") || claim.Claim == "" {
		f.Lose(path)
	}
	place, name := formHeader, claim.Header
	if claim.Cookie != "" {
		place, name = formCookie, claim.Cookie
	}
	f.PutLine(path+".place", place)
	f.PutLine(path+".name", name)
	f.PutLine(path+".claim", claim.Claim)
}

func putExpiration(f *editor.Form, path string, e *seshat.Expiration) {
	kind, attribute := expiresNever, &seshat.ExpirationAttribute{Extract: seshat.Extract{Location: "body"}, Format: "durationSeconds"}
	switch {
	case e == nil:
	case e.JWT == (e.Attribute != nil):
		f.Lose(path)
	case e.JWT:
		kind = expiresJWT
	default:
		kind, attribute = expiresAttribute, e.Attribute
	}
	f.PutLine(path+".kind", kind)
	path += ".attribute"
	f.PutExtract(path, &attribute.Extract)
	f.PutTransformations(path+".transformations", attribute.Transformations)
	f.PutLine(path+".format", attribute.Format)
}

func identifier(f *editor.Form, path string) seshat.Identifier {
	id := seshat.Identifier{
		In: f.Get(path + ".in"), Conditions: f.Conditions(path + ".conditions"), Transformations: f.Transformations(path + ".transformations"),
		Obfuscate: f.Flag(path+".obfuscate", true), Type: f.Get(path + ".type"), Expiration: expiration(f, path+".expiration"),
	}
	switch f.Get(path + ".form") {
	case formHeader:
		id.Header = needed(f, path+".header", "name the header")
	case formCookie:
		id.Cookie = needed(f, path+".cookie", "name the cookie")
	case formJWTClaim:
		id.JWTClaim = claim(f, path+".jwtClaim")
	case formExtract:
		e := f.Extract(path + ".extract")
		id.Extract = &e
	}
	return id
}

// needed reads a text that must be there.
func needed(f *editor.Form, name, hint string) string {
	text := f.Get(name)
	if text == "" {
		f.Fault(name, "no text", hint)
	}
	return text
}

func claim(f *editor.Form, path string) *seshat.JWTClaimShort {
	out := &seshat.JWTClaimShort{Claim: needed(f, path+".claim", "such as sid or sub")}
	name := needed(f, path+".name", "name the header or the cookie that holds the token")
	if f.Get(path+".place") == formCookie {
		out.Cookie = name
	} else {
		out.Header = name
	}
	return out
}

func expiration(f *editor.Form, path string) *seshat.Expiration {
	switch f.Get(path + ".kind") {
	case expiresJWT:
		return &seshat.Expiration{JWT: true}
	case expiresAttribute:
		path += ".attribute"
		return &seshat.Expiration{Attribute: &seshat.ExpirationAttribute{
			Extract: f.Extract(path), Transformations: f.Transformations(path + ".transformations"), Format: f.Get(path + ".format"),
		}}
	default:
		return nil
	}
}

// blank is a rule to begin with: what most rules look for.
func blank() *seshat.Resource {
	return &seshat.Resource{
		APIVersion: seshat.APIVersion, Kind: seshat.KindSessionRule,
		Spec: &seshat.SessionRuleSpec{},
	}
}
