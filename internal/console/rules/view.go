package rules

import (
	"errors"
	"net/url"
	"slices"
	"strconv"
	"time"

	"github.com/seshat-project/seshat"
	"github.com/seshat-project/seshat/internal/api/client"
	"github.com/seshat-project/seshat/internal/api/wire"
	"github.com/seshat-project/seshat/internal/console/ui"
	"github.com/seshat-project/seshat/internal/console/web"
	"github.com/seshat-project/seshat/internal/kv"
	"github.com/seshat-project/seshat/internal/resource"
	"github.com/seshat-project/seshat/internal/rule"
	"github.com/seshat-project/seshat/internal/store"
)

// shown is a rule as its page shows it.
type shown struct {
	*resource.Stored
	spec     *seshat.SessionRuleSpec
	place    int // in the order in which rules are tried, from 1; 0 when it is not known
	rules    int
	priority int
	saved    string // what saving did, just now
	text     string // the YAML
}

func (s *shown) id() seshat.RuleID { return idOf(&s.Resource.Metadata) }

func (s *shown) enabled() bool { return flag(s.spec.Enabled) }

func view(q *web.Request) error {
	stored, err := q.API.Registry().Get(q.Context(), seshat.KindSessionRule, q.PathValue("name"))
	if errors.Is(err, kv.ErrNotFound) && !errors.Is(err, client.ErrSignedOut) {
		return gone(q)
	}
	if err != nil {
		return err
	}
	spec, ok := stored.Resource.Spec.(*seshat.SessionRuleSpec)
	if !ok {
		return missing(kv.ErrNotFound)
	}
	s := &shown{Stored: &stored, spec: spec, priority: rule.DefaultPriority, saved: q.Param("saved"), text: textOf(stored.Resource)}
	if spec.Priority != nil {
		s.priority = *spec.Priority
	}
	order, err := q.API.RuleOrder(q.Context())
	if err != nil {
		return err
	}
	s.rules = len(order)
	s.place = 1 + slices.IndexFunc(order, func(o wire.OrderedRule) bool { return o.Name == stored.Name })
	return q.Page(ui.Page{
		Title: s.Name + ", rule", Heading: s.Name, Section: ui.SectionRules, Subtitle: stored.Resource.Metadata.Description, Styles: []string{"rules.css"},
		Crumbs: []ui.Crumb{{Name: "Rules", URL: pathList}}, Actions: viewActions(s),
	}, viewPage(s))
}

// gone shows what is left of a rule that was deleted: its history. An error says so when it never was.
func gone(q *web.Request) error {
	name := q.PathValue("name")
	if _, err := q.API.Registry().History(q.Context(), seshat.KindSessionRule, name); err != nil {
		return missing(err)
	}
	return q.Redirect("/rules/" + url.PathEscape(name) + "/history")
}

// recently is what a rule did: its exchanges over time, and what each identifier found.
type recently struct {
	name      string
	histogram *wire.Histogram
	found     []found
	sessions  int64
	problem   *wire.Problem
}

// found is how often an identifier found something.
type found struct {
	index int
	count int64
	url   string
}

// What the page counts: in how many bars, and how many identifiers by themselves: each is a question to the store, and
// rules with more have most of what they find in the first.
const (
	viewBuckets = 72
	maxFound    = 6
)

// lately answers with what a rule did. It is asked for by itself: the page does not wait.
func lately(q *web.Request) error {
	name := q.PathValue("name")
	stored, err := q.API.Registry().Get(q.Context(), seshat.KindSessionRule, name)
	if err != nil {
		return missing(err)
	}
	r := &recently{name: name}
	if r.histogram, err = q.API.HistogramOf(q.Context(), store.DatasetExchanges, &client.Count{Filter: "identifier:" + name, Since: usedTime, Buckets: viewBuckets}); err != nil {
		return err
	}
	sessions, err := q.API.FacetsOf(q.Context(), store.DatasetSessions, &client.Count{Filter: "identified_by:" + name, Since: usedTime, Fields: []string{"state"}})
	if err != nil {
		return err
	}
	r.sessions = sessions.Total
	spec, ok := stored.Resource.Spec.(*seshat.SessionRuleSpec)
	if !ok {
		return missing(kv.ErrNotFound)
	}
	id := idOf(&stored.Resource.Metadata)
	for i := range spec.Identifiers[:min(len(spec.Identifiers), maxFound)] {
		filter := "attr." + attribute(id, strconv.Itoa(i)) + ":*"
		facets, err := q.API.FacetsOf(q.Context(), store.DatasetExchanges, &client.Count{Filter: filter, Since: usedTime, Fields: []string{"origin"}})
		if err != nil {
			return err
		}
		r.found = append(r.found, found{index: i, count: facets.Total, url: exchangesOf(filter)})
	}
	return q.Render(latelyPart(r))
}

// chart is what is drawn of a histogram.
func (r *recently) chart() *ui.Histogram {
	h := web.HistogramOf(r.histogram, "exchanges")
	h.URL = func(since, until time.Time) string {
		return web.Address("/explorer", url.Values{
			"filter": {"identifier:" + r.name}, "since": {since.UTC().Format(time.RFC3339)}, "until": {until.UTC().Format(time.RFC3339)},
		})
	}
	return h
}
