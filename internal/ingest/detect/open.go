// Package detect opens recorded traffic of whatever format and compression: it looks at the content, not at the name.
package detect

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"strings"

	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/zstd"

	"github.com/seshat-project/seshat"
	"github.com/seshat-project/seshat/internal/ingest"
	"github.com/seshat-project/seshat/internal/ingest/accesslog"
	"github.com/seshat-project/seshat/internal/ingest/har"
	"github.com/seshat-project/seshat/internal/ingest/ndjson"
)

// The names of the formats.
const (
	HAR       = "har"
	NDJSON    = "ndjson"
	AccessLog = "accesslog"
)

// Options say what is known of an input beforehand. The zero value is: nothing.
type Options struct {
	// Format is HAR, NDJSON or AccessLog; empty to find it.
	Format string
	// LogFormat is the name or the pattern of an access log's format; empty to find it. It implies AccessLog.
	LogFormat string
	// Environment and Service label the exchanges whose input names none.
	Environment, Service string
	// Progress is called after each read from the input with how many of its bytes, still compressed, were read so far, and
	// how many it has; 0 when that is not known. It may be nil.
	Progress func(read, total int64)
}

// Format is what an input turned out to be.
type Format struct {
	Name        string // HAR, NDJSON or AccessLog
	LogFormat   string // of an access log: the name of its format, or "custom"
	Compression string // "gzip", "zstd" or none
}

// String is f for people: "accesslog (combined), gzip".
func (f Format) String() string {
	s := f.Name
	if f.LogFormat != "" {
		s += " (" + f.LogFormat + ")"
	}
	if f.Compression != "" {
		s += ", " + f.Compression
	}
	return s
}

const (
	// sampleBytes is how much of an input is looked at. It holds many records, and at least one with large bodies.
	sampleBytes = 256 << 10
	// maxWindow is the largest zstd window that is unpacked: that of "zstd --long". It bounds the memory.
	maxWindow = 128 << 20
)

// Open returns a reader of the exchanges in r, which is called name in errors. It reads the beginning at once. Errors
// are of the type [seshat.Error] and say what to do. Whoever opened r closes it, after the last read.
func Open(name string, r io.Reader, options Options) (ingest.Reader, Format, error) {
	total, err := size(name, r)
	if err != nil {
		return nil, Format{}, err
	}
	if options.Progress != nil {
		r = &counter{r: r, total: total, report: options.Progress}
	}
	var format Format
	unpacked, compression, err := unpack(bufio.NewReaderSize(r, sampleBytes))
	if err != nil {
		return nil, format, refuse(name, err)
	}
	sample, err := unpacked.Peek(sampleBytes)
	whole := errors.Is(err, io.EOF)
	if err != nil && !whole && len(sample) == 0 {
		return nil, format, refuse(name, err)
	}
	format, logFormat, err := choose(newSample(sample, whole), options)
	if err != nil {
		return nil, format, refuse(name, err)
	}
	format.Compression = compression
	var reader ingest.Reader
	switch format.Name {
	case HAR:
		reader = har.NewReader(unpacked)
	case NDJSON:
		reader = ndjson.NewReader(unpacked)
	default:
		reader = accesslog.NewReader(unpacked, logFormat)
	}
	if options.Environment != "" || options.Service != "" {
		reader = &labelled{Reader: reader, environment: options.Environment, service: options.Service}
	}
	return reader, format, nil
}

// refusal is a reason for which an input is not read, and what to do.
type refusal struct{ reason, hint string }

func (r *refusal) Error() string { return r.reason }

func refuse(name string, err error) error {
	out := &seshat.Error{Kind: seshat.ErrorInvalid, Op: "read " + name, Err: err}
	var r *refusal
	if errors.As(err, &r) {
		out.Hint = r.hint
	}
	return out
}

// size is how many bytes r has if it is a regular file, and an error if it is a directory.
func size(name string, r io.Reader) (int64, error) {
	file, ok := r.(interface{ Stat() (fs.FileInfo, error) })
	if !ok {
		return 0, nil
	}
	info, err := file.Stat()
	switch {
	case err != nil:
		return 0, refuse(name, err)
	case info.IsDir():
		return 0, refuse(name, &refusal{"it is a directory", "give the files in it, such as " + strings.TrimSuffix(name, "/") + "/*"})
	case info.Mode().IsRegular():
		return info.Size(), nil
	}
	return 0, nil
}

// packers are what files begin with that cannot be read as they are.
func packers() [][2]string {
	return [][2]string{
		{"BZh", "bzip2; unpack it first: bzip2 -dc FILE | seshat import -"},
		{"\xfd7zXZ\x00", "xz; unpack it first: xz -dc FILE | seshat import -"},
		{"PK\x03\x04", "a ZIP archive; unpack it first: unzip -p FILE | seshat import -"},
		{"7z\xbc\xaf\x27\x1c", "a 7z archive; unpack it first"},
		{"PAR1", "Parquet, which is written but not read"},
		{"\xff\xfe", "UTF-16; convert it first: iconv -f UTF-16 -t UTF-8 FILE | seshat import -"},
		{"\xfe\xff", "UTF-16; convert it first: iconv -f UTF-16 -t UTF-8 FILE | seshat import -"},
	}
}

// unpack removes the compression that the content shows. Files of several members, as "cat a.gz b.gz" makes them, are read to their end.
func unpack(r *bufio.Reader) (*bufio.Reader, string, error) {
	head, err := r.Peek(8)
	if err != nil && len(head) == 0 && !errors.Is(err, io.EOF) {
		return nil, "", err
	}
	switch {
	case bytes.HasPrefix(head, []byte{0x1f, 0x8b}):
		unpacker, err := gzip.NewReader(r)
		if err != nil {
			return nil, "", fmt.Errorf("gzip: %w", err)
		}
		return bufio.NewReaderSize(unpacker, sampleBytes), "gzip", nil
	case bytes.HasPrefix(head, []byte{0x28, 0xb5, 0x2f, 0xfd}):
		// A single goroutine, so that nothing is left behind by whoever stops reading early.
		unpacker, err := zstd.NewReader(r, zstd.WithDecoderConcurrency(1), zstd.WithDecoderMaxWindow(maxWindow))
		if err != nil {
			return nil, "", fmt.Errorf("zstd: %w", err)
		}
		return bufio.NewReaderSize(unpacker, sampleBytes), "zstd", nil
	}
	for _, p := range packers() {
		if bytes.HasPrefix(head, []byte(p[0])) {
			return nil, "", &refusal{"it is " + p[1], ""}
		}
	}
	return r, "", nil
}

// counter reports how much was read.
type counter struct {
	r           io.Reader
	read, total int64
	report      func(read, total int64)
}

func (c *counter) Read(p []byte) (int, error) {
	n, err := c.r.Read(p)
	c.read += int64(n)
	c.report(c.read, c.total)
	return n, err
}
