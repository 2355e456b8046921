package duckdb_test

import (
	"context"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/seshat-project/seshat/internal/store/duckdb"
	"github.com/seshat-project/seshat/internal/store/storetest"
)

// TestSpaceIsUsedAgain stores day after day and keeps two: the file must not grow with the days.
func TestSpaceIsUsedAgain(t *testing.T) {
	if testing.Short() {
		t.Skip("writes 300,000 exchanges")
	}
	dir := t.TempDir()
	s := open(t, dir, duckdb.Options{Memory: duckdb.ImportMemory})
	traffic := newLogTraffic(readLog(t))
	start := time.Date(2026, 1, 2, 12, 0, 0, 0, time.UTC)
	size := func() int64 {
		info, err := os.Stat(filepath.Join(dir, duckdb.FileName))
		if err != nil {
			t.Fatal(err)
		}
		return info.Size()
	}
	var early int64
	for day := range 10 {
		at := start.AddDate(0, 0, day)
		for range 3 {
			b := traffic.batch(batchSize)
			b.StoredAt = at
			storetest.Commit(t, s, b)
		}
		if _, err := s.DropBefore(context.Background(), at.AddDate(0, 0, -1)); err != nil {
			t.Fatal(err)
		}
		if day == 3 {
			early = size()
		}
	}
	if late := size(); late > 2*early {
		t.Errorf("%d bytes after 10 days and %d after 4, of which 2 are kept", late, early)
	} else {
		t.Logf("%d bytes after 10 days, %d after 4", late, early)
	}
	span, err := s.Span(context.Background())
	if err != nil || span.Exchanges != 6*batchSize {
		t.Errorf("%d exchanges, %v; want those of two days", span.Exchanges, err)
	}
}
