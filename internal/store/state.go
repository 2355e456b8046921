package store

import (
	"time"

	"github.com/seshat-project/seshat"
)

// StateOf is the state of a session at a time, by its facts and by when it was last seen.
//
// An end that has a reason says it all, once its time has come: revoked and expired are states of their own, any
// other reason is an end. A session that nobody ended has expired once the last of its client session IDs lapsed,
// unless it was seen after that, which shows that something still held. Otherwise it is idle when it was not seen
// for longer than its idle timeout, and active.
func StateOf(facts *seshat.SessionFacts, lastSeen, now time.Time) seshat.State {
	if facts.EndedBy != seshat.EndNone && !facts.EndedAt.After(now) {
		switch facts.EndedBy {
		case seshat.EndRevoked:
			return seshat.StateRevoked
		case seshat.EndExpiry:
			return seshat.StateExpired
		default:
			return seshat.StateEnded
		}
	}
	if !facts.ExpiresAt.IsZero() && !facts.ExpiresAt.After(now) && lastSeen.Before(facts.ExpiresAt) {
		return seshat.StateExpired
	}
	if now.Sub(lastSeen) > idleTimeout(facts) {
		return seshat.StateIdle
	}
	return seshat.StateActive
}

// DefaultIdleTimeout is after how long without an exchange a session counts as idle when its facts do not say: the
// usual idle timeout of web sessions, and of sessions that are known by address and user agent.
const DefaultIdleTimeout = 30 * time.Minute

func idleTimeout(facts *seshat.SessionFacts) time.Duration {
	if facts.IdleTimeout > 0 {
		return facts.IdleTimeout
	}
	return DefaultIdleTimeout
}
