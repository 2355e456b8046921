package tail

import (
	"context"
	"errors"
	"io"
	"os"
	"time"
)

// growing reads a file that grows. At its end it waits for more; it ends with io.EOF when no more will come, because the
// file has been replaced or emptied.
type growing struct {
	ctx    context.Context // io.Reader takes none, and this one lives for one file
	file   *logFile
	path   string
	offset int64
	wait   func(context.Context) bool
	// quietSince is since when nothing was added to the file while there was a new one with lines in it.
	quietSince time.Time
}

// Read implements [io.Reader].
func (g *growing) Read(p []byte) (int, error) {
	for {
		n, err := g.file.file.ReadAt(p, g.offset)
		if n > 0 {
			g.offset += int64(n)
			g.quietSince = time.Time{}
			return n, nil
		}
		if err != nil && !errors.Is(err, io.EOF) {
			return 0, err
		}
		if g.complete() {
			return 0, io.EOF
		}
		if !g.wait(g.ctx) {
			return 0, context.Cause(g.ctx)
		}
	}
}

// complete reports whether nothing will be added to the file.
func (g *growing) complete() bool {
	here, err := g.file.file.Stat()
	if err != nil {
		return true
	}
	if here.Size() < g.offset {
		return true // it was emptied, and is opened again from its beginning
	}
	there, err := os.Stat(g.path)
	if err != nil || os.SameFile(here, there) || there.Size() == 0 {
		g.quietSince = time.Time{}
		return false
	}
	if g.quietSince.IsZero() {
		g.quietSince = time.Now()
	}
	return time.Since(g.quietSince) >= lingerFor
}
