package overview

import (
	"encoding/json"

	"github.com/a-h/templ"

	"github.com/seshat-project/seshat/internal/api/wire"
	"github.com/seshat-project/seshat/internal/console/web"
)

// chartEvery is after how many events of rates the chart is sent again: it moves every ten seconds.
const chartEvery = 2

// events sends parts of the page when they change: server-sent events whose names are the IDs of the elements that their
// data takes the place of. A browser that loses the connection comes again by itself, and the page is as new as before.
func events(q *web.Request) error {
	out := q.Events()
	send := func(name string, part templ.Component) error { return out.Send("", name, part) }
	n := 0
	verdicts := "not sent yet" // a browser that comes again may show those of an instance that is no more
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
	return out.End(err)
}

func latestVerdict(r *wire.Rates) string {
	if len(r.Verdicts) == 0 {
		return ""
	}
	return r.Verdicts[0].Key
}
