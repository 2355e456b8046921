package pipeline_test

import (
	"context"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/seshat-project/seshat"
	"github.com/seshat-project/seshat/internal/enforce"
	"github.com/seshat-project/seshat/internal/journal"
	"github.com/seshat-project/seshat/internal/natsjournal"
	"github.com/seshat-project/seshat/internal/natsserver"
	"github.com/seshat-project/seshat/internal/pipeline"
	"github.com/seshat-project/seshat/internal/store"
	"github.com/seshat-project/seshat/internal/store/duckdb"
	"github.com/seshat-project/seshat/internal/store/memory"
)

// processorTime is what this process has used of the processors.
func processorTime(tb testing.TB) time.Duration {
	tb.Helper()
	var usage syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &usage); err != nil {
		tb.Skip(err)
	}
	return time.Duration(usage.Utime.Nano() + usage.Stime.Nano())
}

// BenchmarkLive takes 3,000 exchanges a second of 1,000 visitors from the request path through the journal into the
// store, and reports what one of them costs the processors, all threads together:
//
//	go test ./internal/pipeline -run XXX -bench Live -benchtime 30000x
func BenchmarkLive(b *testing.B) {
	for _, test := range []struct {
		name string
		open func(b *testing.B) store.Store
	}{
		{"duckdb", func(b *testing.B) store.Store {
			s, err := duckdb.Open(b.Context(), b.TempDir(), duckdb.Options{})
			if err != nil {
				b.Fatal(err)
			}
			return s
		}},
		{"nothing", func(*testing.B) store.Store { return forgetful{memory.New(nil)} }},
	} {
		b.Run(test.name, func(b *testing.B) { live(b, test.open(b)) })
	}
}

// forgetful is a store that keeps nothing: what remains is the cost of everything before it.
type forgetful struct{ store.Store }

func (forgetful) Commit(context.Context, *store.Batch) error { return nil }

func live(b *testing.B, to store.Store) {
	const rate, visitors, burst = 3000, 1000, 30
	server, err := natsserver.Start(natsserver.Options{Dir: b.TempDir()})
	if err != nil {
		b.Fatal(err)
	}
	defer server.Close()
	conn, err := server.Connect()
	if err != nil {
		b.Fatal(err)
	}
	defer conn.Close()
	open := func(name string) journal.Log {
		l, err := natsjournal.Open(b.Context(), conn, natsjournal.Options{Stream: name, Room: server.Room})
		if err != nil {
			b.Fatal(err)
		}
		return l
	}
	exchanges, links := open("exchanges"), open("links")
	p := pipeline.NewPublisher(exchanges, pipeline.PublisherConfig{Source: journal.NewSource(1, 1)})
	r := pipeline.NewRecorder(exchanges, to, pipeline.RecorderConfig{
		Correlation: correlation(), Notices: links, AppendNotices: enforce.AppendNotices,
	})
	publishing, stopPublishing := context.WithCancel(b.Context())
	recording, stopRecording := context.WithCancel(b.Context())
	var running sync.WaitGroup
	var recorded sync.WaitGroup
	running.Go(func() { p.Run(publishing) })
	recorded.Go(func() {
		if err := r.Run(recording); err != nil {
			b.Error(err)
		}
	})

	observations := make([]*seshat.Observation, visitors)
	for i := range observations {
		observations[i] = typical(i)
	}
	b.ResetTimer()
	before, start := processorTime(b), time.Now()
	for i := range b.N {
		o := *observations[i*7%visitors]
		o.Time = time.Now()
		_ = p.Append(publishing, p.Begin(o.Time), &o)
		if i%burst == burst-1 {
			time.Sleep(time.Until(start.Add(time.Duration(i) * time.Second / rate)))
		}
	}
	stopPublishing()
	running.Wait()
	last, err := exchanges.Last(b.Context())
	if err == nil {
		err = r.Wait(b.Context(), last)
	}
	if err != nil {
		b.Fatal(err)
	}
	b.StopTimer()
	used := processorTime(b) - before
	stats := r.Stats()
	if stats.Stored != int64(b.N) {
		b.Errorf("%d of %d are stored", stats.Stored, b.N)
	}
	b.ReportMetric(float64(used.Nanoseconds())/1000/float64(b.N), "cpu-µs/exchange")
	b.ReportMetric(float64(stats.Commits), "transactions")
	stopRecording()
	recorded.Wait()
	_ = to.Close()
}
