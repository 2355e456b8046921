package pipeline

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/seshat-project/seshat"
	"github.com/seshat-project/seshat/internal/correlate"
	"github.com/seshat-project/seshat/internal/identify"
	"github.com/seshat-project/seshat/internal/ingest"
	"github.com/seshat-project/seshat/internal/journal/spool"
	"github.com/seshat-project/seshat/internal/protect"
	"github.com/seshat-project/seshat/internal/recent"
	"github.com/seshat-project/seshat/internal/store"
)

// Importer reads recorded traffic to its end, puts all of it in the order of its time, and then correlates and
// stores it. So the result does not depend on the order of the files, nor of the lines within them.
type Importer struct {
	Store       store.Store
	Engine      *identify.Engine
	Digester    *protect.Digester
	Correlation correlate.Config
	// SpoolDir is where observations wait that do not fit into memory. They hold no secret.
	SpoolDir string
	// Workers is how many goroutines identify; at least one.
	Workers int
	// Now is the clock that retention counts by.
	Now func() time.Time
	// Exclusive calls f while nobody else writes the store, as [Recorder.Exclusive] does; nil where there is nobody else.
	// The inputs are read before, so that they may come slowly.
	Exclusive func(ctx context.Context, f func() error) error
	// Recent gets all exchanges of some clients, for drafts of rules to be tried on; nil gets none.
	Recent *recent.Ring
	// Committed is told what was stored, when it is set; see [Committed].
	Committed Committed
}

// Input is one file, or other stream, of recorded traffic.
type Input struct {
	Name   string
	Reader ingest.Reader
}

// Summary is what an import did.
type Summary struct {
	Read       int64   `json:"read"` // exchanges that could be read
	Stored     int64   `json:"stored"`
	Bad        int64   `json:"bad"`        // records that could not be read
	Skipped    int64   `json:"skipped"`    // records that are no HTTP exchange, such as a HAR's data: URLs
	Duplicates int64   `json:"duplicates"` // exchanges that were stored before, or twice in the input
	Sessions   int64   `json:"sessions"`   // new ones
	Seconds    float64 `json:"seconds"`
	// AutoIdentifiers are the hosts whose requests carry Authorization so often that it identifies their sessions.
	AutoIdentifiers []string `json:"auto_identifiers,omitempty"`
}

// Phase is what an import is doing.
type Phase string

// The phases of an import.
const (
	PhaseRead  Phase = "read"
	PhaseStore Phase = "store"
)

// Reports receives what happens during an import. Its functions may be nil; they are called from one goroutine.
type Reports struct {
	Bad      func(input string, record *ingest.BadRecord)
	Failed   func(input string, err error) // reading the input ended there; what came before it counts
	Progress func(phase Phase, done, total int64)
}

// spoolMemory is how much of the observations is held in memory before they spill to disk: some 70,000 of an access
// log, or 20,000 with tokens. More is no faster, and an import is to stay within 300 MB.
const spoolMemory = 16 << 20

// progressEvery is how many exchanges go by between two reports of progress.
const progressEvery = 2048

// Import reads all inputs and stores what is new in them. An input that fails is reported and does not stop the
// others; an error is returned when nothing could be stored, or when ctx was cancelled: then what was stored stays,
// and the same import again goes on from there.
func (im *Importer) Import(ctx context.Context, inputs []Input, reports Reports) (Summary, error) {
	start := time.Now()
	var summary Summary
	queue, err := spool.New(im.SpoolDir, spoolMemory)
	if err != nil {
		return summary, err
	}
	defer func() { _ = queue.Close() }() // only temporary files are left behind, and the next import removes them

	auto := autoIdentifier{counts: identify.NewAutoIdentifier(), configured: map[string]struct{}{}}
	// Where records of several inputs have one time, those of the input whose name comes first come first.
	inputs = slices.SortedStableFunc(slices.Values(inputs), func(a, b Input) int { return strings.Compare(a.Name, b.Name) })
	if err := im.read(ctx, inputs, queue, &auto, &summary, reports); err != nil {
		return summary, err
	}
	if err := context.Cause(ctx); err != nil {
		return summary, err
	}
	summary.AutoIdentifiers = auto.suggested()

	if im.Exclusive == nil {
		err = im.storeAll(ctx, queue, &summary, reports)
	} else {
		err = im.Exclusive(ctx, func() error { return im.storeAll(ctx, queue, &summary, reports) })
	}
	summary.Seconds = time.Since(start).Seconds()
	return summary, err
}

// storeAll correlates and stores what was read.
func (im *Importer) storeAll(ctx context.Context, queue *spool.Spool, summary *Summary, reports Reports) error {
	committer := NewCommitter(im.Store, correlate.New(im.Correlation), im.Now)
	committer.committed = im.Committed
	var done int64
	err := queue.Merge(func(o *seshat.Observation) error {
		if done++; done%progressEvery == 0 {
			if err := ctx.Err(); err != nil {
				return err
			}
			reports.progress(PhaseStore, done, summary.Read)
		}
		return committer.Add(ctx, o)
	})
	err = errors.Join(err, committer.Flush(context.WithoutCancel(ctx)))
	counts := committer.Counts()
	summary.Stored, summary.Duplicates, summary.Sessions = counts.Stored, counts.Duplicates, counts.Sessions
	reports.progress(PhaseStore, summary.Read, summary.Read)
	return err
}

func (r *Reports) progress(phase Phase, done, total int64) {
	if r.Progress != nil {
		r.Progress(phase, done, total)
	}
}

// chunk is a run of exchanges on their way from the reader to a worker.
type chunk struct {
	source    int
	exchanges []ownedExchange
}

const chunkSize = 256

// read takes the inputs one after the other; while one goroutine parses, the workers mask, identify and digest.
func (im *Importer) read(ctx context.Context, inputs []Input, queue *spool.Spool, auto *autoIdentifier, summary *Summary, reports Reports) error {
	group, ctx := errgroup.WithContext(ctx)
	full, empty := make(chan *chunk, 4), make(chan *chunk, 8)
	sample := im.Recent.NewSample()
	defer sample.Finish()
	var spooling sync.Mutex
	for range max(im.Workers, 1) {
		group.Go(func() error {
			observer := NewObserver(im.Engine, im.Digester)
			observations := make([]*seshat.Observation, 0, chunkSize)
			for c := range full {
				observations = observations[:0]
				for i := range c.exchanges {
					observations = append(observations, observer.Observe(&c.exchanges[i].Exchange))
					sample.Add(&c.exchanges[i].Exchange, im.Engine.Ruleset())
				}
				spooling.Lock()
				for i, o := range observations {
					auto.observe(&c.exchanges[i].Exchange, o)
					position := c.exchanges[i].position
					if err := queue.Add(o, c.source, uint64(position.Offset), position.Content); err != nil {
						spooling.Unlock()
						return err
					}
				}
				spooling.Unlock()
				select {
				case empty <- c:
				default:
				}
			}
			return nil
		})
	}
	group.Go(func() error {
		defer close(full)
		for source := range inputs {
			if err := im.readInput(ctx, source, &inputs[source], full, empty, summary, reports); err != nil {
				return err
			}
		}
		return nil
	})
	return group.Wait()
}

// readInput parses one input. It returns an error only when the import has to end.
func (im *Importer) readInput(ctx context.Context, source int, input *Input, full chan<- *chunk, empty <-chan *chunk, summary *Summary, reports Reports) error {
	var c *chunk
	send := func() error {
		if c == nil || len(c.exchanges) == 0 {
			return nil
		}
		select {
		case full <- c:
			c = nil
			return nil
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
	for {
		x, position, err := input.Reader.Read(ctx)
		var bad *ingest.BadRecord
		switch {
		case err == nil:
		case errors.As(err, &bad) && bad.Skipped:
			summary.Skipped++
			continue
		case errors.As(err, &bad):
			summary.Bad++
			if reports.Bad != nil {
				reports.Bad(input.Name, bad)
			}
			continue
		case errors.Is(err, io.EOF):
			return send()
		case ctx.Err() != nil:
			return context.Cause(ctx)
		default:
			if reports.Failed != nil {
				reports.Failed(input.Name, fmt.Errorf("read %s: %w", input.Name, err))
			}
			return send()
		}
		if c == nil {
			c = nextChunk(source, empty)
		}
		c.add(x, position)
		summary.Read++
		if summary.Read%progressEvery == 0 {
			reports.progress(PhaseRead, summary.Read, 0)
		}
		if len(c.exchanges) == chunkSize {
			if err := send(); err != nil {
				return err
			}
		}
	}
}

func nextChunk(source int, empty <-chan *chunk) *chunk {
	select {
	case c := <-empty:
		c.source, c.exchanges = source, c.exchanges[:0]
		return c
	default:
		return &chunk{source: source, exchanges: make([]ownedExchange, 0, chunkSize)}
	}
}
