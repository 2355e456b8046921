package tail

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"strconv"
	"sync/atomic"
	"time"

	"github.com/zeebo/xxh3"

	"github.com/seshat-project/seshat"
	"github.com/seshat-project/seshat/internal/ingest"
	"github.com/seshat-project/seshat/internal/ingest/accesslog"
)

// Sink takes what is read.
type Sink interface {
	// Observe takes an exchange, which is valid during the call.
	Observe(ctx context.Context, x *seshat.Exchange) error
	// Flush returns when what was observed before is kept, or is lost in a way that reading it again would not change.
	Flush(ctx context.Context) error
}

// Config says which log is followed, and how.
type Config struct {
	Path string
	// Format is nil to be found by the first lines.
	Format *accesslog.Format
	// Environment and Service label exchanges; an empty service is the host of each.
	Environment, Service string
	// Position is the file that keeps the position.
	Position string
	Sink     Sink
	Logger   *slog.Logger
}

const (
	// pollEvery is how often the end of a log is looked at: a line is seen a fifth of a second after it was written.
	pollEvery = 200 * time.Millisecond
	// saveEvery is how often the position is written down. What was read since is read again after a crash.
	saveEvery = time.Second
	// lingerFor is for how long nothing may be added to a log that was renamed, once there is a new one with lines in it,
	// until it counts as complete. Servers write to the old one until they are told, and their workers one by one.
	lingerFor = time.Second
	// complainEvery is how often the same trouble is logged.
	complainEvery = time.Minute
)

// Stats count what was read since the start.
type Stats struct {
	Lines   int64 // handed on
	Bad     int64 // that could not be read
	Refused int64 // that the sink did not take
	Files   int64 // that were begun
}

// Follower follows one log.
type Follower struct {
	config Config
	lines, bad, refused,
	files atomic.Int64

	open        []*logFile // what is to be read, in order
	at          position   // of the last line that was handed on
	unsaved     bool
	savedAt     time.Time
	complained  time.Time
	badReported time.Time
}

// Open opens a log: every line that is written from now on will be read, and those since the last time. An error says
// that the position cannot be read. The log itself may be missing.
func Open(config Config) (*Follower, error) {
	if config.Path == "" || config.Position == "" || config.Sink == nil {
		return nil, errors.New("a log to follow needs a path, a file for its position, and a sink")
	}
	if config.Logger == nil {
		config.Logger = slog.New(slog.DiscardHandler)
	}
	f := &Follower{config: config}
	saved, err := loadPosition(config.Position)
	if err == nil {
		f.open, err = f.resume(saved)
	}
	if err != nil {
		return nil, err
	}
	if saved == nil {
		f.at, f.unsaved = position{Offset: -1}, true
		if len(f.open) > 0 {
			f.begin(f.open[0])
		}
	}
	return f, nil
}

// begin is at the beginning of what is read of a file.
func (f *Follower) begin(file *logFile) {
	f.at = position{Device: file.device, Inode: file.inode, Offset: -1, Start: file.start}
	f.unsaved = true
}

// PositionName is the name of the file that keeps the position in the log at path, within a folder for these.
func PositionName(path string) string { return fmt.Sprintf("%016x.json", xxh3.HashString(path)) }

// Stats returns the counts.
func (f *Follower) Stats() Stats {
	return Stats{Lines: f.lines.Load(), Bad: f.bad.Load(), Refused: f.refused.Load(), Files: f.files.Load()}
}

// Run follows the log until ctx is done, and returns nil then. An error says that it cannot go on: nothing tells what the
// format of the log is. What else is wrong with the log is logged, and tried again. It is called once.
func (f *Follower) Run(ctx context.Context) error {
	defer func() {
		f.close()
		f.save(context.WithoutCancel(ctx))
	}()
	for ctx.Err() == nil {
		if len(f.open) == 0 && !f.openNext(ctx) {
			return nil
		}
		err := f.read(ctx, f.open[0])
		switch {
		case err == nil || ctx.Err() != nil:
			_ = f.open[0].file.Close() // it was only read
			f.open = f.open[1:]
		case errors.Is(err, errFormat):
			return &seshat.Error{Kind: seshat.ErrorInvalid, Op: "read " + f.config.Path, Err: err, Hint: "name it in logs.format"}
		default:
			f.complain("a log could not be read on", err)
			f.close()
			if !sleep(ctx, pollEvery) {
				return nil
			}
			at := f.at
			if f.open, err = f.resume(&at); err != nil {
				return err
			}
		}
	}
	return nil
}

func (f *Follower) close() {
	for _, file := range f.open {
		_ = file.file.Close() // it was only read
	}
	f.open = nil
}

// openNext opens the log, when there is one. It reports whether there is before ctx is done.
func (f *Follower) openNext(ctx context.Context) bool {
	for {
		file, err := openLog(f.config.Path)
		if err == nil {
			f.open = append(f.open, file)
			return true
		}
		f.complain("a log cannot be opened", err)
		if !sleep(ctx, pollEvery) {
			return false
		}
	}
}

// read hands on the lines of a file until it is complete: renamed and not written to any more, or emptied.
func (f *Follower) read(ctx context.Context, file *logFile) error {
	f.files.Add(1)
	if !file.resumed {
		f.begin(file)
	}
	grow := &growing{ctx: ctx, file: file, path: f.config.Path, offset: file.start, wait: f.pause}
	format, begun, err := f.format(grow)
	if errors.Is(err, io.EOF) {
		return nil
	}
	if err != nil {
		return err
	}
	reader := accesslog.NewReader(begun, format)
	for {
		x, at, err := reader.Read(ctx)
		var bad *ingest.BadRecord
		switch {
		case err == nil:
		case errors.As(err, &bad):
			f.reportBad(file.start+at.Offset, bad)
		case errors.Is(err, io.EOF):
			return nil
		default:
			return err
		}
		offset := file.start + at.Offset
		if file.resumed && offset == f.at.Offset {
			continue // the last one of the last time
		}
		if err == nil {
			f.hand(ctx, x, offset, at.Content)
		}
		f.at.Offset, f.at.Content, f.unsaved = offset, at.Content, true
		if time.Since(f.savedAt) >= saveEvery {
			f.save(ctx)
		}
	}
}

// hand gives an exchange to the sink.
func (f *Follower) hand(ctx context.Context, x *seshat.Exchange, offset int64, content uint64) {
	x.Environment = f.config.Environment
	if f.config.Service != "" {
		x.Service = f.config.Service
	}
	if x.ID == "" {
		x.ID = f.lineID(offset, content)
	}
	f.lines.Add(1)
	if err := f.config.Sink.Observe(ctx, x); err != nil {
		f.refused.Add(1)
	}
}

// lineID is the ID of an exchange whose line has none: the same for the same line however often it is read.
func (f *Follower) lineID(offset int64, content uint64) string {
	text := strconv.AppendInt(append([]byte(f.config.Path), 0), offset, 16)
	text = strconv.AppendUint(append(text, 0), content, 16)
	return "log-" + strconv.FormatUint(xxh3.Hash(text), 36)
}

// pause is called at the end of what there is, every now and then.
func (f *Follower) pause(ctx context.Context) bool {
	if f.unsaved && time.Since(f.savedAt) >= saveEvery {
		f.save(ctx)
	}
	return sleep(ctx, pollEvery)
}

// save writes the position down, after the sink has settled what was read.
func (f *Follower) save(ctx context.Context) {
	if !f.unsaved {
		return
	}
	at := f.at
	at.Version, at.Path = positionVersion, f.config.Path
	f.savedAt = time.Now()
	flushing, cancel := context.WithTimeout(ctx, flushWait)
	defer cancel()
	if err := f.config.Sink.Flush(flushing); err != nil {
		f.complain("the position in a log is not written down: what was read is not kept yet", err)
		return
	}
	if err := at.save(f.config.Position); err != nil {
		f.complain("the position in a log cannot be written down", err)
		return
	}
	f.unsaved = false
}

// flushWait is for how long reading waits for what was read to be kept. The next time is a second later.
const flushWait = 5 * time.Second

func (f *Follower) reportBad(offset int64, bad *ingest.BadRecord) {
	f.bad.Add(1)
	if time.Since(f.badReported) < complainEvery {
		return
	}
	f.badReported = time.Now()
	f.config.Logger.Warn("a line of a log cannot be read", "log", f.config.Path, "offset", offset, "error", bad.Err,
		"bad", f.bad.Load())
}

func (f *Follower) complain(what string, err error) {
	if time.Since(f.complained) < complainEvery {
		return
	}
	f.complained = time.Now()
	f.config.Logger.Warn(what, "log", f.config.Path, "error", err)
}

func sleep(ctx context.Context, d time.Duration) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-ctx.Done():
		return false
	}
}

// logFile is a file of a log.
type logFile struct {
	file          *os.File
	name          string
	device, inode uint64
	start         int64 // where reading begins
	resumed       bool  // the line at start was handed on before, unless the position has none
}
