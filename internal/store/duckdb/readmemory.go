package duckdb

import (
	"context"
	"database/sql"
	"fmt"
	"sync"
)

// readMemory raises the limit of memory while somebody reads what may take much: what a store that only records needs
// is a fraction of what sorting millions of exchanges does, and DuckDB keeps whatever it may.
//
// It does the same with threads. With more than one, those of a small transaction wake each other for each of its tables,
// and whoever commits spins until the other is done: a fifth of the processor time of storing live traffic, and more
// when the processors are busy.
type readMemory struct {
	mu      sync.Mutex
	readers int
	// less and more are the limits; those of more are 0 where the limits do not change.
	less, more limits
}

// limits are what DuckDB may use.
type limits struct {
	memory  int64 // bytes
	threads int
}

// reading is called by whoever begins to read, and what it returns when they are done.
func (s *Store) reading(ctx context.Context) (done func()) {
	m := &s.memory
	if m.more == (limits{}) {
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
			s.limit(ctx, m.less)
		}
	}
}

// limit sets the limits, also for whoever gives up meanwhile: they are those of the other readers too. Those that cannot be
// had now, because more is in use, are set by the next reader.
func (s *Store) limit(ctx context.Context, l limits) {
	ctx = context.WithoutCancel(ctx)
	err := s.borrow(ctx, func(conn *sql.Conn) error {
		_, err := conn.ExecContext(ctx, fmt.Sprintf("SET GLOBAL threads = %d; SET GLOBAL memory_limit = '%d KiB'", l.threads, l.memory>>10))
		return err
	})
	if err != nil {
		s.log.Debug("the limits of the store cannot be changed now", "bytes", l.memory, "threads", l.threads, "error", err)
	}
}
