package duckdb_test

import (
	"encoding/binary"
	"fmt"
	"strconv"
	"testing"
	"time"

	"github.com/seshat-project/seshat"
	"github.com/seshat-project/seshat/internal/store"
	"github.com/seshat-project/seshat/internal/store/duckdb"
	"github.com/seshat-project/seshat/internal/store/storetest"
)

// batchSize is what an import commits at a time.
const batchSize = 10_000

// BenchmarkCommitAccessLog stores exchanges of an access log: no client session IDs besides the fallback. The goal
// is 100,000 a second on two cores, which is at most 15 µs of processor time each.
func BenchmarkCommitAccessLog(b *testing.B) {
	traffic := newLogTraffic(readLog(b))
	benchmarkCommit(b, func() *store.Batch { return traffic.batch(batchSize) })
}

// BenchmarkCommitTokens stores exchanges with three client session IDs and three links each. The goal is 60,000 a
// second on two cores, which is at most 28 µs of processor time each.
func BenchmarkCommitTokens(b *testing.B) {
	n := uint64(0)
	benchmarkCommit(b, func() *store.Batch {
		n++
		return tokenBatch(n, batchSize)
	})
}

func benchmarkCommit(b *testing.B, next func() *store.Batch) {
	s := open(b, b.TempDir(), duckdb.Options{Memory: duckdb.ImportMemory})
	var spent, worked time.Duration
	exchanges := 0
	for b.Loop() {
		b.StopTimer()
		batch := next()
		b.StartTimer()
		start, before := time.Now(), processorTime()
		storetest.Commit(b, s, batch)
		spent += time.Since(start)
		worked += processorTime() - before
		exchanges += len(batch.Exchanges)
	}
	b.ReportMetric(float64(exchanges)/spent.Seconds(), "exchanges/s")
	b.ReportMetric(float64(worked.Nanoseconds())/1e3/float64(exchanges), "cpu-µs/exchange")
}

// tokenBatch makes exchanges of API clients: 20 to a session, each with a cookie, an access token and a refresh
// token, which are renewed with every fifth, and three links each.
func tokenBatch(number uint64, n int) *store.Batch {
	b := &store.Batch{StoredAt: time.Date(2026, 1, 2, 0, 0, 0, 0, time.UTC)}
	for i := range n {
		id := number*uint64(n) + uint64(i)
		session := seshat.SessionID(digest16("s", strconv.FormatUint(id/20, 10)))
		at := storetest.Start.Add(time.Duration(id) * time.Millisecond)
		key := digest16(strconv.FormatUint(id, 10))
		o := &seshat.Observation{
			Key: seshat.ExchangeKey(binary.BigEndian.Uint64(key[:])), ID: "e" + strconv.FormatUint(id, 10), Time: at, Duration: time.Duration(id%9000) * time.Microsecond,
			Environment: "prod", Service: "shop", Method: "GET", Scheme: "https", Host: "api.shop.example",
			Path: fmt.Sprintf("/orders/%d", id%5000), Endpoint: "/orders/{var1}", HTTPVersion: "2", Status: 200, ResponseBytes: int64(id % 4000),
			UserAgent: "Mozilla/5.0 (X11; Linux x86_64; rv:130.0) Gecko/20100101 Firefox/130.0", ClientIP: storetestIP(id / 20),
		}
		for kind, name := range []string{"cookie", "access", "refresh"} {
			token := digest16(name, strconv.FormatUint(id/5, 10))
			o.IDs = append(o.IDs, seshat.ObservedID{
				Digest: token, Masked: fmt.Sprintf("%s%x…", name[:2], token[:3]), Rule: seshat.RuleIDFor("shop"), Index: kind, Name: "shop",
				Kind: seshat.IDKind(kind), Where: seshat.LocationHeader, Key: name, Token: seshat.ObservedClaims{IsToken: true, Issuer: "https://op.example", Subject: "alice"}, //nolint:gosec // 0 to 2
			})
			b.Links = append(b.Links, seshat.Link{
				Session: session, From: digest16(name, strconv.FormatUint(id/5-1, 10)), To: token, Masked: o.IDs[kind].Masked, Kind: seshat.IDKind(kind), Name: "shop", //nolint:gosec // 0 to 2
				Evidence: seshat.EvidenceRefresh, Score: 1, Time: at, Exchange: o.Key,
			})
		}
		b.Exchanges = append(b.Exchanges, seshat.Assigned{Observation: o, Session: session})
		if id%20 == 0 {
			b.Sessions = append(b.Sessions, seshat.SessionFacts{ID: session, Version: id, User: "alice", IdentifiedBy: "shop", Confidence: 1, Started: at})
			b.State = append(b.State, store.StateRecord{Key: seshat.Digest(session), Value: make([]byte, 100)})
		}
	}
	return b
}
