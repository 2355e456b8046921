package pipeline_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"pgregory.net/rapid"

	"github.com/seshat-project/seshat"
	"github.com/seshat-project/seshat/internal/correlate"
	"github.com/seshat-project/seshat/internal/enforce"
	"github.com/seshat-project/seshat/internal/journal"
	journalmemory "github.com/seshat-project/seshat/internal/journal/memory"
	"github.com/seshat-project/seshat/internal/pipeline"
	"github.com/seshat-project/seshat/internal/protect"
	"github.com/seshat-project/seshat/internal/store"
	"github.com/seshat-project/seshat/internal/store/memory"
)

func correlation() correlate.Config {
	return correlate.DefaultConfig(pipeline.NewSessionID(protect.NewDigester([]byte("a key of thirty-two bytes, no less"))))
}

// scene is a journal and what a test puts into it.
type scene struct {
	t       rapid.TB
	log     *journalmemory.Log
	numbers map[uint64]uint64
	start   time.Time
	keys    seshat.ExchangeKey
}

func newScene(t rapid.TB) *scene {
	return &scene{
		t: t, log: journalmemory.New(journalmemory.Options{}), numbers: map[uint64]uint64{},
		start: time.Date(2026, 1, 2, 3, 0, 0, 0, time.UTC),
	}
}

func (s *scene) at(second float64) time.Time {
	return s.start.Add(time.Duration(second * float64(time.Second)))
}

// visit is an exchange of a visitor.
func (s *scene) visit(second float64, visitor int) *seshat.Observation {
	o := typical(visitor)
	s.keys++
	o.Key, o.Time = s.keys, s.at(second)
	for i := range o.IDs {
		o.IDs[i].ExpiresAt, o.IDs[i].Token.ExpiresAt, o.IDs[i].Token.IssuedAt = time.Time{}, time.Time{}, time.Time{}
	}
	return o
}

// send appends a batch.
func (s *scene) send(b *journal.Batch) journal.Sequence {
	s.numbers[b.Source]++
	b.Number = s.numbers[b.Source]
	sequence, err := s.log.Append(context.Background(), "", journal.AppendBatch(nil, b))
	if err != nil {
		s.t.Fatal(err)
	}
	return sequence
}

// stored is what a store has: each exchange with its session, and each session with its end.
func stored(t rapid.TB, s store.Store) string {
	t.Helper()
	var b strings.Builder
	names := map[seshat.SessionID]int{}
	err := s.Exchanges(context.Background(), store.Query{OldestFirst: true}, func(a *seshat.Assigned) bool {
		if names[a.Session] == 0 {
			names[a.Session] = len(names) + 1
		}
		fmt.Fprintf(&b, "%d@%d:%d ", a.Key, a.Time.Unix()%3600, names[a.Session])
		return true
	})
	if err != nil {
		t.Fatal(err)
	}
	var ends []string
	err = s.Sessions(context.Background(), store.Query{Now: time.Date(2027, 1, 1, 0, 0, 0, 0, time.UTC)}, func(one *seshat.Session) bool {
		ends = append(ends, fmt.Sprintf("%d:%d-%s-%s", names[one.ID], one.Exchanges, one.EndedBy, one.User))
		return true
	})
	if err != nil {
		t.Fatal(err)
	}
	slices.Sort(ends)
	return b.String() + "| " + strings.Join(ends, " ")
}

// record records everything in the journal, and until all of it is settled.
func record(t *testing.T, s *scene, to store.Store, config pipeline.RecorderConfig) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) { recordInBubble(t, s, to, config, nil) })
}

func recordInBubble(t *testing.T, s *scene, to store.Store, config pipeline.RecorderConfig, f func(r *pipeline.Recorder)) {
	t.Helper()
	config.Correlation = correlation()
	r := pipeline.NewRecorder(s.log, to, config)
	ctx, cancel := context.WithCancel(t.Context())
	var running sync.WaitGroup
	running.Go(func() {
		if err := r.Run(ctx); err != nil {
			t.Error(err)
		}
	})
	if f != nil {
		f(r)
	}
	last, err := s.log.Last(ctx)
	if err != nil {
		t.Error(err)
	}
	waiting, stop := context.WithTimeout(ctx, time.Hour)
	defer stop()
	if err := r.Wait(waiting, last); err != nil {
		t.Error(err)
	}
	cancel()
	running.Wait()
}

func TestRecorderStoresWithinASecond(t *testing.T) {
	s := newScene(t)
	to := memory.New(nil)
	synctest.Test(t, func(t *testing.T) {
		recordInBubble(t, s, to, pipeline.RecorderConfig{}, func(r *pipeline.Recorder) {
			synctest.Wait()
			start := time.Now()
			s.send(&journal.Batch{Source: 1, Watermark: s.at(1), Observations: []*seshat.Observation{s.visit(0, 1)}})
			if err := r.Wait(t.Context(), 1); err != nil {
				t.Fatal(err)
			}
			if took := time.Since(start); took > 100*time.Millisecond {
				t.Errorf("a lonely exchange was stored after %s", took)
			}
			for i := range 100 { // a stream
				s.send(&journal.Batch{Source: 1, Watermark: s.at(float64(i) / 10), Observations: []*seshat.Observation{s.visit(float64(i)/10, i%7)}})
				time.Sleep(50 * time.Millisecond)
			}
			if commits := r.Stats().Commits; commits > 16 {
				t.Errorf("%d transactions in five seconds", commits)
			}
			// The last one waits in the window: its source has not said that nothing can overtake it.
			sequence := s.send(&journal.Batch{Source: 1, Watermark: s.at(100), Away: true})
			start = time.Now()
			if err := r.Wait(t.Context(), sequence); err != nil || time.Since(start) > 500*time.Millisecond {
				t.Errorf("everything was stored after %s, %v", time.Since(start), err)
			}
			stats := r.Stats()
			if stats.Stored != 101 || stats.Waiting != 0 || stats.Read != sequence || stats.Settled != sequence || stats.Sessions != 7 {
				t.Errorf("%+v", stats)
			}
			if lag, err := r.Lag(t.Context()); lag != 0 || err != nil {
				t.Errorf("lag %d, %v", lag, err)
			}
		})
	})
}

// unsteady is a store that fails, or loses what it was given.
type unsteady struct {
	store.Store
	mu     sync.Mutex
	before func() error // called before a commit
	after  func()
}

func (f *unsteady) Commit(ctx context.Context, batch *store.Batch) error {
	f.mu.Lock()
	before, after := f.before, f.after
	f.mu.Unlock()
	if before != nil {
		if err := before(); err != nil {
			return err
		}
	}
	err := f.Store.Commit(ctx, batch)
	if after != nil {
		after()
	}
	return err
}

func TestRecorderWaitsForTheStore(t *testing.T) {
	s := newScene(t)
	broken := errors.New("the disk is full")
	to := &unsteady{Store: memory.New(nil), before: func() error { return broken }}
	synctest.Test(t, func(t *testing.T) {
		recordInBubble(t, s, to, pipeline.RecorderConfig{}, func(r *pipeline.Recorder) {
			for i := range 50 {
				s.send(&journal.Batch{Source: 1, Watermark: s.at(float64(i + 1)), Observations: []*seshat.Observation{s.visit(float64(i), 1)}})
			}
			time.Sleep(time.Minute)
			if stats := r.Stats(); !errors.Is(stats.LastError, broken) || stats.Errors < 5 || stats.Stored != 0 {
				t.Errorf("while the store fails: %+v", stats)
			}
			to.mu.Lock()
			to.before = nil
			to.mu.Unlock()
			time.Sleep(time.Minute)
			if stats := r.Stats(); stats.LastError != nil || stats.Stored != 50 {
				t.Errorf("after it works again: %+v", stats)
			}
		})
	})
}

func TestRecorderExclusive(t *testing.T) {
	s := newScene(t)
	to := memory.New(nil)
	synctest.Test(t, func(t *testing.T) {
		recordInBubble(t, s, to, pipeline.RecorderConfig{}, func(r *pipeline.Recorder) {
			s.send(&journal.Batch{Source: 1, Watermark: s.at(1), Observations: []*seshat.Observation{s.visit(0, 1)}})
			synctest.Wait()
			called := errors.New("called")
			err := r.Exclusive(t.Context(), func() error {
				if got := stored(t, to); !strings.HasPrefix(got, "1@") {
					t.Errorf("before the call was stored: %s", got)
				}
				s.send(&journal.Batch{Source: 1, Watermark: s.at(6), Observations: []*seshat.Observation{s.visit(5, 1)}, Away: true})
				time.Sleep(time.Minute)
				if got := stored(t, to); strings.Contains(got, "2@") {
					t.Errorf("during the call was stored: %s", got)
				}
				return called
			})
			if !errors.Is(err, called) {
				t.Errorf("returned %v", err)
			}
			if err := r.Flush(t.Context()); err != nil {
				t.Error(err)
			}
		})
	})
	if got := stored(t, to); got != "1@0:1 2@5:1 | 1:2-idle-user1" && !strings.HasPrefix(got, "1@0:1 2@5:1 |") {
		t.Errorf("stored %s", got)
	}
	r := pipeline.NewRecorder(s.log, to, pipeline.RecorderConfig{Correlation: correlation()})
	if err := r.Exclusive(t.Context(), nil); !errors.Is(err, pipeline.ErrRecorderEnded) {
		t.Errorf("without running: %v", err)
	}
}

// TestRecorderLetsGo: a source that crashed holds what it sent last for a while only.
func TestRecorderLetsGo(t *testing.T) {
	s := newScene(t)
	to := memory.New(nil)
	synctest.Test(t, func(t *testing.T) {
		config := pipeline.RecorderConfig{TrimEvery: time.Hour, Now: func() time.Time { return s.at(30) }}
		recordInBubble(t, s, to, config, func(r *pipeline.Recorder) {
			sequence := s.send(&journal.Batch{Source: 1, Watermark: s.at(0), Observations: []*seshat.Observation{s.visit(1, 1)}})
			start := time.Now()
			if err := r.Wait(t.Context(), sequence); err != nil || time.Since(start) > 20*time.Second {
				t.Errorf("stored after %s, %v", time.Since(start), err)
			}
		})
	})
	again := memory.New(nil)
	record(t, s, again, pipeline.RecorderConfig{})
	if a, b := stored(t, to), stored(t, again); a != b {
		t.Errorf("first %s, and again %s", a, b)
	}
}

func TestRecorderRevokes(t *testing.T) {
	s := newScene(t)
	to := memory.New(nil)
	first := s.visit(0, 1)
	first.Parameters = nil
	s.send(&journal.Batch{Source: 1, Watermark: s.at(1), Observations: []*seshat.Observation{first}})
	record(t, s, to, pipeline.RecorderConfig{})
	var id seshat.SessionID
	_ = to.Sessions(t.Context(), store.Query{}, func(one *seshat.Session) bool { id = one.ID; return true })
	s.send(&journal.Batch{
		Source: 1, Watermark: s.at(9), Away: true, Observations: []*seshat.Observation{s.visit(3, 1)},
		Revocations: []journal.Revocation{{Session: id, Time: s.at(2)}},
	})
	record(t, s, to, pipeline.RecorderConfig{})
	if got := stored(t, to); !strings.Contains(got, "1@0:1 2@3:1 | 1:2-revoked") {
		t.Errorf("stored %s", got)
	}
}

func TestRecorderTellsOthers(t *testing.T) {
	s := newScene(t)
	notices := newFaulty()
	notices.set(errors.New("not there"), true)
	for i := range 10 {
		s.send(&journal.Batch{Source: 1, Watermark: s.at(float64(i + 1)), Observations: []*seshat.Observation{s.visit(float64(i), i%2)}})
	}
	config := pipeline.RecorderConfig{Notices: notices, AppendNotices: enforce.AppendNotices, MaxBatch: 1}
	synctest.Test(t, func(t *testing.T) {
		recordInBubble(t, s, memory.New(nil), config, func(r *pipeline.Recorder) {
			time.Sleep(time.Minute)
			if r.Stats().LastError == nil {
				t.Error("that nobody is told does not show")
			}
			notices.set(nil, false)
			time.Sleep(time.Minute)
			if r.Stats().LastError != nil {
				t.Error("the error stays")
			}
		})
	})
	if n := notices.Len(); n != 2 {
		t.Errorf("%d notices of ten exchanges of two sessions, want two: the others changed nothing to act on", n)
	}
}

func TestRecorderLeavesOutDamage(t *testing.T) {
	s := newScene(t)
	to := memory.New(nil)
	s.send(&journal.Batch{Source: 1, Watermark: s.at(1), Observations: []*seshat.Observation{s.visit(0, 1)}})
	if _, err := s.log.Append(t.Context(), "", []byte("damaged")); err != nil {
		t.Fatal(err)
	}
	s.send(&journal.Batch{Source: 1, Watermark: s.at(3), Away: true, Observations: []*seshat.Observation{s.visit(2, 1)}})
	record(t, s, to, pipeline.RecorderConfig{})
	if got := stored(t, to); !strings.HasPrefix(got, "1@0:1 2@2:1 |") {
		t.Errorf("stored %s", got)
	}
	if _, err := s.log.Append(t.Context(), "", []byte("SOB\xff")); err != nil {
		t.Fatal(err)
	}
	r := pipeline.NewRecorder(s.log, to, pipeline.RecorderConfig{Correlation: correlation()})
	if err := r.Run(t.Context()); seshat.KindOfError(err) != seshat.ErrorUnsupported {
		t.Errorf("an entry of a newer version: %v", err)
	}
}

// TestRecorderTakesABatchOnce: also when it is in the journal twice.
func TestRecorderTakesABatchOnce(t *testing.T) {
	s := newScene(t)
	to := memory.New(nil)
	b := &journal.Batch{Source: 1, Watermark: s.at(1), Observations: []*seshat.Observation{s.visit(0, 1)}}
	s.send(b)
	s.numbers[1]--
	s.send(b)
	record(t, s, to, pipeline.RecorderConfig{})
	if got := stored(t, to); !strings.HasPrefix(got, "1@0:1 |") {
		t.Errorf("stored %s", got)
	}
}

// TestRecorderWithAnotherJournal: a journal that lost its end, and went on with other entries, loses nothing more.
func TestRecorderWithAnotherJournal(t *testing.T) {
	s := newScene(t)
	to := memory.New(nil)
	var entries [][]byte
	for i := range 10 {
		b := &journal.Batch{Source: 1, Number: uint64(i + 1), Watermark: s.at(float64(i) - 3), Observations: []*seshat.Observation{s.visit(float64(i), i%3)}}
		entries = append(entries, journal.AppendBatch(nil, b))
	}
	refill := func(n int) {
		s.log = journalmemory.New(journalmemory.Options{})
		for _, entry := range entries[:n] {
			if _, err := s.log.Append(context.Background(), "", entry); err != nil {
				t.Fatal(err)
			}
		}
	}
	refill(10)
	synctest.Test(t, func(t *testing.T) { // is interrupted while something waits
		r := pipeline.NewRecorder(s.log, to, pipeline.RecorderConfig{Correlation: correlation(), MaxBatch: 1})
		ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
		defer cancel()
		if err := r.Run(ctx); err != nil {
			t.Error(err)
		}
	})
	f := func(name string, more int) {
		t.Helper()
		refill(6)
		for i := range more {
			s.send(&journal.Batch{Source: 2, Watermark: s.at(float64(i + 20)), Observations: []*seshat.Observation{s.visit(float64(i+20), 5)}})
		}
		s.send(&journal.Batch{Source: 1, Number: 11, Watermark: s.at(99), Away: true})
		s.send(&journal.Batch{Source: 2, Watermark: s.at(99), Away: true})
		record(t, s, to, pipeline.RecorderConfig{})
		n := map[seshat.ExchangeKey]int{}
		_ = to.Exchanges(t.Context(), store.Query{}, func(a *seshat.Assigned) bool { n[a.Key]++; return true })
		for key, times := range n {
			if times != 1 {
				t.Errorf("%s: exchange %d is stored %d times", name, key, times)
			}
		}
		for key := s.keys - seshat.ExchangeKey(more) + 1; key <= s.keys; key++ {
			if n[key] != 1 {
				t.Errorf("%s: exchange %d is stored %d times", name, key, n[key])
			}
		}
	}
	f("shorter", 1)
	f("longer", 20)
}

// life is one run of a recorder: how many exchanges it stores at once at most, and in which transaction it crashes,
// before or after that is written.
type life struct {
	batch, transactions int
	written             bool
}

func lives(rt *rapid.T) []life {
	out := make([]life, rapid.IntRange(0, 8).Draw(rt, "crashes"))
	for i := range out {
		out[i] = life{rapid.IntRange(1, 20).Draw(rt, "batch"), rapid.IntRange(0, 6).Draw(rt, "transactions"), rapid.Bool().Draw(rt, "written")}
	}
	return append(out, life{batch: rapid.IntRange(1, 20).Draw(rt, "batch"), transactions: 1 << 30})
}

// interrupted records through several lives.
func interrupted(t *testing.T, s *scene, to store.Store, lives []life) {
	for _, l := range lives {
		ctx, cancel := context.WithCancel(t.Context())
		left, crashed := l.transactions, false
		fake := &unsteady{Store: to}
		fake.before = func() error {
			if left--; left >= 0 {
				return nil
			}
			crashed = true
			if !l.written {
				cancel()
				return errors.New("crash")
			}
			return nil
		}
		fake.after = func() {
			if crashed {
				cancel()
			}
		}
		config := pipeline.RecorderConfig{Correlation: correlation(), MaxBatch: l.batch, TrimEvery: 1}
		r := pipeline.NewRecorder(s.log, &crashing{fake, ctx}, config)
		done := make(chan error, 1)
		go func() { done <- r.Run(ctx) }()
		last, err := s.log.Last(t.Context())
		if err != nil {
			t.Error(err)
		}
		waiting, stop := context.WithTimeout(ctx, time.Hour)
		if err := r.Wait(waiting, last); err != nil && ctx.Err() == nil {
			t.Error(err)
		}
		stop()
		cancel()
		if err := <-done; err != nil {
			t.Error(err)
		}
	}
}

// crashing writes nothing more once the context is done, as a process that was killed.
type crashing struct {
	*unsteady
	ctx context.Context //nolint:containedctx // the life of the process
}

func (c *crashing) Commit(_ context.Context, batch *store.Batch) error {
	if err := c.ctx.Err(); err != nil {
		return err
	}
	return c.unsteady.Commit(context.WithoutCancel(c.ctx), batch)
}

// journalOf writes a journal of several sources whose exchanges overlap, some of them too late.
func journalOf(rt *rapid.T, s *scene) {
	sources := rapid.IntRange(1, 3).Draw(rt, "sources")
	now := 0.0
	for range rapid.IntRange(1, 40).Draw(rt, "entries") {
		source := rapid.IntRange(1, sources).Draw(rt, "source")
		now += float64(rapid.IntRange(0, 30).Draw(rt, "passes")) / 10
		b := &journal.Batch{Source: uint64(source), Away: rapid.IntRange(0, 9).Draw(rt, "away") == 0}
		if rapid.IntRange(0, 20).Draw(rt, "clock") == 0 {
			now -= 60
		}
		for range rapid.IntRange(0, 4).Draw(rt, "exchanges") {
			ago := float64(rapid.IntRange(0, 120).Draw(rt, "took")) / 10
			b.Observations = append(b.Observations, s.visit(1000+now-ago, rapid.IntRange(0, 4).Draw(rt, "visitor")))
		}
		if rapid.IntRange(0, 9).Draw(rt, "revoke") == 0 {
			first := typical(rapid.IntRange(0, 4).Draw(rt, "revoked")).IDs[0].Digest
			id := correlation().NewSessionID(first, s.at(1000+now))
			b.Revocations = append(b.Revocations, journal.Revocation{Session: id, Time: s.at(1000 + now)})
		}
		if rapid.IntRange(0, 9).Draw(rt, "silent") > 0 {
			b.Watermark = s.at(1000 + now - float64(rapid.IntRange(0, 50).Draw(rt, "behind"))/10)
		}
		s.send(b)
		if rapid.IntRange(0, 9).Draw(rt, "again") == 0 {
			s.numbers[b.Source]--
			s.send(b)
		}
	}
	for source := range 3 {
		s.send(&journal.Batch{Source: uint64(source + 1), Watermark: s.at(5000), Away: true})
	}
}

// TestRecorderIsExact: whatever the transactions, and wherever it is interrupted, the same is stored, once.
func TestRecorderIsExact(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		s := newScene(rt)
		journalOf(rt, s)
		lives := lives(rt)
		whole, parts := memory.New(nil), memory.New(nil)
		synctest.Test(t, func(t *testing.T) {
			recordInBubble(t, s, whole, pipeline.RecorderConfig{TrimEvery: time.Hour}, nil)
			interrupted(t, s, parts, lives)
		})
		want := stored(rt, whole)
		if got := stored(rt, parts); got != want {
			rt.Fatalf("interrupted\n %s\nin one run\n %s", got, want)
		}
		if n := strings.Count(want, "@"); n != int(s.keys) {
			rt.Fatalf("%d exchanges stored of %d", n, s.keys)
		}
	})
}
