package duckdb

import (
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
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

// The file begins with its magic, its version and its generation. When its content is in the tables, they hold its
// generation, in the same transaction; it then begins anew, empty, with the next one. Each entry is its length, the
// checksum of its bytes, and these.
const (
	tailMagic   = "STL"
	tailVersion = 1
	tailHeader  = len(tailMagic) + 1 + 8
	entryHeader = 4 + 4
)

// maxEntry is how long an entry may be to be believed: a length that a crash left half written must not make the next
// start allocate gigabytes. A batch of the tail has some megabytes at most.
const maxEntry = 256 << 20

// tail is the file. It belongs to the one who holds [Store.write].
type tail struct {
	file       *os.File
	size       int64 // of the header and the whole entries
	generation uint64
	buffer     []byte // in work, reused
	broken     bool   // the file may end in a part of an entry, which has to go first
}

// openTail opens the tail of a data directory and calls each for its batches, in order, unless they are in the tables,
// which hold the generation settled.
func openTail(dir string, settled uint64, each func(*store.Batch) error) (_ *tail, err error) {
	path := filepath.Join(dir, TailName)
	file, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, fileRights) //nolint:gosec // within the data directory
	if err != nil {
		return nil, err
	}
	t := &tail{file: file}
	defer func() {
		if err != nil {
			_ = file.Close() // err says why
		}
	}()
	if err := makePrivate(path); err != nil {
		return nil, err
	}
	content, err := io.ReadAll(file)
	if err != nil {
		return nil, err
	}
	if len(content) < tailHeader { // new, or it was about to begin anew
		return t, t.begin(settled + 1)
	}
	if string(content[:len(tailMagic)]) != tailMagic || content[len(tailMagic)] != tailVersion {
		return nil, &seshat.Error{
			Kind: seshat.ErrorUnsupported, Op: "read " + path, Err: fmt.Errorf("format version %d, where %d is known", content[len(tailMagic)], tailVersion),
			Hint: "use the newer seshat that wrote it, or another directory with --data",
		}
	}
	t.generation = binary.LittleEndian.Uint64(content[len(tailMagic)+1:])
	if t.generation <= settled {
		return t, t.begin(settled + 1)
	}
	t.size = int64(tailHeader)
	for {
		entry, ok := nextEntry(content[t.size:])
		if !ok {
			break
		}
		batch, err := decodeBatch(entry)
		if err != nil {
			return nil, fmt.Errorf("read %s: %w", path, err)
		}
		if err := each(batch); err != nil {
			return nil, err
		}
		t.size += int64(entryHeader + len(entry))
	}
	t.broken = t.size < int64(len(content)) // of a commit that never returned
	return t, nil
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

// begin empties the file and gives it a generation.
func (t *tail) begin(generation uint64) error {
	t.broken = true // until it is done
	if err := t.file.Truncate(0); err != nil {
		return err
	}
	header := append([]byte(tailMagic), tailVersion)
	header = binary.LittleEndian.AppendUint64(header, generation)
	if _, err := t.file.WriteAt(header, 0); err != nil {
		return err
	}
	t.size, t.generation, t.broken = int64(len(header)), generation, false
	return nil
}

// mend removes what a failed write may have left behind the last whole entry.
func (t *tail) mend() error {
	if !t.broken {
		return nil
	}
	if t.size < int64(tailHeader) {
		return t.begin(t.generation)
	}
	if err := t.file.Truncate(t.size); err != nil {
		return err
	}
	t.broken = false
	return nil
}

// append adds a batch. When it returns nil, the batch survives kill -9, and the loss of power as far as the disk keeps
// what it has acknowledged.
func (t *tail) append(b *store.Batch) error {
	if err := t.mend(); err != nil {
		return err
	}
	t.buffer = append(t.buffer[:0], make([]byte, entryHeader)...)
	t.buffer = appendBatch(t.buffer, b)
	entry := t.buffer[entryHeader:]
	if len(entry) > maxEntry {
		return fmt.Errorf("a batch of %d bytes", len(entry))
	}
	binary.LittleEndian.PutUint32(t.buffer, uint32(len(entry))) //nolint:gosec // at most maxEntry
	binary.LittleEndian.PutUint32(t.buffer[4:], crc32.Checksum(entry, castagnoli()))
	t.broken = true
	_, err := t.file.WriteAt(t.buffer, t.size)
	if err == nil {
		err = t.file.Sync()
	}
	if err != nil {
		return errors.Join(err, t.mend())
	}
	t.size, t.broken = t.size+int64(len(t.buffer)), false
	if cap(t.buffer) > keptBuffer {
		t.buffer = nil
	}
	return nil
}

// keptBuffer is how much memory is kept for writing the next entry; a live batch has a few hundred kilobytes.
const keptBuffer = 4 << 20

func (t *tail) close() error {
	if t == nil || t.file == nil {
		return nil
	}
	return t.file.Close()
}
