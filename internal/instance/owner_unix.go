//go:build unix

package instance

import (
	"io/fs"
	"syscall"
)

// hasRights says that the bits of a file's mode mean something.
const hasRights = true

// ownerOf returns the user that a file belongs to.
func ownerOf(status fs.FileInfo) (uid int, known bool) {
	system, ok := status.Sys().(*syscall.Stat_t)
	if !ok {
		return 0, false
	}
	return int(system.Uid), true
}
