package har

import (
	"bytes"
	"errors"
	"io"
	"os"
	"testing"

	"github.com/seshat-project/seshat"
)

func BenchmarkRead(b *testing.B) {
	text, err := os.ReadFile(captures(b)["google.har"])
	if err != nil {
		b.Fatal(err)
	}
	b.SetBytes(int64(len(text)))
	b.ReportAllocs()
	for b.Loop() {
		if _, _, err := readAll(NewReader(bytes.NewReader(text)), func(*seshat.Exchange) {}); !errors.Is(err, io.EOF) {
			b.Fatal(err)
		}
	}
}
