package rules

import (
	"cmp"
	"errors"
	"net/http"
	"slices"
	"strings"

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

// maxRows is how many rules are listed at once: what somebody may read. A search finds the others; an installation may have
// up to 10,000.
const maxRows = 200

// row is a rule in the list.
type row struct {
	*resource.Stored
	spec     *seshat.SessionRuleSpec
	place    int // in the order in which rules are tried, from 1
	priority int
}

func (r *row) enabled() bool { return r.spec.Enabled == nil || *r.spec.Enabled }

// byItself is the label of rules that were set by themselves, because Authorization was on many requests.
const byItself = "seshat.dev/generated-by"

func (r *row) auto() bool { return r.Resource.Metadata.Labels[byItself] != "" }

func (r *row) id() seshat.RuleID { return idOf(&r.Resource.Metadata) }

// table is the list as it is shown.
type table struct {
	rows   []row
	all    int // rules that there are
	search string
	focus  string // the button that has the focus
	said   string // what a change did, for those who do not see it
	warned string // why a change was not made
	before string // counts of the exchanges that rules identified are asked for with it
}

// listed is the whole page.
type listed struct {
	table
	presets  []wire.Preset
	settings seshat.SettingsSpec
}

func list(q *web.Request) error {
	t, err := readTable(q)
	if err != nil {
		return err
	}
	out := listed{table: *t}
	if out.presets, err = q.API.Presets(q.Context()); err != nil {
		return err
	}
	stored, err := q.API.Registry().Get(q.Context(), seshat.KindSettings, "default")
	switch {
	case errors.Is(err, kv.ErrNotFound) && !errors.Is(err, client.ErrSignedOut): // nobody changed any
	case err != nil:
		return err
	default:
		if spec, ok := stored.Resource.Spec.(*seshat.SettingsSpec); ok {
			out.settings = *spec
		}
	}
	return q.Page(ui.Page{
		Title: "Rules", Section: ui.SectionRules, Scripts: []string{"rules.js"}, Styles: []string{"rules.css"}, Actions: listActions(),
		Subtitle: "Where to look for the client session ID of an exchange. The first rule in this order that finds one gives the exchange its session.",
	}, listPage(&out))
}

// readTable reads the rules in the order in which they are tried.
func readTable(q *web.Request) (*table, error) {
	stored, err := q.API.Registry().List(q.Context(), seshat.KindSessionRule)
	if err != nil {
		return nil, err
	}
	rows := make([]row, 0, len(stored))
	for i := range stored {
		spec, ok := stored[i].Resource.Spec.(*seshat.SessionRuleSpec)
		if !ok {
			continue
		}
		priority := rule.DefaultPriority
		if spec.Priority != nil {
			priority = *spec.Priority
		}
		rows = append(rows, row{Stored: &stored[i], spec: spec, priority: priority})
	}
	slices.SortFunc(rows, func(a, b row) int { return cmp.Or(cmp.Compare(a.priority, b.priority), cmp.Compare(a.Name, b.Name)) })
	for i := range rows {
		rows[i].place = i + 1
	}
	t := &table{all: len(rows), search: strings.TrimSpace(q.Param("q"))}
	t.rows = find(rows, t.search)
	t.rows = t.rows[:min(len(t.rows), maxRows)]
	return t, nil
}

// find returns the rules that have every word of a search in their name, description, ID, environments or services.
func find(rows []row, search string) []row {
	words := strings.Fields(strings.ToLower(search))
	if len(words) == 0 {
		return rows
	}
	var out []row
next:
	for i := range rows {
		r := &rows[i]
		text := strings.ToLower(strings.Join(slices.Concat(
			[]string{r.Name, r.Resource.Metadata.Description, r.id().String()}, r.spec.Scope.Environments, r.spec.Scope.Services, r.spec.Scope.URLs,
		), "\n"))
		for _, word := range words {
			if !strings.Contains(text, word) {
				continue next
			}
		}
		out = append(out, rows[i])
	}
	return out
}

// movable reports whether the place of rules can be changed: not while a search hides some of them.
func (t *table) movable() bool { return t.search == "" && t.all > 1 }

// usedTime is how long back the list and the page of a rule count, usedWords is that for people, and maxUsed how many
// identifiers are counted at once: as many as the API does.
const (
	usedTime  = "24h"
	usedWords = "24\u00a0h"
	maxUsed   = 100
)

// used answers with how many exchanges each identifier gave their session. It is asked for by itself: the list does not wait.
func used(q *web.Request) error {
	facets, err := q.API.FacetsOf(q.Context(), store.DatasetExchanges, &client.Count{Since: usedTime, Fields: []string{"identifier", "origin"}, Limit: maxUsed})
	if err != nil {
		return err
	}
	counts := map[string]int64{}
	for i := range facets.Facets {
		f := &facets.Facets[i]
		for j := range f.Values {
			counts[f.Field+" "+f.Values[j].Value] = f.Values[j].Count
		}
	}
	names := q.URL.Query()["name"]
	return q.Render(usedParts(names[:min(len(names), maxRows)], counts, facets.Total))
}

// order changes the place of a rule: "up NAME", "down NAME", or "put NAME before OTHER", "put NAME after OTHER".
func order(q *web.Request) error {
	rules, err := q.API.RuleOrder(q.Context())
	if err != nil {
		return err
	}
	names := make([]string, len(rules))
	revisions := make(map[string]uint64, len(rules))
	for i := range rules {
		names[i], revisions[rules[i].Name] = rules[i].Name, rules[i].Revision
	}
	change := strings.Fields(q.PostFormValue("do"))
	moved, said, ok := moved(names, change)
	if ok {
		_, err = q.API.OrderRules(q.Context(), &wire.RuleOrder{Names: moved, Revisions: revisions})
	}
	warned := ""
	switch {
	case !ok:
		warned = "That rule is not where it was any more. This is the order now."
	case seshat.KindOfError(err) == seshat.ErrorConflict:
		warned = "Somebody changed the rules meanwhile. This is how they are now."
	case err != nil:
		return err
	}
	if !q.Fragment() {
		if warned != "" {
			return q.PageStatus(http.StatusConflict, ui.Page{Title: "Rules", Section: ui.SectionRules}, notMoved(warned))
		}
		return q.Done(pathList, said)
	}
	t, err := readTable(q)
	if err != nil {
		return err
	}
	t.said, t.warned = said, warned
	if ok {
		t.focus = change[0] + " " + change[1]
	}
	return q.Render(tablePart(t), orderSaid(t))
}

// moved is an order after a change, and what was done in words; false when there is nothing to change, because the rules
// are others than those that the change was thought for.
func moved(names, change []string) (after []string, said string, ok bool) {
	if len(change) < 2 {
		return nil, "", false
	}
	from := slices.Index(names, change[1])
	if from < 0 {
		return nil, "", false
	}
	to := -1
	switch {
	case change[0] == "up" && len(change) == 2:
		to = from - 1
	case change[0] == "down" && len(change) == 2:
		to = from + 1
	case change[0] == "put" && len(change) == 4:
		other := slices.Index(names, change[3])
		if other < 0 || other == from || change[2] != "before" && change[2] != "after" {
			return nil, "", false
		}
		to = other
		if from < other {
			to--
		}
		if change[2] == "after" {
			to++
		}
	}
	if to < 0 || to >= len(names) {
		return nil, "", false
	}
	after = slices.Insert(slices.Delete(slices.Clone(names), from, from+1), to, change[1])
	return after, change[1] + " is at place " + ui.Count(to+1) + " of " + ui.Count(len(names)) + ".", true
}

// everything answers with resources as YAML, to be kept as a file: all session rules, all resources, or one rule.
func everything(q *web.Request) error {
	registry := q.API.Registry()
	kind, name := seshat.KindSessionRule, "rules"
	if q.URL.Query().Has("all") {
		kind, name = "", "seshat"
	}
	var stored []resource.Stored
	if one := q.Param("name"); one != "" {
		r, err := registry.Get(q.Context(), kind, one)
		if err != nil {
			return missing(err)
		}
		stored, name = []resource.Stored{r}, r.Name
	} else {
		var err error
		if stored, err = registry.List(q.Context(), kind); err != nil {
			return err
		}
	}
	all := make([]seshat.Resource, 0, len(stored))
	for i := range stored {
		if stored[i].Resource != nil {
			all = append(all, *stored[i].Resource)
		}
	}
	text, err := resource.Marshal(all, resource.FormatYAML)
	if err != nil {
		return err
	}
	q.W.Header().Set("Content-Type", "application/yaml; charset=utf-8")
	q.W.Header().Set("Content-Disposition", `attachment; filename="`+name+`.yaml"`)
	_, _ = q.W.Write(text) // the client may be gone
	return nil
}

// missing gives an error of the registry that says that there is no such rule the kind that pages show.
func missing(err error) error {
	if errors.Is(err, kv.ErrNotFound) && !errors.Is(err, client.ErrSignedOut) {
		return &seshat.Error{Kind: seshat.ErrorNotFound, Err: errors.New("there is no such rule"), Hint: "it may have been deleted; its history may bring it back"}
	}
	return err
}
