package demo

import (
	"fmt"
	"net/http"
)

// site is what browsers see: a session from the first page on, whose cookie changes at login.
func (s *Shop) site() {
	s.mux.HandleFunc("GET /{$}", s.browse("Welcome"))
	s.mux.HandleFunc("GET /products", s.browse("Products"))
	s.mux.HandleFunc("GET /products/{id}", func(w http.ResponseWriter, r *http.Request) {
		n, ok := product(r)
		if !ok {
			http.NotFound(w, r)
			return
		}
		s.browse(fmt.Sprintf("Product %d", n))(w, r)
	})
	s.mux.HandleFunc("POST /login", s.login)
	s.mux.HandleFunc("POST /logout", s.logout)
	s.mux.HandleFunc("POST /cart", s.cart)
	s.mux.HandleFunc("POST /orders", s.order)
	s.mux.HandleFunc("GET /orders/{id}", s.orderPage)
	s.mux.HandleFunc("GET /account", s.account)
}

// visit is the session that a request belongs to, and nil when it has none.
func (s *Shop) visit(r *http.Request) (*visit, string) {
	cookie, err := r.Cookie(cookieName)
	if err != nil {
		return nil, ""
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.sessions[cookie.Value], cookie.Value
}

// start begins a session, or takes v over into one with a new cookie, which ends the old.
func (s *Shop) start(w http.ResponseWriter, old string, v visit) {
	id := random()
	s.mu.Lock()
	delete(s.sessions, old)
	if len(s.sessions) >= maxSessions {
		clear(s.sessions)
	}
	s.sessions[id] = &v
	s.mu.Unlock()
	http.SetCookie(w, &http.Cookie{ //nolint:gosec // a demonstration on this machine, without TLS
		Name: cookieName, Value: id, Path: "/", HttpOnly: true, SameSite: http.SameSiteLaxMode, MaxAge: 3600, Secure: false,
	})
}

func (s *Shop) browse(title string) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		v, old := s.visit(r)
		if v == nil {
			s.start(w, old, visit{})
			v = &visit{}
		}
		page(w, http.StatusOK, title, v.user)
	}
}

func (s *Shop) login(w http.ResponseWriter, r *http.Request) {
	user, password := r.FormValue("username"), r.FormValue("password")
	if want, known := Users()[user]; !known || want != password {
		page(w, http.StatusUnauthorized, "Wrong user or password", "")
		return
	}
	v, old := s.visit(r)
	next := visit{user: user}
	if v != nil {
		s.mu.Lock()
		next.cart = v.cart
		s.mu.Unlock()
	}
	s.start(w, old, next)
	http.Redirect(w, r, "/account", http.StatusSeeOther)
}

func (s *Shop) logout(w http.ResponseWriter, r *http.Request) {
	if _, id := s.visit(r); id != "" {
		s.mu.Lock()
		delete(s.sessions, id)
		s.mu.Unlock()
	}
	http.SetCookie(w, &http.Cookie{Name: cookieName, Path: "/", MaxAge: -1, HttpOnly: true, Secure: false, SameSite: http.SameSiteLaxMode}) //nolint:gosec // as above
	http.Redirect(w, r, "/", http.StatusSeeOther)
}

func (s *Shop) cart(w http.ResponseWriter, r *http.Request) {
	v, _ := s.visit(r)
	if v == nil {
		page(w, http.StatusUnauthorized, "No session", "")
		return
	}
	s.mu.Lock()
	v.cart++
	n := v.cart
	s.mu.Unlock()
	page(w, http.StatusOK, fmt.Sprintf("%d in the cart", n), v.user)
}

func (s *Shop) order(w http.ResponseWriter, r *http.Request) {
	v, _ := s.visit(r)
	if v == nil || v.user == "" {
		page(w, http.StatusUnauthorized, "Sign in first", "")
		return
	}
	http.Redirect(w, r, fmt.Sprintf("/orders/%d", s.newOrder(v.user)), http.StatusSeeOther)
}

// newOrder is a new order's number.
func (s *Shop) newOrder(user string) int {
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.orders) >= maxSessions {
		s.orders = s.orders[:8]
	}
	s.orders = append(s.orders, user)
	return firstOrder + len(s.orders) - 1
}

// owner is who ordered, and empty when there is no such order.
func (s *Shop) owner(r *http.Request) string {
	var n int
	if _, err := fmt.Sscanf(r.PathValue("id"), "%d", &n); err != nil {
		return ""
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if n < firstOrder || n >= firstOrder+len(s.orders) {
		return ""
	}
	return s.orders[n-firstOrder]
}

func (s *Shop) orderPage(w http.ResponseWriter, r *http.Request) {
	v, _ := s.visit(r)
	switch {
	case v == nil || v.user == "":
		page(w, http.StatusUnauthorized, "Sign in first", "")
	case s.owner(r) != v.user:
		page(w, http.StatusForbidden, "Not yours", v.user)
	default:
		page(w, http.StatusOK, "Order "+r.PathValue("id"), v.user)
	}
}

func (s *Shop) account(w http.ResponseWriter, r *http.Request) {
	v, _ := s.visit(r)
	if v == nil || v.user == "" {
		page(w, http.StatusUnauthorized, "Sign in first", "")
		return
	}
	page(w, http.StatusOK, "Your account", v.user)
}
