package api

import (
	"cmp"
	"context"
	"slices"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/seshat-project/seshat"
	"github.com/seshat-project/seshat/internal/api/wire"
	"github.com/seshat-project/seshat/internal/filter"
	"github.com/seshat-project/seshat/internal/revoked"
	"github.com/seshat-project/seshat/internal/store"
)

const (
	// mostTold is how many exchanges of a session are looked at for its devices. Reading so many takes about 50 ms; an API
	// key that is used for weeks has millions, of which nobody wants to be told each change.
	mostTold = 20_000
	// mostMarked is how many exchanges are read whole because something happened in them.
	mostMarked = 2_000
	// mostFlows is how many flows of a session a timeline has: what can be told apart in a picture.
	mostFlows = 12
	// defaultBuckets is as many as can be told apart on a usual screen.
	defaultBuckets = 240
)

// markedFilter selects the exchanges of which a timeline tells more than that they were.
const markedFilter = `flow:(authentication,logout,token-refresh,account-creation) OR verdict:(tag,limit,block)`

const refusedFilter = `verdict:(limit,block)`

type timelineInput struct {
	ID      string `path:"id" maxLength:"36" doc:"The whole session ID; also of one that was merged into another."`
	Since   string `query:"since" maxLength:"64" doc:"From when to count: a time (RFC 3339), or a length of time before now; the first exchange when it is absent."`
	Until   string `query:"until" maxLength:"64" doc:"Until when to count, not included; the last exchange when it is absent."`
	Buckets int    `query:"buckets" minimum:"0" maximum:"500" doc:"About how many buckets, at most; 240 when it is absent."`
}

func (s *server) registerTimeline() {
	op := s.operation("GET", "/api/v1/sessions/{id}/timeline", "get-timeline", tagSessions, "Get a session over time")
	op.Description += " How many exchanges when, of which flows, from which devices, and what happened: sign-ins, refreshes, other addresses, refusals, its end."
	register(s, op, s.getTimeline)
}

func (s *server) getTimeline(ctx context.Context, in *timelineInput) (*output[*wire.Timeline], error) {
	id, err := parseSession(in.ID)
	if err != nil {
		return nil, err
	}
	now := s.Now()
	q := store.HistogramQuery{Subset: store.Subset{Dataset: store.DatasetExchanges}, Buckets: in.Buckets}
	if q.Buckets == 0 {
		q.Buckets = defaultBuckets
	}
	if q.Since, err = parseTime("since", in.Since, now); err != nil {
		return nil, err
	}
	if q.Until, err = parseTime("until", in.Until, now); err != nil {
		return nil, err
	}
	reader, err := s.reader(ctx)
	if err != nil {
		return nil, err
	}
	session, err := reader.Session(ctx, id)
	if err != nil {
		return nil, err
	}
	// The time of the session bounds what the store looks at.
	q.Session, q.Now = session.ID, now
	if q.Since.Before(session.FirstSeen) {
		q.Since = session.FirstSeen
	}
	if end := session.LastSeen.Add(time.Microsecond); q.Until.IsZero() || q.Until.After(end) {
		q.Until = end
	}
	t, err := s.timeline(ctx, reader, session, q)
	return &output[*wire.Timeline]{t}, err
}

// timeline reads what a timeline is made of, all at once.
func (s *server) timeline(ctx context.Context, reader *revoked.Reader, session *seshat.Session, q store.HistogramQuery) (*wire.Timeline, error) {
	var counts *store.Histogram
	var refused, flows *store.Aggregates
	var links []seshat.Link
	told := newTelling(session, reader.Denials(session))
	var marked []seshat.Assigned
	all := store.Query{
		Session: session.ID, Since: session.FirstSeen, Until: session.LastSeen.Add(time.Microsecond), Now: q.Now, OldestFirst: true,
	}
	group, ctx := errgroup.WithContext(ctx)
	group.Go(func() (err error) {
		// The widths of the others are those of the first.
		if counts, err = s.Store.Histogram(ctx, q); err != nil || counts.Buckets == 0 {
			return err
		}
		if session.Refused > 0 {
			if refused, err = s.perBucket(ctx, &q, counts.Width, refusedFilter, ""); err != nil {
				return err
			}
		}
		if len(session.Flows) > 0 {
			flows, err = s.perBucket(ctx, &q, counts.Width, "flow:*", "flow")
		}
		return err
	})
	group.Go(func() error {
		light := all
		light.Light, light.Limit = true, mostTold+1
		return s.Store.Exchanges(ctx, light, func(x *seshat.Assigned) bool { return told.device(x.Observation) })
	})
	group.Go(func() (err error) {
		whole := all
		whole.Limit = mostMarked + 1
		if whole.Filter, err = filter.Parse(markedFilter, filter.Exchanges(), q.Now); err != nil {
			return err
		}
		return s.Store.Exchanges(ctx, whole, func(x *seshat.Assigned) bool {
			marked = append(marked, *x)
			return true
		})
	})
	group.Go(func() (err error) {
		links, err = s.Store.Lineage(ctx, session.ID)
		return err
	})
	if err := group.Wait(); err != nil {
		return nil, err
	}
	for i := range marked {
		if i == mostMarked {
			told.partial = true
			break
		}
		told.marked(marked[i].Observation)
	}
	told.lineage(links)
	return told.finish(newTimeline(counts, refused, flows)), nil
}

// perBucket counts the exchanges that a filter selects by bucket, and by another dimension when it has a name.
func (s *server) perBucket(ctx context.Context, h *store.HistogramQuery, width time.Duration, selects, name string) (*store.Aggregates, error) {
	fields := filter.Exchanges()
	q := store.AggregateQuery{Subset: h.Subset, Measures: []store.Measure{{}}, Order: store.Order{Dimension: true}, Limit: store.MaxGroups}
	expr, err := filter.Parse(selects, fields, h.Now)
	if err != nil {
		return nil, err
	}
	q.Filter = expr
	q.By = append(q.By, store.Dimension{Field: fields.Lookup("time"), Width: width})
	if name != "" {
		q.By = append(q.By, store.Dimension{Field: fields.Lookup(name)})
	}
	return s.Store.Aggregate(ctx, q)
}

func newTimeline(h *store.Histogram, refused, flows *store.Aggregates) *wire.Timeline {
	t := &wire.Timeline{
		Since: h.Start, Until: h.Time(h.Buckets), WidthMS: float64(h.Width) / float64(time.Millisecond), Exchanges: h.Rows,
		Buckets: make([]wire.TimelineCount, h.Buckets), Flows: []wire.TimelineFlow{},
	}
	for i := range t.Buckets {
		b := &t.Buckets[i]
		b.Start = h.Time(i)
		for place, name := range h.Series {
			n := h.Counts[i][place]
			switch name {
			case "1xx", "2xx":
				b.OK += n
			case "3xx":
				b.Redirects += n
			case "4xx":
				b.ClientErrors += n
			case "5xx":
				b.ServerErrors += n
			default:
				b.None += n
			}
		}
	}
	eachBucket(h, refused, func(i int, g *store.Group) { t.Buckets[i].Refused += g.Count })
	places := map[string]int{}
	eachBucket(h, flows, func(i int, g *store.Group) {
		name := g.Values[1].Text
		place, known := places[name]
		if !known {
			place = len(t.Flows)
			places[name] = place
			t.Flows = append(t.Flows, wire.TimelineFlow{Name: name, Counts: make([]int64, h.Buckets)})
		}
		t.Flows[place].Exchanges += g.Count
		t.Flows[place].Counts[i] += g.Count
	})
	slices.SortStableFunc(t.Flows, func(a, b wire.TimelineFlow) int {
		return cmp.Or(cmp.Compare(b.Exchanges, a.Exchanges), cmp.Compare(a.Name, b.Name))
	})
	t.Flows = t.Flows[:min(len(t.Flows), mostFlows)]
	return t
}

// eachBucket calls each for the groups of an answer, with the bucket that they are of.
func eachBucket(h *store.Histogram, a *store.Aggregates, each func(i int, g *store.Group)) {
	if a == nil {
		return
	}
	for i := range a.Groups {
		g := &a.Groups[i]
		if at, err := time.Parse(time.RFC3339Nano, g.Values[0].Text); err == nil && !g.Values[0].Absent {
			each(h.Stretch(at), g)
		}
	}
}
