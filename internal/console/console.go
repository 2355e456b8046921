// Package console is the web console of a running instance. It is a client of the REST API in the same process: it shows
// what the API answers to whoever looks, and changes what the API lets them change. docs/console.md is its guide.
package console

import (
	"net/http"
	"strings"

	"github.com/klauspost/compress/gzhttp"

	"github.com/seshat-project/seshat/internal/api/wire"
	"github.com/seshat-project/seshat/internal/console/assets"
	"github.com/seshat-project/seshat/internal/console/declared"
	"github.com/seshat-project/seshat/internal/console/explorer"
	"github.com/seshat-project/seshat/internal/console/limits"
	"github.com/seshat-project/seshat/internal/console/overview"
	"github.com/seshat-project/seshat/internal/console/rules"
	"github.com/seshat-project/seshat/internal/console/session"
	"github.com/seshat-project/seshat/internal/console/sessions"
	"github.com/seshat-project/seshat/internal/console/settings"
	"github.com/seshat-project/seshat/internal/console/signin"
	"github.com/seshat-project/seshat/internal/console/web"
)

// Options are what the console needs, besides what its pages do. See [web.Options].
type Options struct {
	web.Options
	// Guard returns why a request is refused that a page of somebody else may have made a browser send, or nil.
	Guard func(*http.Request) *wire.Problem
}

// New returns the console: every path but those of the API.
func New(o Options) (http.Handler, error) {
	if o.Viewer == nil {
		o.Viewer = viewer
	}
	var err error
	if o.Assets, err = assets.Load(); err != nil {
		return nil, err
	}
	o.Acts = acts()
	site, err := web.New(o.Options)
	if err != nil {
		return nil, err
	}
	site.Mount("GET "+assets.Prefix, o.Assets)
	for _, register := range pages() {
		register(site)
	}
	// Where an answer repeats what a request said and holds a secret (the CSRF token), its compressed size would tell of
	// the secret; some bytes at random hide that (BREACH).
	compress, err := gzhttp.NewWrapper(gzhttp.MinSize(minCompressed), gzhttp.RandomJitter(jitter, 0, false), gzhttp.ContentTypeFilter(func(contentType string) bool {
		return strings.HasPrefix(contentType, "text/html")
	}))
	if err != nil {
		return nil, err
	}
	return &console{guard: o.Guard, next: compress(site)}, nil
}

const (
	minCompressed = 1 << 10
	jitter        = 64 // bytes
)

type console struct {
	guard func(*http.Request) *wire.Problem
	next  http.Handler
}

// ServeHTTP implements [http.Handler].
func (c *console) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if c.guard != nil {
		if p := c.guard(r); p != nil {
			w.Header().Set("Content-Security-Policy", "default-src 'none'")
			http.Error(w, p.Detail+" "+p.Hint, p.Status)
			return
		}
	}
	c.next.ServeHTTP(w, r)
}

// pages are what the console has, in the order of the navigation. Each registers its addresses.
func pages() []func(*web.Site) {
	return []func(*web.Site){
		signin.Register,
		overview.Register,
		sessions.Register,
		session.Register,
		explorer.Register,
		rules.Register,
		declared.Register,
		limits.Register,
		settings.Register,
	}
}
