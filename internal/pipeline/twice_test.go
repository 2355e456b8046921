package pipeline_test

import (
	"testing"
	"time"

	"github.com/seshat-project/seshat"
	"github.com/seshat-project/seshat/internal/journal"
	journalmemory "github.com/seshat-project/seshat/internal/journal/memory"
	"github.com/seshat-project/seshat/internal/pipeline"
	"github.com/seshat-project/seshat/internal/store"
	"github.com/seshat-project/seshat/internal/store/memory"
)

// TestRecorderTakesAnExchangeWithAnIDOnce checks that what a source reads again, as the follower of a log does after a
// crash, is stored once: whether it comes again in the same batch, while the first is written, or in another life of the
// recorder; and that revocations between stay where they are.
func TestRecorderTakesAnExchangeWithAnIDOnce(t *testing.T) {
	s := newScene(t)
	to := memory.New(nil)
	named := func(second float64, id string) *seshat.Observation {
		o := s.visit(second, 1)
		o.ID, o.Key = id, seshat.ExchangeKey(len(id))*1000+seshat.ExchangeKey(id[0])
		return o
	}
	send := func(observations ...*seshat.Observation) {
		s.send(&journal.Batch{Source: 7, Watermark: s.at(100), Observations: observations})
	}
	send(named(1, "a"), named(1, "a"), s.visit(2, 2), named(3, "b"))
	send(named(1, "a"), s.visit(2, 2))
	record(t, s, to, pipeline.RecorderConfig{})
	send(named(3, "b"), named(4, "c"))
	record(t, s, to, pipeline.RecorderConfig{})
	ids := map[string]int{}
	err := to.Exchanges(t.Context(), store.Query{}, func(a *seshat.Assigned) bool {
		ids[a.ID]++
		return true
	})
	if err != nil || ids["a"] != 1 || ids["b"] != 1 || ids["c"] != 1 || ids[""] != 2 {
		t.Errorf("stored %v, %v", ids, err)
	}
}

// TestPublisherKeys checks that an exchange with an ID of its own has the same key whenever it comes, and that others never
// have the same.
func TestPublisherKeys(t *testing.T) {
	p := pipeline.NewPublisher(journalmemory.New(journalmemory.Options{}), pipeline.PublisherConfig{Source: 1})
	other := pipeline.NewPublisher(journalmemory.New(journalmemory.Options{}), pipeline.PublisherConfig{Source: 2})
	at := time.Date(2026, 1, 2, 3, 4, 5, 6, time.UTC)
	key := func(p *pipeline.Publisher, id string, at time.Time) seshat.ExchangeKey {
		o := &seshat.Observation{ID: id, Time: at}
		if err := p.Append(t.Context(), p.Begin(at), o); err != nil {
			t.Fatal(err)
		}
		return o.Key
	}
	if key(p, "a", at) != key(other, "a", at) {
		t.Error("the key of an exchange with an ID changes")
	}
	first, second := key(p, "", at), key(p, "", at)
	if key(p, "a", at) == key(p, "b", at) || key(p, "a", at) == key(p, "a", at.Add(1)) || first == second {
		t.Error("different exchanges have one key")
	}
}
