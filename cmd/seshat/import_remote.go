package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/seshat-project/seshat"
	"github.com/seshat-project/seshat/internal/api/client"
	"github.com/seshat-project/seshat/internal/api/wire"
	"github.com/seshat-project/seshat/internal/pipeline"
	"github.com/seshat-project/seshat/internal/terminal"
)

// importThrough has the running instance import the files, which are read here and sent to it.
func (r *importRun) importThrough(ctx context.Context, c *client.Client, inputs []*lazyInput) (pipeline.Summary, error) {
	// The order in which they are read; see pipeline.Importer.
	slices.SortStableFunc(inputs, func(a, b *lazyInput) int { return strings.Compare(a.name, b.name) })
	sent := make([]client.Input, len(inputs))
	for i, input := range inputs {
		sent[i] = client.Input{Name: input.name, Open: func() (io.ReadCloser, error) {
			file, err := input.openFile(ctx)
			if err != nil {
				return nil, err
			}
			return &sentFile{Reader: file, input: input}, nil
		}}
	}
	o := r.options
	options := wire.ImportOptions{Format: o.format, LogFormat: o.logFormat, Environment: o.environment, Service: o.service}
	summary, err := c.Import(ctx, options, sent, func(name string, err error) {
		r.mu.Lock()
		defer r.mu.Unlock()
		if ctx.Err() == nil {
			r.fail(name, err)
		}
	}, r.event)
	r.mu.Lock()
	defer r.mu.Unlock()
	if err == nil {
		r.badLines = summary.Bad // not all of them were told one by one
	}
	return pipeline.Summary(summary), err
}

// event tells of what happens in the instance as of what happens here.
func (r *importRun) event(e *wire.ImportEvent) {
	r.mu.Lock()
	defer r.mu.Unlock()
	switch e.Event {
	case wire.ImportProgress:
		r.report(pipeline.Phase(e.Phase), e.Done, e.Total)
	case wire.ImportBad:
		if r.badLines++; r.badLines <= int64(r.options.badLines) {
			r.progress.Clear()
			fmt.Fprintln(r.stderr, terminal.Escape(fmt.Sprintf("%s:%d: %s", e.Input, e.Line, e.Message)))
		}
	case wire.ImportFailed:
		r.failed = true
		r.complainApart(e.Message)
	case wire.ImportAutoIdentifier:
		r.added = append(r.added, addedRule{e.Host, e.Rule})
	}
}

// sentFile is a file on its way to the instance.
type sentFile struct {
	io.Reader
	input *lazyInput
	sent  int64
}

// Read implements [io.Reader].
func (s *sentFile) Read(b []byte) (int, error) {
	n, err := s.Reader.Read(b)
	s.sent += int64(n)
	r := s.input.run
	r.mu.Lock()
	defer r.mu.Unlock()
	r.reportBytes(s.sent, 0)
	return n, err
}

// Close implements [io.Closer].
func (s *sentFile) Close() error {
	r := s.input.run
	r.mu.Lock()
	defer r.mu.Unlock()
	s.input.close()
	return nil
}

// failedText is what is said of an input that could not be read to its end.
func failedText(err error) string {
	var known *seshat.Error
	if errors.As(err, &known) { // it says which input
		err = known
	}
	return err.Error()
}
