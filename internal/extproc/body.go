package extproc

import (
	"github.com/seshat-project/seshat"
	"github.com/seshat-project/seshat/internal/httpfield"
	"github.com/seshat-project/seshat/internal/pipeline"
)

// collected is a body as it comes in pieces.
type collected struct {
	bytes []byte // the first [pipeline.MaxBody]
	size  int64  // of all that came
	whole bool
}

func (c *collected) reset() { c.bytes, c.size, c.whole = c.bytes[:0], 0, false }

// add takes a piece.
func (c *collected) add(m *incoming) {
	room := pipeline.MaxBody - len(c.bytes)
	c.bytes = append(c.bytes, m.body[:min(len(m.body), room)]...)
	c.size += int64(m.size)
	c.whole = c.whole || m.end
}

// full reports whether nothing more of the body is wanted.
func (c *collected) full() bool { return c.whole || len(c.bytes) >= pipeline.MaxBody }

// fill makes body what came so far, without content codings.
func (c *collected) fill(body *seshat.Body, header []seshat.Field, decoder *httpfield.Decoder) {
	body.Bytes, body.Size = c.bytes, max(body.Size, c.size)
	body.Truncated = body.Size > int64(len(c.bytes)) || c.size > 0 && !c.whole
	coding, packed := httpfield.Lookup(header, "content-encoding")
	if !packed || len(c.bytes) == 0 {
		return
	}
	bytes, cut, err := decoder.Decode(c.bytes, coding, pipeline.MaxBody)
	body.Bytes, body.Truncated = bytes, body.Truncated || cut || err != nil
}
