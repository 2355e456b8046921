package duckdb

import (
	"context"
	"errors"

	"github.com/seshat-project/seshat/internal/store"
)

// Export implements [store.Store].
func (s *Store) Export(ctx context.Context, what store.Dataset, format string, q store.Query, path string) (int64, error) {
	return 0, errors.New("not written yet")
}
