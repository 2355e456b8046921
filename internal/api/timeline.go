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

// What is selected to be read whole: exchanges of which a timeline tells more than that they were. What was decided is
// asked for apart, because most sessions have nothing of it, which is known at once.
const (
	flowFilter    = `flow:(authentication,logout,token-refresh,account-creation)`
	decidedFilter = `verdict:(tag,limit,block)`
	refusedFilter = `verdict:(limit,block)`
)

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
	past, err := s.pastDenials(ctx, session)
	if err != nil {
		return nil, err
	}
	var counts *store.Histogram
	var refused, flows *store.Aggregates
	var links []seshat.Link
	told := newTelling(session, append(past, reader.Denials(session)...), q.Now)
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
	group.Go(func() error { return s.tellDevices(ctx, told, all) })
	group.Go(func() error { return s.tellMarked(ctx, told, all, flowFilter) })
	group.Go(func() error {
		one := q.Subset
		one.Query = all
		found, err := s.grouped(ctx, one, decidedFilter)
		if err != nil || found.Rows == 0 {
			return err
		}
		return s.tellMarked(ctx, told, all, decidedFilter)
	})
	group.Go(func() (err error) {
		links, err = s.Store.Lineage(ctx, session.ID)
		return err
	})
	if err := group.Wait(); err != nil {
		return nil, err
	}
	told.lineage(links)
	return told.finish(newTimeline(counts, refused, flows)), nil
}

// tellDevices notes where the exchanges came from. Most sessions have one device, which is known without a look at all of
// their exchanges.
func (s *server) tellDevices(ctx context.Context, t *telling, all store.Query) error {
	devices, err := s.grouped(ctx, store.Subset{Dataset: store.DatasetExchanges, Query: all}, "", "ip", "user_agent", "ja4")
	if err != nil {
		return err
	}
	all.Light, all.Limit = true, mostTold+1
	if devices.Found == 1 {
		all.Limit = 1
	}
	if err := s.Store.Exchanges(ctx, all, func(x *seshat.Assigned) bool { return t.device(x.Observation) }); err != nil {
		return err
	}
	if devices.Found == 1 {
		t.only(devices.Rows)
	}
	return nil
}

// tellMarked notes what happened in the exchanges that a filter selects.
func (s *server) tellMarked(ctx context.Context, t *telling, all store.Query, selects string) (err error) {
	all.Limit = mostMarked
	if all.Filter, err = filter.Parse(selects, filter.Exchanges(), all.Now); err != nil {
		return err
	}
	read := 0
	err = s.Store.Exchanges(ctx, all, func(x *seshat.Assigned) bool {
		t.marked(x.Observation)
		read++
		return true
	})
	if read == mostMarked {
		t.cut()
	}
	return err
}

// perBucket counts the exchanges that a filter selects by bucket, and by another dimension when it has a name.
func (s *server) perBucket(ctx context.Context, h *store.HistogramQuery, width time.Duration, selects, name string) (*store.Aggregates, error) {
	by := []string{"time:" + store.WidthText(width)}
	if name != "" {
		by = append(by, name)
	}
	return s.grouped(ctx, h.Subset, selects, by...)
}

// grouped counts the exchanges that a filter selects by some dimensions.
func (s *server) grouped(ctx context.Context, of store.Subset, selects string, by ...string) (*store.Aggregates, error) {
	fields := filter.Exchanges()
	q := store.AggregateQuery{Subset: of, Measures: []store.Measure{{}}, Limit: store.MaxGroups}
	expr, err := filter.Parse(selects, fields, of.Now)
	if err != nil {
		return nil, err
	}
	q.Filter = expr
	for _, name := range by {
		d, err := store.ParseDimension("timeline", name, fields)
		if err != nil {
			return nil, err
		}
		q.By = append(q.By, d)
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
