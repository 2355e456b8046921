package duckdb_test

import (
	"context"
	"encoding/binary"
	"fmt"
	"math"
	"math/rand/v2"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/seshat-project/seshat"
	"github.com/seshat-project/seshat/internal/filter"
	"github.com/seshat-project/seshat/internal/store"
	"github.com/seshat-project/seshat/internal/store/duckdb"
	"github.com/seshat-project/seshat/internal/store/storetest"
)

// week is how long the traffic of BenchmarkAggregates lasts: what is kept by default.
const week = 7 * 24 * time.Hour

// BenchmarkAggregates measures numbers over ten million exchanges of a busy API within a week: some 290,000 sessions of
// 50,000 users, most of them signed in, 120 endpoints, paths with identifiers in them, flows, verdicts, and durations.
// "day" is the last 24 hours, which is what is shown by default, and "all" everything.
func BenchmarkAggregates(b *testing.B) {
	dir := os.Getenv(tenMillionVariable)
	if dir == "" {
		b.Skip("set " + tenMillionVariable + " to a directory for its database")
	}
	dir = filepath.Join(dir, "week")
	makeWeek(b, dir)
	s := open(b, dir, duckdb.Options{})
	ctx := context.Background()
	span, err := s.Span(ctx)
	if err != nil {
		b.Fatal(err)
	}
	subset := func(d store.Dataset, since time.Duration, text string) store.Subset {
		q := store.Subset{Dataset: d, Query: store.Query{Now: span.Last}}
		if since > 0 {
			q.Since = span.Last.Add(-since)
		}
		q.Filter, err = filter.Parse(text, store.FieldsOf(d), span.Last)
		if err != nil {
			b.Fatal(err)
		}
		return q
	}
	f := func(name string, d store.Dataset, ask func(q store.Subset) error) {
		for _, over := range []struct {
			name   string
			since  time.Duration
			filter string
		}{
			{"day", 24 * time.Hour, ""}, {"all", 0, ""}, {"all-filtered", 0, map[store.Dataset]string{
				store.DatasetExchanges: "status:>=400 service:shop", store.DatasetSessions: "errors:>2 user:*",
			}[d]},
		} {
			b.Run(string(d)+"/"+name+"/"+over.name, func(b *testing.B) {
				used := cpuTime(b)
				for b.Loop() {
					if err := ask(subset(d, over.since, over.filter)); err != nil {
						b.Fatal(err)
					}
				}
				b.ReportMetric(float64((cpuTime(b)-used).Milliseconds())/float64(b.N), "cpu-ms/op")
			})
		}
	}
	aggregate := func(d store.Dataset, by, measures string) {
		f("by "+by+" "+measures, d, func(q store.Subset) error {
			a := storetest.Aggregate(b, d, by, measures, "")
			a.Subset, a.Limit = q, 50
			_, err := s.Aggregate(ctx, a)
			return err
		})
	}
	for d, fields := range map[store.Dataset]string{
		store.DatasetExchanges: "method status service endpoint user flow identifier verdict",
		store.DatasetSessions:  "state user role service flow identified_by environment ended_by",
	} {
		f("histogram", d, func(q store.Subset) error {
			_, err := s.Histogram(ctx, store.HistogramQuery{Subset: q, Buckets: 60})
			return err
		})
		f("facets", d, func(q store.Subset) error {
			_, err := s.Facets(ctx, store.FacetQuery{Subset: q, By: storetest.Dimensions(b, d, fields), Limit: 10})
			return err
		})
	}
	for _, text := range []string{
		"endpoint status|count", "endpoint|count unique:user p95:duration", "user|count unique:session_id unique:ip", "ip|count", "path|count",
		"time:1h service|count p50:duration p99:duration", "attr.tenant|count sum:response_bytes", "session_id|count", "|count p50:duration p95:duration unique:session_id unique:user",
		"user_agent|count approx_unique:session_id",
	} {
		by, measures, _ := strings.Cut(text, "|")
		aggregate(store.DatasetExchanges, by, measures)
	}
	for _, text := range []string{"user|sum:exchanges count", "state identified_by|count avg:duration p95:exchanges", "service|count", "endpoint|count", "ip|count unique:user"} {
		by, measures, _ := strings.Cut(text, "|")
		aggregate(store.DatasetSessions, by, measures)
	}
	// No session of this traffic has a second address or user agent, so that all of them are looked at: nothing takes longer.
	for _, over := range []struct {
		name  string
		since time.Duration
	}{{"day", 24 * time.Hour}, {"all", 0}} {
		for _, text := range []string{"addresses:>1", "networks:>1", "user_agents:>1", "users:>1", "addresses:>1 user_agents:>1", "state:active user:* addresses:>1"} {
			b.Run("sessions/"+text+"/"+over.name, func(b *testing.B) {
				q := subset(store.DatasetSessions, over.since, text).Query
				q.Limit = 51
				used := cpuTime(b)
				for b.Loop() {
					storetest.Sessions(b, s, q)
				}
				b.ReportMetric(float64((cpuTime(b)-used).Milliseconds())/float64(b.N), "cpu-ms/op")
			})
		}
	}
	b.Run("sessions/newest-50", func(b *testing.B) {
		for b.Loop() {
			storetest.Sessions(b, s, store.Query{Now: span.Last, Limit: 51, Since: span.Last.Add(-24 * time.Hour)})
		}
	})
}

// cpuTime is the processor time that the process has used: what wall clock says on a busy machine is of no use.
func cpuTime(b *testing.B) time.Duration {
	b.Helper()
	var usage syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &usage); err != nil {
		b.Fatal(err)
	}
	return time.Duration(usage.Utime.Nano() + usage.Stime.Nano())
}

func makeWeek(b *testing.B, dir string) {
	b.Helper()
	if _, err := os.Stat(filepath.Join(dir, duckdb.FileName)); err == nil {
		return
	}
	s, err := duckdb.Open(context.Background(), dir, duckdb.Options{Memory: duckdb.ImportMemory})
	if err != nil {
		b.Fatal(err)
	}
	traffic := newWeekTraffic()
	for traffic.next < tenMillion {
		storetest.Commit(b, s, traffic.batch(batchSize))
	}
	if err := s.Close(); err != nil {
		b.Fatal(err)
	}
}

// weekTraffic is traffic of sessions that come and go, a thousand at a time.
type weekTraffic struct {
	random  *rand.Rand
	live    []weekSession
	next    uint64
	version uint64
}

type weekSession struct {
	id       seshat.SessionID
	identity []seshat.ObservedID
	context  []seshat.Parameter
	user     string
	ip       netip.Addr
	agent    string
	left     int
}

func newWeekTraffic() *weekTraffic {
	return &weekTraffic{random: rand.New(rand.NewPCG(7, 7)), live: make([]weekSession, 1000)} //nolint:gosec // repeatable
}

// few is a number below n, small ones far more often.
func (w *weekTraffic) few(n int) int { return int(float64(n) * math.Pow(w.random.Float64(), 3)) }

func (w *weekTraffic) batch(n int) *store.Batch {
	at := func() time.Time {
		return storetest.Start.Add(time.Duration(float64(week) * float64(w.next) / tenMillion))
	}
	b := &store.Batch{StoredAt: at()}
	for range n {
		w.next++
		at := at()
		s := &w.live[w.random.IntN(len(w.live))]
		if s.left == 0 {
			w.begin(s, b, at)
		}
		s.left--
		b.Exchanges = append(b.Exchanges, seshat.Assigned{Session: s.id, Observation: w.observation(s, at)})
	}
	return b
}

// begin puts another session in the place of one that is over.
func (w *weekTraffic) begin(s *weekSession, b *store.Batch, at time.Time) {
	if !s.id.IsZero() && w.random.IntN(3) == 0 {
		w.version++
		b.Sessions = append(b.Sessions, seshat.SessionFacts{ID: s.id, Version: w.version, User: s.user, EndedAt: at, EndedBy: seshat.EndLogout, IdentifiedBy: "shop", Confidence: 1})
	}
	*s = weekSession{id: digest16(fmt.Sprint(w.next)), left: 1 + w.few(140), ip: storetestIP(uint64(w.few(60_000))), agent: fmt.Sprintf("Mozilla/5.0 (X11; Linux x86_64) Firefox/%d.0", w.few(400))}
	facts := seshat.SessionFacts{ID: s.id, IdentifiedBy: "ip+user-agent", Confidence: 0.5, Started: at}
	if w.random.IntN(10) < 7 {
		s.user = fmt.Sprintf("user%d@example.com", w.few(50_000))
		s.identity = []seshat.ObservedID{{Digest: digest16("t", fmt.Sprint(w.next)), Masked: fmt.Sprintf("eyJh…%d(600)", w.next%89), Rule: seshat.RuleIDFor("shop"), Name: "shop", Kind: seshat.KindAccessToken, Where: seshat.LocationHeader, Key: "Authorization"}}
		s.context = []seshat.Parameter{{Name: "user", Type: seshat.ParameterUser, Value: s.user}, {Name: "role", Type: seshat.ParameterRole, Value: []string{"customer", "staff", "admin"}[w.few(3)]}, {Name: "tenant", Value: fmt.Sprintf("tenant-%d", w.few(300))}}
		facts.User, facts.Roles, facts.IdentifiedBy, facts.Confidence = s.user, []string{s.context[1].Value}, "shop", 1
	}
	s.identity = append(s.identity, seshat.ObservedID{Name: "ip+user-agent", Origin: seshat.OriginFallback, Kind: seshat.KindUserAgent, Where: seshat.LocationUserAgent})
	w.version++
	facts.Version = w.version
	b.Sessions = append(b.Sessions, facts)
	b.Links = append(b.Links, seshat.Link{Session: s.id, To: s.identity[0].Digest, Masked: s.identity[0].Masked, Kind: s.identity[0].Kind, Name: s.identity[0].Name, Evidence: seshat.EvidenceFirst, Score: 1, Time: at})
}

func (w *weekTraffic) observation(s *weekSession, at time.Time) *seshat.Observation {
	endpoint := w.few(120)
	service := []string{"shop", "accounts", "search"}[endpoint%3]
	key := digest16("x", fmt.Sprint(w.next))
	o := &seshat.Observation{
		Key: seshat.ExchangeKey(binary.BigEndian.Uint64(key[:])), Time: at, Environment: "prod", Service: service, Host: service + ".example.com", Scheme: "https",
		HTTPVersion: "2", Method: []string{"GET", "POST", "PUT", "DELETE"}[endpoint%7%4], Path: fmt.Sprintf("/v1/thing%d", endpoint),
		Status: []int{200, 200, 200, 200, 201, 204, 304, 404, 401, 500}[w.few(10)], Duration: time.Duration(math.Exp(w.random.NormFloat64()+10)) * time.Microsecond,
		RequestBytes: int64(w.few(2000)), ResponseBytes: int64(w.few(200_000)), ClientIP: s.ip, UserAgent: s.agent, IDs: s.identity, Parameters: s.context,
	}
	o.Endpoint = o.Path
	if endpoint%2 == 0 {
		o.Path, o.Endpoint = fmt.Sprintf("%s/%d", o.Path, w.few(1_000_000)), o.Endpoint+"/{var1}"
	}
	switch {
	case endpoint == 7:
		o.Flows = []seshat.FlowMatch{{Name: "login", Type: seshat.FlowAuthentication}}
	case endpoint%11 == 3:
		o.Flows = []seshat.FlowMatch{{Name: "checkout", Type: seshat.FlowBilling}}
	}
	if w.random.IntN(500) == 0 {
		o.Verdict = seshat.ObservedVerdict{Action: seshat.ActionLimit, By: "Limit/login"}
	}
	return o
}
