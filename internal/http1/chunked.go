package http1

// ChunkReader checks a chunked body (RFC 9112, section 7.1) as it comes, in pieces of any size, and says which bytes of it
// are content. It changes nothing: what it accepts can be passed on as it is, because it can be read in one way only.
// Chunk extensions are passed on too, as long as they are well-formed and short. The zero value is ready.
//
// Stricter than the grammar: no white space around a chunk size, sizes of at most 16 digits, and no trailer fields that
// say how a message is framed, routed or understood (RFC 9110, section 6.5.1).
type ChunkReader struct {
	state     chunkState
	left      uint64 // of the chunk
	digits    int
	line      int // bytes of extensions of this chunk
	extra     int // bytes of extensions of the body
	trailer   int // bytes of the trailer section
	fields    int
	name      [maxForbiddenName]byte
	nameBytes int
}

type chunkState uint8

const (
	chunkSize chunkState = iota
	chunkExtension
	chunkQuoted
	chunkEscaped
	chunkSizeLF
	chunkData
	chunkDataCR
	chunkDataLF
	trailerStart
	trailerName
	trailerValue
	trailerLF
	trailerEndLF
	chunkDone
)

// maxForbiddenName is as long as the longest name that no trailer field may have: "content-encoding" and a byte more are
// enough to tell.
const maxForbiddenName = 20

// Done reports whether the body is complete.
func (c *ChunkReader) Done() bool { return c.state == chunkDone }

// Next takes bytes from p: n of them, which have data as the content among them. It returns with the end of a piece of
// content, with the end of the body, or when p is used up. A reason other than OK is final.
func (c *ChunkReader) Next(p []byte) (n int, data []byte, reason Reason) {
	for n < len(p) && c.state != chunkDone {
		if c.state == chunkData {
			have := len(p) - n
			if uint64(have) > c.left {
				have = int(c.left)
			}
			data = p[n : n+have]
			if c.left -= uint64(have); c.left == 0 {
				c.state = chunkDataCR
			}
			return n + have, data, OK
		}
		if reason = c.step(p[n]); reason != OK {
			return n, nil, reason
		}
		n++
	}
	return n, nil, OK
}

// step takes one byte that is not content.
func (c *ChunkReader) step(b byte) Reason {
	switch c.state {
	case chunkSize:
		return c.size(b)
	case chunkExtension, chunkQuoted, chunkEscaped:
		return c.extension(b)
	case chunkSizeLF:
		if b != '\n' {
			return BareCR
		}
		c.line, c.digits = 0, 0
		if c.state = chunkData; c.left == 0 {
			c.state = trailerStart
		}
	case chunkDataCR:
		if b != '\r' {
			return BadChunkEnd
		}
		c.state = chunkDataLF
	case chunkDataLF:
		if b != '\n' {
			return BadChunkEnd
		}
		c.state = chunkSize
	default:
		return c.trailers(b)
	}
	return OK
}

func (c *ChunkReader) size(b byte) Reason {
	var v byte
	switch {
	case '0' <= b && b <= '9':
		v = b - '0'
	case 'a' <= b && b <= 'f':
		v = b - 'a' + 10
	case 'A' <= b && b <= 'F':
		v = b - 'A' + 10
	case c.digits == 0:
		return BadChunkSize
	case b == '\r':
		c.state = chunkSizeLF
		return OK
	case b == ';':
		c.state = chunkExtension
		return c.long()
	case b == '\n':
		return BareLF
	default:
		return BadChunkSize
	}
	if c.digits++; c.digits > maxChunkDigits || c.left > maxLength>>4 {
		return ChunkTooLarge
	}
	c.left = c.left<<4 | uint64(v)
	return OK
}

// long counts a byte of an extension.
func (c *ChunkReader) long() Reason {
	c.line++
	c.extra++
	if c.line > maxChunkLine || c.extra > maxChunkExtensions {
		return ChunkExtensionsTooLong
	}
	return OK
}

func (c *ChunkReader) extension(b byte) Reason {
	switch {
	case c.state == chunkEscaped:
		if b < ' ' && b != '\t' || b == 0x7f {
			return BadChunkExtension
		}
		c.state = chunkQuoted
	case c.state == chunkQuoted:
		switch {
		case b == '"':
			c.state = chunkExtension
		case b == '\\':
			c.state = chunkEscaped
		case b < ' ' && b != '\t' || b == 0x7f:
			return BadChunkExtension
		}
	case b == '\r':
		c.state = chunkSizeLF
		return OK
	case b == '\n':
		return BareLF
	case b == '"':
		c.state = chunkQuoted
	case b == ';', b == '=', chars[b]&tokenChar != 0:
	default:
		return BadChunkExtension
	}
	return c.long()
}

func (c *ChunkReader) trailers(b byte) Reason {
	if c.trailer++; c.trailer > maxTrailerBytes {
		return TrailersTooLong
	}
	switch c.state {
	case trailerStart:
		if b == '\r' {
			c.state = trailerEndLF
			return OK
		}
		if c.fields++; c.fields > maxTrailerFields {
			return TrailersTooLong
		}
		c.nameBytes = 0
		c.state = trailerName
		return c.trailerName(b)
	case trailerName:
		return c.trailerName(b)
	case trailerValue:
		switch {
		case b == '\r':
			c.state = trailerLF
		case b == '\n':
			return BareLF
		case b < ' ' && b != '\t' || b == 0x7f:
			return BadTrailer
		}
	case trailerLF:
		if b != '\n' {
			return BareCR
		}
		c.state = trailerStart
	case trailerEndLF:
		if b != '\n' {
			return BareCR
		}
		c.state = chunkDone
	default:
		return BadTrailer
	}
	return OK
}

func (c *ChunkReader) trailerName(b byte) Reason {
	switch {
	case b == ':' && c.nameBytes > 0:
		if forbiddenTrailer(c.name[:min(c.nameBytes, len(c.name))]) {
			return ForbiddenTrailer
		}
		c.state = trailerValue
		return OK
	case b == '\n':
		return BareLF
	case chars[b]&tokenChar == 0:
		return BadTrailer
	}
	if c.nameBytes < len(c.name) {
		c.name[c.nameBytes] = b
	}
	c.nameBytes++
	return OK
}

// forbiddenTrailer names what would change how a message is framed, routed, authenticated or read, if somebody merged
// trailers into the header (RFC 9110, section 6.5.1).
func forbiddenTrailer(name []byte) bool {
	s := text(name)
	switch KindOf(s) {
	case Other, Via, Date:
	default:
		return true
	}
	for _, forbidden := range [...]string{
		"authorization", "cookie", "set-cookie", "content-range", "range", "cache-control", "proxy-authorization",
		"x-forwarded-for", "x-forwarded-host", "forwarded",
	} {
		if equalFold(s, forbidden) {
			return true
		}
	}
	return false
}
