package duckdb

import (
	"context"
	"errors"
	"strings"
	"syscall"

	engine "github.com/duckdb/duckdb-go/v2"

	"github.com/seshat-project/seshat"
)

// operational is err for an operator: a full disk and a lack of memory are told from what should not happen.
// An error that is a [seshat.Error] already stays as it is, and so does the end of ctx.
func (s *Store) operational(op string, err error) error {
	var known *seshat.Error
	if err == nil || errors.As(err, &known) || errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded) {
		return err
	}
	hint := hintFull(err)
	err = oneLine(err)
	if hint != "" {
		return &seshat.Error{Kind: seshat.ErrorUnavailable, Op: op, Err: err, Hint: hint}
	}
	var failed *engine.Error
	if errors.As(err, &failed) {
		switch failed.Type {
		case engine.ErrorTypeOutOfMemory:
			return &seshat.Error{
				Kind: seshat.ErrorUnavailable, Op: op, Err: err,
				Hint: "ask for less at once: a shorter time range, or a limit",
			}
		case engine.ErrorTypeIO, engine.ErrorTypeSerialization:
			return &seshat.Error{
				Kind: seshat.ErrorUnavailable, Op: op, Err: err,
				Hint: "check that the disk works and the files in " + s.dir + " are this user's",
			}
		default:
		}
	}
	return &seshat.Error{Kind: seshat.ErrorInternal, Op: op, Err: err}
}

// briefError is an error of DuckDB that says its first line only.
type briefError struct {
	text string
	err  error
}

func (e *briefError) Error() string { return e.text }
func (e *briefError) Unwrap() error { return e.err }

// oneLine is err without the kilobytes that DuckDB puts behind what went wrong: the functions that it was in, and
// advice on settings that nobody can change here.
func oneLine(err error) error {
	var failed *engine.Error
	text := err.Error()
	if errors.As(err, &failed) {
		text, _, _ = strings.Cut(text, "\n")
	} else { // an error that lost its type on the way; several that were joined have a line each
		text, _, _ = strings.Cut(text, stackTrace)
	}
	if text = strings.TrimSpace(text); text == err.Error() {
		return err
	}
	return &briefError{text: text, err: err}
}

// stackTrace is before the functions in DuckDB's texts.
const stackTrace = "\n\nStack Trace"

// hintFull is what to do when err says that there is no space, and empty otherwise. DuckDB passes the system's
// words on without its number.
func hintFull(err error) string {
	text := err.Error()
	if errors.Is(err, syscall.ENOSPC) || errors.Is(err, syscall.EFBIG) || errors.Is(err, syscall.EDQUOT) ||
		strings.Contains(text, "No space left") || strings.Contains(text, "File too large") ||
		strings.Contains(text, "quota exceeded") || strings.Contains(text, "not enough space") {
		return "the disk is full; make room and try again, nothing that was stored is lost"
	}
	return ""
}
