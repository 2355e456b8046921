package explorer

import (
	"net/url"
	"strconv"
	"strings"

	"github.com/seshat-project/seshat/internal/api/client"
	"github.com/seshat-project/seshat/internal/console/ui"
	"github.com/seshat-project/seshat/internal/console/web"
)

const (
	// formID is the filter bar, which a drag over the chart sends.
	formID = "search"
	// pageSize is how many exchanges are loaded at a time: some screens of them.
	pageSize = 100
	// mostRows is how many are shown again when somebody comes back: a page of the API.
	mostRows = 1000
	// maxColumns bounds the list of columns in an address: every column and some long attributes.
	maxColumns = 2048
)

// The tabs.
const (
	tabList       = "exchanges"
	tabGroups     = "groups"
	tabAttributes = "attributes"
	tabLive       = "live"
)

// view is everything that the address of a page says.
type view struct {
	Filter  string
	Range   ui.Range
	Oldest  bool
	Columns string
	Rows    int
	Cursor  string
	Group   group
}

func parse(query url.Values) view {
	v := view{
		Filter: query.Get("filter"), Range: ui.ParseRange(query, ui.DefaultRange), Cursor: query.Get("cursor"), Oldest: query.Get("order") == "oldest",
		Columns: query.Get("columns"), Rows: pageSize, Group: parseGroup(query),
	}
	if len(query["column"]) > 0 { // of the form that chooses them
		list := query["column"]
		if attribute := strings.TrimSpace(query.Get("attribute")); attribute != "" {
			list = append(list, attributePrefix+strings.TrimPrefix(attribute, attributePrefix))
		}
		v.Columns = strings.Join(list, ",")
	}
	if len(v.Columns) > maxColumns || v.Columns == defaultColumns {
		v.Columns = ""
	}
	if n, err := strconv.Atoi(query.Get("rows")); err == nil && n > pageSize && v.Cursor == "" {
		v.Rows = min(n, mostRows)
	}
	return v
}

func (v *view) list() *client.List {
	return &client.List{
		Filter: v.Filter, Since: v.Range.Since, Until: v.Range.Until, OldestFirst: v.Oldest, Limit: v.Rows, Cursor: v.Cursor,
		Light: light(chosen(v.Columns)),
	}
}

// keep is what the filter bar sends on: all but filter and time.
func (v *view) keep() url.Values {
	query := url.Values{}
	if v.Columns != "" {
		query.Set("columns", v.Columns)
	}
	if v.Oldest {
		query.Set("order", "oldest")
	}
	v.Group.set(query)
	return query
}

func (v *view) query() url.Values {
	query := v.keep()
	v.Range.Set(query)
	if v.Filter != "" {
		query.Set("filter", v.Filter)
	}
	return query
}

// address is the address of the view on a page, with pairs of names and values on top.
func (v *view) address(path string, pairs ...string) string {
	query := v.query()
	for i := 0; i+1 < len(pairs); i += 2 {
		if pairs[i+1] == "" {
			query.Del(pairs[i])
		} else {
			query.Set(pairs[i], pairs[i+1])
		}
	}
	return web.Address(path, query)
}

// narrowed is the address of the list with one more term in its filter.
func (v *view) narrowed(term string) string {
	return v.address(path, "filter", strings.TrimSpace(v.grouped()+" "+term))
}

// without is the address of the list without what a term selects.
func (v *view) without(term string) string {
	return v.address(path, "filter", strings.TrimSpace(v.grouped()+" NOT ("+term+")"))
}

// grouped is the filter such that a term can be added to it.
func (v *view) grouped() string {
	if strings.Contains(v.Filter, " OR ") {
		return "(" + v.Filter + ")"
	}
	return v.Filter
}

func (v *view) bar(action string) ui.FilterBar {
	return ui.FilterBar{
		ID: formID, Action: action, Dataset: "exchanges", Filter: v.Filter, Range: v.Range, Keep: v.keep(),
		Example: `status:>=500 endpoint:"GET */orders/{var1}" -flow:billing`,
	}
}

// file is the address of the exchanges as a file.
func (v *view) file(format string) string {
	query := url.Values{"format": {format}}
	v.Range.Set(query)
	if query.Get("since") == "all" {
		query.Del("since")
	}
	if v.Filter != "" {
		query.Set("filter", v.Filter)
	}
	return web.Address("/api/v1/exports/exchanges", query)
}

func (v *view) tabs(current string) []ui.Tab {
	return []ui.Tab{
		{Name: "Exchanges", URL: v.address(path), Current: current == tabList},
		{Name: "Group by", URL: v.address(path + "/groups"), Current: current == tabGroups},
		{Name: "Attributes", URL: v.address(path + "/attributes"), Current: current == tabAttributes},
		{Name: "Live tail", URL: v.address(path + "/live"), Current: current == tabLive},
	}
}
