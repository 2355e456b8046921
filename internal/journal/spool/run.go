package spool

import (
	"bufio"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"github.com/klauspost/compress/s2"

	"github.com/seshat-project/seshat"
	"github.com/seshat-project/seshat/internal/journal"
)

const (
	filePattern = "run-*.spool"
	fileName    = "run-%06d.spool"
	// blockBytes is what is compressed at once. A run that is read holds two blocks, and up to fanIn runs are read
	// at a time.
	blockBytes = 128 << 10
	// headBytes is the size of what stands before each observation in a run: its key and its length.
	headBytes = 36
)

// spill writes what is in memory to a file.
func (s *Spool) spill() error {
	s.sort()
	err := s.writeRun(func(w *runWriter) error {
		for i := range s.entries {
			e := &s.entries[i]
			if err := w.write(&e.key, sized(s.encoded(e))); err != nil {
				return err
			}
		}
		return nil
	})
	if err == nil {
		s.empty()
	}
	return err
}

// sized cuts the first observation out of encoded ones.
func sized(encoded []byte) []byte { return encoded[:journal.Size(encoded)] }

// writeRun makes a new run of what fill writes. Of a run that fails no file is left.
func (s *Spool) writeRun(fill func(*runWriter) error) (err error) {
	if err := os.MkdirAll(s.dir, 0o700); err != nil {
		return s.failed(err)
	}
	s.created++
	name := filepath.Join(s.dir, fmt.Sprintf(fileName, s.created))
	file, err := os.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600) //nolint:gosec // in the spool's own directory
	if err != nil {
		return s.failed(err)
	}
	// zstd at its fastest leaves a third less than S2, and is as fast only with windows of megabytes, which every run
	// that is read would need. S2 needs two blocks.
	packer := s2.NewWriter(file, s2.WriterBlockSize(blockBytes), s2.WriterConcurrency(1))
	err = fill(&runWriter{w: packer})
	err = errors.Join(err, packer.Close(), file.Close())
	if err != nil {
		return errors.Join(s.failed(err), remove([]string{name}))
	}
	s.runs = append(s.runs, name)
	return nil
}

func (s *Spool) failed(err error) error {
	return &seshat.Error{
		Kind: seshat.ErrorInternal, Op: "spool observations in " + s.dir, Err: err,
		Hint: "is the disk full?",
	}
}

type runWriter struct {
	w    io.Writer
	head [headBytes]byte
}

func (w *runWriter) write(k *key, encoded []byte) error {
	h := w.head[:]
	binary.LittleEndian.PutUint64(h[0:], uint64(k.seconds)) //nolint:gosec // read back the same way
	binary.LittleEndian.PutUint32(h[8:], k.nanoseconds)
	binary.LittleEndian.PutUint64(h[12:], k.content)
	binary.LittleEndian.PutUint32(h[20:], k.source)
	binary.LittleEndian.PutUint64(h[24:], k.position)
	binary.LittleEndian.PutUint32(h[32:], uint32(len(encoded))) //nolint:gosec // an observation has no gigabytes
	if _, err := w.w.Write(h); err != nil {
		return err
	}
	_, err := w.w.Write(encoded)
	return err
}

// runReader reads a run from its file.
type runReader struct {
	file    *os.File
	r       *bufio.Reader
	k       key
	encoded []byte
}

func openRun(name string) (*runReader, error) {
	file, err := os.Open(name) //nolint:gosec // a file of the spool's own
	if err != nil {
		return nil, fmt.Errorf("read spool file: %w", err)
	}
	unpacker := s2.NewReader(file, s2.ReaderMaxBlockSize(blockBytes), s2.ReaderAllocBlock(blockBytes))
	return &runReader{file: file, r: bufio.NewReaderSize(unpacker, 4<<10)}, nil
}

func (r *runReader) key() *key { return &r.k }

func (r *runReader) observation() []byte { return r.encoded }

// next reads the next observation of the run. It returns io.EOF behind the last.
func (r *runReader) next() error {
	var h [headBytes]byte
	if _, err := io.ReadFull(r.r, h[:]); err != nil {
		if errors.Is(err, io.EOF) {
			return io.EOF
		}
		return fmt.Errorf("read spool file %s: %w", r.file.Name(), err)
	}
	r.k = key{
		seconds:     int64(binary.LittleEndian.Uint64(h[0:])), //nolint:gosec // written the same way
		nanoseconds: binary.LittleEndian.Uint32(h[8:]),
		content:     binary.LittleEndian.Uint64(h[12:]),
		source:      binary.LittleEndian.Uint32(h[20:]),
		position:    binary.LittleEndian.Uint64(h[24:]),
	}
	size := int(binary.LittleEndian.Uint32(h[32:]))
	if cap(r.encoded) < size {
		r.encoded = make([]byte, size+size/2)
	}
	r.encoded = r.encoded[:size]
	if _, err := io.ReadFull(r.r, r.encoded); err != nil {
		return fmt.Errorf("read spool file %s: %w", r.file.Name(), err)
	}
	return nil
}

func (r *runReader) close() error { return r.file.Close() }
