package duckdb_test

import (
	"context"
	"testing"
	"time"

	"github.com/seshat-project/seshat/internal/store"
	"github.com/seshat-project/seshat/internal/store/duckdb"
	"github.com/seshat-project/seshat/internal/store/storetest"
)

// open opens the store in dir, until the end of the test.
func open(t testing.TB, dir string, options duckdb.Options) *duckdb.Store {
	t.Helper()
	s, err := duckdb.Open(context.Background(), dir, options)
	if err != nil {
		t.Fatalf("Open: %v", err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Errorf("Close: %v", err)
		}
	})
	return s
}

func TestConformance(t *testing.T) {
	storetest.Run(t, func(t testing.TB, now time.Time) store.Store {
		return open(t, t.TempDir(), duckdb.Options{Now: func() time.Time { return now }})
	})
}

func TestRevoked(t *testing.T) {
	storetest.Revoked(t, func(t testing.TB, now time.Time) store.Store {
		return open(t, t.TempDir(), duckdb.Options{Now: func() time.Time { return now }})
	})
}
