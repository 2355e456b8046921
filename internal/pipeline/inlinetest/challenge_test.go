package inlinetest_test

import (
	"context"
	"net/http"
	"slices"
	"testing"

	"github.com/seshat-project/seshat"
	"github.com/seshat-project/seshat/internal/pipeline"
	"github.com/seshat-project/seshat/internal/pipeline/inlinetest"
)

const tokensRequired = `---
apiVersion: seshat/v1
kind: JWTValidation
metadata: {name: tokens}
spec:
  endpoints: ["GET */account"]
  jwks: '{"keys":[{"kty":"OKP","crv":"Ed25519","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}]}'
  required: true
`

// TestRefusalsWith401HaveAChallenge holds refusals to RFC 9110, section 15.5.2: a 401 says how to sign in, a 403 does not.
func TestRefusalsWith401HaveAChallenge(t *testing.T) {
	n := inlinetest.Start(t, shopRule+tokensRequired, pipeline.InlineConfig{})
	f := func(path, cookie, authorization string, wantStatus int, want ...string) {
		t.Helper()
		x := get(cookie, "")
		x.Request.Path = path
		if authorization != "" {
			x.Request.Header = append(x.Request.Header, seshat.Field{Name: "Authorization", Value: authorization})
		}
		g := n.Begin(x)
		a := g.Answer()
		if a == nil || a.Status != wantStatus {
			t.Fatalf("%s %q %q: the answer is %+v; want status %d", path, cookie, authorization, a, wantStatus)
		}
		var got []string
		for _, field := range a.Fields {
			if field.Name == "WWW-Authenticate" {
				got = append(got, field.Value)
			}
		}
		if !slices.Equal(got, want) {
			t.Errorf("%s %q %q: the challenges %q; want %q", path, cookie, authorization, got, want)
		}
		x.Response.Status = a.Status
		if err := g.End(context.Background(), x); err != nil {
			t.Error(err)
		}
	}
	f("/account", "", "", http.StatusUnauthorized, `Bearer`)
	f("/account", "", "Bearer a.b.c", http.StatusUnauthorized, `Bearer error="invalid_token"`)
	deny := func(status int) {
		n.Enforcer.Deny([]seshat.Denial{{Name: "stolen", ClientSessionID: digest(n), Status: status}})
	}
	deny(http.StatusUnauthorized)
	f("/", "SHOP=bad-0123456789", "", http.StatusUnauthorized, `Bearer error="invalid_token"`)
	deny(http.StatusForbidden)
	f("/", "SHOP=bad-0123456789", "", http.StatusForbidden)
}
