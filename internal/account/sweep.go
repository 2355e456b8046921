package account

import (
	"context"
	"errors"
	"maps"
	"time"

	"github.com/seshat-project/seshat/internal/kv"
	"github.com/seshat-project/seshat/internal/kv/mirror"
)

// flushUses writes down the last uses of sessions and tokens whose written ones are at least so old. What has changed
// meanwhile, or is gone, stays as it is.
func (k *Keeper) flushUses(ctx context.Context, age time.Duration) {
	k.uses.mu.Lock()
	sessions, tokens := maps.Clone(k.uses.sessions), maps.Clone(k.uses.tokens)
	k.uses.mu.Unlock()
	flush(sessions, k.sessions, k.uses.forgetSession, age, func(r *sessionRecord) time.Time { return r.LastUsed }, func(key string, item mirror.Item[*sessionRecord], at time.Time) error {
		r := *item.Value
		r.LastUsed = at.UTC()
		_, err := k.sessions.Put(ctx, key, &r, item.Revision)
		return err
	})
	flush(tokens, k.tokens, k.uses.forgetToken, age, func(r *tokenRecord) time.Time { return r.LastUsed }, func(id string, item mirror.Item[*tokenRecord], at time.Time) error {
		r := *item.Value
		r.LastUsed = at.UTC()
		_, err := k.tokens.Put(ctx, id, &r, item.Revision)
		return err
	})
}

func flush[R any](uses map[string]time.Time, m *mirror.Mirror[R], forget func(string, time.Time), age time.Duration, last func(R) time.Time,
	write func(string, mirror.Item[R], time.Time) error,
) {
	for key, at := range uses {
		item, ok := m.Get(key)
		if ok {
			written := last(item.Value)
			if at.After(written) && at.Sub(written) < age {
				continue
			}
			if at.After(written) {
				if err := write(key, item, at); err != nil && !errors.Is(err, kv.ErrConflict) {
					return // the store is away; it is tried again
				}
			}
		}
		forget(key, at)
	}
}

// forgetSession forgets a use that was written down, unless there was another one since.
func (u *uses) forgetSession(key string, at time.Time) { u.forget(u.sessions, key, at) }

func (u *uses) forgetToken(key string, at time.Time) { u.forget(u.tokens, key, at) }

func (u *uses) forget(of map[string]time.Time, key string, at time.Time) {
	u.mu.Lock()
	defer u.mu.Unlock()
	if of[key].Equal(at) {
		delete(of, key)
	}
}

// forgetAge is how old a deletion is before its traces are removed from the store: other processes must have seen it.
const forgetAge = time.Hour

// sweep removes what has ended: sessions, links, tokens some time after, and what belonged to users who are gone. What
// cannot be removed has ended all the same, and is tried again.
func (k *Keeper) sweep(ctx context.Context) {
	now := k.now()
	for _, one := range k.keys(func(*sessionRecord) bool { return true }) {
		if k.holder(one.record) != nil && !one.session.over(now) {
			continue
		}
		if err := k.sessions.Delete(ctx, one.key, kv.Any); err != nil && !errors.Is(err, kv.ErrNotFound) {
			k.logger.WarnContext(ctx, "a session that has ended cannot be removed", "error", err)
			return
		}
	}
	for _, t := range k.Tokens("") {
		item, ok := k.tokens.Get(t.ID)
		if !ok {
			continue
		}
		user, ok := k.users.Get(t.User)
		orphan := !ok || user.Value.UID != item.Value.UID
		if !orphan && !t.over(now.Add(-keepToken)) {
			continue
		}
		if err := k.tokens.Delete(ctx, t.ID, kv.Any); err != nil && !errors.Is(err, kv.ErrNotFound) {
			k.logger.WarnContext(ctx, "a token that has ended cannot be removed", "error", err)
			return
		}
	}
	k.sweepLinks(ctx)
	if f, ok := k.store.(kv.Forgetter); ok {
		if err := f.Forget(ctx, forgetAge); err != nil {
			k.logger.WarnContext(ctx, "the traces of what was removed stay", "error", err)
		}
	}
}
