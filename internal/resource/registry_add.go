package resource

import (
	"context"
	"errors"

	"github.com/seshat-project/seshat"
	"github.com/seshat-project/seshat/internal/kv"
)

// Adder is what AddNew needs of a registry, here or in another process.
type Adder interface {
	History(ctx context.Context, kind seshat.Kind, name string) ([]Stored, error)
	Apply(ctx context.Context, parsed []Parsed, o ApplyOptions) ([]Outcome, error)
}

// AddNew creates a resource unless there is one of its kind and name, or ever was: one that somebody changed or deleted
// is left alone. It reports whether it was created.
func AddNew(ctx context.Context, r Adder, added seshat.Resource, author Author) (bool, error) {
	if _, err := r.History(ctx, added.Kind, added.Metadata.Name); !errors.Is(err, kv.ErrNotFound) {
		return false, err
	}
	_, err := r.Apply(ctx, []Parsed{{Resource: added}}, ApplyOptions{
		Author:   author,
		Expected: map[string]kv.Revision{Key(added.Kind, added.Metadata.Name): kv.None},
	})
	if errors.Is(err, kv.ErrConflict) { // another process was faster
		return false, nil
	}
	return err == nil, err
}
