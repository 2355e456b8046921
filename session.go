package seshat

import (
	"net/netip"
	"time"
)

// State is the state of a session.
type State string

// The states of a session. Active and idle are a matter of when one asks; the others are final.
const (
	StateActive  State = "active"  // seen within its idle time
	StateIdle    State = "idle"    // not seen for a while, and not ended
	StateEnded   State = "ended"   // by logout, by another user's login, or by idleness
	StateExpired State = "expired" // by the expiry of its client session IDs
	StateRevoked State = "revoked" // by a person or an engine
)

// EndReason says why a session ended.
type EndReason string

// The reasons for the end of a session. The empty reason means that it has not ended.
const (
	EndNone       EndReason = ""
	EndLogout     EndReason = "logout"
	EndUserSwitch EndReason = "user-switch"
	EndExpiry     EndReason = "expiry"
	EndIdle       EndReason = "idle"
	EndLifetime   EndReason = "lifetime" // the rule's absolute lifetime
	EndRefused    EndReason = "refused"  // its refresh was refused
	EndRevoked    EndReason = "revoked"
)

// Evidence says why a client session ID belongs to a session.
type Evidence string

// The kinds of evidence, strongest first.
const (
	EvidenceFirst       Evidence = "first"        // the session started with it
	EvidenceRotation    Evidence = "rotation"     // request carried the old, response set the new under the same name
	EvidenceRefresh     Evidence = "refresh"      // response to a request that carried the old one
	EvidenceIssued      Evidence = "issued"       // response to a request of the session
	EvidenceSharedClaim Evidence = "shared-claim" // two tokens of one issuer share "sid"
	EvidencePresented   Evidence = "presented"    // sent together with an ID of the session
	EvidenceDevice      Evidence = "device"       // inferred: exchange without an ID from the session's only device
	EvidenceTakeover    Evidence = "takeover"     // inferred: same subject and device, one token after the other
)

// Link is one step of a session's lineage: a client session ID joined the session.
type Link struct {
	Session  SessionID
	From     Digest // the ID that the evidence starts from; zero for the first ID
	To       Digest
	Masked   string // of To
	Kind     IDKind // of To
	Name     string // the rule or built-in identifier that found To
	Evidence Evidence
	Score    float64 // 1 for certain evidence, below 1 where it is inferred
	Time     time.Time
	Exchange ExchangeKey
	// ExpiresAt is when To lapses; zero when it is not known.
	ExpiresAt time.Time
}

// EventType is the type of a session event, after the OpenTelemetry session conventions.
type EventType string

// The session events.
const (
	EventStart EventType = "session.start"
	EventEnd   EventType = "session.end"
)

// Event is the start or the end of a session.
type Event struct {
	Type     EventType
	Time     time.Time
	Session  SessionID
	Previous SessionID
	Reason   EndReason // of an end
}

// SessionFacts are what correlation knows of a session beyond what its exchanges add up to. The newest facts of a
// session replace the ones before.
type SessionFacts struct {
	ID       SessionID
	Previous SessionID // the session before it in the same cookie jar; zero when there is none
	// MergedInto is the session that this one turned out to belong to; zero for a session that stands for itself.
	// Rows are not rewritten: readers resolve.
	MergedInto SessionID
	Version    uint64 // grows with every change
	User       string
	Roles      []string
	Started    time.Time
	// EndedAt and EndedBy are set once the session has ended.
	EndedAt time.Time
	EndedBy EndReason
	// ExpiresAt is when the last of its client session IDs lapses; zero when that is not known.
	ExpiresAt time.Time
	// IdleTimeout is after how long without an exchange the session counts as idle.
	IdleTimeout  time.Duration
	IdentifiedBy string // rule, built-in identifier or "ip+user-agent", "ip"
	Origin       Origin
	Confidence   float64 // 0 to 1
}

// Session is a session as it is read: its facts, and what its exchanges add up to.
type Session struct {
	ID               SessionID   `json:"session_id"`
	Previous         SessionID   `json:"previous_session_id"`
	State            State       `json:"state"`
	User             string      `json:"user"`
	Roles            []string    `json:"roles"`
	IdentifiedBy     string      `json:"identified_by"`
	Confidence       float64     `json:"confidence"`
	Environment      string      `json:"environment"`
	Services         []string    `json:"services"`
	FirstSeen        time.Time   `json:"first_seen"`
	LastSeen         time.Time   `json:"last_seen"`
	EndedBy          EndReason   `json:"ended_by"`
	EndedAt          *time.Time  `json:"ended_at"`
	ExpiresAt        *time.Time  `json:"expires_at"`
	Exchanges        int64       `json:"exchanges"`
	Errors           int64       `json:"errors"`  // exchanges with a status of 400 or more
	Refused          int64       `json:"refused"` // exchanges that were answered in place of the origin: limited or blocked
	Endpoints        []string    `json:"endpoints"`
	IPs              []string    `json:"ips"`
	UserAgents       []string    `json:"user_agents"`
	ClientSessionIDs []string    `json:"client_session_ids"` // masked
	Flows            []FlowShare `json:"flows"`
}

// FlowShare is how many of a session's exchanges belong to a flow.
type FlowShare struct {
	Name      string  `json:"name"`
	Exchanges int64   `json:"exchanges"`
	Share     float64 `json:"share"` // of the session's exchanges, 0 to 1
}

// Assigned is an observation with the session that correlation gave it.
type Assigned struct {
	*Observation
	Session SessionID
}

// Device is what tells one client from another when it shows no ID.
type Device struct {
	IP        netip.Addr
	UserAgent string
	JA4       string
}
