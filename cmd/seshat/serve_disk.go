package main

import (
	"fmt"
	"os"

	"github.com/seshat-project/seshat/internal/api/wire"
	"github.com/seshat-project/seshat/internal/store/duckdb"
	"github.com/seshat-project/seshat/internal/terminal"
)

// lowDisk is how much of the disk is free when it is said that there is little: twice what the journal leaves free, so
// that somebody can make room before it takes nothing any more.
const lowDisk = 128 << 20

// checkDisk says what is kept takes on disk, and what is left.
func (s *service) checkDisk(out *wire.Status, check func(name, state, detail string)) {
	if s.store != nil {
		for _, suffix := range []string{"", ".wal"} {
			if info, err := os.Stat(s.app.path(duckdb.FileName + suffix)); err == nil {
				out.Store.Bytes += info.Size()
			}
		}
		out.Store.RetentionSeconds = s.node.Recorder.Retention().Seconds()
	}
	if s.node.Server == nil {
		return // the journal is elsewhere
	}
	disk := s.node.Server.Disk()
	out.Journal.Bytes = disk.Used
	switch {
	case disk.Free < 0: // not known
	case disk.Free < lowDisk:
		out.Store.FreeBytes = disk.Free
		check("disk", wire.StateDegraded, fmt.Sprintf("%s are free: make room, or keep less (Settings: retention)", terminal.Size(disk.Free)))
	default:
		out.Store.FreeBytes = disk.Free
		check("disk", wire.StateOK, "")
	}
}
