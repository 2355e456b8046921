package main

import (
	"context"
	"errors"
	"fmt"
	"runtime/debug"
	"strings"

	"github.com/seshat-project/seshat"
	"github.com/seshat-project/seshat/internal/api"
	"github.com/seshat-project/seshat/internal/api/wire"
	"github.com/seshat-project/seshat/internal/enforce"
	"github.com/seshat-project/seshat/internal/identify"
	"github.com/seshat-project/seshat/internal/ingest"
	"github.com/seshat-project/seshat/internal/ingest/detect"
	"github.com/seshat-project/seshat/internal/node"
	"github.com/seshat-project/seshat/internal/pipeline"
	"github.com/seshat-project/seshat/internal/protect"
	"github.com/seshat-project/seshat/internal/resource"
	"github.com/seshat-project/seshat/internal/resource/ruletest"
	"github.com/seshat-project/seshat/internal/rule"
	"github.com/seshat-project/seshat/internal/store"
)

// apiOptions is what the API of a running instance serves: the node, and its store, which is nil where another process
// records. Status, Hosts and Logger are for the caller to set.
func (a *app) apiOptions(n *node.Node, s store.Store, token string) api.Options {
	o := api.Options{
		Registry: n.Registry, Denylist: n.Denylist, Digester: n.Digester, Authenticator: api.NewInstanceToken(token),
		Archive: exportTo, RuleTests: a.ruleTests, TempDir: a.data, Version: "unknown", Now: a.now,
		Explain: func(ctx context.Context, exchanges []byte, each func(any) error) error {
			engine := identify.New(n.Rules(), n.Digester)
			return explainAll(ctx, engine, n.Digester, "body", exchanges, func(x *seshat.Exchange, e *identify.Explanation) error {
				return each(explained{ID: x.ID, Time: x.Time.UTC(), Explanation: e})
			})
		},
		Keys: func() ([]wire.Key, error) {
			ring, err := protect.LoadKey(a.path(keyFile))
			if err != nil {
				return nil, err
			}
			keys := []wire.Key{}
			for i, key := range ring.Keys() {
				keys = append(keys, wire.Key{ID: key.ID, Created: key.Created.UTC(), Current: i == 0})
			}
			return keys, nil
		},
	}
	if info, ok := debug.ReadBuildInfo(); ok {
		o.Version = info.Main.Version
	}
	o.LimitStats = func() []enforce.RuleStats { return n.Enforcer.Stats().Rules }
	if s != nil {
		o.Store = s
		o.Import = func(ctx context.Context, run *api.ImportRun) (wire.ImportSummary, error) {
			return a.importInto(ctx, n, s, run)
		}
	}
	return o
}

// importInto imports into the store of a running instance. Files are read while live traffic is recorded; storing what was
// read takes turns with that.
func (a *app) importInto(ctx context.Context, n *node.Node, s store.Store, run *api.ImportRun) (wire.ImportSummary, error) {
	rules := n.Rules()
	importer := a.importer(s, newEngines(rules, n.Digester))
	importer.Committed = n.Committed
	if n.Recorder != nil {
		importer.Exclusive = n.Recorder.Exclusive
	}
	importer.Recent = n.Recent
	inputs := make([]pipeline.Input, len(run.Inputs))
	for i := range run.Inputs {
		inputs[i] = pipeline.Input{Name: run.Inputs[i].Name, Reader: &receivedInput{input: &run.Inputs[i], options: &run.Options}}
	}
	bad := 0
	summary, err := importer.Import(ctx, inputs, pipeline.Reports{
		Bad: func(input string, record *ingest.BadRecord) {
			if bad++; bad <= mostBad {
				run.Report(&wire.ImportEvent{Event: wire.ImportBad, Input: input, Line: int64(record.Position.Line), Message: record.Err.Error()})
			}
		},
		Failed: func(input string, err error) {
			run.Report(&wire.ImportEvent{Event: wire.ImportFailed, Input: input, Message: failedText(err)})
		},
		Progress: func(phase pipeline.Phase, done, total int64) {
			run.Report(&wire.ImportEvent{Event: wire.ImportProgress, Phase: string(phase), Done: done, Total: total})
		},
	})
	if err != nil {
		return wire.ImportSummary(summary), err
	}
	return wire.ImportSummary(summary), a.autoIdentify(ctx, n.Registry, rules, summary.AutoIdentifiers, func(host, name string) {
		run.Report(&wire.ImportEvent{Event: wire.ImportAutoIdentifier, Host: host, Rule: name})
	})
}

// mostBad is how many bad records of an import are told one by one. Nobody reads more, and they may be millions.
const mostBad = 10_000

// receivedInput is an input that comes over the network. It is opened when the first exchange of it is asked for.
type receivedInput struct {
	input   *api.ImportInput
	options *wire.ImportOptions
	reader  ingest.Reader
}

// Read implements [ingest.Reader].
func (r *receivedInput) Read(ctx context.Context) (*seshat.Exchange, ingest.Position, error) {
	if r.reader == nil {
		in, err := r.input.Open()
		if err != nil {
			return nil, ingest.Position{}, err
		}
		r.reader, _, err = detect.Open(r.input.Name, in, detect.Options{
			Format: r.options.Format, LogFormat: r.options.LogFormat, Environment: r.options.Environment, Service: r.options.Service,
		})
		if err != nil {
			return nil, ingest.Position{}, err
		}
	}
	return r.reader.Read(ctx)
}

// ruleTests runs tests of rules that were sent, with the files that they name. No file of this machine is read.
func (a *app) ruleTests(_ context.Context, run string, files map[string]string) (wire.RuleTestReport, error) {
	digester := protect.NewKeyring(a.now()).Digester() // tests cannot depend on the key
	report := ruletest.Run(run, ruletest.Options{
		ReadFile: func(name string) ([]byte, error) {
			text, sent := files[name]
			switch {
			case !sent:
				return nil, &seshat.Error{Kind: seshat.ErrorInvalid, Op: "read " + name, Err: errors.New("it was not sent")}
			case len(text) > resource.MaxInput:
				return nil, &seshat.Error{Kind: seshat.ErrorInvalid, Op: "read " + name, Err: fmt.Errorf("more than %d MiB", resource.MaxInput>>20)}
			}
			return []byte(text), nil
		},
		Hasher: digester,
		Correlate: func(rules *rule.Ruleset, exchanges []seshat.Exchange) ([]seshat.SessionID, error) {
			return correlateAll(newEngines(rules, digester), exchanges), nil
		},
	})
	var text strings.Builder
	err := report.WriteText(&text)
	return wire.RuleTestReport{OK: report.OK(), Text: text.String()}, err
}
