package natskv

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
	"github.com/seshat-project/seshat/internal/kv"
	"github.com/seshat-project/seshat/internal/natsserver"
)

// requestTimeout limits each call, and opening where the context has no deadline. A server that does not answer by then is
// away, and whoever waits for a revocation is to know.
const requestTimeout = 10 * time.Second

// ServerOptions say how a NATS server within this process is run.
type ServerOptions = natsserver.Options

// Options name the bucket of a store.
type Options struct {
	// Bucket is its name: letters, digits, "-" and "_".
	Bucket string
	// Replicas is on how many servers of a cluster it is kept; 1 when it is 0. Used when the bucket is created.
	Replicas int
	// History is how many entries of a key are kept; [kv.MaxHistory] when it is 0. Used when the bucket is created.
	History uint8
}

// Store is a [kv.Store] in a bucket of NATS JetStream.
type Store struct {
	conn   *nats.Conn
	bucket jetstream.KeyValue
	stream jetstream.Stream // what the bucket is in NATS
	after  func()           // closes what Close must close besides conn

	// done ends every call and watch; closing is held for reading while one begins.
	ctx      context.Context //nolint:containedctx // the lifetime of the store, which watches share
	cancel   context.CancelFunc
	closing  sync.RWMutex
	closed   bool
	watching sync.WaitGroup
}

var (
	_ kv.Store     = (*Store)(nil)
	_ kv.Forgetter = (*Store)(nil)
)

// Open opens the bucket on a server within this process, which runs until the store is closed.
func Open(ctx context.Context, server ServerOptions, o Options) (*Store, error) {
	s, err := natsserver.Start(server)
	if err != nil {
		return nil, err
	}
	conn, err := s.Connect()
	if err != nil {
		s.Close()
		return nil, err
	}
	store, err := OpenConn(ctx, conn, o)
	if err != nil {
		conn.Close()
		s.Close()
		return nil, err
	}
	store.after = s.Close
	return store, nil
}

// OpenURL opens the bucket on the servers at url, such as "nats://a.example:4222,nats://b.example:4222". The
// connection comes back by itself when it breaks.
func OpenURL(ctx context.Context, url string, o Options, dial natsserver.DialOptions) (*Store, error) {
	conn, err := natsserver.Dial(url, dial)
	if err != nil {
		return nil, err
	}
	store, err := OpenConn(ctx, conn, o)
	if err != nil {
		conn.Close()
		return nil, err
	}
	return store, nil
}

// OpenConn opens the bucket over conn, and creates it when there is none. The store closes conn when it is closed.
func OpenConn(ctx context.Context, conn *nats.Conn, o Options) (*Store, error) {
	ctx, cancel := withTimeout(ctx)
	defer cancel()
	js, err := jetstream.New(conn)
	if err != nil {
		return nil, fmt.Errorf("use JetStream: %w", err)
	}
	bucket, err := js.KeyValue(ctx, o.Bucket)
	if errors.Is(err, jetstream.ErrBucketNotFound) {
		bucket, err = js.CreateKeyValue(ctx, jetstream.KeyValueConfig{
			Bucket: o.Bucket, Description: "Resources of Seshat", History: cmp.Or(o.History, kv.MaxHistory), MaxValueSize: -1,
			Storage: jetstream.FileStorage, Replicas: max(o.Replicas, 1),
		})
	}
	if err != nil {
		return nil, fmt.Errorf("open the bucket %s: %w", o.Bucket, err)
	}
	stream, err := js.Stream(ctx, "KV_"+o.Bucket)
	if err != nil {
		return nil, fmt.Errorf("open the bucket %s: %w", o.Bucket, err)
	}
	s := &Store{conn: conn, bucket: bucket, stream: stream}
	s.ctx, s.cancel = context.WithCancel(context.Background())
	return s, nil
}

func withTimeout(ctx context.Context) (context.Context, context.CancelFunc) {
	if _, ok := ctx.Deadline(); ok {
		return context.WithCancel(ctx)
	}
	return context.WithTimeout(ctx, requestTimeout)
}

// begin begins a call about key. The call must end with the function that is returned.
func (s *Store) begin(ctx context.Context, key string) (context.Context, func(), error) {
	s.closing.RLock()
	if s.closed {
		s.closing.RUnlock()
		return nil, nil, kv.ErrClosed
	}
	err := cmp.Or(ctx.Err(), kv.CheckKey(key))
	if err != nil {
		s.closing.RUnlock()
		return nil, nil, err
	}
	ctx, cancel := context.WithTimeout(ctx, requestTimeout)
	return ctx, func() { cancel(); s.closing.RUnlock() }, nil
}

// Get implements [kv.Store].
func (s *Store) Get(ctx context.Context, key string) (kv.Entry, error) {
	ctx, end, err := s.begin(ctx, key)
	if err != nil {
		return kv.Entry{}, err
	}
	defer end()
	entry, err := s.bucket.Get(ctx, encodeKey(key))
	if err != nil {
		return kv.Entry{}, fmt.Errorf("get %s: %w", key, contractError(err))
	}
	return newEntry(key, entry), nil
}

// Put implements [kv.Store].
func (s *Store) Put(ctx context.Context, key string, value []byte, expected kv.Revision) (kv.Revision, error) {
	if err := kv.CheckValue(value); err != nil {
		return 0, err
	}
	ctx, end, err := s.begin(ctx, key)
	if err != nil {
		return 0, err
	}
	defer end()
	var revision uint64
	switch expected {
	case kv.Any:
		revision, err = s.bucket.Put(ctx, encodeKey(key), value)
	case kv.None:
		revision, err = s.bucket.Create(ctx, encodeKey(key), value)
	default:
		revision, err = s.update(ctx, key, value, expected)
	}
	if err != nil {
		return 0, fmt.Errorf("put %s: %w", key, contractError(err))
	}
	return kv.Revision(revision), nil
}

// update replaces a revision. For NATS, a deletion is a revision like any other; for the contract, a deleted key can
// only be created.
func (s *Store) update(ctx context.Context, key string, value []byte, expected kv.Revision) (uint64, error) {
	current, err := s.bucket.Get(ctx, encodeKey(key))
	if errors.Is(err, jetstream.ErrKeyNotFound) || err == nil && current.Revision() != uint64(expected) {
		return 0, kv.ErrConflict
	}
	if err != nil {
		return 0, err
	}
	return s.bucket.Update(ctx, encodeKey(key), value, uint64(expected))
}

// Delete implements [kv.Store].
func (s *Store) Delete(ctx context.Context, key string, expected kv.Revision) (kv.Revision, error) {
	ctx, end, err := s.begin(ctx, key)
	if err != nil {
		return 0, err
	}
	defer end()
	for {
		current, err := s.bucket.Get(ctx, encodeKey(key))
		if err != nil {
			return 0, fmt.Errorf("delete %s: %w", key, contractError(err))
		}
		if expected != kv.Any && kv.Revision(current.Revision()) != expected {
			return 0, fmt.Errorf("delete %s: %w", key, kv.ErrConflict)
		}
		revision, err := s.deleteRevision(ctx, encodeKey(key), current.Revision())
		if errors.Is(err, kv.ErrConflict) && expected == kv.Any {
			continue // replaced between the two calls: delete what is there now
		}
		if err != nil {
			return 0, fmt.Errorf("delete %s: %w", key, err)
		}
		return revision, nil
	}
}

// deleteRevision deletes one revision of an encoded key and returns that of the deletion, which the library does not
// tell. Nothing can have come between the revision and its deletion.
func (s *Store) deleteRevision(ctx context.Context, encoded string, revision uint64) (kv.Revision, error) {
	if err := s.bucket.Delete(ctx, encoded, jetstream.LastRevision(revision)); err != nil {
		return 0, contractError(err)
	}
	history, err := s.bucket.History(ctx, encoded)
	if err != nil {
		return 0, contractError(err)
	}
	for _, entry := range history {
		if entry.Revision() > revision {
			return kv.Revision(entry.Revision()), nil
		}
	}
	return 0, errors.New("the deletion has left the history already")
}

// List implements [kv.Store].
func (s *Store) List(ctx context.Context, prefix string) ([]kv.Entry, error) {
	ctx, end, err := s.begin(ctx, "-"+prefix)
	if err != nil {
		return nil, err
	}
	defer end()
	watcher, err := s.bucket.Watch(ctx, filterFor(prefix), jetstream.IgnoreDeletes())
	if err != nil {
		return nil, fmt.Errorf("list %s: %w", prefix, contractError(err))
	}
	defer watcher.Stop() //nolint:errcheck // the server drops it in any case
	byKey := make(map[string]kv.Entry)
	for {
		select {
		case entry, ok := <-watcher.Updates():
			if !ok {
				return nil, fmt.Errorf("list %s: the connection was closed", prefix)
			}
			if entry == nil { // everything that there was
				return sorted(byKey), nil
			}
			if key, ok := decodeKey(entry.Key()); ok && strings.HasPrefix(key, prefix) {
				byKey[key] = newEntry(key, entry)
			}
		case <-ctx.Done():
			return nil, fmt.Errorf("list %s: %w", prefix, ctx.Err())
		}
	}
}

func sorted(byKey map[string]kv.Entry) []kv.Entry {
	out := make([]kv.Entry, 0, len(byKey))
	for _, entry := range byKey {
		out = append(out, entry)
	}
	slices.SortFunc(out, func(a, b kv.Entry) int { return cmp.Compare(a.Key, b.Key) })
	return out
}

// History implements [kv.Store].
func (s *Store) History(ctx context.Context, key string) ([]kv.Entry, error) {
	ctx, end, err := s.begin(ctx, key)
	if err != nil {
		return nil, err
	}
	defer end()
	history, err := s.bucket.History(ctx, encodeKey(key))
	if err != nil {
		return nil, fmt.Errorf("history of %s: %w", key, contractError(err))
	}
	out := make([]kv.Entry, len(history))
	for i, entry := range history {
		out[i] = newEntry(key, entry)
	}
	return out, nil
}

// Close implements [kv.Store].
func (s *Store) Close() error {
	s.cancel() // ends the watches, and with them nothing that was acknowledged
	s.closing.Lock()
	defer s.closing.Unlock()
	if s.closed {
		return nil
	}
	s.closed = true
	s.watching.Wait()
	s.conn.Close()
	if s.after != nil {
		s.after()
	}
	return nil
}

// newEntry is an entry of NATS in the words of the contract.
func newEntry(key string, entry jetstream.KeyValueEntry) kv.Entry {
	out := kv.Entry{Key: key, Revision: kv.Revision(entry.Revision()), Time: entry.Created()}
	if entry.Operation() == jetstream.KeyValuePut {
		out.Value = bytes.Clone(entry.Value())
	} else {
		out.Deleted = true
	}
	return out
}

// contractError gives the errors of NATS that the contract knows their names there.
func contractError(err error) error {
	var api *jetstream.APIError
	switch {
	case err == nil:
		return nil
	case errors.Is(err, jetstream.ErrKeyNotFound): // ErrKeyDeleted is one
		return kv.ErrNotFound
	case errors.Is(err, jetstream.ErrKeyExists):
		return kv.ErrConflict
	case errors.As(err, &api) && api.ErrorCode == jetstream.JSErrCodeStreamWrongLastSequence:
		return kv.ErrConflict
	default:
		return err
	}
}
