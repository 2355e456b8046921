package demo

import (
	"encoding/json"
	"fmt"
	"net/http"
	"time"

	"github.com/go-jose/go-jose/v4"
	"github.com/go-jose/go-jose/v4/jwt"
)

// api is what apps and services see: tokens that are refreshed, and an API key.
func (s *Shop) api() {
	s.mux.HandleFunc("GET /.well-known/jwks.json", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		_, _ = w.Write(s.JWKS())
	})
	s.mux.HandleFunc("POST /api/login", s.apiLogin)
	s.mux.HandleFunc("POST /api/refresh", s.apiRefresh)
	s.mux.HandleFunc("GET /api/me", s.apiUser(func(w http.ResponseWriter, _ *http.Request, user string) {
		answer(w, http.StatusOK, map[string]string{"user": user})
	}))
	s.mux.HandleFunc("GET /api/orders/{id}", s.apiUser(func(w http.ResponseWriter, r *http.Request, user string) {
		if s.owner(r) != user {
			refuse(w, http.StatusForbidden)
			return
		}
		answer(w, http.StatusOK, map[string]string{"order": r.PathValue("id"), "user": user, "state": "shipped"})
	}))
	s.mux.HandleFunc("POST /api/orders", s.apiUser(func(w http.ResponseWriter, _ *http.Request, user string) {
		answer(w, http.StatusCreated, map[string]int{"order": s.newOrder(user)})
	}))
	s.mux.HandleFunc("GET /api/search", func(w http.ResponseWriter, r *http.Request) {
		answer(w, http.StatusOK, map[string]any{"query": r.FormValue("q"), "results": []int{1, 2, 3}})
	})
	s.mux.HandleFunc("GET /api/inventory/{id}", func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get(apiKeyName) != APIKey {
			refuse(w, http.StatusUnauthorized)
			return
		}
		answer(w, http.StatusOK, map[string]string{"product": r.PathValue("id"), "stock": "12"})
	})
	s.mux.HandleFunc("GET /api/events", s.apiUser(s.events))
}

// grant makes the tokens of a sign-in.
func (s *Shop) grant(w http.ResponseWriter, in *signIn) {
	now := s.now()
	claims := struct {
		jwt.Claims
		SessionID string `json:"sid"`
	}{jwt.Claims{
		Issuer: Issuer, Subject: in.user, Audience: jwt.Audience{"shop-api"},
		IssuedAt: jwt.NewNumericDate(now), Expiry: jwt.NewNumericDate(now.Add(tokenLife)), ID: random(),
	}, in.id}
	token, err := jwt.Signed(s.signer).Claims(claims).Serialize()
	if err != nil {
		refuse(w, http.StatusInternalServerError)
		return
	}
	refresh := random()
	s.mu.Lock()
	if len(s.refresh) >= maxSessions {
		clear(s.refresh)
	}
	s.refresh[refresh] = in
	s.mu.Unlock()
	answer(w, http.StatusOK, map[string]any{
		"access_token": token, "refresh_token": refresh, "token_type": "Bearer", "expires_in": int(tokenLife / time.Second),
	})
}

func (s *Shop) apiLogin(w http.ResponseWriter, r *http.Request) {
	var in struct{ Username, Password string }
	if err := json.NewDecoder(r.Body).Decode(&in); err != nil {
		refuse(w, http.StatusBadRequest)
		return
	}
	if want, known := Users()[in.Username]; !known || want != in.Password {
		refuse(w, http.StatusUnauthorized)
		return
	}
	s.grant(w, &signIn{user: in.Username, id: random()})
}

func (s *Shop) apiRefresh(w http.ResponseWriter, r *http.Request) {
	var in struct {
		RefreshToken string `json:"refresh_token"`
	}
	if err := json.NewDecoder(r.Body).Decode(&in); err != nil {
		refuse(w, http.StatusBadRequest)
		return
	}
	s.mu.Lock()
	session := s.refresh[in.RefreshToken]
	delete(s.refresh, in.RefreshToken)
	s.mu.Unlock()
	if session == nil {
		refuse(w, http.StatusUnauthorized)
		return
	}
	s.grant(w, session)
}

// apiUser lets only those through who show a good token.
func (s *Shop) apiUser(next func(http.ResponseWriter, *http.Request, string)) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		token, err := jwt.ParseSigned(bearer(r), []jose.SignatureAlgorithm{jose.ES256})
		var claims jwt.Claims
		if err == nil {
			err = token.Claims(&s.key.PublicKey, &claims)
		}
		if err == nil {
			err = claims.ValidateWithLeeway(jwt.Expected{Issuer: Issuer, Time: s.now()}, 0)
		}
		if err != nil {
			w.Header().Set("WWW-Authenticate", `Bearer error="invalid_token"`)
			refuse(w, http.StatusUnauthorized)
			return
		}
		next(w, r, claims.Subject)
	}
}

// events are server-sent: a few, some time apart.
func (s *Shop) events(w http.ResponseWriter, r *http.Request, user string) {
	w.Header().Set("Content-Type", "text/event-stream")
	out := http.NewResponseController(w)
	ticker := time.NewTicker(time.Second)
	defer ticker.Stop()
	for n := range 5 {
		_, _ = fmt.Fprintf(w, "event: order\ndata: {\"user\":%q,\"n\":%d}\n\n", user, n)
		if out.Flush() != nil {
			return
		}
		select {
		case <-r.Context().Done():
			return
		case <-ticker.C:
		}
	}
}
