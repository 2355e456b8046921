package natsserver

import (
	"fmt"

	"github.com/seshat-project/seshat/internal/journal"
)

// reserve is how much of the disk is left free. A write that fails for lack of room stops a stream of the library until the
// server is started again, so that nothing is written when room gets short: a journal that is not filled to the last byte
// goes on by itself when there is room.
const reserve = 64 << 20

// Room returns an error that wraps [journal.ErrFull] when the disk of the server's folder is nearly full. It asks the
// system, which takes about a microsecond.
func (s *Server) Room() error {
	free, err := freeBytes(s.dir)
	if err == nil && free < reserve {
		return fmt.Errorf("%d MiB of the disk are free, and %d MiB are left so: %w", free>>20, uint64(reserve)>>20, journal.ErrFull)
	}
	return nil // where it cannot be known, writing tells
}
