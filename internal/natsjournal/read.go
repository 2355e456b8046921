package natsjournal

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/nats-io/nats.go/jetstream"

	"github.com/seshat-project/seshat/internal/journal"
)

const (
	// prefetched is how many bytes of entries wait on this side while the function of a reader works. The library counts
	// whole entries, so that it is at least one of the longest.
	prefetched = 4 << 20
	// heartbeat is how long the server may be silent before it counts as gone, twice over.
	heartbeat = 2 * time.Second
	// expiry is after how long a request for entries is made anew.
	expiry = 30 * time.Second
	// retryRead is the pause before reading goes on after the connection or the server failed.
	retryRead = 200 * time.Millisecond
)

// errStopped ends reading with what the function returned.
type errStopped struct{ error }

// Read implements [journal.Log]. It goes on exactly behind the last entry that f got, also when the connection breaks or
// the server is started again.
func (l *Log) Read(ctx context.Context, after journal.Sequence, f func(journal.Sequence, []byte) error) error {
	call, end, err := l.begin(ctx)
	if err != nil {
		return err
	}
	defer end()
	for {
		after, err = l.readFrom(call, after, f)
		var stopped errStopped
		switch {
		case errors.As(err, &stopped):
			return stopped.error
		case ctx.Err() != nil:
			return ctx.Err()
		case l.ctx.Err() != nil || l.conn.IsClosed():
			return ErrClosed
		}
		select {
		case <-time.After(retryRead):
		case <-call.Done():
		}
	}
}

// readFrom reads until something fails, and returns the last sequence that was delivered.
func (l *Log) readFrom(ctx context.Context, after journal.Sequence, f func(journal.Sequence, []byte) error) (journal.Sequence, error) {
	timed, cancel := withTimeout(ctx)
	consumer, err := l.js.OrderedConsumer(timed, l.options.Stream, jetstream.OrderedConsumerConfig{
		DeliverPolicy: jetstream.DeliverByStartSequencePolicy, OptStartSeq: uint64(after) + 1,
		MaxResetAttempts: 1, // this loop begins anew, and knows where
	})
	cancel()
	if err != nil {
		return after, fmt.Errorf("read: %w", err)
	}
	messages, err := consumer.Messages(jetstream.PullMaxBytes(prefetched), jetstream.PullExpiry(expiry), jetstream.PullHeartbeat(heartbeat))
	if err != nil {
		return after, fmt.Errorf("read: %w", err)
	}
	defer messages.Stop()
	defer context.AfterFunc(ctx, messages.Stop)()
	for {
		message, err := messages.Next()
		if err != nil {
			return after, err
		}
		meta, err := message.Metadata()
		if err != nil {
			return after, err
		}
		sequence := journal.Sequence(meta.Sequence.Stream)
		if sequence <= after {
			continue
		}
		if ctx.Err() != nil {
			return after, ctx.Err()
		}
		after = sequence
		if err := f(sequence, message.Data()); err != nil {
			return after, errStopped{err}
		}
	}
}
