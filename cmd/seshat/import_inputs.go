package main

import (
	"context"
	"errors"
	"io"
	"os"

	"github.com/seshat-project/seshat"
	"github.com/seshat-project/seshat/internal/ingest"
	"github.com/seshat-project/seshat/internal/ingest/detect"
)

// inputs are the files that can be read. What is wrong with the others is said at once: nobody wants to find a typing
// error at the end of a long import.
func (r *importRun) inputs(files []string) []*lazyInput {
	var out []*lazyInput
	stdin := false
	for _, name := range files {
		if name == "-" {
			if stdin {
				continue // there is only one
			}
			stdin = true
			out = append(out, &lazyInput{run: r, name: name})
			continue
		}
		info, err := os.Stat(name)
		if err == nil && info.IsDir() {
			err = &seshat.Error{
				Kind: seshat.ErrorInvalid, Op: "read " + name, Err: errors.New("it is a directory"), Hint: "give the files in it, such as " + name + "/*",
			}
		} else if err != nil {
			err = readError(name, err)
		}
		if err != nil {
			r.failed = true
			r.complain(err.Error())
			continue
		}
		if info.Mode().IsRegular() {
			r.total += info.Size()
		}
		out = append(out, &lazyInput{run: r, name: name})
	}
	if stdin {
		r.total = 0 // of which nobody knows how much comes
	}
	return out
}

// lazyInput opens its file when the first exchange is asked for, and closes it after the last one: an import of
// thousands of files has one of them open.
type lazyInput struct {
	run    *importRun
	name   string
	file   io.Closer
	reader ingest.Reader
}

// Read implements [ingest.Reader].
func (l *lazyInput) Read(ctx context.Context) (*seshat.Exchange, ingest.Position, error) {
	if l.reader == nil {
		if err := l.open(ctx); err != nil {
			l.close()
			return nil, ingest.Position{}, err
		}
	}
	x, at, err := l.reader.Read(ctx)
	if err != nil {
		var bad *ingest.BadRecord
		if !errors.As(err, &bad) {
			l.close()
		}
	}
	return x, at, err
}

// openFile opens the file as it is.
func (l *lazyInput) openFile(ctx context.Context) (io.Reader, error) {
	if l.name == "-" {
		return interruptible(ctx, l.run.stdin), nil
	}
	file, err := os.Open(l.name)
	if err != nil {
		return nil, readError(l.name, err)
	}
	l.file = file
	if info, err := file.Stat(); err == nil && !info.Mode().IsRegular() {
		return interruptible(ctx, file), nil // a pipe with a name may wait for ever, too
	}
	return file, nil
}

func (l *lazyInput) open(ctx context.Context) error {
	in, err := l.openFile(ctx)
	if err != nil {
		return err
	}
	o := l.run.options
	reader, format, err := detect.Open(l.name, in, detect.Options{
		Format: o.format, LogFormat: o.logFormat, Environment: o.environment, Service: o.service,
		Progress: l.run.reportBytes,
	})
	if err != nil {
		return err
	}
	l.run.logger().Debug("reading", "file", l.name, "format", format.String())
	l.reader = reader
	return nil
}

func (l *lazyInput) close() {
	l.run.read, l.run.current = l.run.read+l.run.current, 0
	if l.file != nil {
		_ = l.file.Close() // it was only read
		l.file = nil
	}
}

// interruptible returns a reader of r that gives up waiting when ctx is done: a read from a terminal or a pipe cannot be
// stopped. The goroutine that waits is left behind then, and the program ends.
func interruptible(ctx context.Context, r io.Reader) io.Reader {
	return &interruptibleReader{ctx: ctx, r: r, done: make(chan readResult, 1)}
}

type interruptibleReader struct {
	ctx    context.Context // io.Reader takes none, and this reader lives for one import
	r      io.Reader
	buffer [64 << 10]byte // the goroutine's, while it reads
	rest   []byte         // of it, what is not given out yet
	err    error
	done   chan readResult
}

type readResult struct {
	n   int
	err error
}

// Read implements [io.Reader].
func (i *interruptibleReader) Read(p []byte) (int, error) {
	if len(i.rest) == 0 && i.err == nil {
		go func() {
			n, err := i.r.Read(i.buffer[:])
			i.done <- readResult{n, err}
		}()
		select {
		case <-i.ctx.Done():
			i.err = i.ctx.Err()
		case result := <-i.done:
			i.rest, i.err = i.buffer[:result.n], result.err
		}
	}
	n := copy(p, i.rest)
	i.rest = i.rest[n:]
	if len(i.rest) > 0 {
		return n, nil
	}
	return n, i.err
}
