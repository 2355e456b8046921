// Package journal is how observations travel between the processes that see traffic and the ones that correlate
// it: the codec of observations and of batches of them, version 2, written down in docs/formats/journal.md and
// docs/formats/observation.md, and the contract of the log that keeps the batches. Its sub-package spool puts the
// observations of an import into the order of their times.
//
// The codec is written by hand: generated MessagePack code (tinylib/msgp) needs a mirror of every struct, a copy into it,
// and an allocation for each text, where most texts of an observation were seen a moment ago.
package journal

import (
	"encoding/binary"
	"errors"
	"fmt"

	"github.com/seshat-project/seshat"
)

// Version is the version of the codec that [AppendHeader] announces.
const Version = 2

// versionPlain had observations without verdicts, and no head before them.
const versionPlain = 1

const (
	magic       = "SOB" // Seshat observation batch
	headerBytes = len(magic) + 1
)

// ErrCorrupt is returned for bytes that are not an observation, or not all of one.
var ErrCorrupt = errors.New("corrupt observation")

// AppendHeader appends what every batch starts with: four bytes that tell its format and version.
func AppendHeader(dst []byte) []byte { return append(dst, magic[0], magic[1], magic[2], Version) }

// ReadHeader reads and removes the header of a batch. It returns a [seshat.Error] of kind ErrorUnsupported for a batch of
// a version that this one does not know.
func ReadHeader(src []byte) (version byte, rest []byte, err error) {
	if len(src) < headerBytes || string(src[:len(magic)]) != magic {
		return 0, nil, fmt.Errorf("no batch of observations: %w", ErrCorrupt)
	}
	if version = src[len(magic)]; version < versionPlain || version > versionReadmits {
		return 0, nil, &seshat.Error{
			Kind: seshat.ErrorUnsupported, Op: "read a batch of observations",
			Hint: "it was written by a newer version of Seshat; upgrade this one",
			Err:  fmt.Errorf("format version %d, where only those up to %d are known", version, versionReadmits),
		}
	}
	return version, src[headerBytes:], nil
}

// The bits that say which parts of an ID follow.
const (
	hasDigest = 1 << iota
	hasRule
	hasExpiry
	hasLifetime
	hasToken
	isDeleted
)

// How many bytes the shortest of each takes. They bound what a decoder allocates for a count by the bytes that are really
// there.
const (
	leastObservation = lengthBytes + 8
	leastID          = 9
	leastParameter   = 5
	leastFlow        = 2
	leastTag         = 1
)

// Size is how many bytes the first observation in src takes, for whoever moves observations without decoding
// them. It is meaningful only in front of what [Append] wrote.
func Size(src []byte) int {
	if len(src) < lengthBytes {
		return len(src)
	}
	return lengthBytes + int(binary.LittleEndian.Uint32(src))
}
