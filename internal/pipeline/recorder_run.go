package pipeline

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/seshat-project/seshat"
	"github.com/seshat-project/seshat/internal/correlate"
	"github.com/seshat-project/seshat/internal/journal"
)

// recording is a recorder at work: what it has in memory. It belongs to one goroutine.
type recording struct {
	*Recorder
	using     *recorderSettings
	window    *correlate.Window
	committer *Committer
	// high is the last entry that was taken, with the source and the number that it has; low is that of which something
	// waits in the window, or the one behind high.
	high position
	// checked is up to where exchanges may be in the store already: what was taken before the last interruption.
	checked journal.Sequence
	marked  journal.Sequence // high of the last transaction
	trimmed time.Time
	own     uint64 // number of the last batch that the recorder itself has appended

	commits  *time.Timer // runs while something waits to be stored
	waits    bool        // commits runs
	silence  *time.Timer
	began    time.Time // the last transaction
	sweeping *time.Timer
	begun    []journal.Sequence // up to where each transaction that was begun settles everything
	broken   error              // why a transaction could not be made: nothing may follow it
}

// entry is an entry of the journal on its way.
type entry struct {
	sequence journal.Sequence
	batch    *journal.Batch // nil when it is damaged
	err      error
}

// open makes a recording that goes on where the store is.
func (r *Recorder) open(ctx context.Context) (*recording, error) {
	settings := r.settings.Load()
	rec := &recording{
		Recorder: r, using: settings, window: correlate.NewWindow(settings.lateness),
		committer: NewCommitter(r.store, correlate.New(settings.correlation), r.config.Now),
		trimmed:   time.Now(),
	}
	rec.committer.committed = r.config.Committed
	rec.committer.live = &live{source: positionSource, position: rec.cut, changed: rec.tell, wrote: rec.settleNext}
	saved, err := r.store.Position(ctx, positionSource)
	if err != nil {
		return nil, err
	}
	if len(saved) == 0 {
		return rec, nil
	}
	if err := rec.restore(ctx, saved); err != nil {
		return nil, err
	}
	return rec, nil
}

// run takes entries until ctx is done.
func (rec *recording) run(ctx context.Context) error {
	reading, stop := context.WithCancel(ctx)
	defer stop()
	entries := make(chan entry, readAhead)
	read := make(chan error, 1)
	go func() { read <- rec.read(reading, rec.high.sequence, entries) }()
	defer func() { stop(); drain(entries, read) }()

	rec.commits, rec.silence, rec.sweeping = time.NewTimer(time.Hour), time.NewTimer(time.Hour), time.NewTimer(0)
	defer rec.commits.Stop()
	defer rec.silence.Stop()
	defer rec.sweeping.Stop()
	rec.commits.Stop()
	rec.listen()
	rec.window.Release(rec.release)
	if err := rec.due(ctx); err != nil {
		return err
	}
	for {
		var err error
		select {
		case e := <-entries:
			err = rec.take(ctx, &e)
		case <-rec.commits.C:
			rec.waits = false
			err = rec.commit(ctx)
		case err = <-rec.committer.writing:
			err = rec.wrote(err)
		case request := <-rec.requests:
			request(ctx, rec)
			err = rec.broken
		case <-rec.silence.C:
			rec.letGo(ctx)
		case <-rec.sweeping.C:
			err = rec.sweep(ctx)
		case err = <-read:
			if err == nil {
				err = errors.New("the journal ended")
			}
			read <- err
		case <-ctx.Done():
			return rec.end()
		}
		if ctx.Err() != nil {
			return rec.end()
		}
		if err != nil {
			return err
		}
	}
}

// drain waits until a reader that was told to stop has stopped.
func drain(entries <-chan entry, read <-chan error) {
	for {
		select {
		case <-entries:
		case <-read:
			return
		}
	}
}

// read decodes the entries after a sequence, and goes on when reading fails.
func (r *Recorder) read(ctx context.Context, after journal.Sequence, entries chan<- entry) error {
	decoder := journal.NewDecoder()
	pause := firstRetry
	for {
		err := r.log.Read(ctx, after, func(sequence journal.Sequence, data []byte) error {
			e := decode(decoder, sequence, data)
			select {
			case entries <- e:
				after, pause = sequence, firstRetry
				return nil
			case <-ctx.Done():
				return ctx.Err()
			}
		})
		if ctx.Err() != nil {
			return ctx.Err()
		}
		r.failed("the journal", err)
		if !sleep(ctx, pause) {
			return ctx.Err()
		}
		pause = min(2*pause, lastRetry)
	}
}

func decode(decoder *journal.Decoder, sequence journal.Sequence, data []byte) entry {
	batch, err := decoder.DecodeBatch(data)
	if err != nil {
		return entry{sequence: sequence, err: fmt.Errorf("entry %d of the journal: %w", sequence, err)}
	}
	return entry{sequence: sequence, batch: batch}
}

// take takes the next entry.
func (rec *recording) take(ctx context.Context, e *entry) error {
	rec.listen()
	rec.worked("the journal")
	if settings := rec.settings.Load(); settings != rec.using {
		rec.using = settings
		rec.window.SetLateness(settings.lateness)
		rec.committer.correlator.SetConfig(settings.correlation)
	}
	if e.batch == nil {
		if seshat.KindOfError(e.err) == seshat.ErrorUnsupported {
			return e.err // leaving out what a newer version wrote would lose it
		}
		rec.damaged(e)
		return nil
	}
	b := e.batch
	if rec.window.Taken(b.Source, b.Number) { // its acknowledgement got lost
		rec.high = position{sequence: e.sequence, source: b.Source, number: b.Number}
		rec.mu.Lock()
		rec.stats.Duplicates++
		rec.mu.Unlock()
		return rec.due(ctx)
	}
	if e.sequence <= rec.checked {
		if err := rec.leaveOutKnown(ctx, b); err != nil {
			return err
		}
	}
	rec.high = position{sequence: e.sequence, source: b.Source, number: b.Number}
	rec.window.Take(arrival(e.sequence, b), rec.release)
	return rec.due(ctx)
}

func (rec *recording) damaged(e *entry) {
	rec.high = position{sequence: e.sequence}
	rec.mu.Lock()
	rec.stats.Damaged++
	rec.mu.Unlock()
	rec.config.Logger.Error("an entry of the journal cannot be read and is left out", "error", e.err)
}

// arrival is a batch in the words of the window.
func arrival(sequence journal.Sequence, b *journal.Batch) *correlate.Arrival {
	a := &correlate.Arrival{
		Sequence: uint64(sequence), Source: b.Source, Node: journal.NodeOf(b.Source), Number: b.Number,
		Watermark: b.Watermark, Away: b.Away, Observations: b.Observations,
	}
	for _, r := range b.Revocations {
		a.Revocations = append(a.Revocations, correlate.Item{Time: r.Time, Revoked: r.Session})
	}
	for _, r := range b.Readmissions {
		a.Revocations = append(a.Revocations, correlate.Item{Time: r.Time, Revoked: r.Session, Readmitted: true})
	}
	return a
}

// release takes what has left the window.
func (rec *recording) release(item *correlate.Item) {
	switch {
	case item.Observation != nil:
		rec.committer.waiting = append(rec.committer.waiting, item.Observation)
	case item.Readmitted:
		rec.committer.Readmit(item.Revoked)
	default:
		rec.committer.Revoke(item.Revoked, item.Time)
	}
}

// due stores what waits when there is enough of it, and else sees to it that it is stored in time.
func (rec *recording) due(ctx context.Context) error {
	rec.mu.Lock()
	rec.stats.Read, rec.stats.Newest = rec.high.sequence, rec.window.Newest()
	rec.stats.Waiting = rec.window.Len() + len(rec.committer.waiting)
	rec.mu.Unlock()
	waiting := len(rec.committer.waiting) + len(rec.committer.revoked)
	switch {
	case waiting >= rec.config.MaxBatch, rec.high.sequence >= rec.marked+markEvery:
		return rec.commit(ctx)
	case waiting > 0 && !rec.waits:
		// What comes alone need not wait for others; in a stream each transaction has the time between two of its own.
		rec.commits.Reset(max(rec.config.CommitEvery-time.Since(rec.began), rec.config.CommitEvery/gathering))
		rec.waits = true
	case waiting == 0 && rec.committer.writing == nil:
		rec.settled(rec.low() - 1)
	}
	return nil
}

// gathering is the part of the time between two transactions that what comes alone waits for others.
const gathering = 8

// commit begins to store everything that waits. It may wait until what was stored before is written.
func (rec *recording) commit(ctx context.Context) error {
	rec.commits.Stop()
	rec.waits = false
	rec.began = time.Now()
	rec.broken = rec.committer.commit(ctx)
	return rec.broken
}

// wrote takes the end of a transaction.
func (rec *recording) wrote(err error) error {
	if rec.broken = rec.committer.wrote(err); rec.broken != nil {
		return rec.broken
	}
	if len(rec.committer.waiting)+len(rec.committer.revoked) == 0 {
		rec.settled(rec.low() - 1)
	}
	return nil
}

// settleNext notes what the oldest transaction of those that were begun has stored.
func (rec *recording) settleNext() {
	counts := rec.committer.Counts()
	rec.mu.Lock()
	rec.stats.Stored, rec.stats.Sessions = counts.Stored, counts.Sessions
	rec.stats.Waiting = rec.window.Len() + len(rec.committer.waiting)
	rec.stats.Commits++
	rec.mu.Unlock()
	rec.settled(rec.begun[0])
	rec.begun = rec.begun[1:]
}

// flush stores everything that waits and is due.
func (rec *recording) flush(ctx context.Context) error {
	if len(rec.committer.waiting)+len(rec.committer.revoked) > 0 {
		if err := rec.commit(ctx); err != nil {
			return err
		}
	}
	return rec.settle()
}

// settle waits until what is being written is stored.
func (rec *recording) settle() error {
	if rec.committer.writing == nil {
		return nil
	}
	return rec.wrote(<-rec.committer.writing)
}

// end stores what is due before the recorder ends.
func (rec *recording) end() error {
	ctx, cancel := context.WithTimeout(context.Background(), shutdownTimeout)
	defer cancel()
	if rec.broken != nil {
		return rec.broken
	}
	return rec.flush(ctx)
}

// listen begins to wait for a sign of life of the sources.
func (rec *recording) listen() { rec.silence.Reset(rec.using.lateness + silenceSlack) }

// letGo says in the journal that nobody need be waited for any more, when something waits and no source has said anything
// for long: they have crashed, or cannot reach the journal. That it is said in the journal makes what is stored depend on
// the journal alone.
func (rec *recording) letGo(ctx context.Context) {
	rec.listen()
	if rec.window.Len() == 0 {
		return
	}
	now := rec.config.Now()
	if latest := rec.window.Latest(); !now.After(latest) {
		now = latest.Add(1)
	}
	rec.own++
	b := journal.Batch{Source: rec.config.Source, Number: rec.own, Watermark: now, Away: true}
	id := fmt.Sprintf("%x-%d", b.Source, b.Number)
	ctx, cancel := context.WithTimeout(ctx, appendTimeout)
	defer cancel()
	if _, err := rec.log.Append(ctx, id, journal.AppendBatch(nil, &b)); err != nil {
		rec.failed("the journal", err)
	}
}

// sweep drops what is older than the retention.
func (rec *recording) sweep(ctx context.Context) error {
	rec.sweeping.Reset(retentionEvery)
	if err := rec.settle(); err != nil {
		return err
	}
	_, err := rec.store.DropBefore(ctx, rec.config.Now().Add(-rec.using.retention))
	if err != nil && ctx.Err() == nil {
		rec.failed("the store", err) // it is tried again in an hour
	}
	return nil
}
