package duckdb

import (
	"testing"

	"github.com/seshat-project/seshat"
	"github.com/seshat-project/seshat/internal/store"
)

// TestReadMemory checks that reading has the greater limits, and that the lesser are back afterwards.
func TestReadMemory(t *testing.T) {
	s, err := Open(t.Context(), t.TempDir(), Options{Memory: 64 << 20, ReadMemory: 256 << 20})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = s.Close() }()
	limit := func() (text string) {
		const question = "SELECT current_setting('memory_limit') || ', ' || current_setting('threads')"
		if err := s.db.QueryRowContext(t.Context(), question).Scan(&text); err != nil {
			t.Fatal(err)
		}
		return text
	}
	if got := limit(); got != "64.0 MiB, 1" {
		t.Errorf("the limit is %s at first", got)
	}
	one, two := s.reading(t.Context()), s.reading(t.Context())
	one()
	if got := limit(); got != "256.0 MiB, 2" {
		t.Errorf("the limit is %s while somebody reads", got)
	}
	two()
	if err := s.Sessions(t.Context(), store.Query{}, func(*seshat.Session) bool { return true }); err != nil {
		t.Fatal(err)
	}
	if got := limit(); got != "64.0 MiB, 1" {
		t.Errorf("the limit is %s afterwards", got)
	}
}
