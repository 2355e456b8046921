package journal

import (
	"context"
	"errors"
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

// Bus carries small messages between the processes of a fleet. It is lossy: who is not there, or slow, misses them. All
// methods may be called at the same time.
type Bus interface {
	// Publish sends data to all other members and does not wait. The bus does not keep data.
	Publish(data []byte) error
	// Subscribe calls f with what the others send, one message at a time, until stop is called. Data may not be kept.
	Subscribe(f func(data []byte)) (stop func(), err error)
	Close() error
}
