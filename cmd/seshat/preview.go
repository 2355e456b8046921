package main

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"hash/maphash"
	"io"

	"github.com/seshat-project/seshat"
	"github.com/seshat-project/seshat/internal/api"
	"github.com/seshat-project/seshat/internal/api/wire"
	"github.com/seshat-project/seshat/internal/config"
	"github.com/seshat-project/seshat/internal/correlate"
	"github.com/seshat-project/seshat/internal/ingest"
	"github.com/seshat-project/seshat/internal/ingest/detect"
	"github.com/seshat-project/seshat/internal/node"
	"github.com/seshat-project/seshat/internal/pipeline"
	"github.com/seshat-project/seshat/internal/preview"
	"github.com/seshat-project/seshat/internal/protect"
	"github.com/seshat-project/seshat/internal/recent"
	"github.com/seshat-project/seshat/internal/resource"
	"github.com/seshat-project/seshat/internal/rule"
	"github.com/seshat-project/seshat/internal/view"
)

// recentBounds are the bounds of what is kept of the last exchanges.
func recentBounds(c *config.Config) recent.Bounds {
	return recent.Bounds{Exchanges: *c.Recent.Exchanges, Bytes: int64(*c.Recent.MaxBytes), PerSecond: c.Recent.PerSecond}
}

// preview tries a draft on what the node saw last, or on what came with the draft.
func (a *app) preview(ctx context.Context, n *node.Node, d *api.Draft) (*wire.Preview, error) {
	stored, err := n.Registry.List(ctx, "")
	if err != nil {
		return nil, err
	}
	in := &preview.Input{Add: resource.Resources(d.Add), Remove: d.Remove, Digester: n.Digester, ShowValues: d.ShowValues}
	for i := range stored {
		in.InForce = append(in.InForce, *stored[i].Resource)
	}
	source := previewSource(n)
	if len(d.Exchanges) > 0 {
		var skipped int
		if in.Exchanges, skipped, err = readExchanges(ctx, "exchanges", bytes.NewReader(d.Exchanges), detect.Options{Format: d.Format}, d.Limit); err != nil {
			return nil, err
		}
		source = givenSource(in.Exchanges, skipped)
	} else {
		var kept recent.Source
		in.Exchanges, kept = n.Recent.Snapshot(d.Limit)
		in.Partial = !kept.Whole
	}
	report, err := tryDraft(ctx, in, d.Add)
	if err != nil {
		return nil, err
	}
	return &wire.Preview{Source: source, Report: *report}, nil
}

// tryDraft tries a draft. Faults are where the draft has them.
func tryDraft(ctx context.Context, in *preview.Input, add []resource.Parsed) (*preview.Report, error) {
	in.Correlation = func(rules *rule.Ruleset) correlate.Config { return pipeline.Correlation(rules, in.Digester) }
	report, err := preview.Try(ctx, in)
	var faults seshat.Faults
	if errors.As(err, &faults) {
		return nil, resource.Locate(faults, add)
	}
	return report, err
}

func previewSource(n *node.Node) wire.PreviewSource {
	s := n.Recent.Source()
	return wire.PreviewSource{
		From: wire.PreviewRecent, Enabled: s.Exchanges > 0, Exchanges: s.Kept, Bytes: s.KeptBytes, Max: s.Exchanges, MaxBytes: s.Bytes,
		Since: s.Since.UTC(), Until: s.Until.UTC(), Share: s.Share, Whole: s.Whole, Nodes: 1,
	}
}

func givenSource(list []*seshat.Exchange, skipped int) wire.PreviewSource {
	s := wire.PreviewSource{From: wire.PreviewGiven, Exchanges: len(list), Share: 1, Whole: true, Skipped: skipped}
	if len(list) > 0 {
		s.Since, s.Until = list[0].Time.UTC(), list[len(list)-1].Time.UTC()
	}
	return s
}

// givenBytes bounds the memory that exchanges which are given take, however large the recording is.
const givenBytes = 256 << 20

// readExchanges reads a recording, of which it keeps limit exchanges at most: all of some clients when there are more.
func readExchanges(ctx context.Context, name string, in io.Reader, o detect.Options, limit int) (list []*seshat.Exchange, skipped int, err error) {
	reader, _, err := detect.Open(name, in, o)
	if err != nil {
		return nil, 0, err
	}
	none, faults := rule.Compile(nil)
	if len(faults) > 0 {
		return nil, 0, faults
	}
	ring := recent.NewRing(recent.Bounds{Exchanges: limit, Bytes: givenBytes}, maphash.MakeSeed())
	sample := ring.NewSample()
	var first error
	for {
		x, _, err := reader.Read(ctx)
		var bad *ingest.BadRecord
		switch {
		case err == nil:
			sample.Add(x, none)
			continue
		case errors.As(err, &bad):
			if skipped++; first == nil && !bad.Skipped {
				first = bad
			}
			continue
		case !errors.Is(err, io.EOF):
			return nil, skipped, err
		}
		break
	}
	sample.Finish()
	if list, _ = ring.Snapshot(limit); len(list) == 0 {
		return nil, skipped, &seshat.Error{
			Kind: seshat.ErrorInvalid, Op: "read " + name, Err: cmp.Or(first, errors.New("there is no exchange in it")),
			Hint: "HAR, NDJSON as in docs/formats/ndjson.md, or an access log",
		}
	}
	return list, skipped, nil
}

// newKey is the digester of a trial without a data directory: digests tell equal values apart, and are not shown.
func (a *app) newKey() *protect.Digester { return protect.NewKeyring(a.now()).Digester() }

// startViews opens the saved views of the console.
func (s *service) startViews(ctx context.Context) error {
	kept, err := s.node.OpenBucket(ctx, viewsBucket, 1)
	if err != nil {
		return err
	}
	s.views = view.NewKeeper(kept, s.app.now)
	return nil
}

// viewsBucket has the saved views.
const viewsBucket = "views"
