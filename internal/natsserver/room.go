package natsserver

import (
	"fmt"
	"time"

	"github.com/seshat-project/seshat/internal/journal"
)

const (
	// reserve is how much of the disk is left free. A write that fails for lack of room stops a stream of the library
	// until the server is started again, so that nothing is written when room gets short: a journal that is not filled to
	// the last byte goes on by itself when there is room.
	reserve = 64 << 20
	// roomFor is how long an answer holds: within it, traffic at full speed writes a fraction of the reserve.
	roomFor = 250 * time.Millisecond
)

// room is how much of the disk was free at some time.
type room struct {
	at   time.Time
	free uint64
	err  error
}

// Room returns an error that wraps [journal.ErrFull] when the disk of the server's folder is nearly full. It is cheap.
func (s *Server) Room() error {
	now := time.Now()
	r := s.room.Load()
	if r == nil || now.Sub(r.at) > roomFor || now.Before(r.at) {
		free, err := freeBytes(s.dir)
		r = &room{now, free, err}
		s.room.Store(r)
	}
	if r.err == nil && r.free < reserve {
		return fmt.Errorf("%d MiB of the disk are free, and %d MiB are left so: %w", r.free>>20, uint64(reserve)>>20, journal.ErrFull)
	}
	return nil // where it cannot be known, writing tells
}
