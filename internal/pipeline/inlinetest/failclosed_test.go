package inlinetest_test

import (
	"context"
	"net/http"
	"testing"
	"testing/synctest"
	"time"

	"github.com/seshat-project/seshat/internal/enforce"
	"github.com/seshat-project/seshat/internal/identify"
	"github.com/seshat-project/seshat/internal/journal"
	"github.com/seshat-project/seshat/internal/journal/memory"
	"github.com/seshat-project/seshat/internal/pipeline"
	"github.com/seshat-project/seshat/internal/protect"
	"github.com/seshat-project/seshat/internal/rule"
)

// silent is a log that does not answer.
type silent struct{ *memory.Log }

func (silent) Append(ctx context.Context, _ string, _ []byte) (journal.Sequence, error) {
	<-ctx.Done()
	return 0, ctx.Err()
}

// TestRefusalsOfTheJournalDoNotWaitForIt: with fail-closed, an answer waits for the journal. That it takes nothing is said
// at once: clients who wait for nothing would fill the gateway.
func TestRefusalsOfTheJournalDoNotWaitForIt(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		rules, faults := rule.Compile(nil)
		if len(faults) > 0 {
			t.Fatal(faults)
		}
		digester := protect.NewDigester([]byte("a key for tests"))
		enforcer := enforce.New(enforce.Config{NewSessionID: pipeline.NewSessionID(digester)})
		enforcer.Use(rules, nil)
		publisher := pipeline.NewPublisher(silent{memory.New(memory.Options{})}, pipeline.PublisherConfig{
			Source: journal.NewSource(1, 1), MaxDelay: time.Millisecond, FailClosed: true,
		})
		inline := pipeline.NewInline(pipeline.InlineConfig{
			Now: time.Now, Digester: digester, Enforcer: enforcer, Publisher: publisher, FailClosed: true,
		}, identify.New(rules, digester))
		ctx, stop := context.WithCancel(context.Background())
		done := make(chan struct{})
		go func() { defer close(done); publisher.Run(ctx) }()
		pass := func() (status int, took time.Duration, err error) {
			x := get("", "")
			g := inline.Begin(x)
			x.Response.Status = http.StatusOK
			if a := g.Answer(); a != nil {
				status, x.Response.Status = a.Status, a.Status
			}
			began := time.Now()
			err = g.End(ctx, x)
			return status, time.Since(began), err
		}
		if status, _, err := pass(); status != 0 || err == nil {
			t.Errorf("the first request: status %d, error %v; want it to pass, and an error", status, err)
		}
		if status, took, err := pass(); status != http.StatusServiceUnavailable || took != 0 || err != nil {
			t.Errorf("the next one: status %d after %s, error %v; want 503 at once", status, took, err)
		}
		stop()
		<-done
	})
}
