package limits

import (
	"net/http"
	"net/url"
	"strconv"

	"github.com/seshat-project/seshat"
	"github.com/seshat-project/seshat/internal/console/editor"
	"github.com/seshat-project/seshat/internal/console/manage"
	"github.com/seshat-project/seshat/internal/console/ui"
	"github.com/seshat-project/seshat/internal/rule"
)

func validationPages() *manage.Pages {
	return &manage.Pages{
		Kind: seshat.KindJWTValidation, Section: ui.SectionLimits, Group: group, Tabs: tabs,
		One: "JWT validation", Many: "JWT validations",
		Intro: "Which tokens are good: signature, issuer, audience and times are checked before a request reaches the origin.",
		Next:  "Say where the issuer of your tokens publishes its keys. With tag only, requests whose token is not good are marked, and pass.",
		List:  listValidations, New: "/limits/jwt/new", Item: "/limits/validation",
		Columns: []manage.Column{
			{Name: "Keys and issuers"},
			{Name: "Action"},
			{Name: "Accepted", Class: "number wide-only"},
			{Name: "Tagged", Class: "number"},
			{Name: "Refused", Class: "number"},
			{Name: "Last hour"},
		},
		Cells: validationCells, With: countersOf, Head: countersHead, About: aboutLimit,
		Scripts: []string{"refresh.js"}, Styles: []string{"limits.css"},
		Begin: beginValidation, Put: putValidation, Spec: readValidation, Edit: editValidation, Most: rule.MaxConditions,
	}
}

func beginValidation(f *editor.Form, query url.Values) {
	putValidation(f, &seshat.JWTValidationSpec{
		Action: actionTag, JWKSURL: query.Get("jwks_url"), Issuers: query["issuer"], Audiences: query["audience"],
		Scope: seshat.Scope{Services: query["service"], Environments: query["environment"]},
	})
}

// Where the token is: in the header Authorization, or somewhere else, which is then said.
const tokenElsewhere = "elsewhere"

func putValidation(f *editor.Form, spec seshat.Spec) {
	s, ok := spec.(*seshat.JWTValidationSpec)
	if !ok {
		return
	}
	f.PutScope("spec.scope", &s.Scope)
	f.PutLines("spec.endpoints", s.Endpoints)
	form, token := "", seshat.Extract{Location: "header"}
	if s.Token != nil {
		form, token = tokenElsewhere, *s.Token
	}
	f.PutLine("spec.token.form", form)
	f.PutExtract("spec.token", &token)
	f.PutBool("spec.required", s.Required)
	f.PutLine("spec.jwksURL", s.JWKSURL)
	f.PutText("spec.jwks", s.JWKS)
	f.PutLines("spec.issuers", s.Issuers)
	f.PutLines("spec.audiences", s.Audiences)
	f.PutLine("spec.action", s.Action)
	f.PutNumber("spec.status", s.Status)
}

func readValidation(f *editor.Form) seshat.Spec {
	s := &seshat.JWTValidationSpec{
		Scope: f.Scope("spec.scope"), Endpoints: f.Lines("spec.endpoints"), Required: f.Bool("spec.required"), JWKSURL: f.Get("spec.jwksURL"),
		JWKS: f.Text("spec.jwks"), Issuers: f.Lines("spec.issuers"), Audiences: f.Lines("spec.audiences"), Action: f.Get("spec.action"),
		Status: f.Number("spec.status"),
	}
	switch {
	case s.JWKSURL == "" && s.JWKS == "":
		f.Fault("spec.jwksURL", "neither an address nor keys", "say where the issuer publishes its keys, or what they are")
	case s.JWKSURL != "" && s.JWKS != "":
		f.Fault("spec.jwks", "both an address and keys", "keep one of the two")
	}
	if f.Get("spec.token.form") == tokenElsewhere {
		token := f.Extract("spec.token")
		s.Token = &token
	}
	return s
}

func tokenForms() []editor.Option {
	return []editor.Option{{Value: "", Name: "the header Authorization"}, {Value: tokenElsewhere, Name: "somewhere else"}}
}

func tokenPlaces() []editor.Option {
	return []editor.Option{{Value: "header", Name: "header"}, {Value: "cookie", Name: "cookie"}, {Value: "query", Name: "query parameter"}}
}

func validationActions() []editor.Option {
	return []editor.Option{{Value: actionTag, Name: "tag only: let pass, mark and count"}, {Value: "", Name: "block: refuse"}}
}

func validationStatuses() []editor.Option {
	return []editor.Option{
		{Value: "", Name: "401: asks to sign in again"}, {Value: strconv.Itoa(http.StatusForbidden), Name: "403: forbidden"},
	}
}

// keysOf says where the keys of a validation come from.
func keysOf(s *seshat.JWTValidationSpec) string {
	if s.JWKSURL != "" {
		return s.JWKSURL
	}
	return "keys of its own"
}

func accepted(s *seshat.JWTValidationSpec) string {
	text := "any issuer"
	if len(s.Issuers) > 0 {
		text = endpoints(s.Issuers)
	}
	if len(s.Audiences) > 0 {
		text += " for " + endpoints(s.Audiences)
	}
	return text
}
