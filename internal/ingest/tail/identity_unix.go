//go:build unix

package tail

import (
	"io/fs"
	"syscall"
)

// identity is what stays the same when a file is renamed.
func identity(info fs.FileInfo) (device, inode uint64) {
	if s, ok := info.Sys().(*syscall.Stat_t); ok {
		return uint64(s.Dev), s.Ino //nolint:unconvert // it is not 64 bits wide everywhere
	}
	return 0, 0
}
