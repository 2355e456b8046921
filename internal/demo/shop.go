// Package demo is a small shop with its clients, to try Seshat on: a web site with a session cookie, an API with tokens
// that are refreshed, a service with an API key, and some who mean no good.
package demo

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"encoding/json"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/go-jose/go-jose/v4"
)

// The names under which the shop hands out sessions.
const (
	cookieName = "SHOPSESS"
	apiKeyName = "X-API-Key" //nolint:gosec // the name of a header field
	// APIKey is what the warehouse shows. It protects nothing but a demonstration.
	APIKey = "warehouse-3f9c1b7e5d2a4860" //nolint:gosec // as above
	// Issuer signs the tokens of the shop's API.
	Issuer = "https://shop.example"
	// tokenLife is short, so that a minute shows refreshes.
	tokenLife = 8 * time.Second
	// orders are who owns the orders 1000 and up.
	firstOrder = 1000
)

// Users are the shop's, and their passwords. Who has read them can sign in to nothing else.
func Users() map[string]string {
	return map[string]string{
		"alice": "correct-horse", "bob": "battery-staple", "carol": "tape-measure-9", "dave": "blue-umbrella", "erin": "paper-lantern",
	}
}

// Shop is the origin. It is an [http.Handler].
type Shop struct {
	mux    *http.ServeMux
	key    *ecdsa.PrivateKey
	signer jose.Signer
	now    func() time.Time

	mu       sync.Mutex
	sessions map[string]*visit  // by cookie
	refresh  map[string]*signIn // by refresh token
	orders   []string           // who ordered
}

// visit is a session of the web site.
type visit struct {
	user string
	cart int
}

// signIn is a session of the API.
type signIn struct {
	user, id string
}

// maxSessions bounds what clients can make the shop remember.
const maxSessions = 100_000

// NewShop returns a shop.
func NewShop(now func() time.Time) (*Shop, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, fmt.Errorf("make the key of the shop: %w", err)
	}
	signer, err := jose.NewSigner(
		jose.SigningKey{Algorithm: jose.ES256, Key: jose.JSONWebKey{Key: key, KeyID: "shop-1"}},
		(&jose.SignerOptions{}).WithType("JWT"))
	if err != nil {
		return nil, fmt.Errorf("make the signer of the shop: %w", err)
	}
	s := &Shop{
		mux: http.NewServeMux(), key: key, signer: signer, now: now,
		sessions: map[string]*visit{}, refresh: map[string]*signIn{},
		orders: []string{"alice", "bob", "carol", "alice", "dave", "erin", "bob", "alice"},
	}
	s.site()
	s.api()
	return s, nil
}

// ServeHTTP implements [http.Handler].
func (s *Shop) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	r.Body = http.MaxBytesReader(w, r.Body, 64<<10)
	s.mux.ServeHTTP(w, r)
}

// JWKS is the public key of the shop's tokens.
func (s *Shop) JWKS() []byte {
	set := jose.JSONWebKeySet{Keys: []jose.JSONWebKey{{Key: &s.key.PublicKey, KeyID: "shop-1", Algorithm: "ES256", Use: "sig"}}}
	out, err := json.Marshal(set)
	if err != nil {
		return nil // a key that was just made can be written
	}
	return out
}

func random() string { return rand.Text() }

func answer(w http.ResponseWriter, status int, v any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(v) // the client may be gone
}

func refuse(w http.ResponseWriter, status int) {
	answer(w, status, map[string]string{"error": http.StatusText(status)})
}

// product is the number in a path, if there is such a product.
func product(r *http.Request) (int, bool) {
	n, err := strconv.Atoi(r.PathValue("id"))
	return n, err == nil && n >= 1 && n <= 500
}

func bearer(r *http.Request) string {
	token, found := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer ")
	if !found {
		return ""
	}
	return token
}
