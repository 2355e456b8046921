package main

import (
	"context"
	"errors"
	"io"
	"os"

	"github.com/seshat-project/seshat"
	"github.com/seshat-project/seshat/internal/ingest"
	"github.com/seshat-project/seshat/internal/ingest/detect"
	"github.com/seshat-project/seshat/internal/pipeline"
)

// inputs are the files that can be read. What is wrong with the others is said at once: nobody wants to find a typing
// error at the end of a long import.
func (r *importRun) inputs(files []string) []pipeline.Input {
	var out []pipeline.Input
	stdin := false
	for _, name := range files {
		if name == "-" {
			if stdin {
				continue // there is only one
			}
			stdin = true
			out = append(out, pipeline.Input{Name: name, Reader: &lazyInput{run: r, name: name}})
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
		out = append(out, pipeline.Input{Name: name, Reader: &lazyInput{run: r, name: name}})
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
		if err := l.open(); err != nil {
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

func (l *lazyInput) open() error {
	in := l.run.stdin
	if l.name != "-" {
		file, err := os.Open(l.name)
		if err != nil {
			return readError(l.name, err)
		}
		in, l.file = file, file
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
