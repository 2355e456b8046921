package tail

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/seshat-project/seshat"
)

// positionVersion is the version of the file of a position. A change that older programs would misread raises it.
const positionVersion = 1

// position is up to where a log was read: the last line that was settled.
type position struct {
	Version int    `json:"version"`
	Path    string `json:"path"`
	Device  uint64 `json:"device"`
	Inode   uint64 `json:"inode"`
	// Offset is where the last line begins, and Content a digest of it: it tells whether a file still is the one that was
	// read. Offset -1 says that no line was read.
	Offset  int64  `json:"offset"`
	Content uint64 `json:"content,string"`
	// Start is where reading begins when no line was read.
	Start int64 `json:"start,omitempty"`
}

// loadPosition reads a position. It returns nil when there is none.
func loadPosition(file string) (*position, error) {
	text, err := os.ReadFile(file) //nolint:gosec // a file of the data directory
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("read the position in a log: %w", err)
	}
	var p position
	if err := json.Unmarshal(text, &p); err != nil || p.Version < 1 {
		// It is replaced in one step, so this is none that a crash left behind.
		return nil, &seshat.Error{
			Kind: seshat.ErrorInvalid, Op: "read the position in a log from " + file, Err: errors.New("the file is damaged"),
			Hint: "remove it: the log is then read from its end on",
		}
	}
	if p.Version > positionVersion {
		return nil, &seshat.Error{
			Kind: seshat.ErrorUnsupported, Op: "read the position in a log from " + file,
			Err: fmt.Errorf("version %d; this program knows %d", p.Version, positionVersion),
		}
	}
	return &p, nil
}

// save writes the position, so that the file has either the old one or this one.
func (p *position) save(file string) error {
	text, err := json.Marshal(p)
	if err != nil {
		return err
	}
	if err := os.MkdirAll(filepath.Dir(file), 0o700); err != nil {
		return fmt.Errorf("keep the position in a log: %w", err)
	}
	next := file + ".new"
	if err := os.WriteFile(next, append(text, '\n'), 0o600); err != nil {
		return fmt.Errorf("keep the position in a log: %w", err)
	}
	if err := os.Rename(next, file); err != nil {
		return fmt.Errorf("keep the position in a log: %w", err)
	}
	return nil
}
