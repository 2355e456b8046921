package api

import (
	"context"
	"net/http"
	"reflect"
	"slices"
	"strconv"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humago"

	"github.com/seshat-project/seshat"
	"github.com/seshat-project/seshat/internal/api/wire"
	"github.com/seshat-project/seshat/internal/filter"
	"github.com/seshat-project/seshat/internal/live"
	"github.com/seshat-project/seshat/internal/store"
)

type tailInput struct {
	Accept      string `header:"Accept" doc:"application/x-ndjson asks for one JSON value a line in place of server-sent events."`
	LastEventID string `header:"Last-Event-ID" maxLength:"64" doc:"The id of the last event that was read: what came after it is sent, as far as it is kept. Browsers send it by themselves."`
	Filter      string `query:"filter" maxLength:"8192" doc:"An expression of the filter language." example:"status:>=500"`
	Last        int    `query:"last" minimum:"0" maximum:"500" doc:"How many of the newest stored exchanges come first, the oldest of them first; none when the stream goes on from a position."`
	After       string `query:"after" maxLength:"64" doc:"A position, as Last-Event-ID, for clients that cannot send a field. The field counts if there are both."`
	Rate        int    `query:"rate" minimum:"0" maximum:"100000" doc:"How many exchanges are sent in a second at most; what is more is counted as dropped. 0 is no bound."`
}

const tailText = ` Each exchange comes as it is stored, within about two seconds of its end, from whatever gateway. A reader that is too slow
misses some, and is told how many. When the connection breaks, the stream goes on behind the event with the id that is sent as
Last-Event-ID. The stream ends when the instance does, and when who asked is signed out.`

func (s *server) registerTail() {
	op := s.operation("GET", "/api/v1/exchanges/tail", "tail-exchanges", tagExchanges, "Follow what is stored")
	op.Description += tailText
	op.Responses[strconv.Itoa(http.StatusOK)] = s.streamOf("Events: ready, exchange, dropped and end; with Accept: " + wire.NDJSON + " as lines.")
	register(s, op, s.tail)
}

// streamOf describes a stream of events.
func (s *server) streamOf(text string) *huma.Response {
	response := s.described(text, wire.NDJSON, reflect.TypeFor[wire.StreamEvent]())
	response.Content[wire.EventStream] = &huma.MediaType{}
	return response
}

func (s *server) tail(ctx context.Context, in *tailInput) (*huma.StreamResponse, error) {
	if s.Feed == nil {
		return nil, unavailable("follow what is stored")
	}
	expr, err := filter.Parse(in.Filter, filter.Exchanges(), s.Now())
	if err != nil {
		return nil, err
	}
	if err := mayAsk(ctx, expr); err != nil {
		return nil, err
	}
	t := &tail{server: s, rate: in.Rate, shown: map[seshat.ExchangeKey]struct{}{}}
	var first []*wire.Exchange
	if last := lastEventID(in.LastEventID, in.After); last != "" {
		after, err := live.ParsePosition(last)
		if err != nil {
			return nil, usage("Last-Event-ID", "it is not the id of an event", "send one that was received, or none")
		}
		var known bool
		if t.subscription, known = s.Feed.Resume(expr, after); !known {
			t.dropped = &wire.Dropped{Reason: wire.DroppedRestarted}
		}
		t.gone = wire.DroppedGone
	} else {
		t.subscription = s.Feed.Subscribe(expr)
		if first, err = s.newest(ctx, expr, in.Last); err != nil {
			t.subscription.Close()
			return nil, err
		}
	}
	return &huma.StreamResponse{Body: func(c huma.Context) {
		defer t.subscription.Close()
		r, w := humago.Unwrap(c)
		following, stop := s.following(r, ExchangesRead, s.Feed.Done())
		defer stop()
		t.out = newEvents(w, in.Accept)
		t.run(following, first)
		t.out.end(ended(following))
	}}, nil
}

// newest reads the newest exchanges that are stored, and returns them the oldest first.
func (s *server) newest(ctx context.Context, expr filter.Expr, n int) ([]*wire.Exchange, error) {
	if n == 0 {
		return nil, nil
	}
	ctx, cancel := context.WithTimeout(ctx, slow)
	defer cancel()
	leave, err := s.heavy.enter(ctx)
	if err != nil {
		return nil, err
	}
	defer leave()
	var out []*wire.Exchange
	err = s.Store.Exchanges(ctx, store.Query{Filter: expr, Now: s.Now(), Limit: n}, func(x *seshat.Assigned) bool {
		out = append(out, wire.NewExchange(x))
		return true
	})
	slices.Reverse(out)
	return out, err
}

// tail is a stream of exchanges. It belongs to one goroutine.
type tail struct {
	*server
	subscription *live.Subscription
	out          *events
	rate         int

	// shown are the exchanges that were sent because they are stored, and may be told of yet.
	shown map[seshat.ExchangeKey]struct{}
	// dropped is what the reader is to be told was left out; gone is why the next exchanges that are left out were.
	dropped *wire.Dropped
	gone    string
	second  int64         // that the rate counts in
	sent    int           // in it
	after   live.Position // behind everything that was looked at
	marked  live.Position // the last that the reader was told
	skipped bool          // something was left out behind it that must not come again
}

// run sends what is there, and then what comes, until ctx ends or the reader has gone.
func (t *tail) run(ctx context.Context, first []*wire.Exchange) {
	for _, x := range first {
		if key, err := strconv.ParseUint(x.Key, 16, 64); err == nil {
			t.shown[seshat.ExchangeKey(key)] = struct{}{}
		}
		t.out.send(wire.EventExchange, "", x)
	}
	if t.gone == "" {
		t.gone = wire.DroppedSlow
	}
	count := len(first)
	t.takeAll(ctx, &count)
	if !t.out.send(wire.EventReady, t.after.String(), &wire.Ready{Position: t.after.String(), Sent: count}) || !t.out.flush() {
		return
	}
	heartbeat := time.NewTicker(heartbeatEvery)
	defer heartbeat.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-t.subscription.Wake():
			t.takeAll(ctx, &count)
			if !t.out.flush() {
				return
			}
			heartbeat.Reset(t.pause())
		case <-heartbeat.C:
			t.tell()
			t.marked = t.after
			if !t.out.beat(t.after.String()) {
				return
			}
			heartbeat.Reset(t.pause())
		}
	}
}

// pause is how long the stream may be silent.
func (t *tail) pause() time.Duration {
	if t.dropped != nil {
		return time.Second // until it can be told
	}
	return heartbeatEvery
}

// takeAll sends everything that has come.
func (t *tail) takeAll(ctx context.Context, count *int) {
	for more := true; more && ctx.Err() == nil && t.out.err == nil; {
		taken := t.subscription.Take()
		if taken.LeftOut > 0 {
			t.drop(int64(taken.LeftOut), t.gone)
		}
		t.gone = wire.DroppedSlow
		t.tell()
		for i := range taken.Items {
			if item := &taken.Items[i]; t.send(item) {
				t.marked, t.skipped = item.After, false
				*count++
			} else {
				t.skipped = true
			}
		}
		t.after, more = taken.After, taken.More
	}
	if t.skipped && t.marked != t.after {
		t.out.mark(t.after.String())
		t.marked, t.skipped = t.after, false
	}
}

// send sends an exchange, unless it was sent already or there are too many.
func (t *tail) send(item *live.Item) bool {
	if _, shown := t.shown[item.Key]; shown {
		delete(t.shown, item.Key)
		return false
	}
	if t.rate > 0 {
		if now := t.Now().Unix(); now != t.second {
			t.tell()
			t.second, t.sent = now, 0
		}
		if t.sent++; t.sent > t.rate {
			t.drop(1, wire.DroppedRate)
			return false
		}
	}
	return t.out.send(wire.EventExchange, item.After.String(), tailed(&item.Assigned))
}

// drop notes that exchanges were left out. Those of a rate are told once a second.
func (t *tail) drop(n int64, reason string) {
	if t.dropped == nil || t.dropped.Reason != reason {
		t.tell()
		t.dropped = &wire.Dropped{Reason: reason}
	}
	t.dropped.Count += n
}

// tell tells the reader what was left out.
func (t *tail) tell() {
	if d := t.dropped; d != nil && (d.Reason != wire.DroppedRate || t.Now().Unix() != t.second) {
		t.out.send(wire.EventDropped, "", d)
		t.dropped = nil
	}
}

// tailed is an exchange that was just stored as it goes over the wire: as the store would return it.
func tailed(x *seshat.Assigned) *wire.Exchange {
	x = masked(x)
	out := wire.NewExchange(x)
	out.Time, out.Template = store.Time(x.Time), store.EndpointPath(x.Observation)
	out.DurationMS = inMS(x.Duration.Truncate(time.Microsecond))
	for i := range out.ClientSessionIDs {
		o, id := &x.IDs[i], &out.ClientSessionIDs[i]
		id.ExpiresAt = store.Time(o.ExpiresAt)
		if o.Origin == seshat.OriginFallback {
			id.Digest, id.Masked = seshat.Digest{}, store.FallbackMasked(o.Kind, x.ClientIP, x.UserAgent)
		}
	}
	return out
}
