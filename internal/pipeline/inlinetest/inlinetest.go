// Package inlinetest gives the tests of sources a [pipeline.Inline] that works: with rules, decisions, and a journal in
// memory that can be read back.
package inlinetest

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/seshat-project/seshat"
	"github.com/seshat-project/seshat/internal/enforce"
	"github.com/seshat-project/seshat/internal/identify"
	"github.com/seshat-project/seshat/internal/journal"
	"github.com/seshat-project/seshat/internal/journal/memory"
	"github.com/seshat-project/seshat/internal/pipeline"
	"github.com/seshat-project/seshat/internal/protect"
	"github.com/seshat-project/seshat/internal/resource"
	"github.com/seshat-project/seshat/internal/rule"
)

// Node is an Inline with what it stands on.
type Node struct {
	*pipeline.Inline
	Digester  *protect.Digester
	Enforcer  *enforce.Enforcer
	Publisher *pipeline.Publisher

	t   testing.TB
	log *memory.Log
}

// Start returns a node by the resources in a YAML text, which ends with the test. config is completed.
func Start(t testing.TB, resources string, config pipeline.InlineConfig) *Node {
	t.Helper()
	parsed, faults := resource.Parse("test.yaml", []byte(resources))
	if len(faults) > 0 {
		t.Fatal(faults)
	}
	rules, faults := rule.Compile(resource.Resources(parsed))
	if len(faults) > 0 {
		t.Fatal(faults)
	}
	if config.Now == nil {
		config.Now = time.Now
	}
	n := &Node{t: t, log: memory.New(memory.Options{}), Digester: protect.NewDigester([]byte("a key for tests"))}
	n.Enforcer = enforce.New(enforce.Config{NewSessionID: pipeline.NewSessionID(n.Digester)})
	n.Enforcer.Use(rules, nil)
	n.Publisher = pipeline.NewPublisher(n.log, pipeline.PublisherConfig{
		Source: journal.NewSource(1, 1), MaxDelay: time.Millisecond, FailClosed: config.FailClosed,
	})
	config.Digester, config.Enforcer, config.Publisher = n.Digester, n.Enforcer, n.Publisher
	n.Inline = pipeline.NewInline(config, identify.New(rules, n.Digester))
	ctx, stop := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() {
		defer close(done)
		n.Publisher.Run(ctx)
	}()
	t.Cleanup(func() {
		stop()
		<-done
		_ = n.log.Close() // it is in memory
	})
	return n
}

// Close ends the journal: what comes from now on is not taken.
func (n *Node) Close() {
	if err := n.log.Close(); err != nil {
		n.t.Fatal(err)
	}
}

// Recorded is everything that was recorded until now, in order.
func (n *Node) Recorded() []*seshat.Observation {
	n.t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	if err := n.Publisher.Flush(ctx); err != nil {
		n.t.Fatal(err)
	}
	last, err := n.log.Last(ctx)
	if err != nil {
		n.t.Fatal(err)
	}
	var out []*seshat.Observation
	if last == 0 {
		return nil
	}
	enough := errors.New("that was the last one")
	err = n.log.Read(ctx, 0, func(sequence journal.Sequence, data []byte) error {
		var d journal.Decoder
		batch, err := d.DecodeBatch(data)
		if err != nil {
			return err
		}
		if out = append(out, batch.Observations...); sequence >= last {
			return enough
		}
		return nil
	})
	if !errors.Is(err, enough) {
		n.t.Fatal(err)
	}
	return out
}
