// Package ndjson reads and describes exchanges in Seshat's own format: one JSON object a line, version 1. The
// format is written down in docs/formats/ndjson.md.
package ndjson

import (
	"context"
	"errors"
	"io"

	"github.com/zeebo/xxh3"

	"github.com/seshat-project/seshat"
	"github.com/seshat-project/seshat/internal/ingest"
	"github.com/seshat-project/seshat/internal/ingest/lines"
)

// Reader reads NDJSON exchanges. It implements [ingest.Reader].
type Reader struct {
	lines   *lines.Reader
	decoder decoder
}

// NewReader returns a reader of the exchanges in r.
func NewReader(r io.Reader) *Reader { return &Reader{lines: lines.NewReader(r)} }

// Read implements [ingest.Reader].
func (r *Reader) Read(ctx context.Context) (*seshat.Exchange, ingest.Position, error) {
	line, at, err := r.lines.Next(ctx)
	if err != nil {
		return nil, at, err
	}
	at.Content = xxh3.Hash(line)
	if err := r.decoder.decode(line); err != nil {
		return nil, at, &ingest.BadRecord{Position: at, Err: err}
	}
	return &r.decoder.exchange, at, nil
}

// Decoder decodes single exchanges, such as the one that "seshat explain" is given. Its zero value is ready.
type Decoder struct{ decoder decoder }

// Decode decodes text, one JSON object that may extend over several lines. The exchange is valid until the next call,
// and as long as text does not change.
func (d *Decoder) Decode(text []byte) (*seshat.Exchange, error) {
	if err := d.decoder.decode(text); err != nil {
		return nil, err
	}
	return &d.decoder.exchange, nil
}

var errNoObject = errors.New("not a JSON object (one exchange a line, such as {\"time\":…,\"request\":{…}})")
