package declared

import (
	"net/url"

	"github.com/seshat-project/seshat"
	"github.com/seshat-project/seshat/internal/api/client"
	"github.com/seshat-project/seshat/internal/api/wire"
	"github.com/seshat-project/seshat/internal/console/ui"
	"github.com/seshat-project/seshat/internal/console/web"
	"github.com/seshat-project/seshat/internal/filter"
	"github.com/seshat-project/seshat/internal/resource"
	"github.com/seshat-project/seshat/internal/store"
)

// What lists count, and over what time. It is asked for when it comes into sight, some rows at a time.
const (
	parameterTime = "1h"
	flowTime      = "24h"
	// batch is how many rows are counted at once: as many fields as the API counts in one request.
	batch = 16
	// maxFlowValues is how many flows the API counts at once.
	maxFlowValues = 100
	valuesShown   = 3
)

// batches are the names of the rows that are counted together, by the name of the first.
func batches(_ *web.Request, list []resource.Stored) (any, error) {
	out := map[string][]string{}
	for i := range list {
		first := list[i-i%batch].Name
		out[first] = append(out[first], list[i].Name)
	}
	return out, nil
}

// batchAddress is where the counts of the rows are that begin with name; empty when another row asks for them.
func batchAddress(path string, with any, name string) string {
	all, _ := with.(map[string][]string)
	names := all[name]
	if len(names) == 0 {
		return ""
	}
	return web.Address(path, url.Values{"name": names})
}

// latelyID is the ID of the element that has the count of a row.
func latelyID(name string) string { return "lately-" + name }

// counted is what a cell says of a row.
type counted struct {
	name, url string
	share     float64
	count     int64
	values    []wire.FacetValue
	found     int64
}

// asked are the names whose counts are asked for. No more are taken than pages ask for.
func asked(q *web.Request) []string {
	var out []string
	for _, name := range q.URL.Query()["name"] {
		if len(out) < batch && len(name) <= resource.MaxName {
			out = append(out, name)
		}
	}
	return out
}

func parametersLately(q *web.Request) error {
	names := asked(q)
	if len(names) == 0 {
		return q.Render()
	}
	fields := make([]string, len(names))
	for i, name := range names {
		fields[i] = "attr." + name
	}
	facets, err := q.API.FacetsOf(q.Context(), store.DatasetExchanges, &client.Count{Since: parameterTime, Fields: fields, Limit: valuesShown + 1})
	if err != nil {
		return err
	}
	out := make([]counted, 0, len(names))
	for i, name := range names {
		if i >= len(facets.Facets) {
			break
		}
		f := &facets.Facets[i]
		one := counted{name: name, found: f.Found, count: f.Other, url: exchanges("attr."+name+":*", parameterTime)}
		for _, v := range f.Values {
			if v.Absent {
				one.found--
				continue
			}
			one.count += v.Count
			if len(one.values) < valuesShown {
				one.values = append(one.values, v)
			}
		}
		out = append(out, one)
	}
	return q.Render(latelyParameters(out))
}

func flowsLately(q *web.Request) error {
	names := asked(q)
	if len(names) == 0 {
		return q.Render()
	}
	facets, err := q.API.FacetsOf(q.Context(), store.DatasetExchanges, &client.Count{Since: flowTime, Fields: []string{"flow"}, Limit: maxFlowValues})
	if err != nil {
		return err
	}
	counts := map[string]int64{}
	for i := range facets.Facets {
		for _, v := range facets.Facets[i].Values {
			if !v.Absent {
				counts[v.Value] = v.Count
			}
		}
	}
	out := make([]counted, 0, len(names))
	for _, name := range names {
		one := counted{name: name, count: counts[name], url: exchanges("flow:"+filter.Pattern{name}.String(), flowTime)}
		if facets.Total > 0 {
			one.share = float64(one.count) / float64(facets.Total)
		}
		out = append(out, one)
	}
	return q.Render(latelyFlows(out))
}

// exchanges is the page of the exchanges that a filter finds.
func exchanges(filter, since string) string {
	return web.Address("/explorer", url.Values{"filter": {filter}, "since": {since}})
}

func (c *counted) text() string { return ui.Count(c.count) }

// kept is how the value of a parameter is kept.
func kept(s *seshat.ContextParameterSpec) string {
	if s.Hash {
		return "digest"
	}
	return "value"
}
