package wire

import (
	"time"

	"github.com/seshat-project/seshat"
)

// Timeline is a session over time: how many exchanges when, of which flows, from which devices, and what happened.
type Timeline struct {
	Since time.Time `json:"since" doc:"Beginning of the first bucket."`
	Until time.Time `json:"until" doc:"End of the last bucket."`
	// WidthMS is how long each bucket is.
	WidthMS   float64         `json:"width_ms" doc:"How long a bucket is."`
	Exchanges int64           `json:"exchanges" doc:"How many exchanges the buckets have."`
	Buckets   []TimelineCount `json:"buckets" nullable:"false"`
	Flows     []TimelineFlow  `json:"flows" nullable:"false" doc:"The most frequent first."`
	// Devices and Moments are of the whole session, whatever time the buckets are of.
	Devices     []TimelineDevice `json:"devices" nullable:"false" doc:"Of the whole session, in the order in which they were first seen."`
	MoreDevices int64            `json:"more_devices,omitempty" doc:"Exchanges of devices that are left out."`
	Moments     []Moment         `json:"moments" nullable:"false" doc:"What happened in the whole session, oldest first."`
	MoreMoments int64            `json:"more_moments,omitempty" doc:"How many are left out."`
	// Partial says that the session has more exchanges than are looked at for devices and moments.
	Partial bool `json:"partial,omitempty" doc:"The session has more exchanges than are looked at for devices and moments: what is there is of the oldest."`
}

// TimelineCount is the exchanges of one bucket.
type TimelineCount struct {
	Start        time.Time `json:"start"`
	OK           int64     `json:"ok" doc:"Status 1xx and 2xx."`
	Redirects    int64     `json:"redirects"`
	ClientErrors int64     `json:"client_errors"`
	ServerErrors int64     `json:"server_errors"`
	None         int64     `json:"none" doc:"Without a response that was seen."`
	Refused      int64     `json:"refused" doc:"Limited or blocked; among the others."`
}

// Total is how many exchanges there are.
func (c *TimelineCount) Total() int64 {
	return c.OK + c.Redirects + c.ClientErrors + c.ServerErrors + c.None
}

// TimelineFlow is a flow over time.
type TimelineFlow struct {
	Name      string  `json:"name"`
	Exchanges int64   `json:"exchanges"`
	Counts    []int64 `json:"counts" nullable:"false" doc:"One for each bucket."`
}

// TimelineDevice is an address, a user agent and a TLS fingerprint that were seen together.
type TimelineDevice struct {
	IP        string    `json:"ip,omitempty"`
	UserAgent string    `json:"user_agent,omitempty"`
	JA4       string    `json:"ja4,omitempty"`
	Exchanges int64     `json:"exchanges"`
	First     time.Time `json:"first"`
	Last      time.Time `json:"last"`
}

// MomentKind is what kind of thing happened.
type MomentKind string

// The kinds of moments.
const (
	MomentStart          MomentKind = "start"
	MomentSignIn         MomentKind = "sign-in"
	MomentSignInRefused  MomentKind = "sign-in-refused"
	MomentRegistration   MomentKind = "registration"
	MomentSignOut        MomentKind = "sign-out"
	MomentRefresh        MomentKind = "refresh"
	MomentRefreshRefused MomentKind = "refresh-refused"
	MomentRotation       MomentKind = "rotation"
	MomentIssued         MomentKind = "issued"
	MomentJoined         MomentKind = "joined"
	MomentAddress        MomentKind = "address"
	MomentUserAgent      MomentKind = "user-agent"
	MomentJA4            MomentKind = "ja4"
	MomentTagged         MomentKind = "tagged"
	MomentRefused        MomentKind = "refused"
	MomentDenied         MomentKind = "denied"
	MomentReadmitted     MomentKind = "readmitted" // a revocation was taken back, or its time was over
	MomentExpired        MomentKind = "expired"
	MomentEnd            MomentKind = "end"
)

// Moment is something that happened in a session. Things of one kind in a row are one moment.
type Moment struct {
	Kind     MomentKind      `json:"kind" enum:"start,sign-in,sign-in-refused,registration,sign-out,refresh,refresh-refused,rotation,issued,joined,address,user-agent,ja4,tagged,refused,denied,readmitted,expired,end"`
	Time     time.Time       `json:"time"`
	Until    time.Time       `json:"until,omitzero" doc:"When the last one was, of several."`
	Count    int64           `json:"count" doc:"How many exchanges it is."`
	Exchange string          `json:"exchange,omitempty" doc:"Key of the exchange, or of the first one."`
	User     string          `json:"user,omitempty" doc:"Who signed in."`
	From     string          `json:"from,omitempty" doc:"What was before: of a change."`
	To       string          `json:"to,omitempty" doc:"What is new: an address, a user agent, a TLS fingerprint."`
	Name     string          `json:"name,omitempty" doc:"The identifier that found a new client session ID."`
	By       string          `json:"by,omitempty" doc:"What or who decided."`
	Reason   string          `json:"reason,omitempty"`
	Evidence seshat.Evidence `json:"evidence,omitempty"`
	Score    float64         `json:"score,omitempty" doc:"Of an inferred link."`
}
