package wire

import "time"

// Limits are the limits and the validations of tokens, with what they did.
type Limits struct {
	Now   time.Time `json:"now"`
	Since time.Time `json:"since" doc:"When counting began: nothing before it is known."`
	Items []Limit   `json:"items" nullable:"false" doc:"Limits first, then validations, by name."`
	// Denylist needs the permission to read it.
	Denylist []Acted `json:"denylist,omitempty" doc:"Entries of the denylist that acted, also those that are gone. Needs the permission denylist:read."`
}

// Limit is a limit or a validation of tokens, with what it did.
type Limit struct {
	Kind    string `json:"kind" enum:"Limit,JWTValidation"`
	Name    string `json:"name"`
	Enabled bool   `json:"enabled"`
	Action  string `json:"action" enum:"tag,limit,block"`
	TagOnly bool   `json:"tag_only" doc:"It only counts what it would have refused: its action is tag."`

	Count     int      `json:"count,omitempty" doc:"Of a limit: so many requests in a window."`
	WindowMS  float64  `json:"window_ms,omitempty"`
	ForMS     float64  `json:"for_ms,omitempty" doc:"Of a limit: how long a key is refused once it went over."`
	Key       []string `json:"key,omitempty" doc:"Of a limit: what is counted apart."`
	Endpoints []string `json:"endpoints,omitempty"`

	Revision  uint64    `json:"revision"`
	ChangedBy string    `json:"changed_by"`
	ChangedAt time.Time `json:"changed_at,omitzero"`

	Here *Judged `json:"here,omitempty" doc:"What it judged in this process, since it is in force; absent where no traffic passes."`
	Acted
}

// Judged is what a rule decided in one process.
type Judged struct {
	Requests  int64 `json:"requests" doc:"That it judged."`
	Allowed   int64 `json:"allowed"`
	Tagged    int64 `json:"tagged"`
	Refused   int64 `json:"refused"`
	Untracked int64 `json:"untracked,omitempty" doc:"That could not be counted since the table of keys was full of others."`
}

// Acted is what a rule did in all gateways, by the exchanges that were stored since counting began.
type Acted struct {
	By        string        `json:"by" doc:"As in the verdict of an exchange, such as Limit/login."`
	Tagged    int64         `json:"tagged"`
	Limited   int64         `json:"limited"`
	Blocked   int64         `json:"blocked"`
	LastActed time.Time     `json:"last_acted,omitzero"`
	Minutes   *ActedMinutes `json:"minutes,omitempty" doc:"The last hour; absent when it did not act at all."`
	On        []ActedOn     `json:"on,omitempty" doc:"The sessions that it acted on last, at most 8, the last one first. Needs the permission sessions:read."`
}

// ActedMinutes is what a rule did by minute, in columns. The last element is not complete.
type ActedMinutes struct {
	From    time.Time `json:"from" doc:"When the first one begins."`
	Tagged  []int64   `json:"tagged" nullable:"false"`
	Limited []int64   `json:"limited" nullable:"false"`
	Blocked []int64   `json:"blocked" nullable:"false"`
}

// ActedOn is a session that a rule acted on.
type ActedOn struct {
	SessionID string    `json:"session_id"`
	User      string    `json:"user,omitempty" doc:"That an exchange named."`
	IP        string    `json:"ip,omitempty" doc:"The last one."`
	Action    string    `json:"action" enum:"tag,limit,block"`
	Times     int64     `json:"times" doc:"While it was among the last."`
	Last      time.Time `json:"last"`
}
