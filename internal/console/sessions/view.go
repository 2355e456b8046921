package sessions

import (
	"net/url"
	"strconv"
	"strings"

	"github.com/seshat-project/seshat/internal/api/client"
	"github.com/seshat-project/seshat/internal/console/ui"
	"github.com/seshat-project/seshat/internal/console/web"
)

const (
	// pageSize is how many sessions are loaded at a time: some screens of them.
	pageSize = 60
	// mostRows is how many are shown again when somebody comes back to a list that they had scrolled: a page of the API.
	mostRows = 1000
	// maxColumns bounds the list of columns in an address.
	maxColumns = 256
)

// view is everything that the address of the page says.
type view struct {
	Filter  string
	Range   ui.Range
	Sort    string
	Oldest  bool // the order is turned round
	Columns string
	Rows    int
	Cursor  string
}

func parse(query url.Values) view {
	v := view{
		Filter: query.Get("filter"), Range: ui.ParseRange(query, ui.DefaultRange), Sort: query.Get("sort"), Cursor: query.Get("cursor"),
		Oldest: query.Get("order") == "oldest", Columns: query.Get("columns"), Rows: pageSize,
	}
	if len(query["column"]) > 0 { // of the form that chooses them
		v.Columns = strings.Join(query["column"], ",")
	}
	if len(v.Columns) > maxColumns || v.Columns == defaultColumns {
		v.Columns = ""
	}
	if n, err := strconv.Atoi(query.Get("rows")); err == nil && n > pageSize && v.Cursor == "" {
		v.Rows = min(n, mostRows)
	}
	if v.Sort == "last_seen" {
		v.Sort = ""
	}
	return v
}

func (v *view) list() *client.List {
	return &client.List{
		Filter: v.Filter, Since: v.Range.Since, Until: v.Range.Until, Sort: v.Sort, OldestFirst: v.Oldest, Limit: v.Rows, Cursor: v.Cursor,
	}
}

// query is the view as the query of an address.
func (v *view) query() url.Values {
	query := v.keep()
	v.Range.Set(query)
	if v.Filter != "" {
		query.Set("filter", v.Filter)
	}
	return query
}

// keep is what the filter bar sends on: all but filter and time.
func (v *view) keep() url.Values {
	query := url.Values{}
	for name, text := range map[string]string{"sort": v.Sort, "columns": v.Columns} {
		if text != "" {
			query.Set(name, text)
		}
	}
	if v.Oldest {
		query.Set("order", "oldest")
	}
	return query
}

// address is the address of the view, or of a part of it. Pairs of names and values come on top.
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

// sorted is the address of the view in the order of a column; in the other direction when it is in that order already.
func (v *view) sorted(c column) string {
	order := ""
	if v.order() == c.sort && !v.Oldest {
		order = "oldest"
	}
	return v.address("/sessions", "sort", c.sort, "order", order)
}

// order is what the list is ordered by.
func (v *view) order() string {
	if v.Sort == "" {
		return "last_seen"
	}
	return v.Sort
}

// direction is the value of aria-sort of a column; empty when the list is not in its order.
func (v *view) direction(c column) string {
	switch {
	case c.sort == "" || v.order() != c.sort:
		return ""
	case (c.sort == "user") != v.Oldest: // names ascend, everything else descends
		return "ascending"
	default:
		return "descending"
	}
}

// narrowed is the address of the view with one more term in its filter.
func (v *view) narrowed(term string) string {
	return v.address("/sessions", "filter", strings.TrimSpace(v.Filter+" "+term))
}

func (v *view) bar() ui.FilterBar {
	return ui.FilterBar{
		ID: "search", Action: "/sessions", Dataset: "sessions", Filter: v.Filter, Range: v.Range, Keep: v.keep(), Example: "user:alice state:active errors:>0",
	}
}

// file is the address of the sessions as a file.
func (v *view) file(format string) string {
	query := url.Values{"format": {format}}
	v.Range.Set(query)
	if query.Get("since") == "all" {
		query.Del("since")
	}
	if v.Filter != "" {
		query.Set("filter", v.Filter)
	}
	return web.Address("/api/v1/exports/sessions", query)
}
