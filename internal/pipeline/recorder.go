package pipeline

import (
	"cmp"
	"context"
	"crypto/rand"
	"encoding/binary"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"github.com/seshat-project/seshat"
	"github.com/seshat-project/seshat/internal/correlate"
	"github.com/seshat-project/seshat/internal/journal"
	"github.com/seshat-project/seshat/internal/store"
)

// Defaults and bounds of [RecorderConfig].
const (
	// defaultCommitEvery is how long something waits to be stored, at most. A transaction costs some milliseconds whatever
	// is in it, so that more often would cost more than the exchanges do; and less often, people would wait for them.
	defaultCommitEvery = 400 * time.Millisecond
	// defaultTrimEvery is how often the journal is told what is stored.
	defaultTrimEvery = 5 * time.Second
	// defaultRetention is how long exchanges are kept.
	defaultRetention = 7 * 24 * time.Hour
	// markEvery is after how many entries with nothing to store the position is stored by itself.
	markEvery = 1024
	// readAhead is how many decoded batches wait for their turn: enough that decoding and correlating overlap.
	readAhead = 8
	// retentionEvery is how often the recorder looks whether a day is to be dropped.
	retentionEvery = time.Hour
	// silenceSlack is how much longer than the lateness a journal is silent before what waits is let go: as long as
	// something is on its way, a source says so once a second.
	silenceSlack = 3 * time.Second
)

// positionSource is the source under which the store keeps the position in the journal.
const positionSource = "journal"

// RecorderConfig says how the journal gets into the store.
type RecorderConfig struct {
	Correlation correlate.Config
	// Settings are those of the installation; their lateness and retention count here.
	Settings seshat.SettingsSpec
	// Notices is the log that tells the others what correlation found out; nil when nobody wants to know.
	Notices journal.Log
	// AppendNotices makes notices; required with Notices.
	AppendNotices func(dst []byte, sessions []seshat.SessionFacts, links []seshat.Link) []byte
	// Events is told which sessions began and ended, in the order of the journal, when it is set. It must not wait. After a
	// crash it is told again what was not stored.
	Events func([]seshat.Event)
	// Committed is told what was stored, when it is set; see [Committed].
	Committed Committed
	// Source identifies this recorder in the journal; see [journal.NewSource]. It is no publisher's, whose batches have
	// numbers of their own, and of no node, whose other sources would count as gone. A random one when it is 0.
	Source uint64
	// CommitEvery is how long something waits to be stored; 400 ms when it is 0. MaxBatch is how many exchanges are
	// stored at once; 8192 when it is 0. TrimEvery is how often the journal is trimmed; 5 s when it is 0.
	CommitEvery, TrimEvery time.Duration
	MaxBatch               int
	// Logger gets failures, once when they begin and once when they end; nil drops them.
	Logger *slog.Logger
	// Now is the clock that retention counts by; time.Now when nil.
	Now func() time.Time
}

// Recorder reads the journal in order, correlates what is in it, and stores it. There is one for each journal. What it
// stores depends on the journal alone, however it is cut into transactions and wherever it is interrupted: each exchange
// is stored once, in the session that it belongs to.
type Recorder struct {
	log      journal.Log
	store    *patientStore
	config   RecorderConfig
	notices  *noticeQueue
	settings atomic.Pointer[recorderSettings]
	requests chan func(context.Context, *recording)

	mu      sync.Mutex
	stats   RecorderStats
	stored  journal.Sequence // everything up to here is in the store
	changed chan struct{}    // closed when stored grows
	ended   chan struct{}    // closed when Run returns; nil while it does not run
	failing map[string]error // by what fails
}

type recorderSettings struct {
	correlation         correlate.Config
	lateness, retention time.Duration
}

// RecorderStats are what a recorder has done since it was started, and how far it is.
type RecorderStats struct {
	Read       journal.Sequence // the entry that was read last
	Settled    journal.Sequence // everything up to here is in the store
	Stored     int64            // exchanges
	Duplicates int64            // exchanges and batches that had been stored before
	Sessions   int64            // that began, less those that turned out to belong to another one
	Waiting    int              // exchanges that were read and are not stored
	Commits    int64
	LastCommit time.Duration // that the last transaction took
	// Newest is the time up to which the sources have told what happened.
	Newest time.Time
	// Damaged is how many entries could not be read. They are left out.
	Damaged int64
	// Errors counts attempts of the store, the journal or the notices that failed; LastError is why, while it fails.
	Errors    int64
	LastError error
	// LostNotices is how many notices were given up, because too many waited for a log that failed.
	LostNotices int64
}

// ErrRecorderEnded is returned for what is asked of a recorder that does not run.
var ErrRecorderEnded = errors.New("the recorder does not run")

// NewRecorder returns a recorder from a log to a store. Run starts it.
func NewRecorder(log journal.Log, s store.Store, config RecorderConfig) *Recorder {
	config.CommitEvery = cmp.Or(config.CommitEvery, defaultCommitEvery)
	config.TrimEvery = cmp.Or(config.TrimEvery, defaultTrimEvery)
	config.MaxBatch = cmp.Or(config.MaxBatch, batchSize)
	if config.Now == nil {
		config.Now = time.Now
	}
	if config.Source == 0 {
		config.Source = journal.NewSource(0, newStart())
	}
	if config.Logger == nil {
		config.Logger = slog.New(slog.DiscardHandler)
	}
	r := &Recorder{log: log, config: config, requests: make(chan func(context.Context, *recording)), changed: make(chan struct{}), failing: map[string]error{}}
	r.store = &patientStore{Store: s, failed: r.failed, worked: r.worked}
	if config.Notices != nil {
		r.notices = newNoticeQueue(config.Notices, config.AppendNotices, r)
	}
	r.SetConfig(config.Correlation, config.Settings)
	return r
}

// SetConfig changes how sessions are made, from the next entry of the journal on.
func (r *Recorder) SetConfig(config correlate.Config, settings seshat.SettingsSpec) {
	s := &recorderSettings{correlation: config, lateness: correlate.DefaultLateness, retention: defaultRetention}
	if settings.Lateness != nil {
		s.lateness = time.Duration(*settings.Lateness)
	}
	if settings.Retention != nil {
		s.retention = time.Duration(*settings.Retention)
	}
	r.settings.Store(s)
}

// Retention is how long exchanges are kept, from when they were stored.
func (r *Recorder) Retention() time.Duration { return r.settings.Load().retention }

// Run records until ctx is done; then it stores what is due and returns nil. While the store fails, it waits for it and
// tries again: the journal keeps what comes meanwhile. It returns an error for what waiting does not mend, such as a
// journal that a newer version has written.
func (r *Recorder) Run(ctx context.Context) error {
	r.mu.Lock()
	if r.ended != nil {
		r.mu.Unlock()
		return errors.New("the recorder runs already")
	}
	ended := make(chan struct{})
	r.ended = ended
	r.mu.Unlock()
	defer func() {
		r.mu.Lock()
		defer r.mu.Unlock()
		r.ended = nil
		close(ended)
	}()
	working, stop := context.WithCancel(ctx)
	defer stop()
	if r.notices != nil {
		telling, hush := context.WithCancel(context.WithoutCancel(ctx)) // also what comes of the end is told
		var sending sync.WaitGroup
		sending.Go(func() { r.notices.run(telling) })
		defer sending.Wait()
		defer hush()
	}
	rec, err := r.open(working)
	if err == nil {
		err = rec.run(working)
	}
	if ctx.Err() != nil {
		return nil
	}
	return err
}

// Exclusive calls f while nothing is being recorded, after everything that was correlated is stored. F may write the
// store: what is known of sessions is read from there again afterwards.
func (r *Recorder) Exclusive(ctx context.Context, f func() error) error {
	return r.ask(ctx, func(running context.Context, rec *recording) error {
		err := rec.flush(running)
		if err == nil {
			err = f()
		}
		rec.committer.correlator.Forget()
		return err
	})
}

// Flush stores what is due.
func (r *Recorder) Flush(ctx context.Context) error {
	return r.ask(ctx, func(running context.Context, rec *recording) error { return rec.flush(running) })
}

// ask has a request carried out between two entries.
func (r *Recorder) ask(ctx context.Context, request func(context.Context, *recording) error) error {
	r.mu.Lock()
	ended := r.ended
	r.mu.Unlock()
	if ended == nil {
		return ErrRecorderEnded
	}
	done := make(chan error, 1)
	select {
	case r.requests <- func(running context.Context, rec *recording) { done <- request(running, rec) }:
		return <-done
	case <-ended:
		return ErrRecorderEnded
	case <-ctx.Done():
		return fmt.Errorf("wait for the recorder: %w", ctx.Err())
	}
}

// Wait returns when everything up to an entry of the journal is stored.
func (r *Recorder) Wait(ctx context.Context, sequence journal.Sequence) error {
	for {
		r.mu.Lock()
		stored, changed := r.stored, r.changed
		r.mu.Unlock()
		if stored >= sequence {
			return nil
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return fmt.Errorf("wait until entry %d is stored, at %d: %w", sequence, stored, ctx.Err())
		}
	}
}

// Stats returns what was done so far.
func (r *Recorder) Stats() RecorderStats {
	r.mu.Lock()
	defer r.mu.Unlock()
	stats := r.stats
	stats.Settled = r.stored
	return stats
}

// Lag is how many entries of the journal are not stored yet.
func (r *Recorder) Lag(ctx context.Context) (uint64, error) {
	last, err := r.log.Last(ctx)
	if err != nil {
		return 0, err
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if last <= r.stored {
		return 0, nil
	}
	return uint64(last - r.stored), nil
}

// settled notes up to where everything is stored.
func (r *Recorder) settled(sequence journal.Sequence) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if sequence > r.stored {
		r.stored = sequence
		close(r.changed)
		r.changed = make(chan struct{})
	}
}

// failed counts an attempt that failed, and tells the first of several.
func (r *Recorder) failed(what string, err error) {
	r.mu.Lock()
	first := r.failing[what] == nil
	r.failing[what] = err
	r.stats.Errors++
	r.stats.LastError = err
	r.mu.Unlock()
	if first {
		r.config.Logger.Error("recording waits", "for", what, "error", err)
	}
}

// worked notes that something works that may have failed.
func (r *Recorder) worked(what string) {
	r.mu.Lock()
	again := r.failing[what] != nil
	if again {
		delete(r.failing, what)
		r.stats.LastError = nil
		for _, err := range r.failing {
			r.stats.LastError = err
		}
	}
	r.mu.Unlock()
	if again {
		r.config.Logger.Info("recording goes on", "with", what)
	}
}

// newStart is the part of a source that is new at every start.
func newStart() uint32 {
	var b [4]byte
	_, _ = rand.Read(b[:]) // it never fails
	return binary.LittleEndian.Uint32(b[:])
}
