package explorer

import (
	"encoding/json"
	"fmt"
	"net/http"

	"github.com/a-h/templ"

	"github.com/seshat-project/seshat/internal/api/client"
	"github.com/seshat-project/seshat/internal/api/wire"
	"github.com/seshat-project/seshat/internal/console/web"
)

// tailLast is how many exchanges are there when a tail begins, and tailRate how many come in a second at most: more than
// anybody reads; the browser is told how many were left out.
const (
	tailLast = 30
	tailRate = 40
)

func tail(q *web.Request) error {
	v := parse(q.URL.Query())
	bar := v.bar(path + "/live")
	status := http.StatusOK
	// Nothing but the filter is checked: the tail begins when the page is there.
	_, err := q.API.ExchangePage(q.Context(), &client.List{Filter: v.Filter, Since: "1s", Limit: 1, Light: true})
	if err != nil {
		if status, err = wrong(&bar, err); err != nil {
			return err
		}
	}
	p := head("Live tail")
	p.Scripts = append(p.Scripts, "tail.js")
	return q.PageStatus(status, p, tailPage(&v, bar))
}

// tailEvents sends rows of the table as they come: server-sent events whose IDs are positions, so that a browser that lost
// the connection goes on from where it was.
func tailEvents(q *web.Request) error {
	v := parse(q.URL.Query())
	cols := chosen(v.Columns)
	out := q.Events()
	options := client.TailOptions{Filter: v.Filter, Last: tailLast, Rate: tailRate, After: q.Header.Get("Last-Event-ID")}
	err := q.API.Tail(q.Context(), options, func(e *wire.StreamEvent) (bool, error) {
		switch e.Event {
		case wire.EventExchange:
			var x wire.Exchange
			if err := json.Unmarshal(e.Data, &x); err != nil {
				return false, err
			}
			return true, out.Send(e.ID, "row", row(&x, cols))
		case wire.EventDropped:
			var d wire.Dropped
			if err := json.Unmarshal(e.Data, &d); err != nil {
				return false, err
			}
			return true, out.Send(e.ID, "dropped", templ.Raw(fmt.Sprint(d.Count)))
		case wire.EventReady, wire.EventHeartbeat:
			return true, out.Send(e.ID, "alive", templ.NopComponent)
		default:
			return true, nil
		}
	})
	return out.End(err)
}

// present is how many exchanges have a value of a facet.
func present(f *wire.Facet, total int64) int64 {
	for i := range f.Values {
		if f.Values[i].Absent {
			return total - f.Values[i].Count
		}
	}
	return total
}

// withColumn are the columns of the view with an attribute among them.
func withColumn(v *view, name string) string {
	list := v.Columns
	if list == "" {
		list = defaultColumns
	}
	return list + "," + attributePrefix + name
}
