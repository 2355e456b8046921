package natsjournal

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"github.com/seshat-project/seshat/internal/journal"
)

const (
	// prefetched is how many bytes of entries are asked for at once. The library counts whole entries, so that it is at
	// least one of the longest.
	prefetched = 4 << 20
	// prefetchedEntries is how many they are at most. The library makes room for so many at once: for a million, unless it is
	// told, which are 32 MB that every reader would hold and every collection of garbage look through.
	prefetchedEntries = 256
	// heartbeat is how long the server may be silent before it counts as gone, twice over.
	heartbeat = 2 * time.Second
	// expiry is after how long a request for entries is made anew.
	expiry = 10 * time.Second
	// inactive is after how long the server forgets a reader that does not ask any more.
	inactive = time.Minute
	// createReader is how long a server may take to set a reader up. One that the cluster put on a server that is lost is
	// never answered, however long somebody waits; the next one is put elsewhere.
	createReader = 2 * time.Second
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

// errGap says that an entry got lost on the way, so that the place to read from has to be said again.
var errGap = errors.New("an entry got lost on the way from the server")

// readFrom reads until something fails, and returns the last sequence that was delivered. It asks for some entries at a
// time: each request ends by itself, whatever becomes of the server or the connection meanwhile.
func (l *Log) readFrom(ctx context.Context, after journal.Sequence, f func(journal.Sequence, []byte) error) (journal.Sequence, error) {
	timed, cancel := context.WithTimeout(ctx, createReader)
	consumer, err := l.js.CreateConsumer(timed, l.options.Stream, jetstream.ConsumerConfig{
		DeliverPolicy: jetstream.DeliverByStartSequencePolicy, OptStartSeq: uint64(after) + 1,
		AckPolicy: jetstream.AckNonePolicy, MaxDeliver: 1, MemoryStorage: true, Replicas: 1, InactiveThreshold: inactive,
	})
	cancel()
	if err != nil {
		return after, fmt.Errorf("read: %w", err)
	}
	defer l.forget(ctx, consumer)
	for delivered := uint64(0); ; {
		waiting, done := context.WithTimeout(ctx, expiry)
		batch, err := consumer.Fetch(prefetchedEntries, jetstream.FetchMaxBytes(prefetched),
			jetstream.FetchContext(waiting), jetstream.FetchHeartbeat(heartbeat))
		if err != nil {
			done()
			return after, fmt.Errorf("read: %w", err)
		}
		after, delivered, err = deliver(ctx, batch, after, delivered, f)
		done()
		if err != nil {
			return after, err
		}
		if err := batch.Error(); err != nil && !errors.Is(err, nats.ErrTimeout) && !errors.Is(err, context.DeadlineExceeded) {
			return after, fmt.Errorf("read: %w", err)
		}
		if ctx.Err() != nil {
			return after, ctx.Err()
		}
	}
}

// deliver hands on what came of one request.
func deliver(
	ctx context.Context, batch jetstream.MessageBatch, after journal.Sequence, delivered uint64, f func(journal.Sequence, []byte) error,
) (journal.Sequence, uint64, error) {
	for message := range batch.Messages() {
		meta, err := message.Metadata()
		if err != nil {
			return after, delivered, err
		}
		if meta.Sequence.Consumer != delivered+1 {
			return after, delivered, errGap
		}
		delivered++
		sequence := journal.Sequence(meta.Sequence.Stream)
		if sequence <= after {
			continue
		}
		if ctx.Err() != nil {
			return after, delivered, ctx.Err()
		}
		after = sequence
		if err := f(sequence, message.Data()); err != nil {
			return after, delivered, errStopped{err}
		}
	}
	return after, delivered, nil
}

// forget tells the server that a reader is gone. What it does not hear it notices by itself; see inactive.
func (l *Log) forget(ctx context.Context, consumer jetstream.Consumer) {
	timed, cancel := context.WithTimeout(context.WithoutCancel(ctx), retryRead)
	defer cancel()
	_ = l.js.DeleteConsumer(timed, l.options.Stream, consumer.CachedInfo().Name)
}
