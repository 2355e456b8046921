// Package natsjournal keeps journals in streams of NATS JetStream: of a server within this process, or of the user's own
// cluster. It also carries the messages of a bus.
package natsjournal

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"github.com/seshat-project/seshat/internal/journal"
)

const (
	// requestTimeout limits calls whose context has no deadline.
	requestTimeout = 10 * time.Second
	// duplicates is how long the id of an entry is known, as the contract says.
	duplicates = 2 * time.Minute
	// defaultMaxBytes is how much a journal holds that nobody reads: at 3,000 exchanges a second and 100 bytes each, some
	// four hours.
	defaultMaxBytes = 4 << 30
)

// ErrClosed is returned by calls after Close.
var ErrClosed = errors.New("the journal is closed")

// Options say what stream a log is kept in. All but Stream are used when the stream is created, and changed when they
// differ later.
type Options struct {
	// Stream is its name: letters, digits, "-" and "_". It is also the subject.
	Stream string
	// Replicas is on how many servers of a cluster it is kept; 1 when it is 0.
	Replicas int
	// MaxBytes is how much it may hold; 4 GiB when it is 0.
	MaxBytes int64
	// MaxAge removes entries that are older; 0 keeps them until they are trimmed.
	MaxAge time.Duration
	// DropOldest makes room by removing the oldest entries, in place of taking no more: for what is of use while it is
	// new.
	DropOldest bool
	// Room is asked before each entry is appended, when it is set; its error is returned.
	Room func() error
}

// Log is a [journal.Log] in a stream. Several, in this process and others, may share one.
type Log struct {
	conn    *nats.Conn
	js      jetstream.JetStream
	stream  jetstream.Stream
	options Options

	ctx    context.Context //nolint:containedctx // the lifetime of the log, which its readers share
	cancel context.CancelFunc
	using  sync.WaitGroup
	mu     sync.Mutex
	closed bool
}

var _ journal.Log = (*Log)(nil)

// Open opens the stream over conn, and creates it when there is none. The connection stays the caller's, who may share it,
// and closes it after the log.
func Open(ctx context.Context, conn *nats.Conn, o Options) (*Log, error) {
	ctx, cancel := withTimeout(ctx)
	defer cancel()
	js, err := jetstream.New(conn)
	if err != nil {
		return nil, fmt.Errorf("use JetStream: %w", err)
	}
	config := jetstream.StreamConfig{
		Name: o.Stream, Subjects: []string{o.Stream}, Storage: jetstream.FileStorage, Replicas: max(o.Replicas, 1),
		MaxBytes: cmp.Or(o.MaxBytes, defaultMaxBytes), MaxAge: o.MaxAge, Discard: jetstream.DiscardNew, Duplicates: duplicates,
		MaxMsgSize: journal.MaxEntry + maxHeader, AllowDirect: true,
	}
	if o.DropOldest {
		config.Discard = jetstream.DiscardOld
	}
	if o.MaxAge > 0 && o.MaxAge < duplicates {
		config.Duplicates = o.MaxAge
	}
	stream, err := js.CreateOrUpdateStream(ctx, config)
	if err != nil {
		return nil, fmt.Errorf("open the stream %s: %w", o.Stream, err)
	}
	l := &Log{conn: conn, js: js, stream: stream, options: o}
	l.ctx, l.cancel = context.WithCancel(context.Background())
	return l, nil
}

// maxHeader is how many bytes the headers of a message take: the id of the entry, and what NATS writes before it.
const maxHeader = 2 << 10

func withTimeout(ctx context.Context) (context.Context, context.CancelFunc) {
	if _, ok := ctx.Deadline(); ok {
		return context.WithCancel(ctx)
	}
	return context.WithTimeout(ctx, requestTimeout)
}

// begin begins a call, which ends with the function that is returned, or with the log.
func (l *Log) begin(ctx context.Context) (context.Context, func(), error) {
	if err := ctx.Err(); err != nil {
		return nil, nil, err
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.closed {
		return nil, nil, ErrClosed
	}
	l.using.Add(1)
	ctx, cancel := context.WithCancel(ctx)
	stop := context.AfterFunc(l.ctx, cancel)
	return ctx, func() { stop(); cancel(); l.using.Done() }, nil
}

// failed says what a call failed of: of its context, of the log that was closed, or of err.
func (l *Log) failed(ctx context.Context, what string, err error) error {
	switch {
	case err == nil:
		return nil
	case ctx.Err() != nil:
		return ctx.Err()
	case l.ctx.Err() != nil:
		return ErrClosed
	default:
		return fmt.Errorf("%s the journal %s: %w", what, l.options.Stream, contractError(err))
	}
}

// Append implements [journal.Log].
func (l *Log) Append(ctx context.Context, id string, data []byte) (journal.Sequence, error) {
	if len(data) > journal.MaxEntry {
		return 0, fmt.Errorf("append %d bytes: an entry has at most %d", len(data), journal.MaxEntry)
	}
	call, end, err := l.begin(ctx)
	if err != nil {
		return 0, err
	}
	defer end()
	if l.options.Room != nil {
		if err := l.options.Room(); err != nil {
			return 0, err
		}
	}
	timed, cancel := withTimeout(call)
	defer cancel()
	ack, err := l.js.PublishMsg(timed, &nats.Msg{Subject: l.options.Stream, Data: data}, jetstream.WithMsgID(id), jetstream.WithRetryAttempts(0))
	if err != nil {
		return 0, l.failed(ctx, "append to", err)
	}
	return journal.Sequence(ack.Sequence), nil
}

// Last implements [journal.Log].
func (l *Log) Last(ctx context.Context) (journal.Sequence, error) {
	call, end, err := l.begin(ctx)
	if err != nil {
		return 0, err
	}
	defer end()
	timed, cancel := withTimeout(call)
	defer cancel()
	info, err := l.stream.Info(timed)
	if err != nil {
		return 0, l.failed(ctx, "look at", err)
	}
	return journal.Sequence(info.State.LastSeq), nil
}

// Trim implements [journal.Log].
func (l *Log) Trim(ctx context.Context, upTo journal.Sequence) error {
	call, end, err := l.begin(ctx)
	if err != nil || upTo == 0 {
		if err == nil {
			end()
		}
		return err
	}
	defer end()
	timed, cancel := withTimeout(call)
	defer cancel()
	return l.failed(ctx, "trim", l.stream.Purge(timed, jetstream.WithPurgeSequence(uint64(upTo)+1)))
}

// Close implements [journal.Log]. It waits until the functions of readers have returned.
func (l *Log) Close() error {
	l.mu.Lock()
	l.closed = true
	l.mu.Unlock()
	l.cancel()
	l.using.Wait()
	return nil
}

// Error codes of the NATS server that the library has no names for.
const (
	codeStoreFailed         = 10077 // writing failed; of a full stream the text says so
	codeMemoryExceeded      = 10028
	codeStorageExceeded     = 10047
	codeInsufficient        = 10023
	textMaximumBytesReached = "maximum bytes exceeded"
)

// contractError gives the errors of NATS that the contract knows their names there.
func contractError(err error) error {
	var api *jetstream.APIError
	if !errors.As(err, &api) {
		return err
	}
	switch api.ErrorCode {
	case codeMemoryExceeded, codeStorageExceeded, codeInsufficient:
		return fmt.Errorf("%w: %s", journal.ErrFull, api.Description)
	case codeStoreFailed:
		if api.Description == textMaximumBytesReached {
			return journal.ErrFull
		}
		return fmt.Errorf("%w: %s", journal.ErrFull, api.Description)
	default:
		return err
	}
}
