package resource

import (
	"reflect"
	"strings"

	"github.com/seshat-project/seshat"
)

// kinds are the kinds of resources in the order in which they are listed and printed.
func kinds() []seshat.Kind {
	return []seshat.Kind{
		seshat.KindSessionRule, seshat.KindContextParameter, seshat.KindFlow, seshat.KindMaskRule, seshat.KindLimit,
		seshat.KindJWTValidation, seshat.KindSettings,
	}
}

// Kinds returns all kinds of resources.
func Kinds() []seshat.Kind { return kinds() }

// newSpec returns an empty spec of kind, or nil when there is no such kind.
func newSpec(kind seshat.Kind) seshat.Spec {
	switch kind {
	case seshat.KindSessionRule:
		return &seshat.SessionRuleSpec{}
	case seshat.KindContextParameter:
		return &seshat.ContextParameterSpec{}
	case seshat.KindFlow:
		return &seshat.FlowSpec{}
	case seshat.KindMaskRule:
		return &seshat.MaskRuleSpec{}
	case seshat.KindLimit:
		return &seshat.LimitSpec{}
	case seshat.KindJWTValidation:
		return &seshat.JWTValidationSpec{}
	case seshat.KindSettings:
		return &seshat.SettingsSpec{}
	default:
		return nil
	}
}

// field is a field of a Go type as it is written in a resource.
type field struct {
	owner    reflect.Type // the struct that declares it, which is another one for embedded fields
	name     string
	index    []int
	typ      reflect.Type
	required bool
}

// fieldsOf lists the fields of t in the order of their declaration, embedded ones in place. The json tags are the
// format: a field without omitempty is required.
func fieldsOf(t reflect.Type) []field {
	var out []field
	for i := range t.NumField() {
		f := t.Field(i)
		if f.Anonymous {
			for _, inner := range fieldsOf(f.Type) {
				inner.index = append([]int{i}, inner.index...)
				out = append(out, inner)
			}
			continue
		}
		name, options, _ := strings.Cut(f.Tag.Get("json"), ",")
		out = append(out, field{
			owner: t, name: name, index: []int{i}, typ: f.Type,
			required: !strings.Contains(options, "omitempty"),
		})
	}
	return out
}

// fieldNames are the names of fields.
func fieldNames(fields []field) []string {
	out := make([]string, len(fields))
	for i := range fields {
		out[i] = fields[i].name
	}
	return out
}

// words lists the words that the text field f may have; nil when it may have any.
func words(f field) []string {
	switch f.owner {
	case reflect.TypeFor[seshat.Resource]():
		if f.name == "kind" {
			var out []string
			for _, kind := range kinds() {
				out = append(out, string(kind))
			}
			return out
		}
	case reflect.TypeFor[seshat.Extract]():
		if f.name == "location" {
			return []string{
				"header", "cookie", "query", "pathSegment", "pathParameter", "body", "status", "clientIP", "userAgent", "ja4",
			}
		}
	case reflect.TypeFor[seshat.MaskRuleSpec]():
		switch f.name {
		case "location":
			return []string{"header", "cookie", "query", "pathParameter", "body"}
		case "in":
			return []string{"request", "response"}
		}
	case reflect.TypeFor[seshat.LimitSpec]():
		if f.name == "action" {
			return []string{"limit", "block", "tag"}
		}
	case reflect.TypeFor[seshat.JWTValidationSpec]():
		if f.name == "action" {
			return []string{"block", "tag"}
		}
	case reflect.TypeFor[seshat.ExpirationAttribute]():
		if f.name == "format" {
			return []string{"durationSeconds", "durationMilliseconds", "epochSeconds", "epochMilliseconds"}
		}
	case reflect.TypeFor[seshat.Identifier]():
		switch f.name {
		case "in":
			return []string{"request", "response"}
		case "type":
			return []string{
				"session", "accessToken", "refreshToken", "authorizationCode", "apiKey", "claim", "transaction",
			}
		}
	case reflect.TypeFor[seshat.ContextParameterSpec]():
		switch f.name {
		case "in":
			return []string{"request", "response"}
		case "type":
			return []string{"plain", "user", "role"}
		}
	case reflect.TypeFor[seshat.Condition]():
		if f.name == "in" {
			return []string{"request", "response"}
		}
	}
	return nil
}

// choices lists the fields of t of which exactly one must be set; nil when there is no such group.
func choices(t reflect.Type) []string {
	switch t {
	case reflect.TypeFor[seshat.Match](), reflect.TypeFor[seshat.Transformation]():
		return fieldNames(fieldsOf(t))
	case reflect.TypeFor[seshat.Identifier]():
		return []string{"extract", "header", "cookie", "jwtClaim"}
	case reflect.TypeFor[seshat.JWTClaimShort]():
		return []string{"header", "cookie"}
	case reflect.TypeFor[seshat.Expiration]():
		return []string{"jwt", "attribute"}
	case reflect.TypeFor[seshat.JWTValidationSpec]():
		return []string{"jwksURL", "jwks"}
	default:
		return nil
	}
}

// onlyTrue reports whether the boolean field f may only be true: its absence says the other.
func onlyTrue(f field) bool {
	return f.owner == reflect.TypeFor[seshat.Expiration]() && f.name == "jwt" ||
		f.owner == reflect.TypeFor[seshat.Match]() && f.name == "notExists"
}

// mayBeEmpty reports whether the empty text is a value of the text field f. In other documents than resources it is.
func mayBeEmpty(f field) bool {
	ofResource := f.owner != nil && f.owner.PkgPath() == reflect.TypeFor[seshat.Resource]().PkgPath()
	return !ofResource || f.owner == reflect.TypeFor[seshat.Metadata]() && f.name == "description" ||
		f.owner == reflect.TypeFor[seshat.Match]()
}
