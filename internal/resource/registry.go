package resource

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/seshat-project/seshat"
	"github.com/seshat-project/seshat/internal/kv"
)

// Registry keeps resources, with their history, in a key-value store that several processes may share.
//
// A change of several resources happens completely or not at all, for those who read as for those who watch: it is
// first written down whole under one key (see transaction), which also lets only one change happen at a time; then
// the resources are written; then it is marked as done. A change whose writer died is completed by whoever comes
// next.
type Registry struct {
	store   kv.Store
	compile CompileFunc
}

// NewRegistry returns the registry in store. A set of resources for which compile finds faults is never written.
func NewRegistry(store kv.Store, compile CompileFunc) *Registry {
	return &Registry{store: store, compile: compile}
}

// Action is what a change did to a resource.
type Action string

// The actions. ActionUnchanged is never in a history.
const (
	ActionCreated    Action = "created"
	ActionUpdated    Action = "updated"
	ActionUnchanged  Action = "unchanged"
	ActionDeleted    Action = "deleted"
	ActionRolledBack Action = "rolled back"
)

// Author says who makes a change, and when.
type Author struct {
	By string
	At time.Time
}

// Stored is a revision of a resource.
type Stored struct {
	Kind     seshat.Kind
	Name     string
	Revision kv.Revision
	Action   Action
	Author
	// Resource is the content; nil for a deletion.
	Resource *seshat.Resource
}

// Outcome is what applying did to one resource.
type Outcome struct {
	Kind     seshat.Kind
	Name     string
	Action   Action
	Revision kv.Revision // the one that is stored now; on a dry run, the one that is stored still
}

// ApplyOptions say how resources are applied.
type ApplyOptions struct {
	Author
	// Expected are the revisions that resources must still have, by [Key]; [kv.None] for those that must not exist.
	// Resources that are not in it are replaced whatever they are.
	Expected map[string]kv.Revision
	// DryRun validates, and says what would be done.
	DryRun bool
}

// maxAttempts is how often a change is tried again because another one came between. Each time, the other one was
// made, so that more than some attempts mean that something else is wrong.
const maxAttempts = 20

// Apply creates or updates the resources in parsed, all or none of them. They are validated together with those that
// are stored already; the error is then a [seshat.Faults]. It is [kv.ErrConflict] when a resource does not have the
// expected revision. Outcomes are in the order of parsed.
func (r *Registry) Apply(ctx context.Context, parsed []Parsed, o ApplyOptions) ([]Outcome, error) {
	faults, _ := checkUnique(parsed)
	if len(faults) > 0 {
		return nil, faults
	}
	return r.change(ctx, o, func(current map[string]Stored) ([]intent, []Outcome, error) {
		if faults := Locate(r.compile(merge(current, parsed)), parsed); len(faults) > 0 {
			return nil, nil, faults
		}
		var intents []intent
		outcomes := make([]Outcome, len(parsed))
		for i := range parsed {
			p := &parsed[i].Resource
			key := Key(p.Kind, p.Metadata.Name)
			action, err := actionFor(p, current, key)
			if err != nil {
				return nil, nil, err
			}
			outcomes[i] = Outcome{Kind: p.Kind, Name: p.Metadata.Name, Action: action, Revision: current[key].Revision}
			if action != ActionUnchanged {
				intents = append(intents, intent{Key: key, Action: action, Resource: p})
			}
		}
		return intents, outcomes, nil
	})
}

// merge is what is stored, with the resources of parsed in place of those of their names, in a stable order.
func merge(current map[string]Stored, parsed []Parsed) []seshat.Resource {
	byKey := make(map[string]seshat.Resource, len(current)+len(parsed))
	for key, stored := range current {
		if stored.Resource != nil {
			byKey[key] = *stored.Resource
		}
	}
	for i := range parsed {
		byKey[Key(parsed[i].Resource.Kind, parsed[i].Resource.Metadata.Name)] = parsed[i].Resource
	}
	out := make([]seshat.Resource, 0, len(byKey))
	for _, resource := range byKey {
		out = append(out, resource)
	}
	sortResources(out)
	return out
}

// sortResources orders resources by kind, in the order of [Kinds], and name.
func sortResources(resources []seshat.Resource) {
	slices.SortFunc(resources, func(a, b seshat.Resource) int {
		return compareNames(a.Kind, a.Metadata.Name, b.Kind, b.Metadata.Name)
	})
}

func compareNames(kindA seshat.Kind, nameA string, kindB seshat.Kind, nameB string) int {
	if kindA != kindB {
		return slices.Index(kinds(), kindA) - slices.Index(kinds(), kindB)
	}
	return strings.Compare(nameA, nameB)
}

// actionFor says what applying resource does to what is stored under its key.
func actionFor(resource *seshat.Resource, current map[string]Stored, key string) (Action, error) {
	stored, ok := current[key]
	if !ok || stored.Resource == nil {
		return ActionCreated, nil
	}
	before, err := Marshal([]seshat.Resource{*stored.Resource}, FormatJSON)
	if err != nil {
		return "", err
	}
	after, err := Marshal([]seshat.Resource{*resource}, FormatJSON)
	if err != nil {
		return "", err
	}
	if string(before) == string(after) {
		return ActionUnchanged, nil
	}
	return ActionUpdated, nil
}

// Get returns the resource of kind called name, or [kv.ErrNotFound].
func (r *Registry) Get(ctx context.Context, kind seshat.Kind, name string) (Stored, error) {
	entry, err := r.store.Get(ctx, resourcePrefix+Key(kind, name))
	if err != nil {
		return Stored{}, fmt.Errorf("get %s: %w", Key(kind, name), err)
	}
	stored, err := decodeRecord(entry)
	if err != nil {
		return Stored{}, err
	}
	if stored.Resource == nil {
		return Stored{}, fmt.Errorf("get %s: %w", Key(kind, name), kv.ErrNotFound)
	}
	return stored, nil
}

// List returns the resources of kind, or of all kinds when it is empty, ordered by kind and name.
func (r *Registry) List(ctx context.Context, kind seshat.Kind) ([]Stored, error) {
	prefix := resourcePrefix
	if kind != "" {
		prefix += string(kind) + "/"
	}
	all, err := r.read(ctx, prefix)
	if err != nil {
		return nil, err
	}
	out := make([]Stored, 0, len(all))
	for _, stored := range all {
		if stored.Resource != nil {
			out = append(out, stored)
		}
	}
	slices.SortFunc(out, func(a, b Stored) int { return compareNames(a.Kind, a.Name, b.Kind, b.Name) })
	return out, nil
}

// read returns what is stored under prefix, deletions included, by [Key].
func (r *Registry) read(ctx context.Context, prefix string) (map[string]Stored, error) {
	entries, err := r.store.List(ctx, prefix)
	if err != nil {
		return nil, fmt.Errorf("list resources: %w", err)
	}
	out := make(map[string]Stored, len(entries))
	for _, entry := range entries {
		stored, err := decodeRecord(entry)
		if err != nil {
			return nil, err
		}
		out[Key(stored.Kind, stored.Name)] = stored
	}
	return out, nil
}

// Delete deletes a resource if it has the expected revision, which may be [kv.Any]. Its history stays.
func (r *Registry) Delete(ctx context.Context, kind seshat.Kind, name string, expected kv.Revision, author Author) error {
	key := Key(kind, name)
	o := ApplyOptions{Author: author, Expected: map[string]kv.Revision{key: expected}}
	// The rest is not validated: what is left has no more faults than before, and deleting is how one gets rid of them.
	_, err := r.change(ctx, o, func(current map[string]Stored) ([]intent, []Outcome, error) {
		if current[key].Resource == nil {
			return nil, nil, fmt.Errorf("delete %s: %w", key, kv.ErrNotFound)
		}
		return []intent{{Key: key, Action: ActionDeleted}}, []Outcome{{Kind: kind, Name: name, Action: ActionDeleted}}, nil
	})
	return err
}

// History returns the last [kv.MaxHistory] revisions of a resource, deletions included, oldest first.
func (r *Registry) History(ctx context.Context, kind seshat.Kind, name string) ([]Stored, error) {
	entries, err := r.store.History(ctx, resourcePrefix+Key(kind, name))
	if err != nil {
		return nil, fmt.Errorf("history of %s: %w", Key(kind, name), err)
	}
	out := make([]Stored, len(entries))
	for i, entry := range entries {
		if out[i], err = decodeRecord(entry); err != nil {
			return nil, err
		}
	}
	return out, nil
}

// Rollback makes the content of an older revision the newest one, if the resource has the expected revision; a deleted one has
// none. It is validated as if it were applied.
func (r *Registry) Rollback(ctx context.Context, kind seshat.Kind, name string, to, expected kv.Revision, author Author) (Outcome, error) {
	history, err := r.History(ctx, kind, name)
	if err != nil {
		return Outcome{}, err
	}
	at := slices.IndexFunc(history, func(s Stored) bool { return s.Revision == to })
	if at < 0 || history[at].Resource == nil {
		return Outcome{}, fmt.Errorf("roll %s back to revision %d: %w", Key(kind, name), to, kv.ErrNotFound)
	}
	old := Parsed{Resource: *history[at].Resource, File: fmt.Sprintf("%s@%d", Key(kind, name), to)}
	options := ApplyOptions{Author: author, Expected: map[string]kv.Revision{Key(kind, name): expected}}
	outcomes, err := r.change(ctx, options, func(current map[string]Stored) ([]intent, []Outcome, error) {
		if faults := Locate(r.compile(merge(current, []Parsed{old})), []Parsed{old}); len(faults) > 0 {
			return nil, nil, faults
		}
		key := Key(kind, name)
		outcome := Outcome{Kind: kind, Name: name, Action: ActionRolledBack, Revision: current[key].Revision}
		if action, err := actionFor(&old.Resource, current, key); err != nil {
			return nil, nil, err
		} else if action == ActionUnchanged {
			outcome.Action = ActionUnchanged
			return nil, []Outcome{outcome}, nil
		}
		return []intent{{Key: key, Action: ActionRolledBack, Resource: &old.Resource}}, []Outcome{outcome}, nil
	})
	if err != nil {
		return Outcome{}, err
	}
	return outcomes[0], nil
}

// change makes one change. Plan says, for what is stored now, what to write, and what to tell the caller; it is
// called again when another change came between.
func (r *Registry) change(ctx context.Context, o ApplyOptions, plan func(map[string]Stored) ([]intent, []Outcome, error)) ([]Outcome, error) {
	for range maxAttempts {
		last, err := r.recover(ctx)
		if err != nil {
			return nil, err
		}
		current, err := r.read(ctx, resourcePrefix)
		if err != nil {
			return nil, err
		}
		if err := checkExpected(current, o.Expected); err != nil {
			return nil, err
		}
		intents, outcomes, err := plan(current)
		if err != nil || o.DryRun || len(intents) == 0 {
			return outcomes, err
		}
		revisions, err := r.commit(ctx, last, intents, o.Author)
		if errors.Is(err, kv.ErrConflict) {
			continue
		}
		for i := range outcomes {
			if revision, ok := revisions[Key(outcomes[i].Kind, outcomes[i].Name)]; ok {
				outcomes[i].Revision = revision
			}
		}
		return outcomes, err
	}
	return nil, fmt.Errorf("change resources: %w, again and again", kv.ErrConflict)
}

// checkExpected compares the revisions of what is stored with those that are expected.
func checkExpected(current map[string]Stored, expected map[string]kv.Revision) error {
	for key, want := range expected {
		stored := current[key]
		if stored.Resource == nil {
			stored.Revision = kv.None
		}
		if want != kv.Any && want != stored.Revision {
			return fmt.Errorf("%s has revision %d, not %d: %w", key, stored.Revision, want, kv.ErrConflict)
		}
	}
	return nil
}
