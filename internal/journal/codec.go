// Package journal is how observations travel between the processes that see traffic and the ones that correlate
// it: the codec of observations, version 1, written down in docs/formats/observation.md. Its sub-package spool puts
// the observations of an import into the order of their times.
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
const Version = 1

const magic = "SOB" // Seshat observation batch

// ErrCorrupt is returned for bytes that are not an observation, or not all of one.
var ErrCorrupt = errors.New("corrupt observation")

// AppendHeader appends what every batch starts with: four bytes that tell its format and version.
func AppendHeader(dst []byte) []byte { return append(dst, magic[0], magic[1], magic[2], Version) }

// ReadHeader removes the header of a batch. It returns a [seshat.Error] of kind ErrorUnsupported for a batch of a
// version that this one does not know.
func ReadHeader(src []byte) ([]byte, error) {
	if len(src) < len(magic)+1 || string(src[:len(magic)]) != magic {
		return nil, fmt.Errorf("no batch of observations: %w", ErrCorrupt)
	}
	if v := src[len(magic)]; v != Version {
		return nil, &seshat.Error{
			Kind: seshat.ErrorUnsupported, Op: "read a batch of observations",
			Hint: "it was written by another version of Seshat; upgrade this one",
			Err:  fmt.Errorf("format version %d, where only %d is known", v, Version),
		}
	}
	return src[len(magic)+1:], nil
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

// leastID, leastParameter and leastFlow are how many bytes the shortest of each takes. They bound what a decoder
// allocates for a count by the bytes that are really there.
const (
	leastID        = 9
	leastParameter = 5
	leastFlow      = 2
)

// Size is how many bytes the first observation in src takes, for whoever moves observations without decoding
// them. It is meaningful only in front of what [Append] wrote.
func Size(src []byte) int {
	if len(src) < lengthBytes {
		return len(src)
	}
	return lengthBytes + int(binary.LittleEndian.Uint32(src))
}
