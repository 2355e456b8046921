package duckdb

import (
	"context"
	"database/sql"
	"fmt"
	"sync"
)

// readMemory raises the limit of memory while somebody reads what may take much: what a store that only records needs
// is a fraction of what sorting millions of exchanges does, and DuckDB keeps whatever it may.
type readMemory struct {
	mu      sync.Mutex
	readers int
	// less and more are the limits, in bytes; more is 0 where the limit does not change.
	less, more int64
}

// reading is called by whoever begins to read, and what it returns when they are done.
func (s *Store) reading(ctx context.Context) (done func()) {
	m := &s.memory
	if m.more == 0 {
		return func() {}
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.readers++; m.readers == 1 {
		s.limit(ctx, m.more)
	}
	return func() {
		m.mu.Lock()
		defer m.mu.Unlock()
		if m.readers--; m.readers == 0 {
			s.limit(context.WithoutCancel(ctx), m.less)
		}
	}
}

// limit sets the limit. One that cannot be had now, because more is in use, is set by the next reader.
func (s *Store) limit(ctx context.Context, bytes int64) {
	err := s.borrow(ctx, func(conn *sql.Conn) error {
		_, err := conn.ExecContext(ctx, fmt.Sprintf("SET GLOBAL memory_limit = '%d KiB'", bytes>>10))
		return err
	})
	if err != nil && ctx.Err() == nil {
		s.log.Debug("the limit of memory cannot be changed now", "bytes", bytes, "error", err)
	}
}
