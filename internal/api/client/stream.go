package client

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"

	"github.com/seshat-project/seshat/internal/api/wire"
)

const (
	lineBuffer = 64 << 10
	// maxLine is how many bytes a line of a stream may have: far more than the longest exchange.
	maxLine = 64 << 20
)

// failureStart is how a line begins that says that a stream could not be finished.
const failureStart = `{"problem":`

// stream calls each for the lines of an answer, until it returns false.
func (c *Client) stream(ctx context.Context, r request, each func(line []byte) (more bool, err error)) error {
	ctx, cancel := context.WithCancel(ctx) // ends the answer that nobody reads on
	defer cancel()
	r.accept = wire.NDJSON
	res, err := c.do(ctx, r)
	if err != nil {
		return err
	}
	defer func() { _ = res.Body.Close() }() // it was only read
	return c.lines(ctx, res.Body, each)
}

func (c *Client) lines(ctx context.Context, body io.Reader, each func(line []byte) (more bool, err error)) error {
	in := bufio.NewScanner(body)
	in.Buffer(make([]byte, 0, lineBuffer), maxLine)
	for in.Scan() {
		line := in.Bytes()
		if bytes.HasPrefix(line, []byte(failureStart)) {
			var failure wire.Failure
			if err := json.Unmarshal(line, &failure); err == nil && failure.Problem != nil {
				return failure.Problem.Err()
			}
		}
		more, err := each(line)
		if err != nil || !more {
			return err
		}
	}
	if err := in.Err(); err != nil {
		if errors.Is(err, bufio.ErrTooLong) {
			return fmt.Errorf("read the answer of the instance: %w", err)
		}
		return c.broken(ctx, err)
	}
	return nil
}

// rows decodes the lines of an answer.
func rows[T any](ctx context.Context, c *Client, r request, yield func(*T) (bool, error)) error {
	return c.stream(ctx, r, func(line []byte) (bool, error) {
		var one T
		if err := json.Unmarshal(line, &one); err != nil {
			return false, fmt.Errorf("read the answer of the instance: %w", err)
		}
		return yield(&one)
	})
}
