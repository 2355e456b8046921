package preview_test

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/seshat-project/seshat"
	"github.com/seshat-project/seshat/internal/correlate"
	"github.com/seshat-project/seshat/internal/preview"
	"github.com/seshat-project/seshat/internal/protect"
	"github.com/seshat-project/seshat/internal/resource"
	"github.com/seshat-project/seshat/internal/rule"
)

var start = time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)

// secret is a value that nobody guesses, and the same each time.
func secret(parts ...any) string {
	digest := sha256.Sum256([]byte(fmt.Sprint(parts...)))
	return hex.EncodeToString(digest[:])[:32]
}

// shop is traffic of an API that identification knows nothing of: each visit has a value of its own under a name that no
// framework uses, beside values that are no session IDs.
type shop struct {
	exchanges []*seshat.Exchange
	secrets   []string
}

// newShop makes visits of as many users, in turns, each of so many requests.
func newShop(users, requests int) *shop {
	s := &shop{}
	for n := range requests {
		for u := range users {
			visit, user := secret("visit", u), fmt.Sprintf("user%d@shop.example", u)
			token := jwt(map[string]any{"sub": user, "sid": secret("sid", u), "exp": start.Add(time.Hour).Unix()}, u)
			nonce := secret("nonce", u, n)
			x := &seshat.Exchange{
				Time: start.Add(time.Duration(n*users+u) * 100 * time.Millisecond), Environment: "prod", Service: "shop",
				Client: seshat.Client{IP: netip.AddrFrom4([4]byte{10, 1, byte(u >> 8), byte(u)})},
				Request: seshat.Request{
					Method: "GET", Scheme: "https", Host: "shop.example", Path: fmt.Sprintf("/orders/%d", n), Query: "page=1",
					Header: []seshat.Field{
						{Name: "User-Agent", Value: "Firefox"},
						{Name: "X-Visit", Value: visit},
						{Name: "X-Nonce", Value: nonce},
						{Name: "X-Tenant", Value: fmt.Sprint("tenant", u%2)},
						{Name: "X-User", Value: user},
						{Name: "X-Build", Value: "2f8a91c04be7d365"},
						{Name: "X-Pin", Value: fmt.Sprint(1000 + u)},
						{Name: "X-Token", Value: token},
					},
				},
				Response: seshat.Response{Status: 200},
			}
			switch {
			case n == 0: // not signed in yet
				x.Request.Method, x.Request.Path = "POST", "/sign-in"
				x.Request.Header = x.Request.Header[:1]
				x.Response.Header = []seshat.Field{{Name: "X-Visit", Value: visit}}
			case n%7 == 0:
				x.Response.Status = 503
			case n%5 == 0:
				x.Request.Path = "/reset/" + secret("reset", u, n)
				s.secrets = append(s.secrets, secret("reset", u, n))
			}
			s.exchanges = append(s.exchanges, x)
			s.secrets = append(s.secrets, visit, nonce, token, secret("sid", u))
		}
	}
	return s
}

// jwt is a token without a signature that anybody could check.
func jwt(claims map[string]any, n int) string {
	payload, _ := json.Marshal(claims)
	encode := base64.RawURLEncoding.EncodeToString
	return encode([]byte(`{"alg":"HS256"}`)) + "." + encode(payload) + "." + encode([]byte(secret("signature", n)))
}

func parse(t testing.TB, text string) []seshat.Resource {
	t.Helper()
	parsed, faults := resource.Parse("draft.yaml", []byte(text))
	if len(faults) > 0 {
		t.Fatal(faults)
	}
	return resource.Resources(parsed)
}

// sessionRule is a session rule, with a spec in YAML's flow style.
func sessionRule(name, spec string) string {
	return fmt.Sprintf("---\n{apiVersion: seshat/v1, kind: SessionRule, metadata: {name: %s}, spec: {%s}}\n", name, spec)
}

func declared(kind, name, spec string) string {
	return fmt.Sprintf("---\n{apiVersion: seshat/v1, kind: %s, metadata: {name: %s}, spec: {%s}}\n", kind, name, spec)
}

var digester = protect.NewKeyring(start).Digester()

func newInput(t testing.TB, exchanges []*seshat.Exchange, inForce, add string, remove ...string) *preview.Input {
	t.Helper()
	return &preview.Input{
		Exchanges: exchanges, InForce: parse(t, inForce), Add: parse(t, add), Remove: remove, Digester: digester,
		Correlation: func(*rule.Ruleset) correlate.Config {
			config := correlate.DefaultConfig(func(first seshat.Digest, at time.Time) seshat.SessionID {
				id := seshat.SessionID(digester.HashLabelled("session", string(first[:]), at.String()))
				return id
			})
			return config
		},
	}
}

func try(t testing.TB, exchanges []*seshat.Exchange, inForce, add string, remove ...string) *preview.Report {
	t.Helper()
	return run(t, newInput(t, exchanges, inForce, add, remove...))
}

func run(t testing.TB, in *preview.Input) *preview.Report {
	t.Helper()
	r, err := preview.Try(context.Background(), in)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// codes are the codes of warnings, such as "bad several-users".
func codes(r *preview.Report) string {
	var out []string
	for _, w := range r.Warnings {
		out = append(out, w.Grade+" "+w.Code)
	}
	return strings.Join(out, ", ")
}

// plain is a report as it goes over the wire.
func plain(t testing.TB, r *preview.Report) string {
	t.Helper()
	text, err := json.MarshalIndent(r, "", " ")
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// hidesSecrets fails when a report holds a secret of the traffic, or a good part of one.
func (s *shop) hidesSecrets(t testing.TB, r *preview.Report) {
	t.Helper()
	text := plain(t, r)
	for _, secret := range s.secrets {
		part := secret[len(secret)/3 : len(secret)/3+12]
		if strings.Contains(text, part) {
			t.Fatalf("the report holds %s of %s:\n%s", part, secret, text)
		}
	}
}
