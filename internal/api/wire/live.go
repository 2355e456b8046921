package wire

import (
	"encoding/json"
	"net/netip"
	"time"
)

// EventStream is the media type of server-sent events.
const EventStream = "text/event-stream"

// The events of streams. As server-sent events they have the type as their event, the position as their id and the value as
// their data; with Accept: application/x-ndjson each is a [StreamEvent] on a line of its own.
const (
	// EventReady says that what was there before has been sent, and from which position on what comes is sent.
	EventReady = "ready"
	// EventExchange is an [Exchange] that was stored.
	EventExchange = "exchange"
	// EventDropped is a [Dropped]: some were left out.
	EventDropped = "dropped"
	// EventRates is a [Rates] with the newest elements of the series, once a second.
	EventRates = "rates"
	// EventHealth is a [Health], every five seconds.
	EventHealth = "health"
	// EventHeartbeat says nothing: the connection lives. Server-sent events have a comment for it.
	EventHeartbeat = "heartbeat"
	// EventEnd is an [End]: the server ends the stream.
	EventEnd = "end"
)

// StreamEvent is an event of a stream as a line.
type StreamEvent struct {
	Event string          `json:"event" enum:"ready,exchange,dropped,rates,health,heartbeat,end"`
	ID    string          `json:"id,omitempty" doc:"The position behind it: give it as after, or as the field Last-Event-ID, to go on from there."`
	Data  json.RawMessage `json:"data,omitempty" doc:"By the event: an Exchange, Dropped, Rates, Health or End."`
}

// Ready says from where on a stream goes.
type Ready struct {
	Position string `json:"position" doc:"Where it goes on from."`
	Sent     int    `json:"sent" doc:"How many exchanges came before."`
}

// The reasons why exchanges are left out.
const (
	DroppedSlow      = "slow"      // the reader was slower than they came
	DroppedRate      = "rate"      // more came in a second than were asked for
	DroppedGone      = "gone"      // they are not kept for so long as the connection was gone
	DroppedRestarted = "restarted" // the instance has been started again, and does not know how many
)

// Dropped says that exchanges were left out.
type Dropped struct {
	Count  int64  `json:"count" doc:"How many; except of rate, whatever the filter says of them. 0 when it is not known."`
	Reason string `json:"reason" enum:"slow,rate,gone,restarted"`
}

// The reasons for the end of a stream.
const (
	EndShutdown  = "shutdown"   // the instance ends
	EndSignedOut = "signed-out" // who asked may not read it any more
)

// End says why the server ends a stream.
type End struct {
	Reason string `json:"reason" enum:"shutdown,signed-out"`
}

// Rates are what the last quarter of an hour adds up to, of the traffic of all gateways: by when requests started. The last
// three seconds are not complete.
type Rates struct {
	Now      time.Time `json:"now"`
	Since    time.Time `json:"since" doc:"When counting began: nothing before it is known."`
	Position string    `json:"position" doc:"Of the tail: what comes after it is not counted yet."`
	Total    int64     `json:"total" doc:"Exchanges stored since then, with those that were imported."`
	Missed   int64     `json:"missed,omitempty" doc:"Of them, those that were not counted since too many came at once."`

	Current Current `json:"current" doc:"The last complete seconds."`
	Window  Counts  `json:"window" doc:"The quarter of an hour."`
	Latency Latency `json:"latency" doc:"The last minute."`

	Series    Series       `json:"series"`
	Latencies LatencyTable `json:"latencies"`

	Verdicts []RecentVerdict `json:"verdicts" nullable:"false" doc:"The last that were not simply to let pass, the newest first."`
}

// Current is how much comes in a second now.
type Current struct {
	Seconds   int     `json:"seconds" doc:"Of how many seconds it is the mean."`
	Exchanges float64 `json:"exchanges_per_second"`
	Errors    float64 `json:"errors_per_second" doc:"With a status of 400 or more."`
	Failures  float64 `json:"failures_per_second" doc:"With a status of 500 or more."`
	Refused   float64 `json:"refused_per_second" doc:"Limited or blocked."`
}

// Counts are what exchanges add up to.
type Counts struct {
	Exchanges       int64        `json:"exchanges"`
	Status          StatusCounts `json:"status"`
	Actions         ActionCounts `json:"verdicts"`
	Origins         OriginCounts `json:"origins"`
	SessionsStarted int64        `json:"sessions_started"`
	SessionsEnded   int64        `json:"sessions_ended"`
}

// StatusCounts are counts by class of status.
type StatusCounts struct {
	None          int64 `json:"none" doc:"No response was seen."`
	Informational int64 `json:"1xx"`
	Successful    int64 `json:"2xx"`
	Redirection   int64 `json:"3xx"`
	ClientError   int64 `json:"4xx"`
	ServerError   int64 `json:"5xx"`
}

// ActionCounts are counts by what was decided.
type ActionCounts struct {
	Allow int64 `json:"allow"`
	Tag   int64 `json:"tag"`
	Limit int64 `json:"limit"`
	Block int64 `json:"block"`
}

// OriginCounts are counts by what identified the session.
type OriginCounts struct {
	Rule     int64 `json:"rule"`
	BuiltIn  int64 `json:"built_in"`
	Fallback int64 `json:"fallback"`
}

// Latency is how long exchanges took, right to 6 %.
type Latency struct {
	Exchanges int64   `json:"exchanges" doc:"That have a duration."`
	P50       float64 `json:"p50_ms,omitempty"`
	P90       float64 `json:"p90_ms,omitempty"`
	P99       float64 `json:"p99_ms,omitempty"`
}

// Series are counts by stretches of time of equal length, in columns. The last element is not complete.
type Series struct {
	From            time.Time    `json:"from" doc:"When the first one begins."`
	StepSeconds     int          `json:"step_seconds"`
	Exchanges       []int64      `json:"exchanges" nullable:"false"`
	Status          StatusSeries `json:"status"`
	Actions         ActionSeries `json:"verdicts"`
	Origins         OriginSeries `json:"origins"`
	SessionsStarted []int64      `json:"sessions_started" nullable:"false"`
	SessionsEnded   []int64      `json:"sessions_ended" nullable:"false"`
}

// StatusSeries are [StatusCounts] in columns.
type StatusSeries struct {
	None          []int64 `json:"none" nullable:"false"`
	Informational []int64 `json:"1xx" nullable:"false"`
	Successful    []int64 `json:"2xx" nullable:"false"`
	Redirection   []int64 `json:"3xx" nullable:"false"`
	ClientError   []int64 `json:"4xx" nullable:"false"`
	ServerError   []int64 `json:"5xx" nullable:"false"`
}

// ActionSeries are [ActionCounts] in columns.
type ActionSeries struct {
	Allow []int64 `json:"allow" nullable:"false"`
	Tag   []int64 `json:"tag" nullable:"false"`
	Limit []int64 `json:"limit" nullable:"false"`
	Block []int64 `json:"block" nullable:"false"`
}

// OriginSeries are [OriginCounts] in columns.
type OriginSeries struct {
	Rule     []int64 `json:"rule" nullable:"false"`
	BuiltIn  []int64 `json:"built_in" nullable:"false"`
	Fallback []int64 `json:"fallback" nullable:"false"`
}

// LatencyTable are [Latency] in columns; 0 where nothing came.
type LatencyTable struct {
	From        time.Time `json:"from"`
	StepSeconds int       `json:"step_seconds" doc:"At least 10."`
	Exchanges   []int64   `json:"exchanges" nullable:"false"`
	P50         []float64 `json:"p50_ms" nullable:"false"`
	P90         []float64 `json:"p90_ms" nullable:"false"`
	P99         []float64 `json:"p99_ms" nullable:"false"`
}

// RecentVerdict is an exchange on which something acted, or would have: the last one of those that the same was decided on and
// that are of one session, or come from one address.
type RecentVerdict struct {
	// Count is how many there were, and Since when the first one was. Several says that they are of more than one session.
	Count     int64      `json:"count" doc:"How many there were from the same source, until a quarter of an hour passes without one."`
	Since     time.Time  `json:"since" doc:"When the first of them was."`
	Several   bool       `json:"several_sessions,omitempty" doc:"They are of more than one session, and come from one address."`
	Time      time.Time  `json:"time"`
	Key       string     `json:"key" doc:"Of the exchange."`
	SessionID string     `json:"session_id"`
	User      string     `json:"user,omitempty" doc:"That the exchange itself names."`
	IP        netip.Addr `json:"ip,omitzero"`
	Endpoint  string     `json:"endpoint"`
	Status    int        `json:"status,omitempty"`
	Verdict
}

// Health is how the instance is, and how many sessions there are now.
type Health struct {
	Status   Status         `json:"status"`
	Sessions ActiveSessions `json:"sessions"`
}

// ActiveSessions is how many sessions are active: seen within their idle time, and not ended.
type ActiveSessions struct {
	Active int64 `json:"active"`
	// Fallback is how many of them are known by their address only: who makes up session IDs, or has none, has many.
	Fallback int64 `json:"fallback" doc:"How many of them are known by their address, or that and the user agent, only."`
	// Once is how many of them, identified or not, have a single exchange: scanners that make up an ID for each request have many.
	Once int64 `json:"once" doc:"How many of them have one exchange only."`
	// Known is false when the store did not say in time.
	Known bool `json:"known"`
}
