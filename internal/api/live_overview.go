package api

import (
	"context"
	"net/http"
	"slices"
	"strconv"
	"sync"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humago"

	"github.com/seshat-project/seshat"
	"github.com/seshat-project/seshat/internal/api/wire"
	"github.com/seshat-project/seshat/internal/filter"
	"github.com/seshat-project/seshat/internal/identify"
	"github.com/seshat-project/seshat/internal/live"
	"github.com/seshat-project/seshat/internal/store"
)

// RatesInput says in which steps rates are wanted.
type RatesInput struct {
	Step     int `query:"step" minimum:"0" maximum:"60" doc:"Length of an element of the series, in seconds; 10 when it is absent."`
	Verdicts int `query:"verdicts" minimum:"0" maximum:"50" default:"50" doc:"How many of the last verdicts at most."`
}

type liveOverviewInput struct {
	RatesInput
	Accept string `header:"Accept" doc:"application/x-ndjson asks for one JSON value a line in place of server-sent events."`
}

const (
	defaultStep = 10
	// ratesEvery and healthEvery are how often a live overview tells them.
	ratesEvery  = time.Second
	healthEvery = 5 * time.Second
	// newestSeconds is how much of the series each event has: what may still change, and more than a reader misses when it
	// is late.
	newestSeconds = 15
	// activeTime is how long counting active sessions may take: some 100 ms are usual.
	activeTime = 4 * time.Second
)

const liveText = ` The event rates is as GET /api/v1/overview/rates, with the elements of the series that began in the last 15
seconds or one step, and the verdicts, of which there may be new ones. Elements begin at whole multiples of the step, so that one of an
event takes the place of the one with the same time.`

func (s *server) registerLiveOverview() {
	register(s, s.operation("GET", "/api/v1/overview/rates", "get-rates", tagExchanges, "Say how much comes, of the last quarter of an hour"),
		func(_ context.Context, in *RatesInput) (*output[*wire.Rates], error) {
			if s.Feed == nil {
				return nil, unavailable("say how much comes")
			}
			return &output[*wire.Rates]{s.rates(in, 0)}, nil
		})
	op := s.operation("GET", "/api/v1/overview/live", "follow-overview", tagExchanges, "Follow how much comes, and how the instance is")
	op.Description += " One event rates a second, and one event health every five." + liveText
	op.Responses[strconv.Itoa(http.StatusOK)] = s.streamOf("Events: rates, health and end; with Accept: " + wire.NDJSON + " as lines.")
	register(s, op, s.followOverview)
}

func (s *server) followOverview(_ context.Context, in *liveOverviewInput) (*huma.StreamResponse, error) {
	if s.Feed == nil {
		return nil, unavailable("follow how much comes")
	}
	return &huma.StreamResponse{Body: func(c huma.Context) {
		r, w := humago.Unwrap(c)
		following, stop := s.following(r, ExchangesRead, s.Feed.Done())
		defer stop()
		out := newEvents(w, in.Accept)
		s.tellOverview(following, out, &in.RatesInput)
		out.end(ended(following))
	}}, nil
}

// tellOverview sends rates and health until ctx ends or the reader has gone.
func (s *server) tellOverview(ctx context.Context, out *events, in *RatesInput) {
	second, five := time.NewTicker(ratesEvery), time.NewTicker(healthEvery)
	defer second.Stop()
	defer five.Stop()
	health := make(chan *wire.Health, 1)
	var asking sync.WaitGroup
	defer asking.Wait()
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	busy := false
	ask := func() {
		if !busy { // the store may be slow: rates go on meanwhile
			busy = true
			asking.Go(func() { health <- s.health(ctx) })
		}
	}
	ask()
	for more := out.send(wire.EventRates, "", s.rates(in, newestSeconds)) && out.flush(); more; {
		select {
		case <-ctx.Done():
			return
		case <-second.C:
			more = out.send(wire.EventRates, "", s.rates(in, newestSeconds)) && out.flush()
		case <-five.C:
			ask()
		case h := <-health:
			busy = false
			more = out.send(wire.EventHealth, "", h) && out.flush()
		}
	}
}

// health says how the instance is.
func (s *server) health(ctx context.Context) *wire.Health {
	out := &wire.Health{Sessions: s.active.get(ctx, s)}
	out.Status = s.status(ctx)
	return out
}

// activeSessions remembers how many sessions are active, so that those who follow do not ask the store each for itself.
type activeSessions struct {
	mu    sync.Mutex
	at    time.Time
	count wire.ActiveSessions
}

// get returns how many sessions were active within the last few seconds.
func (a *activeSessions) get(ctx context.Context, s *server) wire.ActiveSessions {
	a.mu.Lock()
	defer a.mu.Unlock()
	if now := time.Now(); now.Sub(a.at) >= healthEvery/2 {
		a.count, a.at = s.countActive(ctx), now
	}
	return a.count
}

// fallbackNames are what sessions are identified by that are known by their address only.
func fallbackNames() []string { return []string{identify.NameAddress, identify.NameAddressAndAgent} }

func (s *server) countActive(ctx context.Context) wire.ActiveSessions {
	ctx, cancel := context.WithTimeout(ctx, activeTime)
	defer cancel()
	now := s.Now()
	reader, err := s.reader(ctx)
	if err != nil {
		return wire.ActiveSessions{}
	}
	count := func(text string, by ...store.Dimension) (*store.Aggregates, error) {
		expr, err := filter.Parse(text, filter.Sessions(), now)
		if err != nil {
			return nil, err
		}
		return reader.Aggregate(ctx, store.AggregateQuery{
			Subset: store.Subset{Dataset: store.DatasetSessions, Query: store.Query{Filter: expr, Now: now}}, By: by,
		})
	}
	const active = "state:" + string(seshat.StateActive)
	counted, err := count(active, store.Dimension{Field: filter.Sessions().Lookup("identified_by")})
	if err != nil {
		return wire.ActiveSessions{}
	}
	once, err := count(active + " exchanges:1")
	if err != nil {
		return wire.ActiveSessions{}
	}
	out := wire.ActiveSessions{Active: counted.Rows, Once: once.Rows, Known: true}
	for i := range counted.Groups {
		if g := &counted.Groups[i]; slices.Contains(fallbackNames(), g.Values[0].Text) {
			out.Fallback += g.Count
		}
	}
	return out
}

// rates are the rates of now, with the series of the last seconds, or of the whole window when that is 0.
func (s *server) rates(in *RatesInput, seconds int) *wire.Rates {
	step := in.Step
	if step == 0 {
		step = defaultStep
	}
	if seconds > 0 {
		seconds = max(seconds, step+1) // the one before this one changes too
	}
	snapshot := s.Feed.Rates(live.Ask{
		Step: time.Duration(step) * time.Second, Since: time.Duration(seconds) * time.Second, Verdicts: in.Verdicts,
	})
	return newRates(snapshot)
}
