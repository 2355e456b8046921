package pipeline_test

import (
	"context"
	"testing"
	"time"

	"github.com/seshat-project/seshat/internal/journal"
	"github.com/seshat-project/seshat/internal/pipeline"
)

// nowhere is a log that takes everything and keeps nothing.
type nowhere struct{ journal.Log }

func (nowhere) Append(context.Context, string, []byte) (journal.Sequence, error) { return 1, nil }

// BenchmarkPublisher is what an exchange costs on the way of its request, from all processors at once.
func BenchmarkPublisher(b *testing.B) {
	p := pipeline.NewPublisher(nowhere{}, pipeline.PublisherConfig{Source: 1})
	ctx, cancel := context.WithCancel(b.Context())
	defer cancel()
	go p.Run(ctx)
	b.ReportAllocs()
	b.RunParallel(func(pb *testing.PB) {
		o := typical(0)
		for pb.Next() {
			o.Time = time.Now()
			_ = p.Append(ctx, p.Begin(o.Time), o)
		}
	})
	if s := p.Stats(); s.Dropped > 0 {
		b.Logf("%d were dropped", s.Dropped)
	}
}
