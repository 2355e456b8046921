package api

import (
	"context"
	"errors"
	"fmt"

	"github.com/seshat-project/seshat"
	"github.com/seshat-project/seshat/internal/api/wire"
	"github.com/seshat-project/seshat/internal/kv"
	"github.com/seshat-project/seshat/internal/resource"
)

func (s *server) registerDiff() {
	op := s.operation("GET", "/api/v1/resources/{kind}/{name}/diff", "diff-resource", tagResources, "Compare two revisions of a resource")
	register(s, op, s.diffResource)
}

type diffInput struct {
	Named
	From uint64 `query:"from" doc:"A revision of the resource; the one before to when it is absent."`
	To   uint64 `query:"to" doc:"A revision of the resource; the newest one when it is absent."`
}

func (s *server) diffResource(ctx context.Context, in *diffInput) (*output[wire.ResourceDiff], error) {
	kind, err := parseKind(in.Kind)
	if err != nil {
		return nil, err
	}
	key := resource.Key(kind, in.Name)
	op := "compare revisions of " + key
	history, err := s.Registry.History(ctx, kind, in.Name)
	if err != nil {
		return nil, resourceError(op, err)
	}
	find := func(revision uint64) (int, error) {
		for i := range history {
			if history[i].Revision == kv.Revision(revision) {
				return i, nil
			}
		}
		return 0, &seshat.Error{
			Kind: seshat.ErrorNotFound, Op: op, Err: fmt.Errorf("its history has no revision %d", revision),
			Hint: fmt.Sprintf("the last %d revisions are kept", kv.MaxHistory),
		}
	}
	if len(history) == 0 {
		return nil, &seshat.Error{Kind: seshat.ErrorNotFound, Op: op, Err: errors.New("there is no such resource")}
	}
	to := len(history) - 1
	if in.To != 0 {
		if to, err = find(in.To); err != nil {
			return nil, err
		}
	}
	from := to - 1
	if in.From != 0 {
		if from, err = find(in.From); err != nil {
			return nil, err
		}
	}
	var before resource.Stored // nothing, before the first
	if from >= 0 {
		before = history[from]
	}
	after := history[to]
	name := func(one *resource.Stored) string {
		if one.Resource == nil {
			return "/dev/null"
		}
		return fmt.Sprintf("%s@%d", key, one.Revision)
	}
	difference, err := resource.Diff(name(&before), name(&after), before.Resource, after.Resource)
	if err != nil {
		return nil, err
	}
	out := &output[wire.ResourceDiff]{wire.ResourceDiff{
		Kind: string(kind), Name: in.Name, From: diffSide(&before), To: diffSide(&after), Unified: difference.Unified,
		Changes: make([]wire.FieldChange, len(difference.Changes)),
	}}
	for i, c := range difference.Changes {
		change := "changed"
		switch {
		case c.Before == "":
			change = "added"
		case c.After == "":
			change = "removed"
		}
		out.Body.Changes[i] = wire.FieldChange{Field: c.Field, Change: change, Before: c.Before, After: c.After}
	}
	return out, nil
}

func diffSide(one *resource.Stored) wire.DiffSide {
	return wire.DiffSide{Revision: uint64(one.Revision), Action: string(one.Action), By: one.By, At: one.At}
}
