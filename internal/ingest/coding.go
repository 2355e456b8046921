package ingest

import (
	"unicode/utf8"

	"github.com/seshat-project/seshat"
	"github.com/seshat-project/seshat/internal/httpfield"
)

// MaxDecoded is how many bytes a body may have once its content codings were removed: a small body can be packed
// from gigabytes.
const MaxDecoded = 8 << 20

// Codings removes content codings that a source left on bodies. Formats of recorded traffic hold bodies that are
// decoded already, and keep the Content-Encoding field all the same; some tools do not decode. The zero value is
// ready. It is not safe for concurrent use.
type Codings struct{ decoder httpfield.Decoder }

// Remove replaces the bytes of body by what they decode to when header names a coding and the bytes show that it
// is still there. Of a body that was cut or damaged on the way, what comes before counts. Bodies that cannot be decoded
// stay as they are.
func (c *Codings) Remove(header []seshat.Field, body *seshat.Body) {
	if len(body.Bytes) == 0 {
		return
	}
	coding, ok := httpfield.Lookup(header, "Content-Encoding")
	if !ok || !packed(body.Bytes) {
		return
	}
	out, cut, err := c.decoder.Decode(body.Bytes, coding, MaxDecoded)
	if err != nil {
		// What brotli or deflate make of bytes that are damaged may as well be what they make of bytes they never wrote.
		if len(out) == 0 || !marked(body.Bytes) {
			return
		}
		cut = true
	}
	body.Bytes, body.Truncated = out, body.Truncated || cut
	body.Size = max(body.Size, int64(len(out)))
}

// packed reports whether b looks like the output of a packer: it starts like gzip or zstd, or is no text, as the
// output of brotli and deflate, which start like nothing.
func packed(b []byte) bool {
	if marked(b) {
		return true
	}
	const beginning = 64 // enough to tell; a character that is cut in two is at most the last 3 bytes
	text := b[:min(len(b), beginning)]
	for cut := range min(utf8.UTFMax, len(text)) {
		if utf8.Valid(text[:len(text)-cut]) {
			return false
		}
		if len(b) <= beginning {
			break
		}
	}
	return true
}

// marked reports whether b starts like gzip or zstd.
func marked(b []byte) bool {
	return len(b) >= 4 && (b[0] == 0x1f && b[1] == 0x8b || b[0] == 0x28 && b[1] == 0xb5 && b[2] == 0x2f && b[3] == 0xfd)
}
