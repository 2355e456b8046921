package resource

import (
	"context"
	"errors"

	"github.com/seshat-project/seshat"
	"github.com/seshat-project/seshat/internal/kv"
)

// AddNew creates a resource unless there is one of its kind and name, or ever was: one that somebody changed or deleted
// is left alone. It reports whether it was created.
func (r *Registry) AddNew(ctx context.Context, added seshat.Resource, author Author) (bool, error) {
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
