package wire

import "time"

// The states of a part of an instance, and of the whole.
const (
	StateOK       = "ok"
	StateDegraded = "degraded" // it works, and something is lost or late
	StateFailing  = "failing"  // it does not work
)

// Status is how a running instance is.
type Status struct {
	State   string    `json:"state" enum:"ok,degraded,failing"`
	Version string    `json:"version"`
	PID     int       `json:"pid,omitempty"`
	Started time.Time `json:"started,omitzero"`
	Checks  []Check   `json:"checks" nullable:"false" doc:"The state of each part."`

	Gateway  *GatewayStatus  `json:"gateway,omitempty" doc:"Absent where no traffic passes."`
	Journal  *JournalStatus  `json:"journal,omitempty"`
	Recorder *RecorderStatus `json:"recorder,omitempty" doc:"Absent where another process records."`
	Store    StoreStatus     `json:"store"`
}

// Check is the state of one part.
type Check struct {
	Name   string `json:"name"`
	State  string `json:"state" enum:"ok,degraded,failing"`
	Detail string `json:"detail,omitempty"`
}

// GatewayStatus is what the sources of live traffic have seen since the start.
type GatewayStatus struct {
	Addresses []string `json:"addresses,omitempty" doc:"Where traffic is taken."`
	Exchanges int64    `json:"exchanges"`
	Refused   int64    `json:"refused" doc:"Requests that were limited or blocked."`
}

// JournalStatus is the state of the journal.
type JournalStatus struct {
	Kind    string `json:"kind" enum:"embedded,cluster"`
	Queued  int64  `json:"queued" doc:"Exchanges that wait to be written to it."`
	Dropped int64  `json:"dropped" doc:"Exchanges that it did not take since the start."`
	Batches int64  `json:"batches" doc:"Batches in it."`
	Bytes   int64  `json:"bytes,omitempty" doc:"What it takes on disk, with resources and the denylist; of an embedded one."`
}

// RecorderStatus is how far behind the recorder is.
type RecorderStatus struct {
	Pending    int64   `json:"pending" doc:"Batches of the journal that are not stored yet."`
	LagSeconds float64 `json:"lag_seconds" doc:"Age of the oldest of them."`
	Stored     int64   `json:"stored" doc:"Exchanges stored since the start."`
}

// StoreStatus is the state of the store.
type StoreStatus struct {
	Span
	Bytes int64 `json:"bytes,omitempty" doc:"What it takes on disk."`
	// FreeBytes is of the disk that the data directory is on.
	FreeBytes        int64   `json:"free_bytes,omitempty" doc:"What is left of the disk; absent when that is not known."`
	RetentionSeconds float64 `json:"retention_seconds,omitempty" doc:"How long exchanges are kept from when they were stored; days are dropped whole."`
}

// Key is a key of digests, without what is secret of it.
type Key struct {
	ID      string    `json:"id"`
	Created time.Time `json:"created"`
	Current bool      `json:"current"`
}
