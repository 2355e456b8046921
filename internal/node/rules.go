package node

import (
	"cmp"
	"context"
	"time"

	"github.com/seshat-project/seshat"
	"github.com/seshat-project/seshat/internal/enforce"
	"github.com/seshat-project/seshat/internal/identify"
	"github.com/seshat-project/seshat/internal/jwks/remote"
	"github.com/seshat-project/seshat/internal/pipeline"
	"github.com/seshat-project/seshat/internal/resource"
	"github.com/seshat-project/seshat/internal/rule"
)

// Compile is the check of resources before they are stored, and what finds faults that only show when they are put
// together.
func Compile(resources []seshat.Resource) seshat.Faults {
	_, faults := rule.Compile(resources)
	return faults
}

// followRules puts every change of the resources in force until ctx ends. The first snapshot is in force when it
// returns.
func (n *Node) followRules(ctx context.Context) error {
	snapshots, err := n.Registry.Watch(ctx)
	if err != nil {
		return err
	}
	first, open := <-snapshots
	if !open {
		return context.Cause(ctx)
	}
	if first.Err != nil {
		return first.Err
	}
	if err := n.use(ctx, &first); err != nil {
		return err
	}
	n.running.Go(func() {
		for s := range snapshots {
			if err := n.use(ctx, &s); err != nil {
				// What is in force stays in force.
				n.logger.Error("the resources were not put in force", "change", s.Change, "error", err)
				n.failing.Store(&err)
				continue
			}
			n.failing.Store(nil)
			n.logger.Info("the resources changed", "change", s.Change, "resources", len(s.Resources))
		}
	})
	return nil
}

// use puts resources in force everywhere in this process.
func (n *Node) use(ctx context.Context, s *resource.Snapshot) error {
	if s.Err != nil {
		return s.Err
	}
	rules, faults := rule.Compile(s.Resources)
	if len(faults) > 0 {
		return faults
	}
	n.Enforcer.Use(rules, n.keySources(ctx, rules))
	engine := identify.New(rules, n.digester)
	if n.Inline == nil {
		n.Inline = pipeline.NewInline(n.inlineConfig(), engine)
	} else {
		n.Inline.Use(engine)
	}
	switch {
	case n.Recorder != nil:
		n.Recorder.SetConfig(pipeline.Correlation(rules, n.digester), rules.Settings())
	case n.options.Store != nil:
		n.Recorder = n.newRecorder(rules)
	}
	n.rules.Store(rules)
	n.Recent.Hide(rules)
	return nil
}

// keySources are the sources of keys of the validations that have an address. Those of one address share a source,
// which lives as long as some validation has the address.
func (n *Node) keySources(ctx context.Context, rules *rule.Ruleset) map[string]enforce.KeySource {
	sources, used := map[string]enforce.KeySource{}, map[string]bool{}
	for _, v := range rules.Validations() {
		if v.JWKSURL == "" {
			continue
		}
		used[v.JWKSURL] = true
		k, known := n.keys[v.JWKSURL]
		if !known {
			keys, err := remote.New(v.JWKSURL, remote.Options{})
			if err != nil { // compiling has checked the address
				n.logger.Error("the keys of a validation cannot be had", "validation", v.Name, "error", err)
				continue
			}
			running, stop := context.WithCancel(ctx)
			k = &keySource{Keys: keys, stop: stop}
			n.keys[v.JWKSURL] = k
			n.running.Go(func() { keys.Run(running) })
		}
		sources[v.Name] = k.Keys
	}
	for address, k := range n.keys {
		if !used[address] {
			k.stop()
			delete(n.keys, address)
		}
	}
	return sources
}

type keySource struct {
	*remote.Keys
	stop context.CancelFunc
}

// autoEvery is the default of AutoEvery: somebody who watches sees it happen, and it costs nothing.
const autoEvery = 10 * time.Second

// autoIdentify adds the session rules that [pipeline.Inline.AutoIdentifiers] suggests: resources like any others.
func (n *Node) autoIdentify(ctx context.Context) {
	ticker := time.NewTicker(cmp.Or(n.options.AutoEvery, autoEvery))
	defer ticker.Stop()
	done := map[string]bool{}
	for {
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
		}
		for _, host := range n.Inline.AutoIdentifiers() {
			if done[host] {
				continue
			}
			r := identify.AutoRule(host)
			added, err := resource.AddNew(ctx, n.Registry, r, resource.Author{By: "auto-identifier", At: n.options.Now()})
			if err != nil {
				n.logger.Warn("a session rule for a host could not be added", "host", host, "error", err)
				continue
			}
			done[host] = true
			if !added {
				continue
			}
			n.logger.Info("a session rule was added: Authorization identifies sessions of a host", "host", host, "rule", r.Metadata.Name)
		}
	}
}
