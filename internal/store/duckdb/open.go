// Package duckdb keeps exchanges and sessions in one DuckDB file. See docs/formats/store.md for the tables.
//
// Rows are only appended: exchanges as they come, and for every batch one roll-up row for each session it touched.
// Readers add the rows up. What repeats from exchange to exchange (the client session IDs, the context) is kept
// once and referred to by number. Every row carries the day it was stored, so that a day can be dropped whole.
package duckdb

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	engine "github.com/duckdb/duckdb-go/v2"
	"github.com/gofrs/flock"

	"github.com/seshat-project/seshat"
	"github.com/seshat-project/seshat/internal/store"
)

// FileName is the name of the database within the data directory.
const FileName = "seshat.duckdb"

// Options say how a store is opened. The zero value is good for reading and writing a little.
type Options struct {
	// LockWait is how long to wait for another process that has the data directory; 0 does not wait.
	LockWait time.Duration
	// Memory is how many bytes DuckDB may use for its buffers; DefaultMemory when 0. Storing needs little, tidying
	// included: with ImportMemory a whole import stays below 300 MB.
	Memory int64
	// ReadMemory is how many bytes it may use while somebody reads what may need them, when that is more, and then it uses
	// one thread while nobody does; 0 is Memory.
	ReadMemory int64
	// Now is the clock by which [Store.Session] tells active from idle; time.Now when nil.
	Now func() time.Time
	// Threads is how many threads DuckDB may use; DefaultThreads when 0.
	Threads int
	// Staleness is how long readers may not see what was committed, other than Known, LoadState and Position, which
	// always do. To show it, it has to be moved into the tables: those who look every moment would have that done for
	// a handful of exchanges each time. 0 shows everything at once.
	Staleness time.Duration
	// Logger is told what goes wrong and fails no call, such as compaction; nil is told nothing.
	Logger *slog.Logger
}

// Memory limits and threads of [Options].
const (
	DefaultMemory  = 512 << 20 // sorting and grouping 10 million exchanges stays in memory
	RecordMemory   = 160 << 20 // of an instance that records for days; reading may use DefaultMemory then
	ImportMemory   = 64 << 20  // storing is no slower than with more; the process then takes about 240 MB
	DefaultThreads = 2
)

// storageVersion is the oldest DuckDB that can read the file. 1.4 is the release that Seshat embeds; older formats
// lack the text compression that keeps exchanges small.
const storageVersion = "v1.4.0"

// walBytes is how much is written ahead before it is moved into the tables. A larger value makes larger and so better
// compressed pieces, and takes as many bytes of memory for moving them.
const walBytes = 64 << 20

// keptFreeBytes is about how much memory that is free DuckDB keeps for itself. It does not count towards its limit.
const keptFreeBytes = 8 << 20

// perfectBits is of how many bits numbers may be that DuckDB groups rows by as the index of an array: five times as fast
// as with a hash table. The numbers of sessions, identities and contexts of a week of busy traffic have some 20. Each of
// the threads has an array of some 40 MB then, while it groups.
const perfectBits = 22

// Store implements [store.Store].
type Store struct {
	dir  string
	lock *flock.Flock
	db   *sql.DB
	now  func() time.Time
	log  *slog.Logger

	// write guards what follows: there is one writer at a time.
	write  sync.Mutex
	conn   *sql.Conn // the writer's connection
	writer *writer
	logged map[string]bool // what the log was told

	// tail is what was committed and is not in the tables, on disk; pending is the same in memory.
	tail      *tail
	pending   *pending
	staleness time.Duration
	// whole is from how many exchanges on a batch goes into the tables at once: [wholeExchanges] but in tests.
	whole int

	closed atomic.Bool
	states *stateFilter // the writer's

	memberCache memberCache
	memory      readMemory

	spanMutex sync.Mutex
	span      *store.Span // nil when it has to be read
}

var _ store.Store = (*Store)(nil)

// Open opens the store in the directory dir and creates both where they do not exist.
//
// It fails with a [seshat.Error] of kind ErrorUnavailable when another process has the directory, and of kind
// ErrorUnsupported when a newer version wrote the database.
func Open(ctx context.Context, dir string, options Options) (*Store, error) {
	op := "open data directory " + dir
	dir, err := filepath.Abs(dir)
	if err != nil {
		return nil, &seshat.Error{Kind: seshat.ErrorInvalid, Op: op, Err: err}
	}
	if err := makeDirectory(dir); err != nil {
		return nil, &seshat.Error{
			Kind: seshat.ErrorUnavailable, Op: op, Err: err, Hint: "choose a directory of your own with --data",
		}
	}
	lock, err := lockDirectory(ctx, dir, options.LockWait)
	if err != nil {
		return nil, err
	}
	s := &Store{
		dir: dir, lock: lock, now: options.Now, log: options.Logger, logged: make(map[string]bool),
		pending: newPending(), staleness: options.Staleness, whole: wholeExchanges,
	}
	if less := orDefault(options.Memory, DefaultMemory); options.ReadMemory > less {
		s.memory.less = limits{memory: less, threads: 1}
		s.memory.more = limits{memory: options.ReadMemory, threads: orDefault(options.Threads, DefaultThreads)}
	}
	if s.log == nil {
		s.log = slog.New(slog.DiscardHandler)
	}
	if s.now == nil {
		s.now = time.Now
	}
	if err := s.open(ctx, options); err != nil {
		return nil, errors.Join(s.operational(op, err), s.release())
	}
	return s, nil
}

func (s *Store) open(ctx context.Context, options Options) error {
	if err := makeTemp(s.dir); err != nil {
		return err
	}
	if err := s.attach(ctx, options); err != nil {
		return err
	}
	if err := migrate(ctx, s.conn, migrationFiles); err != nil {
		return err
	}
	var err error
	if s.writer, err = newWriter(ctx, s.conn); err != nil {
		return err
	}
	s.states = s.writer.states
	if err := s.openTail(ctx); err != nil {
		return err
	}
	if s.memory.less != (limits{}) { // opening had all threads
		s.limit(ctx, s.memory.less)
	}
	return s.keepPrivate()
}

// attach opens the file as it is.
func (s *Store) attach(ctx context.Context, options Options) error {
	settings := []string{
		fmt.Sprintf("SET GLOBAL memory_limit = '%d KiB'", orDefault(options.Memory, DefaultMemory)>>10),
		fmt.Sprintf("SET GLOBAL allocator_flush_threshold = '%d KiB'", keptFreeBytes>>10),
		fmt.Sprintf("SET GLOBAL threads = %d", orDefault(options.Threads, DefaultThreads)),
		"SET GLOBAL temp_directory = " + quoteText(filepath.Join(s.dir, tempName)),
		"SET GLOBAL preserve_insertion_order = false", // readers order; importing then needs less memory
		fmt.Sprintf("SET GLOBAL wal_autocheckpoint = '%d KiB'", walBytes>>10),
		"SET GLOBAL enable_external_file_cache = false",
		"SET GLOBAL autoinstall_known_extensions = false", // nothing is fetched from the network
		"SET GLOBAL TimeZone = 'UTC'",
		fmt.Sprintf("SET GLOBAL perfect_ht_threshold = %d", perfectBits),
		fmt.Sprintf("ATTACH IF NOT EXISTS %s AS data (STORAGE_VERSION '%s')",
			quoteText(filepath.Join(s.dir, FileName)), storageVersion),
	}
	var once sync.Once
	connector, err := engine.NewConnector("", func(conn driver.ExecerContext) error {
		var err error
		once.Do(func() {
			for _, setting := range settings {
				if _, err = conn.ExecContext(ctx, setting, nil); err != nil {
					return
				}
			}
		})
		if err != nil {
			return err
		}
		_, err = conn.ExecContext(ctx, "USE data", nil)
		return err
	})
	if err != nil {
		return err
	}
	s.db = sql.OpenDB(connector)
	if s.conn, err = s.db.Conn(ctx); err != nil {
		return err
	}
	return nil
}

// keepPrivate takes the files of the database from others: DuckDB makes them with the rights that are usual here.
// The directory lets nobody in, so there is no moment in between.
func (s *Store) keepPrivate() error {
	path := filepath.Join(s.dir, FileName)
	return errors.Join(makePrivate(path), makePrivate(path+walSuffix))
}

func orDefault[N int | int64](n, def N) N {
	if n == 0 {
		return def
	}
	return n
}

// quoteText is s as a text literal of SQL. It is for the few places where SQL takes no parameter: file names.
func quoteText(s string) string { return "'" + strings.ReplaceAll(s, "'", "''") + "'" }

// Close writes what is pending and gives the directory back.
func (s *Store) Close() error {
	s.write.Lock()
	defer s.write.Unlock()
	if s.closed.Swap(true) {
		return nil
	}
	ctx := context.Background()
	err := errors.Join(s.settle(ctx, true), s.checkpoint(ctx))
	err = errors.Join(s.operational("close data directory "+s.dir, err), s.release())
	_ = os.RemoveAll(filepath.Join(s.dir, tempName)) // the next opening does it otherwise
	return err
}

// release gives up everything that was opened.
func (s *Store) release() error {
	errs := []error{s.tail.close()}
	if s.conn != nil {
		errs = append(errs, s.conn.Close())
	}
	if s.db != nil {
		errs = append(errs, s.db.Close())
	}
	return errors.Join(append(errs, s.lock.Unlock())...)
}
