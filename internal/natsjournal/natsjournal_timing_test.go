package natsjournal_test

import (
	"fmt"
	"testing"

	"github.com/seshat-project/seshat/internal/natsjournal"
	"github.com/seshat-project/seshat/internal/natsserver"
)

// BenchmarkAppend appends batches of a usual size, one after the other.
func BenchmarkAppend(b *testing.B) {
	s, err := natsserver.Start(natsserver.Options{Dir: b.TempDir()})
	if err != nil {
		b.Fatal(err)
	}
	defer s.Close()
	conn, err := s.Connect()
	if err != nil {
		b.Fatal(err)
	}
	defer conn.Close()
	l, err := natsjournal.Open(b.Context(), conn, natsjournal.Options{Stream: "exchanges"})
	if err != nil {
		b.Fatal(err)
	}
	data := make([]byte, 64<<10)
	b.SetBytes(int64(len(data)))
	b.ReportAllocs()
	for i := 0; b.Loop(); i++ {
		if _, err := l.Append(b.Context(), fmt.Sprint(i), data); err != nil {
			b.Fatal(err)
		}
	}
}
