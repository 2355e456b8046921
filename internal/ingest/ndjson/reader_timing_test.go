package ndjson

import (
	"bytes"
	"compress/gzip"
	"context"
	"errors"
	"io"
	"os"
	"path/filepath"
	"testing"
)

// capture is the recorded traffic, decompressed.
func capture(tb testing.TB) []byte {
	tb.Helper()
	dir := os.Getenv("SESHAT_MATERIAL")
	if dir == "" {
		tb.Skip("SESHAT_MATERIAL is not set: no recorded traffic to read")
	}
	packed, err := os.ReadFile(filepath.Join(dir, "traffic", "dev", "exchanges.ndjson.gz"))
	if err != nil {
		tb.Fatal(err)
	}
	unpacker, err := gzip.NewReader(bytes.NewReader(packed))
	if err != nil {
		tb.Fatal(err)
	}
	text, err := io.ReadAll(unpacker)
	if err != nil {
		tb.Fatal(err)
	}
	return text
}

// BenchmarkRead measures decoding alone, of records with about 2 KB.
func BenchmarkRead(b *testing.B) {
	text := capture(b)
	ctx := context.Background()
	b.SetBytes(int64(len(text)))
	b.ReportAllocs()
	var records int
	for b.Loop() {
		r := NewReader(bytes.NewReader(text))
		for {
			_, _, err := r.Read(ctx)
			if errors.Is(err, io.EOF) {
				break
			}
			if err != nil {
				b.Fatal(err)
			}
			records++
		}
	}
	b.ReportMetric(float64(records)/b.Elapsed().Seconds(), "records/s")
}
