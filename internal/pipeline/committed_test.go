package pipeline_test

import (
	"context"
	"errors"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/seshat-project/seshat"
	"github.com/seshat-project/seshat/internal/journal"
	"github.com/seshat-project/seshat/internal/pipeline"
	"github.com/seshat-project/seshat/internal/store/memory"
)

// toldOf is what was told of commits.
type toldOf struct {
	keys     []seshat.ExchangeKey
	sessions map[seshat.SessionID]int
	starts   int
}

func (c *toldOf) take(exchanges []seshat.Assigned, events []seshat.Event) {
	for _, x := range exchanges {
		c.keys = append(c.keys, x.Key)
		if c.sessions == nil {
			c.sessions = map[seshat.SessionID]int{}
		}
		c.sessions[x.Session]++
	}
	for _, e := range events {
		if e.Type == seshat.EventStart {
			c.starts++
		}
	}
}

// TestRecorderTellsWhatIsStored checks that each exchange is told once, in order, with its session, and only after it was
// stored: not while the store fails, and not again what comes twice.
func TestRecorderTellsWhatIsStored(t *testing.T) {
	s := newScene(t)
	broken := errors.New("the disk is full")
	to := &unsteady{Store: memory.New(nil), before: func() error { return broken }}
	var got toldOf
	synctest.Test(t, func(t *testing.T) {
		recordInBubble(t, s, to, pipeline.RecorderConfig{Committed: got.take}, func(*pipeline.Recorder) {
			for i := range 50 {
				o := s.visit(float64(i), i%2)
				o.ID = string(rune('a' + i%40)) // some come twice
				o.Key = seshat.ExchangeKey(i % 40)
				s.send(&journal.Batch{Source: 1, Watermark: s.at(float64(i + 1)), Observations: []*seshat.Observation{o}})
			}
			time.Sleep(time.Minute)
			if len(got.keys) > 0 {
				t.Errorf("it is told of %v before that is stored", got.keys)
			}
			to.mu.Lock()
			to.before = nil
			to.mu.Unlock()
			time.Sleep(time.Minute)
		})
	})
	var want []seshat.ExchangeKey
	for i := range 40 {
		want = append(want, seshat.ExchangeKey(i))
	}
	if !slices.Equal(got.keys, want) || len(got.sessions) != 2 || got.starts != 2 {
		t.Errorf("told of %v in %v, %d starts", got.keys, got.sessions, got.starts)
	}
}

func TestImportTellsWhatIsStored(t *testing.T) {
	to := memory.New(time.Now)
	var got toldOf
	im := importer(t, to)
	im.Committed = got.take
	for range 2 { // the second time nothing is new
		in := input("a", visit(0, "1", "aaaaaaaaaaaaaaaa1"), visit(1, "2", "bbbbbbbbbbbbbbbb2"), visit(2, "3", "aaaaaaaaaaaaaaaa1"))
		if _, err := im.Import(context.Background(), []pipeline.Input{in}, pipeline.Reports{}); err != nil {
			t.Fatal(err)
		}
	}
	if len(got.keys) != 3 || len(got.sessions) != 2 || got.starts != 2 {
		t.Errorf("%+v", got)
	}
}
