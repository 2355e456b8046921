package duckdb_test

import (
	"context"
	"os"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/seshat-project/seshat"
	"github.com/seshat-project/seshat/internal/filter"
	"github.com/seshat-project/seshat/internal/store"
	"github.com/seshat-project/seshat/internal/store/duckdb"
	"github.com/seshat-project/seshat/internal/store/storetest"
)

// tenMillionVariable names the directory in which the database of BenchmarkTenMillion is kept from run to run. It is
// made there when it does not exist, which takes minutes and about 500 MB.
const tenMillionVariable = "SESHAT_TEN_MILLION"

const tenMillion = 10_000_000

// BenchmarkTenMillion measures reading at ten million exchanges: the newest sessions in 300 ms, one session in 50 ms,
// any page of exchanges in a second.
func BenchmarkTenMillion(b *testing.B) {
	dir := os.Getenv(tenMillionVariable)
	if dir == "" {
		b.Skip("set " + tenMillionVariable + " to a directory for its database")
	}
	makeTenMillion(b, dir)
	s := open(b, dir, duckdb.Options{})
	ctx := context.Background()
	span, err := s.Span(ctx)
	if err != nil {
		b.Fatal(err)
	}
	now := span.Last
	newest := storetest.Sessions(b, s, store.Query{Now: now, Limit: 1})
	f := func(name string, ask func(b *testing.B)) {
		b.Run(name, func(b *testing.B) {
			used := cpuTime(b)
			for b.Loop() {
				ask(b)
			}
			b.ReportMetric(float64((cpuTime(b)-used).Milliseconds())/float64(b.N), "cpu-ms/op")
		})
	}
	f("span", func(b *testing.B) {
		if _, err := s.Span(ctx); err != nil {
			b.Fatal(err)
		}
	})
	sessions := func(text string) func(b *testing.B) {
		expr, err := filter.Parse(text, filter.Sessions(), now)
		if err != nil {
			b.Fatal(err)
		}
		return func(b *testing.B) { storetest.Sessions(b, s, store.Query{Now: now, Limit: 50, Filter: expr}) }
	}
	f("sessions/newest", sessions(""))
	f("sessions/last-day", func(b *testing.B) {
		storetest.Sessions(b, s, store.Query{Now: now, Limit: 50, Since: now.Add(-24 * time.Hour)})
	})
	for _, text := range []string{
		"state:active", "identified_by:ip*", "status:>=500", "ua:*bot*", "endpoint:/favicon.ico -status:200", "exchanges:>60", "ip:66.249.0.0/16",
		"addresses:>1", "networks:>1", "user_agents:>1", "users:>1", "addresses:>1 user_agents:>1", "state:active addresses:>1", "addresses:0",
	} {
		f("sessions/"+text, sessions(text))
	}
	f("session", func(b *testing.B) {
		id := newest[0].ID
		if _, err := s.Session(ctx, id); err != nil {
			b.Fatal(err)
		}
		if _, err := s.Lineage(ctx, id); err != nil {
			b.Fatal(err)
		}
		storetest.Exchanges(b, s, store.Query{Session: id})
	})
	page := func(text string) {
		expr, err := filter.Parse(text, filter.Exchanges(), now)
		if err != nil {
			b.Fatal(err)
		}
		f("exchanges/"+text, func(b *testing.B) { storetest.Exchanges(b, s, store.Query{Limit: 100, Filter: expr}) })
	}
	for _, text := range []string{
		"", "status:>=500", "path:/nothing/like/it", "path:*a*b*c*nothing*", "ua:*bot*", "ip:203.0.113.0/24", "endpoint:*/favicon.ico", "service:nothing",
		"nothing", "origin:rule", "attr.x:1", "user:alice", "response_bytes:>1GiB", "session:" + newest[0].ID.String(), "NOT (status:200..599 OR ua:*)", "id:nothing",
		"status:404 path:*.png ua:*windows* -ip:10.0.0.0/8",
	} {
		page(text)
	}
	f("known/overlap", func(b *testing.B) {
		keys, times := make([]seshat.ExchangeKey, batchSize), make([]time.Time, batchSize)
		for i := range keys {
			keys[i], times[i] = seshat.ExchangeKey(i), now.Add(-time.Duration(i)*time.Second)
		}
		if _, err := s.Known(ctx, keys, times); err != nil {
			b.Fatal(err)
		}
	})
}

func makeTenMillion(b *testing.B, dir string) {
	b.Helper()
	if _, err := os.Stat(filepath.Join(dir, duckdb.FileName)); err == nil {
		return
	}
	s, err := duckdb.Open(context.Background(), dir, duckdb.Options{Memory: duckdb.ImportMemory})
	if err != nil {
		b.Fatal(err)
	}
	traffic := newLogTraffic(readLog(b))
	start, committing := time.Now(), time.Duration(0)
	for traffic.next < tenMillion {
		batch := traffic.batch(batchSize)
		began := time.Now()
		storetest.Commit(b, s, batch)
		committing += time.Since(began)
	}
	if err := s.Close(); err != nil {
		b.Fatal(err)
	}
	info, err := os.Stat(filepath.Join(dir, duckdb.FileName))
	if err != nil {
		b.Fatal(err)
	}
	b.Logf("made %d exchanges in %v, of which committing took %v: %.0f/s; %.1f bytes each; %d MB resident at most",
		traffic.next, time.Since(start).Round(time.Second), committing.Round(time.Second), float64(traffic.next)/committing.Seconds(),
		float64(info.Size())/float64(traffic.next), residentAtMost(b)>>20)
	runtime.GC()
}

// residentAtMost is the most memory that this process had; 0 where the system does not say.
func residentAtMost(b *testing.B) int64 {
	status, err := os.ReadFile("/proc/self/status")
	if err != nil {
		return 0
	}
	for line := range strings.Lines(string(status)) {
		if rest, found := strings.CutPrefix(line, "VmHWM:"); found {
			kilobytes, err := strconv.ParseInt(strings.TrimSpace(strings.TrimSuffix(strings.TrimSpace(rest), "kB")), 10, 64)
			if err != nil {
				b.Fatal(err)
			}
			return kilobytes << 10
		}
	}
	return 0
}
