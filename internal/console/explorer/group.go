package explorer

import (
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/seshat-project/seshat/internal/api/wire"
	"github.com/seshat-project/seshat/internal/console/ui"
	"github.com/seshat-project/seshat/internal/console/web"
	"github.com/seshat-project/seshat/internal/store"
)

// group is what is asked of groups of exchanges.
type group struct {
	By       []string
	Measures []string
	Order    string
}

const (
	// mostBy and mostMeasures are what the API allows.
	mostBy       = 3
	mostMeasures = 8
	// maxWord is how long the name of a field or measure may be in an address.
	maxWord = 256
	// groupRows is how many groups are listed.
	groupRows = 200
)

// groupFields are offered to group by. Others, such as attr.NAME, can be typed.
func groupFields() []string {
	return []string{
		"endpoint", "status", "status_class", "method", "host", "path", "user", "role", "session_id", "ip", "user_agent", "ja4", "service",
		"environment", "identifier", "origin", "rule", "flow", "verdict", "verdict.by", "tag", "time:1m", "time:5m", "time:1h", "time:1d",
	}
}

// groupMeasures are offered to say of each group.
func groupMeasures() []string {
	return []string{
		"count", "unique:session_id", "unique:user", "unique:ip", "unique:endpoint", "p50:duration", "p90:duration", "p95:duration", "p99:duration",
		"avg:duration", "max:duration", "sum:response_bytes", "avg:response_bytes", "p95:response_bytes", "sum:request_bytes",
	}
}

func parseGroup(query url.Values) group {
	g := group{Order: query.Get("sort")}
	g.By = words(query["by"], mostBy)
	g.Measures = words(query["measure"], mostMeasures)
	return g
}

// words are the values that are there, each once, at most n.
func words(list []string, n int) []string {
	var out []string
	for _, one := range list {
		one = strings.TrimSpace(one)
		if one != "" && len(one) <= maxWord && len(out) < n && !slices.Contains(out, one) {
			out = append(out, one)
		}
	}
	return out
}

func (g *group) set(query url.Values) {
	for _, by := range g.By {
		query.Add("by", by)
	}
	for _, m := range g.Measures {
		query.Add("measure", m)
	}
	if g.Order != "" {
		query.Set("sort", g.Order)
	}
}

// filled is the question with what is asked when nothing is.
func (g group) filled() group {
	if len(g.By) == 0 {
		g.By = []string{"endpoint"}
	}
	if len(g.Measures) == 0 {
		g.Measures = []string{"count", "unique:session_id", "p50:duration", "p95:duration"}
	}
	return g
}

func (g *group) by(i int) string {
	if i < len(g.By) {
		return g.By[i]
	}
	return ""
}

func groups(q *web.Request) error {
	v := parse(q.URL.Query())
	bar := v.bar(path + "/groups")
	bar.Keep = url.Values{} // the form has them itself
	p := head("Group by")
	return q.PageStatus(http.StatusOK, p, groupPage(&v, bar))
}

func groupTable(q *web.Request) error {
	v := parse(q.URL.Query())
	g := v.Group.filled()
	c := v.count()
	c.By, c.Measures, c.Order, c.Limit = g.By, g.Measures, g.Order, groupRows
	found, err := q.API.Aggregates(q.Context(), store.DatasetExchanges, c)
	if err != nil {
		if p := web.Problem(err); p.Status < http.StatusInternalServerError {
			return q.Render(ui.Problem("This cannot be grouped", p.Detail, p.Hint))
		}
		return err
	}
	return q.Render(groupRowsTable(&v, &g, found))
}

// ordered is the address of the groups in the order of a measure.
func (v *view) ordered(measure string) string {
	order := "-" + measure
	if v.Group.Order == order {
		order = measure
	}
	return v.address(path+"/groups", "sort", order)
}

func (g *group) direction(measure string, first bool) string {
	switch {
	case g.Order == measure:
		return "ascending"
	case g.Order == "-"+measure || (g.Order == "" && first):
		return "descending"
	default:
		return ""
	}
}

// narrow is the address of the exchanges of a group; empty where the filter language cannot say it.
func (v *view) narrow(g *wire.Group) string {
	var terms []string
	for _, value := range g.Values {
		if value.Filter == "" {
			return ""
		}
		terms = append(terms, value.Filter)
	}
	plain := view{Filter: v.Filter, Range: v.Range, Columns: v.Columns}
	return plain.narrowed(strings.Join(terms, " "))
}

func attributes(q *web.Request) error {
	v := parse(q.URL.Query())
	names, err := attributeNames(q)
	if err != nil {
		return err
	}
	return q.Page(head("Attributes"), attributesPage(&v, v.bar(path+"/attributes"), names))
}

// attributeValues answers with the values of one attribute.
func attributeValues(q *web.Request) error {
	v := parse(q.URL.Query())
	name := q.Param("name")
	c := v.count()
	c.Fields, c.Limit = []string{attributePrefix + name}, facetValues
	found, err := q.API.FacetsOf(q.Context(), store.DatasetExchanges, c)
	if err != nil {
		return err
	}
	return q.Render(attributeValuesPart(&v, name, found))
}
