package explorer

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"
	"time"

	"github.com/a-h/templ"

	"github.com/seshat-project/seshat/internal/api/client"
	"github.com/seshat-project/seshat/internal/api/wire"
	"github.com/seshat-project/seshat/internal/console/web"
)

const (
	// tailLast is how many exchanges are there when a tail begins, and tailRate how many come in a second at most: more than
	// anybody reads; the browser is told how many were left out.
	tailLast = 30
	tailRate = 40
	// writeTime is how long a browser may take to take an event.
	writeTime = 10 * time.Second
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
	p := head()
	p.Scripts = append(p.Scripts, "tail.js")
	return q.PageStatus(status, p, tailPage(&v, bar))
}

// tailEvents sends rows of the table as they come: server-sent events whose IDs are positions, so that a browser that lost
// the connection goes on from where it was.
func tailEvents(q *web.Request) error {
	v := parse(q.URL.Query())
	cols := chosen(v.Columns)
	control := http.NewResponseController(q.W)
	begun := false
	send := func(e *wire.StreamEvent, name string, part templ.Component) error {
		if !begun {
			begun = true
			q.W.Header().Set("Content-Type", wire.EventStream)
			q.W.WriteHeader(http.StatusOK)
		}
		_ = control.SetWriteDeadline(time.Now().Add(writeTime)) // a writer of tests has none
		if err := writeEvent(q, e.ID, name, part); err != nil {
			return err
		}
		return control.Flush()
	}
	options := client.TailOptions{Filter: v.Filter, Last: tailLast, Rate: tailRate, After: q.Header.Get("Last-Event-ID")}
	err := q.API.Tail(q.Context(), options, func(e *wire.StreamEvent) (bool, error) {
		switch e.Event {
		case wire.EventExchange:
			var x wire.Exchange
			if err := json.Unmarshal(e.Data, &x); err != nil {
				return false, err
			}
			return true, send(e, "row", row(&x, cols))
		case wire.EventDropped:
			var d wire.Dropped
			if err := json.Unmarshal(e.Data, &d); err != nil {
				return false, err
			}
			return true, send(e, "dropped", templ.Raw(fmt.Sprint(d.Count)))
		case wire.EventReady, wire.EventHeartbeat:
			return true, send(e, "alive", templ.NopComponent)
		default:
			return true, nil
		}
	})
	if begun || q.Context().Err() != nil {
		return nil // the answer has begun; the browser asks again
	}
	return err
}

// writeEvent writes one event. Each line of its data has to be marked as such.
func writeEvent(q *web.Request, id, name string, part templ.Component) error {
	var text bytes.Buffer
	if err := part.Render(q.Frame(), &text); err != nil {
		return err
	}
	var out strings.Builder
	if id != "" {
		fmt.Fprintf(&out, "id: %s\n", id)
	}
	fmt.Fprintf(&out, "event: %s\ndata: ", name)
	out.WriteString(strings.NewReplacer("\r", "", "\n", "\ndata: ").Replace(text.String()))
	out.WriteString("\n\n")
	_, err := io.WriteString(q.W, out.String())
	return err
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
