package natsserver

import "github.com/nats-io/nats-server/v2/server"

// Disk is what a server has on its disk, and what is left of that.
type Disk struct {
	Used int64 // by all that is kept: the journal, resources and the rest
	Free int64 // that may be written yet; negative when that is not known
}

// Disk asks the library and the system, which takes some microseconds.
func (s *Server) Disk() Disk {
	out := Disk{Free: -1}
	if info, err := s.server.Jsz(&server.JSzOptions{}); err == nil {
		out.Used = int64(info.Store) //nolint:gosec // less than a disk has
	}
	if free, err := freeBytes(s.dir); err == nil {
		out.Free = int64(free) //nolint:gosec // less than a disk has
	}
	return out
}
