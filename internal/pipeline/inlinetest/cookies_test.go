package inlinetest_test

import (
	"context"
	"net/http"
	"net/netip"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/seshat-project/seshat"
	"github.com/seshat-project/seshat/internal/pipeline"
	"github.com/seshat-project/seshat/internal/pipeline/inlinetest"
)

const shopRule = `
apiVersion: seshat/v1
kind: SessionRule
metadata: {name: shop}
spec:
  identifiers:
    - cookie: SHOP
    - cookie: __Host-shop
    - header: X-Token
`

// get is a request with Cookie and X-Token fields.
func get(cookie, token string) *seshat.Exchange {
	x := &seshat.Exchange{Time: time.Now(), Service: "shop"}
	x.Client.IP = netip.MustParseAddr("203.0.113.9")
	x.Request.Method, x.Request.Scheme, x.Request.Host, x.Request.Path = "GET", "https", "shop.example", "/account"
	if cookie != "" {
		x.Request.Header = append(x.Request.Header, seshat.Field{Name: "Cookie", Value: cookie})
	}
	if token != "" {
		x.Request.Header = append(x.Request.Header, seshat.Field{Name: "X-Token", Value: token})
	}
	return x
}

// TestRevokedCookiesAreForgotten takes the cookies of a session that the denylist refuses with 401 out of the browser, and
// no others.
func TestRevokedCookiesAreForgotten(t *testing.T) {
	n := inlinetest.Start(t, shopRule, pipeline.InlineConfig{})
	deny := func(status int) {
		n.Enforcer.Deny([]seshat.Denial{{Name: "stolen", ClientSessionID: digest(n), Status: status}})
	}
	f := func(x *seshat.Exchange, wantStatus int, want ...string) {
		t.Helper()
		g := n.Begin(x)
		var got []string
		if a := g.Answer(); a != nil {
			if x.Response.Status = a.Status; a.Status != wantStatus {
				t.Errorf("the answer has status %d; want %d", a.Status, wantStatus)
			}
			for _, field := range a.Fields {
				if field.Name == "Set-Cookie" {
					got = append(got, field.Value)
				}
			}
			x.Response.Header = slices.Clone(a.Fields) // as sources do
		} else if wantStatus != 0 {
			t.Errorf("%v is let through", x.Request.Header)
		}
		if !slices.Equal(got, want) {
			t.Errorf("%v: the cookies %q; want %q", x.Request.Header, got, want)
		}
		header := x.Response.Header
		if err := g.End(context.Background(), x); err != nil {
			t.Error(err)
		}
		if len(x.Response.Header) != len(header) {
			t.Error("the exchange has lost the header of its response")
		}
	}
	deny(http.StatusUnauthorized)
	f(get("SHOP=bad-0123456789; theme=dark", ""), 401, "SHOP=; Max-Age=0; Path=/")
	f(get("SHOP=bad-0123456789; SHOP=bad-0123456789", ""), 401, "SHOP=; Max-Age=0; Path=/")
	f(get("__Host-shop=bad-0123456789", ""), 401, "__Host-shop=; Max-Age=0; Path=/; Secure")
	f(get("", "bad-0123456789"), 401)
	// All of them: whichever is sent with the next request might be refused too.
	f(get("SHOP=good-0123456789", "bad-0123456789"), 401, "SHOP=; Max-Age=0; Path=/")
	f(get("SHOP=good-0123456789", ""), 0)
	deny(http.StatusForbidden)
	f(get("SHOP=bad-0123456789", ""), 403)
	// What a refusal says is not what the origin says: no session has ended by a deleted cookie.
	for _, o := range n.Recorded() {
		for i := range o.IDs {
			if o.IDs[i].Deleted || o.IDs[i].Side == seshat.InResponse {
				t.Errorf("a refusal of Seshat's counts as an answer of the origin's: %+v", o.IDs[i])
			}
		}
	}
}

// TestForgottenCookiesAreBounded sends more cookies than an answer takes away, with names that are no names.
func TestForgottenCookiesAreBounded(t *testing.T) {
	var rule, cookies strings.Builder
	rule.WriteString("apiVersion: seshat/v1\nkind: SessionRule\nmetadata: {name: many}\nspec:\n  identifiers:\n")
	for c := 'a'; c <= 'z'; c++ {
		rule.WriteString("    - cookie: SESSION" + string(c) + "\n")
		cookies.WriteString("SESSION" + string(c) + "=bad-0123456789; ")
	}
	n := inlinetest.Start(t, rule.String(), pipeline.InlineConfig{})
	n.Enforcer.Deny([]seshat.Denial{{Name: "stolen", ClientSessionID: digest(n), Status: 401}})
	x := get(cookies.String(), "")
	g := n.Begin(x)
	a := g.Answer()
	if a == nil {
		t.Fatal("it is let through")
	}
	if count := len(a.Fields); count > 3+8 {
		t.Errorf("the answer has %d fields", count)
	}
	x.Response.Status = a.Status
	if err := g.End(context.Background(), x); err != nil {
		t.Error(err)
	}
}

// digest is of the client session ID that the denylist names.
func digest(n *inlinetest.Node) seshat.Digest {
	return n.Digester.Hash([]byte("bad-0123456789"))
}
