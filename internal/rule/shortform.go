package rule

import (
	"slices"

	"github.com/seshat-project/seshat"
)

// headerForm is "header: X". The value of Authorization and Proxy-Authorization starts with a scheme, which is not
// part of the credentials (RFC 9110, section 11.4), and is removed. A scheme is optional: a bare token is taken as it is.
func (id *Identifier) headerForm(at place, side seshat.Side, name string) {
	id.Probes = []Selector{exactly(at, side, seshat.LocationHeader, name)}
	id.stripScheme(name)
}

// cookieForm is "cookie: X": the request's cookie and, under the same index, the response's Set-Cookie. An explicit
// "in" limits it to one side.
func (id *Identifier) cookieForm(at place, side seshat.Side, explicit bool, name string) {
	id.Probes = []Selector{exactly(at, side, seshat.LocationCookie, name)}
	if !explicit {
		id.Probes = append(id.Probes, exactly(at, seshat.InResponse, seshat.LocationCookie, name))
	}
}

// claimForm is "jwtClaim: {header|cookie, claim}".
func (id *Identifier) claimForm(at place, side seshat.Side, explicit bool, short *seshat.JWTClaimShort) {
	switch {
	case short.Header != "" && short.Cookie != "":
		at.fault("keep one of them", "both header and cookie")
	case short.Header == "" && short.Cookie == "":
		at.fault("name the header or the cookie that holds the token", "neither header nor cookie")
	}
	if short.Claim == "" {
		at.child("claim").fault(`a claim such as "sub", or a JSONPath into the payload`, "no claim")
	}
	claim := Transformation{
		Kind: TransformJWTClaim, Text: short.Claim, Path: compileClaim(at.child("claim"), short.Claim),
	}
	id.Transformations = slices.Insert(id.Transformations, 0, claim)
	if short.Cookie != "" {
		id.cookieForm(at.child("cookie"), side, explicit, short.Cookie)
		return
	}
	id.headerForm(at.child("header"), side, short.Header)
}

func (id *Identifier) stripScheme(header string) {
	if EqualFoldASCII(header, "Authorization") || EqualFoldASCII(header, "Proxy-Authorization") {
		id.Transformations = slices.Insert(id.Transformations, 0, Transformation{Kind: TransformScheme})
	}
}

func exactly(at place, side seshat.Side, l seshat.Location, name string) Selector {
	at.length(name, MaxText)
	return Selector{
		Side: side, Location: l,
		Key: &Matcher{op: OpEquals, text: name, fold: l == seshat.LocationHeader},
	}
}
