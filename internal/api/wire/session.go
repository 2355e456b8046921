package wire

import (
	"cmp"
	"fmt"
	"strconv"
	"time"

	"github.com/seshat-project/seshat"
)

// Session is a session with what is denied of it.
type Session struct {
	seshat.Session
	// Denials are the entries of the denylist that a revoked session is refused by.
	Denials []seshat.Denial `json:"denials,omitempty" doc:"The entries of the denylist that refuse it."`
	// PastDenials are those that did, and were taken back or have lapsed. Lists do not have them.
	PastDenials []seshat.Denial `json:"past_denials,omitempty" doc:"Of one session: the entries of the last 90 days that refused it, and were taken back or have lapsed."`
}

// Link is one step of a session's lineage: a client session ID joined the session.
type Link struct {
	SessionID  string          `json:"session_id" doc:"The session that the step was made in; it may have been merged since."`
	From       seshat.Digest   `json:"from,omitzero" doc:"Digest of the ID that the evidence starts from; absent for the first."`
	To         seshat.Digest   `json:"to,omitzero" doc:"Digest of the ID that joined."`
	Masked     string          `json:"masked" doc:"The ID that joined, as it may be shown."`
	Kind       string          `json:"kind" enum:"session,accessToken,refreshToken,authorizationCode,apiKey,claim,transaction,userAgent,address"`
	Name       string          `json:"name" doc:"The rule or built-in identifier that found it."`
	Evidence   seshat.Evidence `json:"evidence" enum:"first,rotation,refresh,issued,shared-claim,presented,device,takeover"`
	Score      float64         `json:"score" doc:"1 for certain evidence, below 1 where it is inferred."`
	Time       time.Time       `json:"time"`
	ExchangeID string          `json:"exchange" doc:"Key of the exchange that linked it."`
	ExpiresAt  time.Time       `json:"expires_at,omitzero"`
}

// NewLink returns l as it goes over the wire.
func NewLink(l *seshat.Link) Link {
	return Link{
		SessionID: l.Session.String(), From: l.From, To: l.To, Masked: l.Masked, Kind: l.Kind.String(), Name: l.Name,
		Evidence: l.Evidence, Score: l.Score, Time: l.Time, ExchangeID: KeyText(l.Exchange), ExpiresAt: l.ExpiresAt,
	}
}

// Link is the link that l was made of.
func (l *Link) Link() (seshat.Link, error) {
	session, err := seshat.ParseSessionID(l.SessionID)
	if err != nil {
		return seshat.Link{}, fmt.Errorf("session %q: %w", l.SessionID, err)
	}
	key, err := strconv.ParseUint(l.ExchangeID, 16, 64)
	if err != nil {
		return seshat.Link{}, fmt.Errorf("the key of an exchange: %w", err)
	}
	return seshat.Link{
		Session: session, From: l.From, To: l.To, Masked: l.Masked, Kind: idKind(l.Kind), Name: l.Name, Evidence: l.Evidence,
		Score: l.Score, Time: l.Time, Exchange: seshat.ExchangeKey(key), ExpiresAt: l.ExpiresAt,
	}, nil
}

// SessionOrders are what sessions can be ordered by.
func SessionOrders() []string {
	return []string{"last_seen", "first_seen", "exchanges", "errors", "duration", "confidence", "user", "addresses", "user_agents"}
}

// CompareSessions orders sessions by one field: the greatest first, but users by the alphabet and those without one
// last. What is equal is ordered by last seen and then by ID, the greatest first. Of addresses and user agents those count
// that sessions list.
func CompareSessions(field string, x, y *seshat.Session) int {
	return cmp.Or(compareField(field, x, y), y.LastSeen.Compare(x.LastSeen), cmp.Compare(y.ID.String(), x.ID.String()))
}

func compareField(field string, x, y *seshat.Session) int {
	switch field {
	case "first_seen":
		return y.FirstSeen.Compare(x.FirstSeen)
	case "exchanges":
		return cmp.Compare(y.Exchanges, x.Exchanges)
	case "errors":
		return cmp.Compare(y.Errors, x.Errors)
	case "duration":
		return cmp.Compare(y.LastSeen.Sub(y.FirstSeen), x.LastSeen.Sub(x.FirstSeen))
	case "confidence":
		return cmp.Compare(y.Confidence, x.Confidence)
	case "addresses":
		return cmp.Compare(len(y.IPs), len(x.IPs))
	case "user_agents":
		return cmp.Compare(len(y.UserAgents), len(x.UserAgents))
	case "user":
		if (x.User == "") != (y.User == "") {
			return len(y.User) - len(x.User)
		}
		return cmp.Compare(x.User, y.User)
	default: // last seen, which decides anyway
		return 0
	}
}

// Span is the extent of what is stored.
type Span struct {
	First     time.Time `json:"first,omitzero" doc:"Time of the oldest exchange."`
	Last      time.Time `json:"last,omitzero" doc:"Time of the newest exchange."`
	Exchanges int64     `json:"exchanges"`
}
