package overview

import (
	"bytes"
	"encoding/json"
	"errors"
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
	// writeTime is how long a browser may take to take an event.
	writeTime = 10 * time.Second
	// chartEvery is after how many events of rates the chart is sent again: it moves every ten seconds.
	chartEvery = 2
)

// events sends parts of the page when they change: server-sent events whose names are the IDs of the elements that their
// data takes the place of. A browser that loses the connection comes again by itself, and the page is as new as before.
func events(q *web.Request) error {
	control := http.NewResponseController(q.W)
	begun := false
	send := func(name string, part templ.Component) error {
		if !begun {
			begun = true
			q.W.Header().Set("Content-Type", wire.EventStream)
			q.W.WriteHeader(http.StatusOK)
		}
		_ = control.SetWriteDeadline(time.Now().Add(writeTime)) // a writer of tests has none
		if err := event(q, name, part); err != nil {
			return err
		}
		return control.Flush()
	}
	n := 0
	var verdicts string
	err := follow(q.Context(), q.API, func(e *wire.StreamEvent) error {
		switch e.Event {
		case wire.EventRates:
			// The event has the newest elements only; what the page shows is all of them.
			rates, err := q.API.Rates(q.Context(), step)
			if err != nil {
				return err
			}
			if err := send("figures", figures(rates)); err != nil {
				return err
			}
			if n++; n%chartEvery == 1 {
				if err := send("chart", chartPart(rates)); err != nil {
					return err
				}
			}
			if latest := latestVerdict(rates); latest != verdicts {
				verdicts = latest
				return send("verdicts", verdictList(rates))
			}
		case wire.EventHealth:
			var health wire.Health
			if err := json.Unmarshal(e.Data, &health); err != nil {
				return err
			}
			if err := send("health", healthList(&health.Status)); err != nil {
				return err
			}
			return send("active", active(&health.Sessions))
		}
		return nil
	})
	if begun || q.Context().Err() != nil {
		return nil // the answer has begun; the browser asks again
	}
	if err == nil {
		err = errors.New("the stream ended before it began")
	}
	if errors.Is(err, client.ErrSignedOut) {
		q.W.WriteHeader(http.StatusNoContent) // which tells the browser not to come again
		return nil
	}
	return err
}

// event writes one event. Each line of its data has to be marked as such.
func event(q *web.Request, name string, part templ.Component) error {
	var text bytes.Buffer
	if err := part.Render(q.Frame(), &text); err != nil {
		return err
	}
	var out strings.Builder
	fmt.Fprintf(&out, "event: %s\n", name)
	for line := range strings.Lines(text.String()) {
		fmt.Fprintf(&out, "data: %s\n", strings.TrimRight(line, "\r\n"))
	}
	out.WriteByte('\n')
	_, err := io.WriteString(q.W, out.String())
	return err
}

func latestVerdict(r *wire.Rates) string {
	if len(r.Verdicts) == 0 {
		return ""
	}
	return r.Verdicts[0].Key
}
