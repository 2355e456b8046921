package duckdb_test

import (
	"context"
	"os"
	"path/filepath"
	"testing"

	"github.com/seshat-project/seshat/internal/store/duckdb"
	"github.com/seshat-project/seshat/internal/store/storetest"
)

// bytesPerExchange is what an exchange of an access log may take on disk with everything that belongs to it. The
// goal is 50; 60 is the promise.
const bytesPerExchange = 60

func TestSizeOfAccessLog(t *testing.T) {
	if testing.Short() {
		t.Skip("writes 300,000 exchanges")
	}
	dir := t.TempDir()
	s, err := duckdb.Open(context.Background(), dir, duckdb.Options{Memory: duckdb.ImportMemory})
	if err != nil {
		t.Fatal(err)
	}
	traffic := newLogTraffic(readLog(t))
	const batches, size = 30, 10_000
	for range batches {
		storetest.Commit(t, s, traffic.batch(size))
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	info, err := os.Stat(filepath.Join(dir, duckdb.FileName))
	if err != nil {
		t.Fatal(err)
	}
	got := float64(info.Size()) / (batches * size)
	t.Logf("%.1f bytes an exchange, %d sessions", got, traffic.version)
	if got > bytesPerExchange {
		t.Errorf("%.1f bytes an exchange; want at most %d", got, bytesPerExchange)
	}
}
