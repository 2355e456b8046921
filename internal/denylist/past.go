package denylist

import (
	"cmp"
	"context"
	"errors"
	"slices"
	"time"

	"github.com/seshat-project/seshat"
	"github.com/seshat-project/seshat/internal/kv"
)

// Past returns the entries about a session, and about its user if it has one, that are in force no longer, the oldest first:
// those that were taken back say by whom, the others have lapsed. They are told for 90 days, the last 60 or so of each name.
// Entries under a name that somebody chose are not among them.
func (k *Keeper) Past(ctx context.Context, session seshat.SessionID, user string) ([]seshat.Denial, error) {
	about := []seshat.Denial{{Session: session}}
	if user != "" {
		about = append(about, seshat.Denial{User: user}, seshat.Denial{User: user, IssuedBefore: time.Unix(0, 1)})
	}
	var out []seshat.Denial
	for i := range about {
		name := nameOf(&about[i])
		history, err := k.store.History(ctx, prefix+name)
		switch {
		case errors.Is(err, kv.ErrNotFound):
			continue
		case err != nil:
			return nil, storeError("read what the denial "+name+" was", err)
		}
		out = append(out, k.past(history)...)
	}
	slices.SortStableFunc(out, func(a, b seshat.Denial) int { return cmp.Or(a.At.Compare(b.At), cmp.Compare(a.Name, b.Name)) })
	return out, nil
}

// past are the entries that one name had, each as it was last: one that was put in place of another is the same one, made
// longer.
func (k *Keeper) past(history []kv.Entry) []seshat.Denial {
	var out []seshat.Denial
	var last *seshat.Denial
	ended := func() {
		if last != nil {
			out = append(out, *last)
		}
		last = nil
	}
	for _, entry := range history {
		if entry.Deleted {
			if last != nil && last.TakenBackAt.IsZero() && last.Until.IsZero() {
				last.TakenBackAt = entry.Time.UTC() // by whom was not noted
			}
			ended()
			continue
		}
		d, err := decode(entry)
		if err != nil {
			continue // it denied nothing
		}
		if last != nil && last.Expired(d.At) {
			ended()
		}
		if last != nil {
			d.At, d.By = last.At, last.By // when it began
		}
		last = &d
	}
	if last != nil && last.Expired(k.now()) {
		ended()
	}
	return out
}
