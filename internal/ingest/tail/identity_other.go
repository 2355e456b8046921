//go:build !unix

package tail

import "io/fs"

// identity is not known here: the digest of the last line tells files apart.
func identity(fs.FileInfo) (device, inode uint64) { return 0, 0 }
