// Package web is what every page of the console does in the same way: who asks, what the API answers on their behalf, how
// an answer looks, and what is said when something goes wrong.
package web

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"slices"
	"time"

	"github.com/seshat-project/seshat/internal/api/client"
	"github.com/seshat-project/seshat/internal/console/assets"
	"github.com/seshat-project/seshat/internal/console/ui"
)

// Options are what pages are made of. All of them are needed, but for Logger, Now and Acts.
type Options struct {
	// API is asked for everything, on behalf of who asks.
	API http.Handler
	// Viewer says who a client speaks for; an error that wraps [client.ErrSignedOut] when that is nobody.
	Viewer  func(ctx context.Context, c *client.Client) (*ui.Viewer, error)
	Assets  *assets.Set
	Version string
	Logger  *slog.Logger
	Now     func() time.Time
	// Acts says of the forms of what somebody may do, by pattern, which permissions they are for: one of them is enough.
	Acts map[string][]string
}

// Site serves pages.
type Site struct {
	Options
	mux      *http.ServeMux
	patterns []string
}

// New returns a site without pages.
func New(o Options) (*Site, error) {
	if o.API == nil || o.Viewer == nil || o.Assets == nil {
		return nil, errors.New("console: API, Viewer and Assets are needed")
	}
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	s := &Site{Options: o, mux: http.NewServeMux()}
	s.registerViews()
	return s, nil
}

// Handler is a page or a part of one. It renders what it shows; an error is shown in its place.
type Handler func(q *Request) error

// Handle serves a pattern of [http.ServeMux], such as "GET /sessions/{id}", to those who are signed in.
//
// What may change something is refused without the CSRF token of who is signed in, whatever it would do; the API, which is
// asked to do it, compares the token again.
func (s *Site) Handle(pattern string, h Handler) {
	s.serve(pattern, func(w http.ResponseWriter, r *http.Request) {
		q, err := s.request(w, r)
		if err == nil && q.forged() {
			err = errForged
		}
		if err == nil {
			err = s.refused(pattern, q.Viewer)
		}
		if err == nil {
			err = h(q)
		}
		if err != nil {
			q.fail(err)
		}
	})
}

// Open serves a pattern to everybody, signed in or not: the viewer may be nil.
func (s *Site) Open(pattern string, h Handler) {
	s.serve(pattern, func(w http.ResponseWriter, r *http.Request) {
		q, err := s.request(w, r)
		if err == nil || errors.Is(err, client.ErrSignedOut) {
			err = h(q)
		}
		if err != nil {
			q.fail(err)
		}
	})
}

// Mount serves a pattern by another handler.
func (s *Site) Mount(pattern string, h http.Handler) { s.serve(pattern, h.ServeHTTP) }

func (s *Site) serve(pattern string, h http.HandlerFunc) {
	s.patterns = append(s.patterns, pattern)
	s.mux.HandleFunc(pattern, h)
}

// Patterns returns every pattern that is served, in order.
func (s *Site) Patterns() []string { return slices.Sorted(slices.Values(s.patterns)) }

// maxForm is how many bytes the forms of pages may have: the longest is the YAML of resources.
const maxForm = 2 << 20

// ServeHTTP implements [http.Handler].
func (s *Site) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	protect(w.Header())
	r.Body = http.MaxBytesReader(w, r.Body, maxForm)
	_, pattern := s.mux.Handler(r)
	if pattern == "" {
		s.nothing(w, r)
		return
	}
	s.mux.ServeHTTP(w, r)
}

// nothing answers a request for a page that there is not, or not by this method.
func (s *Site) nothing(w http.ResponseWriter, r *http.Request) {
	q, err := s.request(w, r)
	if err != nil {
		q.fail(err)
		return
	}
	q.fail(errNoPage)
}

// protect sets the fields that every answer has. Nothing is loaded from elsewhere, and nothing inline is run.
func protect(h http.Header) {
	h.Set("Content-Security-Policy", "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; "+
		"form-action 'self'; frame-ancestors 'none'; base-uri 'none'")
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("X-Frame-Options", "DENY")
	h.Set("Referrer-Policy", "no-referrer")
	h.Set("Cross-Origin-Resource-Policy", "same-origin")
	h.Set("Cross-Origin-Opener-Policy", "same-origin")
	h.Set("Permissions-Policy", "camera=(), geolocation=(), microphone=(), payment=(), usb=()")
	h.Set("Cache-Control", "no-store")
}
