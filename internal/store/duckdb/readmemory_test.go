package duckdb

import (
	"testing"

	"github.com/seshat-project/seshat"
	"github.com/seshat-project/seshat/internal/store"
)

// TestReadMemory checks that reading has the greater limit, and that the lesser is back afterwards.
func TestReadMemory(t *testing.T) {
	s, err := Open(t.Context(), t.TempDir(), Options{Memory: 64 << 20, ReadMemory: 256 << 20})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = s.Close() }()
	limit := func() (text string) {
		if err := s.db.QueryRowContext(t.Context(), "SELECT current_setting('memory_limit')").Scan(&text); err != nil {
			t.Fatal(err)
		}
		return text
	}
	if got := limit(); got != "64.0 MiB" {
		t.Errorf("the limit is %s at first", got)
	}
	one, two := s.reading(t.Context()), s.reading(t.Context())
	one()
	if got := limit(); got != "256.0 MiB" {
		t.Errorf("the limit is %s while somebody reads", got)
	}
	two()
	if err := s.Sessions(t.Context(), store.Query{}, func(*seshat.Session) bool { return true }); err != nil {
		t.Fatal(err)
	}
	if got := limit(); got != "64.0 MiB" {
		t.Errorf("the limit is %s afterwards", got)
	}
}
