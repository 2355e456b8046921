// Package ingest is the contract of the sources that read recorded traffic: files of one format go in, exchanges
// come out one at a time. Its sub-packages are the formats.
package ingest

import (
	"context"

	"github.com/seshat-project/seshat"
)

// Reader reads the exchanges of one input in one format. It reads on demand and keeps no more than one exchange
// in memory, whatever the size of the input.
type Reader interface {
	// Read returns the next exchange. The exchange is valid until the next call. It returns io.EOF at the end,
	// and a [*BadRecord] for a record that cannot be read, after which reading goes on. Any other error is final,
	// and what was read before it is good.
	Read(ctx context.Context) (*seshat.Exchange, Position, error)
}

// Position is where in its input a record is.
type Position struct {
	Line   int64 // from 1; for formats without lines, the record's number
	Offset int64 // of the record's first byte in the decoded input
	// Content is a 64-bit digest of the record's bytes. Records that are equal byte by byte have equal ones.
	Content uint64
}

// BadRecord is a record that could not be read. It never stops the rest.
type BadRecord struct {
	Position Position
	// Skipped says that nothing is wrong with the record, but that it is no HTTP exchange, such as a "data:" URL in a
	// HAR. Such records are counted apart from bad ones; Err is the reason.
	Skipped bool
	Err     error // says what is wrong, without quoting secrets: at most a field name and an offset
}

func (b *BadRecord) Error() string { return b.Err.Error() }

func (b *BadRecord) Unwrap() error { return b.Err }
