package oidc

import (
	"errors"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"
)

// claims is what a provider says of somebody.
type claims map[string]any

// add adds claims that are not there yet: those of the ID token are signed, and count.
func (c claims) add(more claims) {
	for name, value := range more {
		if _, given := c[name]; !given {
			c[name] = value
		}
	}
}

// get returns the claim of a name, or of a path of names through objects. A name that has dots itself, such as the URL of one,
// counts before the path.
func (c claims) get(name string) any {
	if value, given := c[name]; given {
		return value
	}
	var at any = map[string]any(c)
	for part := range strings.SplitSeq(name, ".") {
		object, ok := at.(map[string]any)
		if !ok {
			return nil
		}
		at = object[part]
	}
	return at
}

// emailClaim counts only where the provider verified it: else anybody could write that of somebody else.
const emailClaim = "email"

// text returns a claim that is a text.
func (c claims) text(name string) string {
	if name == emailClaim {
		switch verified := c["email_verified"].(type) {
		case bool:
			if !verified {
				return ""
			}
		case string: // as some providers send it
			if verified != "true" {
				return ""
			}
		default:
			return ""
		}
	}
	text, _ := c.get(name).(string)
	return text
}

// texts returns a claim that is a text or a list of them.
func (c claims) texts(name string) []string {
	list, ok := c.get(name).([]any)
	if !ok {
		if one := c.text(name); one != "" {
			return []string{one}
		}
		return nil
	}
	var out []string
	for _, value := range list {
		if text, ok := value.(string); ok {
			out = append(out, text)
		}
	}
	return out
}

// userClaims are what names a user when nothing else is said: in this order.
var userClaims = []string{emailClaim, "preferred_username", "sub"}

// enough reports whether the claims say all that is asked for, so that userinfo need not be asked.
func (p *Provider) enough(c claims) bool {
	user := p.o.Claims.User
	if user == "" {
		user = emailClaim
	}
	if c.text(user) == "" {
		return false
	}
	if r := p.o.Roles; r.Claim != "" && c.get(r.Claim) == nil {
		return false
	}
	return p.o.Claims.Display == "" || c.text(p.o.Claims.Display) != ""
}

// maxName is how many bytes the name of a user may have.
const maxName = 256

// person is who the claims are of.
func (p *Provider) person(c claims) (*Person, error) {
	out := &Person{Issuer: p.o.Issuer, Subject: c.text("sub")}
	names := userClaims
	if p.o.Claims.User != "" {
		names = []string{p.o.Claims.User}
	}
	for _, name := range names {
		if out.Name = c.text(name); out.Name != "" {
			break
		}
	}
	if !printable(out.Name) {
		return nil, refused("the sign-in service gives you no name that can be used here", hintAsk,
			errors.New("no claim of "+strings.Join(names, ", ")+" is there, or its value is no name"))
	}
	if out.Display = c.text(p.o.Claims.Display); !printable(out.Display) {
		out.Display = out.Name
	}
	if out.Role = p.role(c); out.Role == "" {
		return nil, refused("your account may not use this console", hintAsk, errors.New("no role is for "+out.Name))
	}
	return out, nil
}

func (p *Provider) role(c claims) string {
	if p.o.Roles.Claim != "" {
		has := c.texts(p.o.Roles.Claim)
		for _, role := range p.o.Roles.Roles {
			if slices.ContainsFunc(has, func(value string) bool { return slices.Contains(role.Values, value) }) {
				return role.Name
			}
		}
	}
	return p.o.Roles.Default
}

// printable reports whether a name is one that people can tell from others.
func printable(name string) bool {
	return name != "" && len(name) <= maxName && utf8.ValidString(name) && name == strings.TrimSpace(name) &&
		!strings.ContainsFunc(name, func(r rune) bool { return !unicode.IsPrint(r) })
}
