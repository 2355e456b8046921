package node

import (
	"context"
	"fmt"
	"time"

	"github.com/seshat-project/seshat"
	"github.com/seshat-project/seshat/internal/denylist"
	"github.com/seshat-project/seshat/internal/filter"
	"github.com/seshat-project/seshat/internal/store"
)

// deny puts a denylist in force.
func (n *Node) deny(s *denylist.Snapshot) {
	for _, fault := range s.Faults {
		n.logger.Error("an entry of the denylist is not in force", "error", fault)
	}
	n.Enforcer.Deny(s.Denials)
}

// followRevocations puts every change of the denylist in force, and writes down in the journal, in the order of what
// happens, which sessions are revoked and which no longer are: because an entry was taken back, or because its time is over.
// To say it again, as after a start, changes nothing. Only the node that records does so.
func (n *Node) followRevocations(first *denylist.Snapshot, snapshots <-chan denylist.Snapshot) {
	lapse := time.NewTimer(n.tell(first.Denials))
	defer lapse.Stop()
	list := first.Denials
	for {
		select {
		case s, open := <-snapshots:
			if !open {
				return
			}
			n.deny(&s)
			list = s.Denials
		case <-lapse.C:
		}
		lapse.Reset(n.tell(list))
	}
}

// tell tells correlation what the list says of sessions where that has changed, and returns when to look again.
func (n *Node) tell(list []seshat.Denial) time.Duration {
	n.telling.Lock()
	defer n.telling.Unlock()
	now, next := n.options.Now(), time.Hour
	current := make(map[seshat.SessionID]time.Time, len(list))
	for i := range list {
		d := &list[i]
		if d.Session.IsZero() || d.Expired(now) {
			continue
		}
		if !d.Until.IsZero() {
			next = min(next, d.Until.Sub(now))
		}
		if at, ok := current[d.Session]; !ok || d.At.Before(at) {
			current[d.Session] = d.At
		}
	}
	for id, at := range n.revoked {
		if _, still := current[id]; !still {
			n.Publisher.Readmit(id, after(now, at))
		}
	}
	for id, at := range current {
		if _, said := n.revoked[id]; !said {
			n.Publisher.Revoke(id, at)
		}
	}
	n.revoked = current
	return next
}

// after is now, or just after a time that the clock of whoever revoked something was ahead by: what is taken back was done
// before.
func after(now, at time.Time) time.Time {
	if now.After(at) {
		return now
	}
	return at.Add(time.Microsecond)
}

// readmitForgotten tells correlation of revocations that were taken back, or have lapsed, while no node recorded.
func (n *Node) readmitForgotten(ctx context.Context) {
	last, err := n.journal.Last(ctx)
	if err == nil {
		err = n.Recorder.Wait(ctx, last) // it may tell of a revocation
	}
	if err == nil {
		err = n.readmitUnlisted(ctx)
	}
	if err != nil && ctx.Err() == nil {
		n.logger.Error("sessions whose revocation was taken back may be shown as revoked", "error", err)
	}
}

func (n *Node) readmitUnlisted(ctx context.Context) error {
	var found []seshat.Session
	q := store.Query{Now: n.options.Now(), Filter: &filter.Term{
		Field: filter.Sessions().Lookup("ended_by"),
		Tests: []filter.Test{{Op: filter.OpEqual, Value: filter.Value{Text: string(seshat.EndRevoked)}}},
	}}
	err := n.options.Store.Sessions(ctx, q, func(s *seshat.Session) bool {
		found = append(found, seshat.Session{ID: s.ID, EndedAt: s.EndedAt})
		return true
	})
	if err != nil || len(found) == 0 {
		return err
	}
	n.telling.Lock()
	defer n.telling.Unlock()
	revoked := make(map[seshat.SessionID]struct{}, len(n.revoked))
	for id := range n.revoked {
		revoked[id] = struct{}{}
	}
	for id := range n.revoked {
		// An entry may name a session that has become part of another.
		one, err := n.options.Store.Session(ctx, id)
		switch {
		case err == nil:
			revoked[one.ID] = struct{}{}
		case seshat.KindOfError(err) != seshat.ErrorNotFound:
			return fmt.Errorf("find what is revoked: %w", err)
		}
	}
	now := n.options.Now()
	for i := range found {
		if _, still := revoked[found[i].ID]; still {
			continue
		}
		at := now
		if ended := found[i].EndedAt; ended != nil {
			at = after(now, *ended)
		}
		n.Publisher.Readmit(found[i].ID, at)
	}
	return nil
}
