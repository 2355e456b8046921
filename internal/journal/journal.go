package journal

import (
	"context"
	"errors"
	"time"

	"github.com/seshat-project/seshat"
)

// Sequence numbers the entries of a log, upwards from 1.
type Sequence uint64

// ErrFull is returned when a log does not take more: its bound is reached, or its disk is full.
var ErrFull = errors.New("the journal is full")

// Log is an ordered, durable sequence of entries: the journal of batches of observations is one, and so are the notices of
// correlation. All methods may be called at the same time.
type Log interface {
	// Append adds an entry and returns once it survives kill -9. An entry whose id was appended within the last two
	// minutes is not added again. At most MaxEntry bytes; the log does not keep data.
	Append(ctx context.Context, id string, data []byte) (Sequence, error)
	// Read calls f for each entry after a sequence, in order, and waits for more, until ctx is done or f returns an
	// error, which it returns. Data may not be kept.
	Read(ctx context.Context, after Sequence, f func(sequence Sequence, data []byte) error) error
	// Last is the sequence of the newest entry; 0 when there never was one.
	Last(ctx context.Context) (Sequence, error)
	// Trim removes the entries up to and including a sequence: they are stored elsewhere.
	Trim(ctx context.Context, upTo Sequence) error
	Close() error
}

// MaxEntry is how many bytes an entry may have: NATS's default for a message is 1 MiB with its headers.
const MaxEntry = 1<<20 - 4<<10

// Batch is an entry of the journal.
type Batch struct {
	// Source is the process that saw the exchanges: an identifier that is new at every start.
	Source uint64
	// Watermark says that every exchange that this source appends later started at this time or after it. Zero says
	// nothing.
	Watermark    time.Time
	Observations []*seshat.Observation
	Revocations  []Revocation
}

// Revocation tells correlation that a session was ended by a person or an engine.
type Revocation struct {
	Session seshat.SessionID
	Time    time.Time
}
