// Package consoletest serves pages of the console to tests, on a real API whose parts are in memory, and does with their
// forms what browsers do.
package consoletest

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/seshat-project/seshat"
	"github.com/seshat-project/seshat/internal/api"
	"github.com/seshat-project/seshat/internal/api/client"
	"github.com/seshat-project/seshat/internal/api/wire"
	"github.com/seshat-project/seshat/internal/console/assets"
	"github.com/seshat-project/seshat/internal/console/ui"
	"github.com/seshat-project/seshat/internal/console/web"
	kvmemory "github.com/seshat-project/seshat/internal/kv/memory"
	"github.com/seshat-project/seshat/internal/resource"
	"github.com/seshat-project/seshat/internal/rule"
	"github.com/seshat-project/seshat/internal/store/memory"
)

// Site is pages that are served to a test.
type Site struct {
	t       testing.TB
	handler http.Handler

	Registry *resource.Registry
	Denylist *Denylist
	// Store is the store that the API reads.
	Store *memory.Store
	now   atomic.Pointer[time.Time] // requests may still be read out when a test goes on
	// Name and Permissions are those of who looks.
	Name        string
	Permissions []api.Permission
	// API is what the API is made of; New made it, and a test may change it before the first request.
	API *api.Options

	begin sync.Once
	api   http.Handler
}

// Now is what the clock says.
func (s *Site) Now() time.Time { return *s.now.Load() }

// SetNow sets the clock.
func (s *Site) SetNow(t time.Time) { s.now.Store(&t) }

// New serves the pages that register registers, to somebody who may do everything.
func New(t testing.TB, register func(*web.Site)) *Site {
	t.Helper()
	s := &Site{t: t, Name: "ann", Permissions: api.Permissions()}
	s.SetNow(time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC))
	kv := kvmemory.New(s.Now)
	t.Cleanup(func() { _ = kv.Close() })
	s.Registry = resource.NewRegistry(kv, func(r []seshat.Resource) seshat.Faults {
		_, faults := rule.Compile(r)
		return faults
	})
	s.Denylist, s.Store = &Denylist{}, memory.New(s.Now)
	s.API = &api.Options{
		Store: s.Store, Registry: s.Registry, Denylist: s.Denylist, Digester: digester{}, Authenticator: s, Now: s.Now,
		Preview: func(context.Context, *api.Draft) (*wire.Preview, error) { return &wire.Preview{}, nil },
	}
	set, err := assets.Load()
	if err != nil {
		t.Fatal(err)
	}
	site, err := web.New(web.Options{API: http.HandlerFunc(s.serveAPI), Viewer: s.viewer, Assets: set, Version: "test", Now: s.Now})
	if err != nil {
		t.Fatal(err)
	}
	register(site)
	s.handler = site
	return s
}

func (s *Site) serveAPI(w http.ResponseWriter, r *http.Request) {
	s.begin.Do(func() {
		var err error
		if s.api, err = api.New(*s.API); err != nil {
			s.t.Errorf("the API cannot be made: %v", err)
			s.api = http.NotFoundHandler()
		}
	})
	s.api.ServeHTTP(w, r)
}

// Authenticate implements [api.Authenticator]: everybody is who looks.
func (s *Site) Authenticate(*http.Request) (*api.Principal, error) {
	return &api.Principal{Name: s.Name, Permissions: s.Permissions}, nil
}

func (s *Site) viewer(context.Context, *client.Client) (*ui.Viewer, error) {
	v := &ui.Viewer{Name: s.Name, Role: "admin", CSRF: csrf, Permissions: map[string]bool{}}
	for _, p := range s.Permissions {
		v.Permissions[string(p)] = true
	}
	return v, nil
}

// csrf is the token that forms of the pages have. Post sends it.
const csrf = "csrf-of-the-test"

// Without takes permissions away from who looks.
func (s *Site) Without(permissions ...api.Permission) *Site {
	s.Permissions = slices.DeleteFunc(slices.Clone(s.Permissions), func(p api.Permission) bool { return slices.Contains(permissions, p) })
	return s
}

// Apply stores resources, as YAML, in the name of somebody else.
func (s *Site) Apply(yaml string) {
	s.t.Helper()
	parsed, faults := resource.Parse("test", []byte(yaml))
	if len(faults) > 0 {
		s.t.Fatal(faults)
	}
	if _, err := s.Registry.Apply(context.Background(), parsed, resource.ApplyOptions{Author: resource.Author{By: "ben", At: s.Now()}}); err != nil {
		s.t.Fatal(err)
	}
}

// Stored is a resource as YAML; empty when there is none.
func (s *Site) Stored(kind seshat.Kind, name string) string {
	s.t.Helper()
	one, err := s.Registry.Get(context.Background(), kind, name)
	if err != nil {
		return ""
	}
	text, err := resource.Marshal([]seshat.Resource{*one.Resource}, resource.FormatYAML)
	if err != nil {
		s.t.Fatal(err)
	}
	return string(text)
}

// Get asks for a page.
func (s *Site) Get(path string, fields ...string) *Page {
	s.t.Helper()
	return s.send(httptest.NewRequest(http.MethodGet, path, nil), fields)
}

// Post sends a form.
func (s *Site) Post(path string, form url.Values, fields ...string) *Page {
	s.t.Helper()
	r := httptest.NewRequest(http.MethodPost, path, strings.NewReader(form.Encode()))
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	r.Header.Set(wire.CSRFHeader, csrf)
	return s.send(r, fields)
}

func (s *Site) send(r *http.Request, fields []string) *Page {
	s.t.Helper()
	for i := 0; i+1 < len(fields); i += 2 {
		r.Header.Set(fields[i], fields[i+1])
	}
	w := httptest.NewRecorder()
	s.handler.ServeHTTP(w, r)
	return &Page{t: s.t, site: s, what: r.Method + " " + r.URL.String(), Status: w.Code, Body: w.Body.String(), Header: w.Header()}
}

// Denylist is a denylist in memory.
type Denylist struct {
	mu            sync.Mutex
	entries, past []seshat.Denial
}

// List implements [api.Denylist].
func (d *Denylist) List(context.Context) ([]seshat.Denial, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	return slices.Clone(d.entries), nil
}

// Add implements [api.Denylist].
func (d *Denylist) Add(_ context.Context, one seshat.Denial) (seshat.Denial, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if one.Name == "" {
		one.Name = "entry-" + string(rune('a'+len(d.entries)))
	}
	d.entries = slices.DeleteFunc(d.entries, func(o seshat.Denial) bool { return o.Name == one.Name })
	d.entries = append(d.entries, one)
	return one, nil
}

// Past implements [api.Denylist].
func (d *Denylist) Past(_ context.Context, session seshat.SessionID, user string) ([]seshat.Denial, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	return slices.DeleteFunc(slices.Clone(d.past), func(one seshat.Denial) bool {
		return one.Session != session && (one.User == "" || one.User != user)
	}), nil
}

// Remove implements [api.Denylist].
func (d *Denylist) Remove(_ context.Context, name, by string) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	n := len(d.entries)
	for _, one := range d.entries {
		if one.Name == name {
			one.TakenBackBy, one.TakenBackAt = by, one.At.Add(time.Minute)
			d.past = append(d.past, one)
		}
	}
	d.entries = slices.DeleteFunc(d.entries, func(o seshat.Denial) bool { return o.Name == name })
	if len(d.entries) == n {
		return &seshat.Error{Kind: seshat.ErrorNotFound, Op: "remove " + name, Err: errNoEntry}
	}
	return nil
}

var errNoEntry = errors.New("there is no such entry")

// digester makes digests that show of which texts they are.
type digester struct{}

// Hash implements [api.Digester].
func (digester) Hash(value []byte) seshat.Digest { return seshat.Digest{0xd1, byte(len(value))} }
