package oidc

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"maps"
	"net/http"
	"net/http/httptest"
	"net/url"
	"sync"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"
)

// fakeProvider is an OpenID provider whose every answer a test can change. The real one is in the scenarios.
type fakeProvider struct {
	t      *testing.T
	server *httptest.Server
	key    *ecdsa.PrivateKey

	mu        sync.Mutex
	asked     url.Values     // of the authorization request
	claims    map[string]any // of the ID token, over the good ones; nil removes one
	info      map[string]any // of userinfo; nil is none
	sign      func(payload []byte) string
	tokens    func(w http.ResponseWriter, r *http.Request) bool // in place of the token endpoint
	metadata  map[string]any                                    // over the good ones
	down      bool
	redeemed  int
	discovery int
	infos     int
	basic     string
}

const fakeAccess = "access-token-of-a-test"

func newFake(t *testing.T) *fakeProvider {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	f := &fakeProvider{t: t, key: key}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /.well-known/openid-configuration", f.describe)
	mux.HandleFunc("GET /jwks", func(w http.ResponseWriter, _ *http.Request) {
		f.write(w, jose.JSONWebKeySet{Keys: []jose.JSONWebKey{{Key: key.Public(), KeyID: "k", Algorithm: "ES256", Use: "sig"}}})
	})
	mux.HandleFunc("POST /token", f.token)
	mux.HandleFunc("GET /me", func(w http.ResponseWriter, r *http.Request) {
		f.mu.Lock()
		defer f.mu.Unlock()
		f.infos++
		if r.Header.Get("Authorization") != "Bearer "+fakeAccess || f.info == nil {
			http.Error(w, "no", http.StatusUnauthorized)
			return
		}
		f.write(w, f.info)
	})
	f.server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		f.mu.Lock()
		down := f.down
		f.mu.Unlock()
		if down {
			http.Error(w, "down for a test", http.StatusServiceUnavailable)
			return
		}
		mux.ServeHTTP(w, r)
	}))
	t.Cleanup(f.server.Close)
	return f
}

func (f *fakeProvider) write(w http.ResponseWriter, v any) {
	w.Header().Set("Content-Type", "application/json")
	if err := json.NewEncoder(w).Encode(v); err != nil {
		f.t.Error(err)
	}
}

func (f *fakeProvider) describe(w http.ResponseWriter, _ *http.Request) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.discovery++
	base := f.server.URL
	all := map[string]any{
		"issuer": base, "authorization_endpoint": base + "/auth", "token_endpoint": base + "/token", "jwks_uri": base + "/jwks",
		"userinfo_endpoint": base + "/me", "end_session_endpoint": base + "/end?a=b",
		"id_token_signing_alg_values_supported": []string{"ES256", "HS256", "none"},
	}
	merge(all, f.metadata)
	f.write(w, all)
}

func merge(into, more map[string]any) {
	maps.Copy(into, more)
	maps.DeleteFunc(into, func(_ string, v any) bool { return v == nil })
}

func (f *fakeProvider) token(w http.ResponseWriter, r *http.Request) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.redeemed++
	if f.tokens != nil && f.tokens(w, r) {
		return
	}
	_, f.basic, _ = r.BasicAuth()
	sum := sha256.Sum256([]byte(r.FormValue("code_verifier")))
	if r.FormValue("code") != "good-code" || base64.RawURLEncoding.EncodeToString(sum[:]) != f.asked.Get("code_challenge") ||
		f.asked.Get("code_challenge_method") != "S256" || r.FormValue("redirect_uri") != f.asked.Get("redirect_uri") {
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(http.StatusBadRequest)
		_, _ = w.Write([]byte(`{"error":"invalid_grant","error_description":"secret-of-the-answer"}`))
		return
	}
	access := sha256.Sum256([]byte(fakeAccess))
	now := time.Now()
	all := map[string]any{
		"iss": f.server.URL, "sub": "subject-1", "aud": "client", "exp": now.Add(time.Minute).Unix(), "iat": now.Unix(),
		"nonce": f.asked.Get("nonce"), "email": "Ann@shop.example", "email_verified": true, "name": "Ann Example",
		"groups": []string{"staff", "ops"}, "at_hash": base64.RawURLEncoding.EncodeToString(access[:16]),
	}
	merge(all, f.claims)
	payload, err := json.Marshal(all)
	if err != nil {
		f.t.Error(err)
	}
	sign := f.signed
	if f.sign != nil {
		sign = f.sign
	}
	f.write(w, map[string]any{"access_token": fakeAccess, "token_type": "Bearer", "id_token": sign(payload)})
}

func (f *fakeProvider) signed(payload []byte) string { return signWith(f.t, f.key, payload) }

func signWith(t *testing.T, key *ecdsa.PrivateKey, payload []byte) string {
	t.Helper()
	signer, err := jose.NewSigner(jose.SigningKey{Algorithm: jose.ES256, Key: key}, (&jose.SignerOptions{}).WithHeader("kid", "k"))
	if err != nil {
		t.Fatal(err)
	}
	signed, err := signer.Sign(payload)
	if err != nil {
		t.Fatal(err)
	}
	text, err := signed.CompactSerialize()
	if err != nil {
		t.Fatal(err)
	}
	return text
}

// set changes the provider.
func (f *fakeProvider) set(change func()) {
	f.mu.Lock()
	defer f.mu.Unlock()
	change()
}

// options are those of a client of the provider.
func (f *fakeProvider) options() Options {
	return Options{
		Issuer: f.server.URL, ClientID: "client", Secret: "secret-of-the-client", Callback: "https://console.example/sign-in/oidc/callback",
		SignedOut: "https://console.example/sign-in", Scopes: []string{"email", "profile"}, Claims: Claims{Display: "name"},
		Roles: Roles{Claim: "groups", Roles: []Role{{"admin", []string{"admins"}}, {"analyst", []string{"ops"}}, {"viewer", []string{"staff"}}}},
	}
}

func newProvider(t *testing.T, o Options) *Provider {
	t.Helper()
	p, err := New(o)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// begin begins a sign-in and lets the provider know what was asked.
func (f *fakeProvider) begin(p *Provider, next string) (sealed, state string) {
	f.t.Helper()
	a, err := p.Begin(context.Background(), next)
	if err != nil {
		f.t.Fatal(err)
	}
	u, err := url.Parse(a.URL)
	if err != nil {
		f.t.Fatal(err)
	}
	f.set(func() { f.asked = u.Query() })
	return a.Sealed, u.Query().Get("state")
}
