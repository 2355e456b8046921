package rule

import (
	"net/netip"
	"net/url"

	"github.com/seshat-project/seshat"
	"github.com/seshat-project/seshat/internal/endpoint"
	"github.com/seshat-project/seshat/internal/jwks"
	"github.com/seshat-project/seshat/internal/jwt"
)

// Validation is a compiled validation of tokens.
type Validation struct {
	Name      string
	Scope     Scope
	Endpoints []*endpoint.Pattern // one of them must match; none means every endpoint
	Token     Selector            // where the token is
	Required  bool                // a request without a token is not accepted either
	Policy    jwt.Policy
	// JWKSURL is where the keys are published; empty when they are in Keys.
	JWKSURL string
	Keys    *jwt.KeySet
	Action  seshat.Action
	Status  int // of a block: 401 or 403
}

// Bounds of validations.
const (
	// MaxAccepted is how many issuers or audiences a validation may list.
	MaxAccepted = 256
	// MaxURL is how many bytes an address may have.
	MaxURL = 2048
)

func compileValidation(at place, name string, spec *seshat.JWTValidationSpec) *Validation {
	v := &Validation{
		Name:      name,
		Scope:     compileScope(at.child("scope"), &spec.Scope),
		Endpoints: compileEndpoints(at.child("endpoints"), spec.Endpoints),
		Token:     compileToken(at.child("token"), spec.Token),
		Required:  spec.Required,
		Policy: jwt.Policy{
			Issuers: compileAccepted(at.child("issuers"), spec.Issuers), Audiences: compileAccepted(at.child("audiences"), spec.Audiences),
		},
		Status: http401,
	}
	compileKeys(at, v, spec)
	switch spec.Action {
	case "", "block":
		v.Action = seshat.ActionBlock
	case "tag":
		v.Action = seshat.ActionTag
	default:
		at.child("action").fault("one of block, tag", "unknown action %q", spec.Action)
	}
	if spec.Status != nil {
		v.Status = *spec.Status
		if v.Status != http401 && v.Status != http403 {
			at.child("status").fault("401 asks to sign in again, 403 does not", "%d is neither 401 nor 403", v.Status)
		}
		if v.Action == seshat.ActionTag {
			at.child("status").fault("remove one of them", "action tag answers nothing")
		}
	}
	return v
}

const http401, http403 = 401, 403 // Unauthorized and Forbidden

func compileKeys(at place, v *Validation, spec *seshat.JWTValidationSpec) {
	switch {
	case spec.JWKSURL != "" && spec.JWKS != "":
		at.fault("keep one of the two", "both jwksURL and jwks")
	case spec.JWKSURL == "" && spec.JWKS == "":
		at.fault("say where the issuer publishes its keys (jwksURL), or what they are (jwks)", "neither jwksURL nor jwks")
	case spec.JWKS != "":
		set, err := jwks.Parse([]byte(spec.JWKS))
		if err != nil {
			at.child("jwks").fault("a JSON Web Key Set, or public keys in PEM", "no keys: %v", err)
			return
		}
		v.Keys = set.Keys
		for _, skipped := range set.Skipped {
			if skipped.Leaked {
				at.child("jwks").fault("replace the key, and declare its public part only", "%s", skipped.String())
			}
		}
	default:
		if !at.child("jwksURL").length(spec.JWKSURL, MaxURL) {
			return
		}
		if why := checkKeyURL(spec.JWKSURL); why != "" {
			at.child("jwksURL").fault("such as https://id.example/.well-known/jwks.json", "%s", why)
		}
		v.JWKSURL = spec.JWKSURL
	}
}

// checkKeyURL says why keys may not be had from an address, or nothing. Whoever can change them on the way can sign
// tokens; plain HTTP is for this host only. The text may hold a password, and is not quoted.
func checkKeyURL(text string) string {
	u, err := url.Parse(text)
	switch {
	case err != nil:
		return "not a URL"
	case u.Host == "" || u.Opaque != "":
		return "the address names no host"
	case u.User != nil:
		return "the address holds a password or user, which does not belong in one"
	case u.Scheme == "https":
		return ""
	case u.Scheme != "http":
		return "keys are fetched by https"
	}
	if ip, err := netip.ParseAddr(u.Hostname()); u.Hostname() == "localhost" || err == nil && ip.IsLoopback() {
		return ""
	}
	return "keys are fetched by https; http is for this host only"
}

// compileToken compiles where the token is: the header Authorization when nothing is said.
func compileToken(at place, e *seshat.Extract) Selector {
	if e == nil {
		return exactly(at, seshat.InRequest, seshat.LocationHeader, "Authorization")
	}
	switch e.Location {
	case "header", "cookie", "query":
	default:
		at.child("location").fault("one of header, cookie, query", "a token cannot have location %q", e.Location)
		return Selector{}
	}
	return compileSelector(at, seshat.InRequest, true, e, toExtract)
}

func compileAccepted(at place, list []string) []string {
	at.limit(len(list), MaxAccepted, "values")
	seen := make(map[string]bool, len(list))
	for i, s := range list {
		switch {
		case s == "":
			at.item(i).fault("leave the list out to accept all", "an empty name is nobody's")
		case seen[s]:
			at.item(i).fault("remove one of the two", "%q is there twice", s)
		}
		at.item(i).length(s, MaxText)
		seen[s] = true
	}
	return append([]string(nil), list...)
}
