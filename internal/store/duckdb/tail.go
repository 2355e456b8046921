package duckdb

import (
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"os"
	"path/filepath"

	"github.com/seshat-project/seshat"
	"github.com/seshat-project/seshat/internal/store"
)

// TailName is the name of the file, within the data directory, of what was committed in small batches and is not yet in
// the tables.
//
// A transaction of DuckDB costs milliseconds of processor time, whatever is in it: dear for the few hundred exchanges
// that live traffic brings in a moment. And what a batch says of its sessions and of the state of correlation is mostly
// said again by the next. So a small batch is appended to the tail, which is one write of its bytes, and many of them
// become one transaction later: see settle.go.
const TailName = "seshat.tail"

// The file begins with its magic, its version and its generation. Each entry is its length, the checksum of its bytes,
// and these. When the content is moved into the tables, they get its generation in the same transaction. The file of the
// next generation is made before that and takes its place afterwards; whichever of the two is newer than what the tables
// say counts, so that there is no moment at which a crash loses anything or leaves anything twice.
const (
	tailMagic   = "STL"
	tailVersion = 1
	tailHeader  = len(tailMagic) + 1 + 8
	entryHeader = 4 + 4
	nextSuffix  = ".next"
)

// maxEntry is how long an entry may be to be believed: a length that a crash left half written must not make the next
// start allocate gigabytes. A batch of the tail has some megabytes at most.
const maxEntry = 256 << 20

// keptBuffer is how much memory is kept for writing the next entry; a live batch has a few hundred kilobytes.
const keptBuffer = 4 << 20

// tail is the file. It belongs to the one who holds [Store.write].
type tail struct {
	path   string
	file   tailFile
	next   tailFile // of the next generation, from prepare to adopt
	due    bool     // the tables have the content, so that next has to take its place before anything is appended
	buffer []byte   // in work, reused
}

// tailFile is a file of one generation.
type tailFile struct {
	*os.File
	generation uint64
	size       int64 // of the header and the whole entries
	broken     bool  // it may end in a part of an entry, which has to go first
}

// openTail opens the tail of a data directory and calls each for its batches, in order, unless they are in the tables,
// which hold the generation settled.
func openTail(dir string, settled uint64, each func(*store.Batch) error) (*tail, error) {
	t := &tail{path: filepath.Join(dir, TailName)}
	for _, path := range []string{t.path, t.path + nextSuffix} {
		content, generation, err := readTail(path)
		if err != nil {
			return nil, err
		}
		if content == nil || generation <= settled {
			continue
		}
		size, err := eachBatch(content, each)
		if err != nil {
			return nil, fmt.Errorf("read %s: %w", path, err)
		}
		if path != t.path {
			if err := os.Rename(path, t.path); err != nil {
				return nil, err
			}
		}
		t.file = tailFile{generation: generation, size: size, broken: size < int64(len(content))} // of a commit that never returned
		if t.file.File, err = os.OpenFile(t.path, os.O_RDWR, fileRights); err != nil {            //nolint:gosec // within the data directory
			return nil, err
		}
		return t, makePrivate(t.path)
	}
	t.file.generation = settled
	if err := t.prepare(nil); err != nil {
		return nil, err
	}
	return t, t.adopt()
}

// readTail returns the content of a file and its generation; no content when there is no file, or not all of its header.
func readTail(path string) (content []byte, generation uint64, err error) {
	content, err = os.ReadFile(path) //nolint:gosec // within the data directory
	switch {
	case errors.Is(err, os.ErrNotExist), err == nil && len(content) < tailHeader:
		return nil, 0, nil
	case err != nil:
		return nil, 0, err
	case string(content[:len(tailMagic)]) != tailMagic || content[len(tailMagic)] != tailVersion:
		return nil, 0, &seshat.Error{
			Kind: seshat.ErrorUnsupported, Op: "read " + path, Err: fmt.Errorf("format version %d, where %d is known", content[len(tailMagic)], tailVersion),
			Hint: "use the newer seshat that wrote it, or another directory with --data",
		}
	}
	return content, binary.LittleEndian.Uint64(content[len(tailMagic)+1:]), nil
}

// eachBatch calls each for the batches of a content, and returns where the last whole one ends.
func eachBatch(content []byte, each func(*store.Batch) error) (size int64, err error) {
	size = int64(tailHeader)
	for {
		entry, ok := nextEntry(content[size:])
		if !ok {
			return size, nil
		}
		batch, err := decodeBatch(entry)
		if err != nil {
			return 0, err
		}
		if err := each(batch); err != nil {
			return 0, err
		}
		size += int64(entryHeader + len(entry))
	}
}

// nextEntry is the first entry of content; false when it is not whole.
func nextEntry(content []byte) ([]byte, bool) {
	if len(content) < entryHeader {
		return nil, false
	}
	length := binary.LittleEndian.Uint32(content)
	if length > maxEntry || uint64(length) > uint64(len(content)-entryHeader) {
		return nil, false
	}
	entry := content[entryHeader : entryHeader+int(length)]
	return entry, crc32.Checksum(entry, castagnoli()) == binary.LittleEndian.Uint32(content[4:])
}

func castagnoli() *crc32.Table { return crc32.MakeTable(crc32.Castagnoli) } // made once by the library

// prepare makes the file of the next generation, with a batch that is carried over; nil carries nothing.
func (t *tail) prepare(carried *store.Batch) (err error) {
	if t.due {
		if err := t.adopt(); err != nil {
			return err
		}
	}
	if err := t.discard(); err != nil {
		return err
	}
	file, err := os.OpenFile(t.path+nextSuffix, os.O_RDWR|os.O_CREATE|os.O_TRUNC, fileRights) //nolint:gosec // within the data directory
	if err != nil {
		return err
	}
	t.next = tailFile{File: file, generation: t.file.generation + 1}
	content := append([]byte(tailMagic), tailVersion)
	content = binary.LittleEndian.AppendUint64(content, t.next.generation)
	if carried != nil {
		content, err = appendEntry(content, carried)
	}
	if err == nil {
		_, err = file.Write(content)
	}
	if err == nil {
		err = file.Sync()
	}
	if err != nil {
		return errors.Join(err, t.discard())
	}
	t.next.size = int64(len(content))
	return nil
}

// discard drops what prepare made.
func (t *tail) discard() error {
	if t.next.File == nil {
		return nil
	}
	err := errors.Join(t.next.Close(), os.Remove(t.next.Name()))
	t.next = tailFile{}
	return err
}

// adopt puts the file that prepare made in the place of the one before it, whose content is in the tables.
func (t *tail) adopt() error {
	t.due = true // until it is done
	if err := os.Rename(t.path+nextSuffix, t.path); err != nil {
		return err
	}
	before := t.file.File
	t.file, t.next, t.due = t.next, tailFile{}, false
	if before != nil {
		return before.Close()
	}
	return nil
}

// mend removes what a failed write may have left behind the last whole entry.
func (f *tailFile) mend() error {
	if !f.broken {
		return nil
	}
	if err := f.Truncate(f.size); err != nil {
		return err
	}
	f.broken = false
	return nil
}

func appendEntry(dst []byte, b *store.Batch) ([]byte, error) {
	start := len(dst)
	dst = append(dst, make([]byte, entryHeader)...)
	dst = appendBatch(dst, b)
	entry := dst[start+entryHeader:]
	if len(entry) > maxEntry {
		return nil, fmt.Errorf("a batch of %d bytes", len(entry))
	}
	binary.LittleEndian.PutUint32(dst[start:], uint32(len(entry))) //nolint:gosec // at most maxEntry
	binary.LittleEndian.PutUint32(dst[start+4:], crc32.Checksum(entry, castagnoli()))
	return dst, nil
}

// append adds a batch. When it returns nil, the batch survives kill -9, and the loss of power as far as the disk keeps
// what it has acknowledged.
func (t *tail) append(b *store.Batch) (err error) {
	if t.due {
		if err := t.adopt(); err != nil {
			return err
		}
	}
	f := &t.file
	if err := f.mend(); err != nil {
		return err
	}
	if t.buffer, err = appendEntry(t.buffer[:0], b); err != nil {
		return err
	}
	f.broken = true
	_, err = f.WriteAt(t.buffer, f.size)
	if err == nil {
		err = f.Sync()
	}
	if err != nil {
		return errors.Join(err, f.mend())
	}
	f.size, f.broken = f.size+int64(len(t.buffer)), false
	if cap(t.buffer) > keptBuffer {
		t.buffer = nil
	}
	return nil
}

func (t *tail) close() error {
	if t == nil || t.file.File == nil {
		return nil
	}
	if t.due { // its place is taken when it is opened
		return errors.Join(t.next.Close(), t.file.Close())
	}
	return errors.Join(t.discard(), t.file.Close())
}
