package duckdb_test

import (
	"context"
	"encoding/binary"
	"fmt"
	"math/rand/v2"
	"os"
	"strconv"
	"testing"
	"time"

	"github.com/seshat-project/seshat"
	"github.com/seshat-project/seshat/internal/correlate"
	"github.com/seshat-project/seshat/internal/store"
	"github.com/seshat-project/seshat/internal/store/duckdb"
	"github.com/seshat-project/seshat/internal/store/storetest"
)

// liveTraffic is what a gateway sees: liveClients clients at a time, of whom each sends liveStay requests with a cookie
// and an access token, liveRate a second together, and is then followed by another one.
type liveTraffic struct {
	random  *rand.Rand
	at      time.Time
	clients []liveClient
	made    uint64
	next    uint64
}

type liveClient struct {
	number uint64
	left   int
	first  *seshat.Observation // whose identity the others share, as those of one client do
}

const (
	liveClients = 2_000
	liveStay    = 60
	liveRate    = 3_000
)

func newLiveTraffic() *liveTraffic {
	t := &liveTraffic{random: rand.New(rand.NewPCG(1, 1)), at: storetest.Start, clients: make([]liveClient, liveClients)} //nolint:gosec // repeatable
	for i := range t.clients {
		t.clients[i] = t.client()
		t.clients[i].left = 1 + t.random.IntN(liveStay)
	}
	return t
}

func (t *liveTraffic) client() liveClient {
	t.made++
	n := strconv.FormatUint(t.made, 10)
	user := "user-" + n
	agent := fmt.Sprintf("Mozilla/5.0 (X11; Linux x86_64; rv:%d.0) Gecko/20100101 Firefox/%d.0", t.made%40, t.made%40)
	ip := storetestIP(t.made)
	id := func(kind seshat.IDKind, name, key string) seshat.ObservedID {
		d := digest16(name, n)
		return seshat.ObservedID{
			Digest: d, Masked: fmt.Sprintf("%x…%x", d[:2], d[2:4]), Name: name, Origin: seshat.OriginBuiltIn, Kind: kind,
			Where: seshat.LocationHeader, Key: key,
		}
	}
	cookie, token := id(seshat.KindSession, "cookie:connect.sid", "connect.sid"), id(seshat.KindAccessToken, "bearer", "Authorization")
	token.Token = seshat.ObservedClaims{
		IsToken: true, Issuer: "https://op.example", Subject: user, SessionID: digest16("sid", n), IssuedAt: storetest.Start, ExpiresAt: storetest.Start.Add(24 * time.Hour),
	}
	token.ExpiresAt = token.Token.ExpiresAt
	return liveClient{number: t.made, left: liveStay, first: &seshat.Observation{
		Environment: "prod", Service: "shop", Method: "GET", Scheme: "https", Host: "api.shop.example", HTTPVersion: "1.1", Status: 200, ResponseBytes: 350,
		ClientIP: ip, UserAgent: agent, JA4: "t13d1516h2_8daaf6152771_e5627efa2ab1", Device: digest16("device", strconv.FormatUint(t.made%50, 10)),
		IDs: []seshat.ObservedID{
			cookie, token,
			{Digest: digest16(ip.String(), agent), Masked: store.FallbackMasked(seshat.KindUserAgent, ip, agent), Name: "ip+user-agent", Origin: seshat.OriginFallback, Kind: seshat.KindUserAgent, Where: seshat.LocationUserAgent},
			{Digest: digest16(ip.String()), Masked: ip.String(), Index: 1, Name: "ip", Origin: seshat.OriginFallback, Kind: seshat.KindAddress, Where: seshat.LocationClientIP},
		},
		Parameters: []seshat.Parameter{{Name: "jwt:sub", Type: seshat.ParameterUser, Value: user}},
	}}
}

func (t *liveTraffic) observations(n int) []*seshat.Observation {
	out := make([]*seshat.Observation, n)
	for i := range out {
		t.next++
		t.at = t.at.Add(time.Second / liveRate)
		c := &t.clients[t.random.IntN(len(t.clients))]
		if c.left--; c.left < 0 {
			*c = t.client()
		}
		o := *c.first
		key := digest16(strconv.FormatUint(t.next, 10))
		o.Key, o.Time, o.Duration = seshat.ExchangeKey(binary.BigEndian.Uint64(key[:])), t.at, time.Duration(t.random.IntN(30_000))*time.Microsecond
		switch kind := t.random.IntN(10); {
		case kind < 5:
			o.Path, o.Endpoint = fmt.Sprintf("/orders/%d", t.random.IntN(100_000)), "/orders/{var1}"
		default:
			o.Path = fmt.Sprintf("/catalogue/%c", 'a'+t.random.IntN(26))
			o.Endpoint = o.Path
		}
		out[i] = &o
	}
	return out
}

// liveRecorder does with observations what the recorder of a journal does.
type liveRecorder struct {
	store      store.Store
	correlator *correlate.Correlator
	position   uint64
	worked     time.Duration // in the store
	state      int
	sessions   int
}

func (r *liveRecorder) record(b *testing.B, observations []*seshat.Observation) {
	ctx := context.Background()
	keys, times := make([]seshat.ExchangeKey, len(observations)), make([]time.Time, len(observations))
	for i, o := range observations {
		keys[i], times[i] = o.Key, o.Time
	}
	clock := processorTime()
	known, err := r.store.Known(ctx, keys, times)
	r.worked += processorTime() - clock
	if err != nil || len(known) != len(keys) {
		b.Fatal(err)
	}
	for missing := r.correlator.Missing(observations); len(missing) > 0; missing = r.correlator.Missing(nil) {
		clock := processorTime()
		state, err := r.store.LoadState(ctx, missing)
		r.worked += processorTime() - clock
		if err != nil {
			b.Fatal(err)
		}
		if err := r.correlator.Restore(state); err != nil {
			b.Fatal(err)
		}
	}
	batch := &store.Batch{StoredAt: storetest.Start, Source: "journal"}
	for _, o := range observations {
		batch.Exchanges = append(batch.Exchanges, seshat.Assigned{Observation: o, Session: r.correlator.Process(o)})
	}
	changes := r.correlator.Flush()
	batch.Sessions, batch.Links = changes.Sessions, changes.Links
	for _, record := range changes.State {
		batch.State = append(batch.State, store.StateRecord(record))
	}
	if r.correlator.Size() > 150_000 {
		r.correlator.Forget()
	}
	r.position++
	batch.Position = binary.BigEndian.AppendUint64(nil, r.position)
	r.state += len(batch.State)
	r.sessions += len(batch.Sessions)
	clock = processorTime()
	storetest.Commit(b, r.store, batch)
	r.worked += processorTime() - clock
}

// livePreload names how many exchanges are stored before BenchmarkLive measures.
const livePreload = "SESHAT_LIVE_PRELOAD"

// BenchmarkLive stores live traffic as the recorder does, in batches of some sizes: 1,200 are what comes in 400 ms. The
// goal is 10 µs of processor time for each of its exchanges, DuckDB's threads included.
func BenchmarkLive(b *testing.B) {
	preload := 50_000
	if n, err := strconv.Atoi(os.Getenv(livePreload)); err == nil {
		preload = n
	}
	s := open(b, b.TempDir(), duckdb.Options{Memory: duckdb.RecordMemory, ReadMemory: duckdb.DefaultMemory})
	r := &liveRecorder{store: s, correlator: correlate.New(correlate.DefaultConfig(func(first seshat.Digest, at time.Time) seshat.SessionID {
		return digest16("session", string(first[:]), at.String())
	}))}
	traffic := newLiveTraffic()
	for traffic.next < uint64(preload) { //nolint:gosec // positive
		r.record(b, traffic.observations(8192))
	}
	for _, size := range []int{300, 1200, 4000, 8192} {
		b.Run(strconv.Itoa(size), func(b *testing.B) {
			r.worked, r.state, r.sessions = 0, 0, 0
			exchanges := 0
			for b.Loop() {
				r.record(b, traffic.observations(size))
				exchanges += size
			}
			b.ReportMetric(float64(r.worked.Nanoseconds())/1e3/float64(exchanges), "cpu-µs/exchange")
			b.ReportMetric(float64(r.state)/float64(exchanges), "state/exchange")
			b.ReportMetric(float64(r.sessions)/float64(exchanges), "sessions/exchange")
			b.ReportMetric(float64(residentAtMost(b)>>20), "MB-resident-at-most")
		})
	}
}
