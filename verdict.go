package seshat

import "time"

// Action is what Seshat does with a request.
type Action uint8

// The actions, the mildest first. Of several that apply, the severest counts.
const (
	ActionAllow Action = iota // passed on
	ActionTag                 // passed on, and marked
	ActionLimit               // refused for a while: 429
	ActionBlock               // refused: 403, or 401 where signing in again helps
)

var actionNames = [...]string{"allow", "tag", "limit", "block"}

func (a Action) String() string {
	if int(a) < len(actionNames) {
		return actionNames[a]
	}
	return "unknown"
}

// Refuses reports whether the request does not reach the origin.
func (a Action) Refuses() bool { return a >= ActionLimit }

// Verdict is what was decided on a request.
type Verdict struct {
	Action Action
	// Status is what is answered in place of the origin; 0 when the request is passed on.
	Status int
	// By names what decided, such as "Limit/login", "JWTValidation/shop" or "Denylist/alice"; empty for allow.
	By string
	// Reason says in a few words why, such as "over 10 in 1m" or "the session was revoked". It holds no secret and may
	// be shown to the client.
	Reason string
	// RetryAfter is when trying again may help; 0 when it will not.
	RetryAfter time.Duration
	// Tags name, as By does, everything that would have acted if it were not set to tag only.
	Tags []string
}

// Denial is an entry of the denylist: what it names is refused. Exactly one of Session, ClientSessionID, User and
// IssuedBefore is set, but that IssuedBefore may go together with User or Issuer and then speaks of theirs only.
type Denial struct {
	// Name identifies the entry: a lower-case DNS label, derived from what is denied unless somebody chose one.
	Name            string    `json:"name"`
	Session         SessionID `json:"session_id,omitzero"`
	ClientSessionID Digest    `json:"client_session_id,omitzero"` // the keyed digest, in hexadecimal
	User            string    `json:"user,omitempty"`
	// IssuedBefore refuses tokens whose "iat" is before it, and sessions that started before it.
	IssuedBefore time.Time `json:"issued_before,omitzero"`
	Issuer       string    `json:"issuer,omitempty"` // the "iss" of the tokens that IssuedBefore speaks of
	// Status is what is answered: 401, which asks to sign in again, or 403.
	Status int       `json:"status"`
	Reason string    `json:"reason,omitempty"` // for the people who look at the list
	By     string    `json:"by"`
	At     time.Time `json:"at"`
	Until  time.Time `json:"until,omitzero"` // zero is for good
	// TakenBackBy and TakenBackAt say who took the entry off the list and when. It has no effect from then on.
	TakenBackBy string    `json:"taken_back_by,omitempty"`
	TakenBackAt time.Time `json:"taken_back_at,omitzero"`
}

// Expired reports whether the entry has no effect any more.
func (d *Denial) Expired(now time.Time) bool {
	return !d.TakenBackAt.IsZero() || !d.Until.IsZero() && !now.Before(d.Until)
}
