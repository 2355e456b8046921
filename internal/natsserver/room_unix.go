//go:build unix

package natsserver

import "golang.org/x/sys/unix"

// freeBytes is how much this process may still write where dir is.
func freeBytes(dir string) (uint64, error) {
	var stat unix.Statfs_t
	if err := unix.Statfs(dir, &stat); err != nil {
		return 0, err
	}
	return uint64(stat.Bavail) * uint64(stat.Bsize), nil //nolint:unconvert // their types differ between systems
}
