package settings

import (
	"cmp"
	"net/url"
	"slices"
	"strings"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/seshat-project/seshat"
	"github.com/seshat-project/seshat/internal/api/client"
	"github.com/seshat-project/seshat/internal/api/wire"
	"github.com/seshat-project/seshat/internal/console/manage"
	"github.com/seshat-project/seshat/internal/console/ui"
	"github.com/seshat-project/seshat/internal/console/web"
	"github.com/seshat-project/seshat/internal/resource"
	"github.com/seshat-project/seshat/internal/store"
)

// The fields of exchanges that the page is about.
const (
	fieldEnvironment = "environment"
	fieldService     = "service"
)

const (
	// maxPlaces is how many environments or services are shown: as many values as a facet has.
	maxPlaces = store.MaxFacetValues
	// shownRules is how many resources are named beside one of them.
	shownRules = 4
	// firstRange is the time that the page is about when nothing else is asked for.
	firstRange = "7d"
)

// place is an environment, or a service.
type place struct {
	name   string
	absent bool
	count  int64
	share  float64
	url    string // of its exchanges in the explorer; empty when no filter selects them
	// counts are the exchanges over time. First and last are when it was seen, to the width of a stretch of that.
	counts      []float64
	first, last time.Time
	rules       []scoped
}

// scoped is a resource whose scope names an environment or a service.
type scoped struct{ kind, name, url string }

// places are the environments, or the services.
type places struct {
	list  []place
	more  int64 // how many are not shown
	width time.Duration
	// everywhere is how many resources have a scope that names none of them.
	everywhere int
}

func services(q *web.Request) error {
	r := ui.ParseRange(q.URL.Query(), firstRange)
	p := page("Environments and services", "What was seen where, and which rules and limits are for it alone.")
	return q.Page(p, servicesPage(tabs(q.Viewer, servicesPath), r, rangeAddress(servicesPath+"/numbers", r)))
}

func rangeAddress(path string, r ui.Range) string {
	query := url.Values{}
	r.Set(query)
	return web.Address(path, query)
}

// serviceNumbers answers with the lists: they count all exchanges of the time.
func serviceNumbers(q *web.Request) error {
	r := ui.ParseRange(q.URL.Query(), firstRange)
	since := r.Since
	if since == "all" {
		since = ""
	}
	width, text := stretch(q, r)
	var (
		facets    *wire.Facets
		times     [2]*wire.Aggregates
		resources []resource.Stored
		all       errgroup.Group
		fields    = []string{fieldEnvironment, fieldService}
	)
	all.Go(func() (err error) {
		facets, err = q.API.FacetsOf(q.Context(), store.DatasetExchanges, &client.Count{Since: since, Until: r.Until, Fields: fields, Limit: maxPlaces})
		return err
	})
	all.Go(func() (err error) { // one after the other: each reads all exchanges of the time
		for i, field := range fields {
			times[i], err = q.API.Aggregates(q.Context(), store.DatasetExchanges, &client.Count{
				Since: since, Until: r.Until, By: []string{field, "time:" + text}, Measures: []string{"count"}, Limit: store.MaxGroups,
			})
			if err != nil {
				return err
			}
		}
		return nil
	})
	all.Go(func() (err error) {
		resources, err = q.API.Registry().List(q.Context(), "")
		return err
	})
	if err := all.Wait(); err != nil {
		return err
	}
	var out [2]*places
	for i, field := range fields {
		out[i] = &places{width: width}
		for f := range facets.Facets {
			if facets.Facets[f].Field == field {
				out[i].fill(&facets.Facets[f], times[i], facets.Total, r)
			}
		}
		out[i].scope(resources, field)
	}
	return q.Render(servicesLists(out[0], out[1]))
}

// piece is what lengths of time up to one are cut into.
type piece struct {
	upTo, width time.Duration
	text        string
}

// pieces cut each length of time into some sixty to a hundred.
func pieces() []piece {
	return []piece{
		{15 * time.Minute, 15 * time.Second, "15s"},
		{time.Hour, time.Minute, "1m"},
		{6 * time.Hour, 5 * time.Minute, "5m"},
		{24 * time.Hour, 15 * time.Minute, "15m"},
		{7 * 24 * time.Hour, 2 * time.Hour, "2h"},
		{60 * 24 * time.Hour, 24 * time.Hour, "1d"},
	}
}

// stretch is what a time is cut into.
func stretch(q *web.Request, r ui.Range) (time.Duration, string) {
	length := time.Duration(0)
	if since, until := timeOf(r.Since, q.Now), timeOf(r.Until, q.Now); !since.IsZero() {
		if until.IsZero() {
			until = q.Now
		}
		length = until.Sub(since)
	}
	all := pieces()
	for _, s := range all {
		if length > 0 && length <= s.upTo {
			return s.width, s.text
		}
	}
	last := all[len(all)-1]
	return last.width, last.text
}

// timeOf is a time as addresses have it: a moment, or a length of time before now; zero when it is neither.
func timeOf(text string, now time.Time) time.Time {
	if t, err := time.Parse(time.RFC3339Nano, text); err == nil {
		return t.UTC()
	}
	if d, err := seshat.ParseDuration(text); err == nil && d > 0 {
		return now.Add(-time.Duration(d)).UTC()
	}
	return time.Time{}
}

func (p *places) fill(f *wire.Facet, times *wire.Aggregates, total int64, r ui.Range) {
	at := map[string]int{}
	key := func(v *wire.GroupValue) string {
		if v.Absent {
			return "-"
		}
		return "+" + v.Value
	}
	for i := range f.Values {
		v := &f.Values[i]
		one := place{name: v.Value, absent: v.Absent, count: v.Count, share: float64(v.Count) / float64(max(total, 1))}
		if v.Filter != "" {
			query := url.Values{"filter": {v.Filter}}
			r.Set(query)
			one.url = web.Address("/explorer", query)
		}
		at[key(&v.GroupValue)] = len(p.list)
		p.list = append(p.list, one)
	}
	p.more = f.Found - int64(len(f.Values))
	var from, to time.Time
	seen := make([]map[int64]float64, len(p.list))
	for i := range times.Groups {
		g := &times.Groups[i]
		start, err := time.Parse(time.RFC3339Nano, g.Values[1].Value)
		n, known := at[key(&g.Values[0])]
		if err != nil || !known {
			continue
		}
		one := &p.list[n]
		if seen[n] == nil {
			seen[n] = map[int64]float64{}
		}
		seen[n][start.UnixMilli()] = float64(g.Count)
		if one.first.IsZero() || start.Before(one.first) {
			one.first = start
		}
		if start.After(one.last) {
			one.last = start
		}
		if from.IsZero() || start.Before(from) {
			from = start
		}
		if start.After(to) {
			to = start
		}
	}
	const most = 400 // points of a line: more are not told apart
	for t, n := from, 0; !from.IsZero() && !t.After(to) && n < most; t, n = t.Add(p.width), n+1 {
		for i := range p.list {
			p.list[i].counts = append(p.list[i].counts, seen[i][t.UnixMilli()])
		}
	}
}

// scope finds the resources that are for one of the places alone, and places that nothing was seen of.
func (p *places) scope(resources []resource.Stored, field string) {
	for i := range resources {
		r := resources[i].Resource
		scope := scopeOf(r)
		if scope == nil {
			continue
		}
		names := scope.Services
		if field == fieldEnvironment {
			names = scope.Environments
		}
		if len(names) == 0 {
			p.everywhere++
			continue
		}
		for _, name := range slices.Compact(slices.Sorted(slices.Values(names))) {
			one := scoped{kind: kindWords(r.Kind), name: r.Metadata.Name, url: manage.Address(r.Kind, r.Metadata.Name)}
			n := slices.IndexFunc(p.list, func(o place) bool { return !o.absent && o.name == name })
			if n < 0 {
				n = len(p.list)
				p.list = append(p.list, place{name: name})
			}
			p.list[n].rules = append(p.list[n].rules, one)
		}
	}
	for i := range p.list {
		slices.SortFunc(p.list[i].rules, func(a, b scoped) int {
			return cmp.Or(strings.Compare(a.kind, b.kind), strings.Compare(a.name, b.name))
		})
	}
}

// scopeOf is the scope of a resource; nil of those that have none.
func scopeOf(r *seshat.Resource) *seshat.Scope {
	if r == nil {
		return nil
	}
	switch s := r.Spec.(type) {
	case *seshat.SessionRuleSpec:
		return &s.Scope
	case *seshat.ContextParameterSpec:
		return &s.Scope
	case *seshat.FlowSpec:
		return &s.Scope
	case *seshat.MaskRuleSpec:
		return &s.Scope
	case *seshat.LimitSpec:
		return &s.Scope
	case *seshat.JWTValidationSpec:
		return &s.Scope
	default:
		return nil
	}
}

// kindWords is what people call resources of a kind.
func kindWords(k seshat.Kind) string {
	switch k {
	case seshat.KindSessionRule:
		return "session rule"
	case seshat.KindContextParameter:
		return "context parameter"
	case seshat.KindFlow:
		return "flow"
	case seshat.KindMaskRule:
		return "mask rule"
	case seshat.KindLimit:
		return "limit"
	case seshat.KindJWTValidation:
		return "JWT validation"
	case seshat.KindSettings:
		return "settings"
	default:
		return string(k)
	}
}
