package client

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"mime/multipart"
	"net/http"

	"github.com/seshat-project/seshat/internal/api/wire"
)

// Input is one file of an import.
type Input struct {
	Name string
	// Open is called when it is the input's turn. What it returns is closed.
	Open func() (io.ReadCloser, error)
}

// Import sends inputs to the instance, which stores what is in them, and reports what happens. The inputs are to be in
// the order of their names, in which the instance reads them. An input that cannot be read goes to failed; the others are
// imported. Failed and report may be called by different goroutines.
func (c *Client) Import(ctx context.Context, options wire.ImportOptions, inputs []Input, failed func(name string, err error), report func(*wire.ImportEvent)) (wire.ImportSummary, error) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel() // ends the sending when the instance has answered
	for _, in := range inputs {
		options.Inputs = append(options.Inputs, in.Name)
	}
	body, writer := io.Pipe()
	form := multipart.NewWriter(writer)
	// It is not waited for: it may be reading from a terminal, and what it had to say came before the summary.
	go func() { _ = writer.CloseWithError(send(form, &options, inputs, failed)) }()
	defer func() { _ = body.Close() }() // a sender that has more to write ends
	res, err := c.do(ctx, request{
		method: http.MethodPost, path: "/imports", accept: wire.NDJSON, contentType: form.FormDataContentType(), body: body,
	})
	if err != nil {
		return wire.ImportSummary{}, err
	}
	defer func() { _ = res.Body.Close() }() // it was only read
	var summary *wire.ImportSummary
	err = c.lines(ctx, res.Body, func(line []byte) (bool, error) {
		var event wire.ImportEvent
		if err := json.Unmarshal(line, &event); err != nil {
			return false, fmt.Errorf("read the answer of the instance: %w", err)
		}
		if event.Event == wire.ImportDone && event.Summary != nil {
			summary = event.Summary
			return false, nil
		}
		report(&event)
		return true, nil
	})
	switch {
	case err != nil:
		return wire.ImportSummary{}, err
	case summary == nil:
		return wire.ImportSummary{}, c.broken(ctx, errors.New("the answer broke off"))
	}
	return *summary, nil
}

// send writes the parts of an import.
func send(form *multipart.Writer, options *wire.ImportOptions, inputs []Input, failed func(string, error)) error {
	part, err := form.CreateFormField("options")
	if err != nil {
		return err
	}
	if err := json.NewEncoder(part).Encode(options); err != nil {
		return err
	}
	for _, in := range inputs {
		part, err := form.CreateFormFile("file", "input")
		if err != nil {
			return err
		}
		if err := sendInput(part, in); err != nil {
			var broken *sendError
			if errors.As(err, &broken) {
				return err
			}
			failed(in.Name, err)
		}
	}
	return form.Close()
}

// sendError is an error of the connection, not of the input.
type sendError struct{ error }

func (e *sendError) Unwrap() error { return e.error }

func sendInput(to io.Writer, in Input) (err error) {
	from, err := in.Open()
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, from.Close()) }()
	buffer := make([]byte, 256<<10)
	for {
		n, err := from.Read(buffer)
		if n > 0 {
			if _, err := to.Write(buffer[:n]); err != nil {
				return &sendError{err}
			}
		}
		switch {
		case errors.Is(err, io.EOF):
			return nil
		case err != nil:
			return fmt.Errorf("read %s: %w", in.Name, err)
		}
	}
}
