package settings

import (
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/seshat-project/seshat/internal/api/wire"
	"github.com/seshat-project/seshat/internal/console/ui"
	"github.com/seshat-project/seshat/internal/console/web"
)

// kept is what an instance keeps, and where.
type kept struct {
	status *wire.Status
	keys   []wire.Key
	// keyless says why the keys are not known; nil when they are.
	keyless *wire.Problem
	now     time.Time
}

func storage(q *web.Request) error {
	k := &kept{now: q.Now}
	var both errgroup.Group
	both.Go(func() (err error) {
		k.status, err = q.API.Status(q.Context())
		return err
	})
	both.Go(func() error {
		keys, err := q.API.Keys(q.Context())
		if err != nil {
			k.keyless = web.Problem(err) // the rest is worth seeing without them
		}
		k.keys = keys
		return nil
	})
	if err := both.Wait(); err != nil {
		return err
	}
	return q.Page(page("Storage", "What this instance keeps, how much room it takes, and how the instance is."), storagePage(tabs(q.Viewer, storagePath), k))
}

// retention is how long exchanges are kept, in words.
func (k *kept) retention() string {
	seconds := k.status.Store.RetentionSeconds
	if seconds <= 0 {
		return "not known"
	}
	return ui.Length(time.Duration(seconds * float64(time.Second)))
}

// stateKind is the colour of a state of the instance.
func stateKind(state string) string {
	switch state {
	case wire.StateOK:
		return "good"
	case wire.StateDegraded:
		return "warn"
	case wire.StateFailing:
		return "bad"
	default:
		return ""
	}
}

// size is a size, where it is known.
func size(n int64) string {
	if n <= 0 {
		return "not known"
	}
	return ui.Bytes(n)
}
