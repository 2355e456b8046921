package duckdb_test

import (
	"context"
	"errors"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/seshat-project/seshat"
	"github.com/seshat-project/seshat/internal/store"
	"github.com/seshat-project/seshat/internal/store/duckdb"
	"github.com/seshat-project/seshat/internal/store/storetest"
)

// endingContext ends when it has been asked so many times whether it has.
type endingContext struct {
	context.Context
	left atomic.Int64
}

func (c *endingContext) Err() error {
	if c.left.Add(-1) < 0 {
		return context.Canceled
	}
	return nil
}

// TestCancelledReaders has readers give up at every moment at which the engine and its driver look whether they have: none
// may leave anything behind that closing the store would wait for.
func TestCancelledReaders(t *testing.T) {
	reads := map[string]func(context.Context, store.Store) error{
		"sessions": func(ctx context.Context, s store.Store) error {
			return s.Sessions(ctx, store.Query{Limit: 10}, func(*seshat.Session) bool { return true })
		},
		"exchanges": func(ctx context.Context, s store.Store) error {
			return s.Exchanges(ctx, store.Query{Limit: 10}, func(*seshat.Assigned) bool { return true })
		},
		"export": func(ctx context.Context, s store.Store) error {
			_, err := s.Export(ctx, store.DatasetExchanges, "csv", store.Query{}, t.TempDir()+"/out.csv")
			return err
		},
	}
	for name, read := range reads {
		t.Run(name, func(t *testing.T) {
			const most = 200 // questions of a read that is not cancelled: fewer by far
			cancelled := 0
			for left := range int64(most) {
				s, err := duckdb.Open(context.Background(), t.TempDir(), duckdb.Options{})
				if err != nil {
					t.Fatal(err)
				}
				storetest.Commit(t, s, storetest.NewTraffic(1, 3).Batch(20))
				ctx := &endingContext{Context: context.Background()}
				ctx.left.Store(left)
				failed := read(ctx, s)
				closed := make(chan error, 1)
				go func() { closed <- s.Close() }()
				select {
				case err := <-closed:
					if err != nil {
						t.Fatalf("after %d questions: %v", left, err)
					}
				case <-time.After(20 * time.Second):
					t.Fatalf("cancelled after %d questions (%v), the store cannot be closed", left, failed)
				}
				if failed == nil {
					break
				}
				cancelled++
			}
			if cancelled < 3 || cancelled == most {
				t.Errorf("cancelled at %d moments", cancelled)
			}
		})
	}
}

// TestReadersAtAllTimes reads from many sides, and gives up at any moment, while the store records, drops days and is
// closed: none of that may wait for readers, or fail because of them.
func TestReadersAtAllTimes(t *testing.T) {
	const rounds, readers, batches = 6, 8, 4
	today := time.Date(2026, time.May, 4, 12, 0, 0, 0, time.UTC)
	for round := range rounds {
		s, err := duckdb.Open(context.Background(), t.TempDir(), duckdb.Options{Memory: duckdb.RecordMemory, ReadMemory: duckdb.DefaultMemory})
		if err != nil {
			t.Fatal(err)
		}
		var reading sync.WaitGroup
		closed := make(chan struct{})
		for r := range readers {
			patience := rand.New(rand.NewPCG(uint64(round), uint64(r))) //nolint:gosec // for tests, and small
			reading.Go(func() {
				for {
					select {
					case <-closed:
						return
					default:
					}
					ctx, giveUp := context.WithTimeout(context.Background(), time.Duration(patience.Int64N(int64(40*time.Millisecond))))
					readSomething(ctx, s, patience.IntN(4))
					giveUp()
				}
			})
		}
		done := make(chan error, 1)
		go func() {
			traffic := storetest.NewTraffic(uint64(round), 20) //nolint:gosec // small
			for day := range batches {
				b := traffic.Batch(100)
				b.StoredAt = today.AddDate(0, 0, day)
				if err := s.Commit(context.Background(), b); err != nil {
					done <- err
					return
				}
			}
			_, err := s.DropBefore(context.Background(), today.AddDate(0, 0, 1))
			done <- errors.Join(err, s.Close())
		}()
		select {
		case err := <-done:
			if err != nil {
				t.Error(err)
			}
		case <-time.After(time.Minute):
			t.Fatal("the store waits for readers")
		}
		close(closed)
		reading.Wait()
	}
}

// readSomething reads in one of four ways. Whether it gets to the end does not matter.
func readSomething(ctx context.Context, s store.Store, way int) {
	q := store.Query{Limit: 50, Now: time.Now()}
	switch way {
	case 0:
		_ = s.Sessions(ctx, q, func(*seshat.Session) bool { return true })
	case 1:
		_ = s.Exchanges(ctx, q, func(*seshat.Assigned) bool { return true })
	case 2:
		_, _ = s.Histogram(ctx, store.HistogramQuery{Subset: store.Subset{Dataset: store.DatasetSessions, Query: store.Query{Now: q.Now}}, Buckets: 50})
	default:
		_, _ = s.Span(ctx)
		_, _ = s.FindSessions(ctx, "a", 5)
	}
}
