package httpfield

import (
	"bytes"
	"compress/flate"
	"compress/gzip"
	"compress/zlib"
	"errors"
	"io"
	"math/rand/v2"
	"runtime"
	"strings"
	"testing"

	"github.com/andybalholm/brotli"
	"github.com/klauspost/compress/zstd"
)

const noLimit = 1 << 30

// pack applies codings with the standard library's packers where it has them.
func pack(t testing.TB, body []byte, codings ...string) []byte {
	t.Helper()
	for _, coding := range codings {
		var out bytes.Buffer
		var w io.WriteCloser
		var err error
		switch coding {
		case "gzip":
			w = gzip.NewWriter(&out)
		case "zlib":
			w = zlib.NewWriter(&out)
		case "raw":
			w, err = flate.NewWriter(&out, 6)
		case "br":
			w = brotli.NewWriterLevel(&out, 4)
		case "zstd":
			w, err = zstd.NewWriter(&out)
		}
		if err == nil {
			_, err = w.Write(body)
		}
		if err = errors.Join(err, w.Close()); err != nil {
			t.Fatal(err)
		}
		body = out.Bytes()
	}
	return body
}

func TestDecode(t *testing.T) {
	text := []byte(strings.Repeat(`{"access_token":"value","n":1}`, 500))
	var d Decoder
	f := func(encoding string, packers ...string) {
		t.Helper()
		body := pack(t, text, packers...)
		for range 2 { // the second time with decoders that were used before
			got, truncated, err := d.Decode(body, encoding, noLimit)
			if err != nil || truncated || !bytes.Equal(got, text) {
				t.Errorf("%s: %d bytes, truncated %v, %v", encoding, len(got), truncated, err)
			}
		}
		got, truncated, err := d.Decode(body, encoding, 100)
		if err != nil || !truncated || !bytes.Equal(got, text[:100]) {
			t.Errorf("%s with a limit: %q, truncated %v, %v", encoding, got, truncated, err)
		}
		if got, truncated, err := d.Decode(body, encoding, int64(len(text))); err != nil || truncated || len(got) != len(text) {
			t.Errorf("%s with exactly the limit: %d bytes, truncated %v, %v", encoding, len(got), truncated, err)
		}
		if len(packers) != 1 {
			return
		}
		got, truncated, err = d.Decode(body[:len(body)-3], encoding, noLimit)
		if err != nil || !truncated || !bytes.HasPrefix(text, got) {
			t.Errorf("%s, cut: %d bytes, truncated %v, %v", encoding, len(got), truncated, err)
		}
	}
	f("")
	f("identity")
	f("gzip", "gzip")
	f("X-GZip", "gzip")
	f("deflate", "zlib")
	f("deflate", "raw")
	f("br", "br")
	f("zstd", "zstd")
	f("gzip, br", "gzip", "br")
	f(" , gzip ,identity,, deflate\t, zstd", "gzip", "raw", "zstd")

	for _, encoding := range []string{"gzip", "deflate", "br", "zstd"} {
		if out, truncated, err := d.Decode(nil, encoding, noLimit); len(out) > 0 || truncated || err != nil {
			t.Errorf("%s of an empty body: %q, %v, %v", encoding, out, truncated, err)
		}
		_, _, err := d.Decode([]byte("this is not packed at all, \xff\xff\xff\xff"), encoding, noLimit)
		var coding *CodingError
		if !errors.As(err, &coding) || coding.Coding != encoding {
			t.Errorf("%s of plain text: %v", encoding, err)
		}
	}
}

func TestDecodeErrors(t *testing.T) {
	f := func(encoding string, want error, text string) {
		t.Helper()
		_, _, err := Decode([]byte("body"), encoding, noLimit)
		if !errors.Is(err, want) || !strings.Contains(err.Error(), text) {
			t.Errorf("Decode(%q): %v, want %v with %q", encoding, err, want, text)
		}
	}
	f("compress", ErrUnknownCoding, `"compress"`)
	f("\x1b[31m", ErrUnknownCoding, `"\x1b[31m"`)
	f(strings.Repeat("x", 100), ErrUnknownCoding, `"`+strings.Repeat("x", 32)+`"`)

	body := pack(t, []byte("text"), "gzip", "gzip", "gzip", "gzip", "gzip")
	if _, _, err := Decode(body, "gzip,gzip,gzip,gzip,gzip", noLimit); !errors.Is(err, ErrTooManyCodings) {
		t.Errorf("five codings: %v", err)
	}
	damaged := pack(t, []byte(strings.Repeat("text", 1000)), "gzip")
	damaged[len(damaged)-5] ^= 1 // the checksum
	out, truncated, err := Decode(damaged, "gzip", noLimit)
	if err == nil || !truncated || len(out) != 4000 {
		t.Errorf("damaged: %d bytes, %v, %v", len(out), truncated, err)
	}
}

// TestDecodeBomb unpacks 32 MiB of zeros, and must not take more memory than the limit and the decoders' windows.
func TestDecodeBomb(t *testing.T) {
	zeros := make([]byte, 32<<20)
	const limit, windows = 1 << 20, 12 << 20
	for coding, packer := range map[string]string{"gzip": "gzip", "deflate": "zlib", "br": "br", "zstd": "zstd"} {
		body := pack(t, zeros, packer)
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		out, truncated, err := Decode(body, coding, limit)
		runtime.ReadMemStats(&after)
		if err != nil || !truncated || len(out) != limit || cap(out) > limit {
			t.Errorf("%s: %d bytes, truncated %v, %v", coding, len(out), truncated, err)
		}
		if taken := after.TotalAlloc - before.TotalAlloc; taken > 2*limit+windows {
			t.Errorf("%s: takes %d bytes of memory", coding, taken)
		}
	}
}

// TestDeflateIsNotMistaken packs many texts without zlib's frame: none may look as if it had one.
func TestDeflateIsNotMistaken(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	for range 300 {
		text := make([]byte, random.IntN(300))
		for i := range text {
			text[i] = "abcdefgh{}\":,0123456789"[random.IntN(23)]
		}
		for _, packer := range []string{"raw", "zlib"} {
			if got, truncated, err := Decode(pack(t, text, packer), "deflate", noLimit); err != nil || truncated || !bytes.Equal(got, text) {
				t.Fatalf("%s of %q: %q, %v, %v", packer, text, got, truncated, err)
			}
		}
	}
}

// FuzzDecode checks the bound on any input, and compares gzip with the standard library's.
func FuzzDecode(f *testing.F) {
	for _, coding := range []string{"gzip", "zlib", "raw", "br", "zstd"} {
		name := coding
		if coding == "zlib" || coding == "raw" {
			name = "deflate"
		}
		f.Add(pack(f, []byte(strings.Repeat("hello ", 100)), coding), name)
	}
	f.Add(pack(f, []byte("hello"), "gzip", "br"), "gzip, br")
	f.Add([]byte("hello"), "identity,, foo")
	f.Fuzz(func(t *testing.T, body []byte, encoding string) {
		const limit = 4 << 10
		out, truncated, err := Decode(body, encoding, limit)
		if len(out) > limit {
			t.Fatalf("%d bytes", len(out))
		}
		if encoding != "gzip" || len(body) == 0 || err != nil {
			return
		}
		var want []byte
		r, wantErr := gzip.NewReader(bytes.NewReader(body))
		if wantErr == nil {
			want, wantErr = io.ReadAll(io.LimitReader(r, limit))
		}
		if !truncated && (wantErr != nil || !bytes.Equal(out, want)) || truncated && !bytes.HasPrefix(want, out) {
			t.Fatalf("%d bytes, truncated %v; the standard library has %d bytes, %v", len(out), truncated, len(want), wantErr)
		}
	})
}
