// Package spool puts the observations of an import into the order of their times, however they arrive, in bounded
// memory: an external merge sort. It also gives them their keys, which takes knowing what stands beside them.
package spool

import (
	"cmp"
	"errors"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"slices"

	"github.com/seshat-project/seshat"
	"github.com/seshat-project/seshat/internal/journal"
)

const (
	// chunkBytes is the size of the pieces that memory is taken in. Pieces are filled to the last few hundred bytes
	// and used again after a spill, where one growing slice would be copied and need twice its size.
	chunkBytes = 1 << 20
	// entryBytes is how much memory the sort key of one observation takes.
	entryBytes = 40
	// LeastMemory is the least memory that a spool works with.
	LeastMemory = 4 * chunkBytes
)

// Spool collects observations and gives them back in order. It is not safe for concurrent use.
type Spool struct {
	dir    string
	memory int64

	entries []entry
	chunks  [][]byte // encoded observations; the first used ones hold data
	used    int
	extra   int64 // by how much chunks outgrew their size

	runs    []string // files, each in order
	created int      // number of files so far
	decoder *journal.Decoder
}

// entry is what observations in memory are sorted by, and where they are.
type entry struct {
	key    key
	chunk  uint32
	offset uint32
}

// key orders observations: by time, then as they stand in their source, because what a log says of one second it says
// in order. Content is what equal records are recognised by.
type key struct {
	seconds     int64
	position    uint64
	content     uint64
	nanoseconds uint32
	source      uint32
}

func (k *key) compare(other *key) int {
	if c := cmp.Compare(k.seconds, other.seconds); c != 0 {
		return c
	}
	if c := cmp.Compare(k.nanoseconds, other.nanoseconds); c != 0 {
		return c
	}
	if c := cmp.Compare(k.source, other.source); c != 0 {
		return c
	}
	if c := cmp.Compare(k.position, other.position); c != 0 {
		return c
	}
	return cmp.Compare(k.content, other.content)
}

// New returns a spool that spills into files in dir once it holds more than memory bytes. The directory is made when it
// is needed. It must belong to this spool alone: files that a spool left there when its process was killed are removed.
func New(dir string, memory int64) (*Spool, error) {
	left, err := filepath.Glob(filepath.Join(dir, filePattern))
	if err != nil {
		return nil, fmt.Errorf("spool in %s: %w", dir, err)
	}
	if err := remove(left); err != nil {
		return nil, err
	}
	return &Spool{dir: dir, memory: max(memory, LeastMemory), decoder: journal.NewDecoder()}, nil
}

// Add adds an observation that came from source, a number that the caller gives each input, where it stands at
// position, and whose record has the digest content (see [ingest.Position]). Observations may be added in any order,
// of their times as of their positions. The observation is encoded at once and not kept.
//
// [ingest.Position]: https://pkg.go.dev/github.com/seshat-project/seshat/internal/ingest#Position
func (s *Spool) Add(o *seshat.Observation, source int, position, content uint64) error {
	if source < 0 || source > math.MaxUint32 {
		return fmt.Errorf("spool: source %d is out of range", source)
	}
	if s.used > 0 && s.full() && int64(s.used)*chunkBytes+s.extra+int64(cap(s.entries))*entryBytes >= s.memory {
		if err := s.spill(); err != nil {
			return err
		}
	}
	chunk := s.chunk()
	offset := len(s.chunks[chunk])
	before := cap(s.chunks[chunk])
	s.chunks[chunk] = journal.Append(s.chunks[chunk], o)
	s.extra += int64(cap(s.chunks[chunk]) - before)
	s.entries = append(s.entries, entry{
		key: key{
			seconds: o.Time.Unix(), nanoseconds: uint32(o.Time.Nanosecond()), //nolint:gosec // below 1e9
			content: content, source: uint32(source), position: position, //nolint:gosec // checked above
		},
		chunk: uint32(chunk), offset: uint32(offset), //nolint:gosec // a chunk has a megabyte, memory fewer than 2^32 of them
	})
	return nil
}

// room is what a chunk must have left to be filled further. Observations are smaller, nearly all of them; one that is
// not makes its chunk grow.
const room = 4 << 10

// full reports whether the last chunk is full.
func (s *Spool) full() bool { return len(s.chunks[s.used-1]) > chunkBytes-room }

// chunk returns the index of a chunk with room.
func (s *Spool) chunk() int {
	if s.used == 0 || s.full() {
		if s.used == len(s.chunks) {
			s.chunks = append(s.chunks, make([]byte, 0, chunkBytes))
		}
		s.used++
	}
	return s.used - 1
}

// sort puts what is in memory in order. What is in order already costs one pass.
func (s *Spool) sort() {
	slices.SortFunc(s.entries, func(a, b entry) int { return a.key.compare(&b.key) })
}

// encoded is the encoded observation of an entry, and whatever follows it.
func (s *Spool) encoded(e *entry) []byte { return s.chunks[e.chunk][e.offset:] }

// empty forgets what is in memory and keeps the memory.
func (s *Spool) empty() {
	for i := range s.chunks[:s.used] {
		if cap(s.chunks[i]) > chunkBytes {
			s.chunks[i] = make([]byte, 0, chunkBytes)
		}
		s.chunks[i] = s.chunks[i][:0]
	}
	s.used, s.extra, s.entries = 0, 0, s.entries[:0]
}

// Close removes the files of the spool.
func (s *Spool) Close() error {
	runs := s.runs
	s.runs, s.chunks, s.entries, s.used = nil, nil, nil, 0
	return remove(runs)
}

func remove(files []string) error {
	var errs []error
	for _, file := range files {
		if err := os.Remove(file); err != nil && !errors.Is(err, os.ErrNotExist) {
			errs = append(errs, fmt.Errorf("remove spool file: %w", err))
		}
	}
	return errors.Join(errs...)
}
