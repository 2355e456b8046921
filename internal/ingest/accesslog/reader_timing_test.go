package accesslog

import (
	"bytes"
	"context"
	"errors"
	"io"
	"os"
	"path/filepath"
	"testing"
)

// capture is a real log of ten thousand lines.
func capture(tb testing.TB) []byte {
	tb.Helper()
	dir := os.Getenv("SESHAT_MATERIAL")
	if dir == "" {
		tb.Skip("SESHAT_MATERIAL is not set: no log to read")
	}
	text, err := os.ReadFile(filepath.Join(dir, "accesslog", "apache-combined.log"))
	if err != nil {
		tb.Fatal(err)
	}
	return text
}

func benchmark(b *testing.B, format string, text []byte) {
	f, err := ParseFormat(format)
	if err != nil {
		b.Fatal(err)
	}
	ctx := context.Background()
	n := 0
	b.SetBytes(int64(len(text)))
	b.ReportAllocs()
	for b.Loop() {
		r := NewReader(bytes.NewReader(text), f)
		for {
			_, _, err := r.Read(ctx)
			if errors.Is(err, io.EOF) {
				break
			}
			if err != nil {
				b.Fatal(err)
			}
			n++
		}
	}
	b.ReportMetric(float64(n)/b.Elapsed().Seconds(), "lines/s")
}

func BenchmarkCombined(b *testing.B) { benchmark(b, "combined", capture(b)) }

func BenchmarkCaddy(b *testing.B) { benchmark(b, "caddy", bytes.Repeat([]byte(caddyLine+"\n"), 5000)) }
