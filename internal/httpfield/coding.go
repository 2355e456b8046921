package httpfield

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/andybalholm/brotli"
	"github.com/klauspost/compress/flate"
	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/zlib"
	"github.com/klauspost/compress/zstd"
)

const (
	// maxCodings is how many content codings one body may have. One is usual, two happen; more is an attack on the CPU.
	maxCodings = 4
	// maxWindow is the largest zstd window (RFC 9659, section 3); it bounds the memory of a decoder.
	maxWindow = 8 << 20
)

// ErrUnknownCoding is wrapped by the error for a content coding that cannot be removed.
var ErrUnknownCoding = errors.New("not a known content coding")

// ErrTooManyCodings is wrapped by the error for a body with more content codings than anybody needs.
var ErrTooManyCodings = errors.New("too many content codings")

// A CodingError says which content coding could not be removed, and why.
type CodingError struct {
	Coding string // as it was sent, at most 32 bytes of it
	Err    error
}

func (e *CodingError) Error() string { return fmt.Sprintf("content coding %q: %v", e.Coding, e.Err) }

// Unwrap returns the reason.
func (e *CodingError) Unwrap() error { return e.Err }

// Decoder removes content codings. It keeps its decoders from call to call, which saves most of the cost of small
// bodies. The zero value is ready. It is not safe for concurrent use.
type Decoder struct {
	gzip   *gzip.Reader
	zlib   io.ReadCloser
	flate  io.ReadCloser
	brotli *brotli.Reader
	zstd   *zstd.Decoder
	source bytes.Reader
}

// Decode removes the codings that contentEncoding, the value of a Content-Encoding field, names (RFC 9110,
// section 8.4): gzip, x-gzip, deflate (with or without zlib's frame, as servers disagree), br, zstd and identity,
// in any sequence of at most four. A body without codings is returned itself.
//
// The result has at most limit bytes however well it was packed, and no step in between has more. truncated says that
// it is only the beginning: there was more than limit, or body itself ended too soon. A body that is damaged gives
// a [*CodingError], and what could be decoded before the damage.
func (d *Decoder) Decode(body []byte, contentEncoding string, limit int64) (out []byte, truncated bool, err error) {
	limit = max(limit, 0)
	for n := 0; contentEncoding != ""; {
		var coding string // the codings are listed in the order in which they were applied
		if comma := strings.LastIndexByte(contentEncoding, ','); comma >= 0 {
			coding, contentEncoding = trimSpace(contentEncoding[comma+1:]), contentEncoding[:comma]
		} else {
			coding, contentEncoding = trimSpace(contentEncoding), ""
		}
		if coding == "" || EqualFold(coding, "identity") || len(body) == 0 {
			continue
		}
		if n++; n > maxCodings {
			return nil, true, codingError(coding, ErrTooManyCodings)
		}
		var cut bool
		body, cut, err = d.remove(body, coding, limit)
		truncated = truncated || cut
		if err != nil {
			return body, true, codingError(coding, err)
		}
	}
	if int64(len(body)) > limit {
		return body[:limit], true, nil
	}
	return body, truncated, nil
}

// Decode is [Decoder.Decode] with a decoder of its own.
func Decode(body []byte, contentEncoding string, limit int64) (out []byte, truncated bool, err error) {
	var d Decoder
	defer d.Close()
	return d.Decode(body, contentEncoding, limit)
}

// Close releases the memory of d, which can be used again afterwards.
func (d *Decoder) Close() {
	if d.zstd != nil {
		d.zstd.Close()
	}
	*d = Decoder{}
}

func codingError(coding string, err error) error {
	const shown = 32
	return &CodingError{Coding: coding[:min(len(coding), shown)], Err: err}
}

// remove removes one coding.
func (d *Decoder) remove(body []byte, coding string, limit int64) (out []byte, truncated bool, err error) {
	d.source.Reset(body)
	defer d.source.Reset(nil)
	r, err := d.reader(body, coding)
	if err == nil {
		const ratio = 4 // what text is commonly packed by
		out, err = readAtMost(r, limit, ratio*len(body))
	}
	switch {
	case errors.Is(err, errMore):
		return out, true, nil
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF):
		return out, true, nil // the body was cut where it was captured
	}
	return out, false, err
}

// reader returns a decoder for d.source, whose bytes are body.
func (d *Decoder) reader(body []byte, coding string) (io.Reader, error) {
	switch {
	case EqualFold(coding, "gzip"), EqualFold(coding, "x-gzip"):
		if d.gzip == nil {
			d.gzip = new(gzip.Reader)
		}
		return d.gzip, d.gzip.Reset(&d.source)
	case EqualFold(coding, "deflate"):
		return d.deflate(body)
	case EqualFold(coding, "br"):
		if d.brotli == nil {
			d.brotli = brotli.NewReader(&d.source)
			return d.brotli, nil
		}
		return d.brotli, d.brotli.Reset(&d.source)
	case EqualFold(coding, "zstd"):
		if d.zstd == nil {
			z, err := zstd.NewReader(nil, zstd.WithDecoderConcurrency(1), zstd.WithDecoderLowmem(true),
				zstd.WithDecoderMaxWindow(maxWindow))
			if err != nil {
				return nil, err
			}
			d.zstd = z
		}
		return d.zstd, d.zstd.Reset(&d.source)
	default:
		return nil, ErrUnknownCoding
	}
}

// deflate means zlib's format (RFC 9110, section 8.4.1.2), but some servers send the bare stream. zlib's first two
// bytes are a multiple of 31 and name the method 8; no bare stream that compresses starts so (its first block
// would be stored, with a length that does not fit).
func (d *Decoder) deflate(body []byte) (io.Reader, error) {
	if len(body) >= 2 && body[0]&0x0f == 8 && (int(body[0])<<8|int(body[1]))%31 == 0 {
		if d.zlib == nil {
			r, err := zlib.NewReader(&d.source)
			d.zlib = r
			return r, err
		}
		return d.zlib, d.zlib.(zlib.Resetter).Reset(&d.source, nil)
	}
	if d.flate == nil {
		d.flate = flate.NewReader(&d.source)
		return d.flate, nil
	}
	return d.flate, d.flate.(flate.Resetter).Reset(&d.source, nil)
}

// errMore says that there was more to read than is wanted.
var errMore = errors.New("more than the limit")

// readAtMost reads r to its end, but no more than limit bytes. Size is a guess how many there will be.
func readAtMost(r io.Reader, limit int64, size int) ([]byte, error) {
	const least = 512
	out := make([]byte, 0, min(limit, int64(max(size, least))))
	for int64(len(out)) < limit {
		if len(out) == cap(out) {
			grown := make([]byte, len(out), min(limit, 2*int64(cap(out))))
			copy(grown, out)
			out = grown
		}
		n, err := r.Read(out[len(out):cap(out)])
		out = out[:len(out)+n]
		if errors.Is(err, io.EOF) {
			return out, nil
		}
		if err != nil {
			return out, err
		}
	}
	var one [1]byte
	for {
		switch n, err := r.Read(one[:]); {
		case n > 0:
			return out, errMore
		case errors.Is(err, io.EOF):
			return out, nil
		case err != nil:
			return out, err
		}
	}
}
