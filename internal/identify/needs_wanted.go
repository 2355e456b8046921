package identify

import (
	"slices"
	"strings"
	"sync"
	"unsafe"

	"github.com/seshat-project/seshat"
	"github.com/seshat-project/seshat/internal/endpoint"
	"github.com/seshat-project/seshat/internal/rule"
)

// wantedBodies are the rules, parameters, flows and limits that look into the bodies of one side.
type wantedBodies struct {
	list    []wantedBody
	scopes  *rule.ScopeIndex
	url     bool // a scope asks for the URL
	any     media
	scratch *sync.Pool // of *wantScratch
}

// wantedBody is what one of them looks for.
type wantedBody struct {
	media     media
	endpoints []*endpoint.Pattern // one of which must match; none means any
}

// wantScratch is memory for finding out who is in scope.
type wantScratch struct {
	url   []byte
	found []int
	bits  rule.Bits
}

func wantBodies(rs *rule.Ruleset, side seshat.Side) wantedBodies {
	var w wantedBodies
	var scopes []*rule.Scope
	add := func(scope *rule.Scope, b wantedBody) {
		if b.media != 0 {
			w.list, scopes, w.any = append(w.list, b), append(scopes, scope), w.any|b.media
		}
	}
	for _, r := range rs.Rules() {
		var b wantedBody
		for i := range r.Identifiers {
			id := &r.Identifiers[i]
			for p := range id.Probes {
				b.media |= mediaOf(&id.Probes[p], side)
			}
			b.media |= mediaOfConditions(id.Conditions, side)
			if id.Expiration != nil && !id.Expiration.JWT {
				b.media |= mediaOf(&id.Expiration.Selector, side)
			}
		}
		add(&r.Scope, b)
	}
	for _, p := range rs.Parameters() {
		add(&p.Scope, wantedBody{media: mediaOf(&p.Selector, side) | mediaOfConditions(p.Conditions, side)})
	}
	for _, f := range rs.Flows() {
		b := wantedBody{media: mediaOfConditions(f.Conditions, side), endpoints: f.Endpoints}
		if rs.BuiltIn() && side == seshat.InRequest && f.Type == seshat.FlowAuthentication {
			b.media |= mediaAny // the name of the user is in it
		}
		add(&f.Scope, b)
	}
	for _, l := range rs.Limits() {
		add(&l.Scope, wantedBody{media: mediaOfConditions(l.Conditions, side), endpoints: l.Endpoints})
	}
	w.scopes = rule.NewScopeIndex(scopes)
	w.url = w.scopes.NeedsURL()
	w.scratch = &sync.Pool{New: func() any { return &wantScratch{} }}
	return w
}

// mediaOf is what s finds something in, on one side.
func mediaOf(s *rule.Selector, side seshat.Side) media {
	switch {
	case s.Location != seshat.LocationBody || s.Side != side:
		return 0
	case s.Path != nil:
		return mediaJSON
	default:
		return mediaFields
	}
}

func mediaOfConditions(list []rule.Condition, side seshat.Side) (m media) {
	for i := range list {
		m |= mediaOf(&list[i].Selector, side)
	}
	return m
}

// want reports whether something in scope of x looks into a body of one of the media types.
func (w *wantedBodies) want(x *seshat.Exchange, m media) bool {
	if w.any&m == 0 {
		return false
	}
	s := w.scratch.Get().(*wantScratch)
	defer w.scratch.Put(s)
	url := ""
	if w.url {
		s.url = rule.AppendURL(s.url[:0], x)
		url = unsafe.String(unsafe.SliceData(s.url), len(s.url)) //nolint:gosec // read before the memory is used again
	}
	s.found, s.bits = w.scopes.Find(x.Environment, x.Service, url, s.found[:0], s.bits)
	return slices.ContainsFunc(s.found, func(i int) bool {
		return w.list[i].media&m != 0 && s.atEndpoint(x, w.list[i].endpoints)
	})
}

// atEndpoint reports whether x is at one of the endpoints, as [Worker.atEndpoint] does.
func (s *wantScratch) atEndpoint(x *seshat.Exchange, endpoints []*endpoint.Pattern) bool {
	if len(endpoints) == 0 {
		return true
	}
	r := &x.Request
	host, path := r.Host, r.Path
	if host == "" {
		host = x.Service
	}
	if path == "" {
		path = "/"
	}
	template := ""
	for _, p := range endpoints {
		if p.Match(r.Method, host, path) {
			return true
		}
		if !p.HasVariable() && strings.IndexByte(path, ';') < 0 && !strings.Contains(path, "//") {
			continue
		}
		if template == "" {
			s.url = endpoint.AppendTemplate(s.url[:0], path)              // the URL was needed for the scopes only
			template = unsafe.String(unsafe.SliceData(s.url), len(s.url)) //nolint:gosec // as above
		}
		if p.Match(r.Method, host, template) {
			return true
		}
	}
	return false
}
