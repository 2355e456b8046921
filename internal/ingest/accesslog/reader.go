// Package accesslog reads the access logs of web servers and proxies, line by line: combined and common, the JSON
// of NGINX, Caddy, Envoy and Traefik, and patterns in the syntax of NGINX and Apache. What is read of each is
// written down in docs/formats/accesslog.md.
package accesslog

import (
	"context"
	"io"

	"github.com/zeebo/xxh3"

	"github.com/seshat-project/seshat"
	"github.com/seshat-project/seshat/internal/ingest"
	"github.com/seshat-project/seshat/internal/ingest/jsonrecord"
	"github.com/seshat-project/seshat/internal/ingest/lines"
)

// Reader reads the lines of a log. It implements [ingest.Reader].
type Reader struct {
	lines  *lines.Reader
	format *Format
	cursor jsonrecord.Cursor
	record record
}

// NewReader returns a reader of a log in the given format.
func NewReader(r io.Reader, format *Format) *Reader {
	return &Reader{lines: lines.NewReader(r), format: format}
}

// Read implements [ingest.Reader].
func (r *Reader) Read(ctx context.Context) (*seshat.Exchange, ingest.Position, error) {
	for {
		line, at, err := r.lines.Next(ctx)
		if err != nil {
			return nil, at, err
		}
		if line[0] == '#' { // the heading of a log in W3C style, and what people write
			continue
		}
		at.Content = xxh3.Hash(line)
		r.record.reset()
		if err = r.format.read(&r.cursor, line, &r.record); err == nil {
			err = r.record.complete()
		}
		if err != nil {
			return nil, at, &ingest.BadRecord{Position: at, Err: err}
		}
		return &r.record.exchange, at, nil
	}
}
