package live

import (
	"errors"
	"strconv"
	"strings"
)

// Position is a place in a feed: behind an exchange that was read. It means something to the feed that it is of only, until
// its process ends.
type Position struct {
	run  string
	next uint64 // the number of the exchange behind it
}

// ErrBadPosition is returned for text that is not a position.
var ErrBadPosition = errors.New("not a position of a feed")

const (
	// maxPosition is how many characters a position may have.
	maxPosition = 64
	// runBytes make up the name of a run: enough that no two are called the same.
	runBytes  = 6
	runLength = 2 * runBytes
)

// ParsePosition reads what [Position.String] has written.
func ParsePosition(text string) (Position, error) {
	run, number, found := strings.Cut(text, "-")
	if !found || len(text) > maxPosition || len(run) != runLength || strings.Trim(run, "0123456789abcdef") != "" {
		return Position{}, ErrBadPosition
	}
	next, err := strconv.ParseUint(number, 10, 64)
	if err != nil || strconv.FormatUint(next, 10) != number {
		return Position{}, ErrBadPosition
	}
	return Position{run, next}, nil
}

// String is p as text: letters, digits and a hyphen.
func (p Position) String() string {
	if p.IsZero() {
		return ""
	}
	return p.run + "-" + strconv.FormatUint(p.next, 10)
}

// IsZero reports whether p is no position of any feed.
func (p Position) IsZero() bool { return p.run == "" }
