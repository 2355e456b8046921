package journal

import (
	"encoding/binary"
	"fmt"
	"time"

	"github.com/seshat-project/seshat"
)

// Batch is an entry of the journal: what one source saw in a while.
type Batch struct {
	// Source is the process that saw the exchanges: an identifier that is new at every start, see [NewSource].
	Source uint64
	// Number counts the batches of a source, from 1. A batch that comes a second time is known by it.
	Number uint64
	// Watermark says that every exchange that this source appends later started at this time or after it. Zero says
	// nothing.
	Watermark time.Time
	// Away says that nothing is on its way in this source: nobody need wait for it until it is heard of again.
	Away         bool
	Observations []*seshat.Observation
	Revocations  []Revocation
	// Readmissions are revocations that were taken back, or have lapsed.
	Readmissions []Revocation
}

// Revocation tells correlation that a session was revoked by a person or an engine, or is so no longer.
type Revocation struct {
	Session seshat.SessionID
	Time    time.Time
}

// NewSource makes the identifier of a source: the upper half is the node's, which stays the same when its process is
// started again, and the lower half is start, which must be new at every start. Whoever reads the journal knows by it that
// the process that the node ran before is gone.
func NewSource(node, start uint32) uint64 { return uint64(node)<<nodeShift | uint64(start) }

// NodeOf is the node of a source; 0 when it has none.
func NodeOf(source uint64) uint64 { return source >> nodeShift }

const nodeShift = 32

// The head of a batch behind its header. All of it has a fixed size, so that it is filled in when the batch is complete.
const (
	atSource     = headerBytes
	atNumber     = atSource + 8
	atWatermark  = atNumber + 8
	atFlags      = atWatermark + 8
	atCount      = atFlags + 1
	atRevoked    = atCount + 4
	headBytes    = atRevoked + 4
	revokedBytes = 16 + 8
	countBytes   = 4
)

// versionReadmits is the version of a batch with readmissions behind the revocations: an earlier reader would take it for a
// damaged one, and leave it out.
const versionReadmits = 3

// flagAway is the flag of [Batch.Away]; flagWatermark says that there is a watermark; flagPacked that what follows the head
// is an S2 block.
const (
	flagAway = 1 << iota
	flagWatermark
	flagPacked
)

// Writer makes a batch out of observations as they come. The zero value is an empty batch.
type Writer struct {
	encoded      []byte
	count        uint32
	revocations  []Revocation
	readmissions []Revocation
}

// Add adds an observation.
func (w *Writer) Add(o *seshat.Observation) {
	w.start()
	w.encoded = Append(w.encoded, o)
	w.count++
}

// Undo takes the last observation back, which began at the given size.
func (w *Writer) Undo(size int) {
	w.encoded = w.encoded[:size]
	w.count--
}

// Revoke adds a revocation.
func (w *Writer) Revoke(r Revocation) {
	w.start()
	w.revocations = append(w.revocations, r)
}

// Readmit adds a readmission.
func (w *Writer) Readmit(r Revocation) {
	w.start()
	w.readmissions = append(w.readmissions, r)
}

func (w *Writer) start() {
	if len(w.encoded) == 0 {
		w.encoded = append(AppendHeader(w.encoded), make([]byte, headBytes-headerBytes)...)
	}
}

// Size is how many bytes the batch has so far; 0 when there is nothing in it.
func (w *Writer) Size() int {
	if len(w.encoded) == 0 {
		return 0
	}
	size := len(w.encoded) + revokedBytes*(len(w.revocations)+len(w.readmissions))
	if len(w.readmissions) > 0 {
		size += countBytes
	}
	return size
}

// Count is how many observations the batch has.
func (w *Writer) Count() int { return int(w.count) }

// Finish completes the batch and returns it. It is valid until the next call of any method.
func (w *Writer) Finish(source, number uint64, watermark time.Time, away bool) []byte {
	w.start()
	head := w.encoded
	binary.LittleEndian.PutUint64(head[atSource:], source)
	binary.LittleEndian.PutUint64(head[atNumber:], number)
	var flags byte
	if away {
		flags |= flagAway
	}
	if !watermark.IsZero() {
		flags |= flagWatermark
		binary.LittleEndian.PutUint64(head[atWatermark:], uint64(watermark.UnixNano()))
	}
	head[atFlags] = flags
	binary.LittleEndian.PutUint32(head[atCount:], w.count)
	binary.LittleEndian.PutUint32(head[atRevoked:], uint32(len(w.revocations)))
	if len(w.readmissions) > 0 {
		head[len(magic)] = versionReadmits
	}
	w.encoded = appendRevocations(w.encoded, w.revocations)
	if len(w.readmissions) > 0 {
		w.encoded = binary.LittleEndian.AppendUint32(w.encoded, uint32(len(w.readmissions)))
		w.encoded = appendRevocations(w.encoded, w.readmissions)
	}
	w.revocations, w.readmissions = w.revocations[:0], w.readmissions[:0]
	return w.encoded
}

func appendRevocations(dst []byte, list []Revocation) []byte {
	for _, r := range list {
		dst = append(dst, r.Session[:]...)
		dst = binary.LittleEndian.AppendUint64(dst, uint64(r.Time.UnixNano()))
	}
	return dst
}

// Reset empties the batch and keeps its memory.
func (w *Writer) Reset() {
	w.encoded, w.count = w.encoded[:0], 0
	w.revocations, w.readmissions = w.revocations[:0], w.readmissions[:0]
}

// AppendBatch appends a whole batch to dst.
func AppendBatch(dst []byte, b *Batch) []byte {
	var w Writer
	for _, o := range b.Observations {
		w.Add(o)
	}
	for _, r := range b.Revocations {
		w.Revoke(r)
	}
	for _, r := range b.Readmissions {
		w.Readmit(r)
	}
	return append(dst, w.Finish(b.Source, b.Number, b.Watermark, b.Away)...)
}

// DecodeBatch decodes a batch of this version or an earlier one. It owns its memory. The error is [ErrCorrupt], or one
// of kind ErrorUnsupported for a newer version.
func (d *Decoder) DecodeBatch(src []byte) (*Batch, error) {
	version, rest, err := ReadHeader(src)
	if err != nil {
		return nil, err
	}
	b := &Batch{}
	if version == versionPlain {
		for len(rest) > 0 {
			var o *seshat.Observation
			if o, rest, err = d.Decode(rest); err != nil {
				return nil, fmt.Errorf("observation %d: %w", len(b.Observations), err)
			}
			b.Observations = append(b.Observations, o)
		}
		return b, nil
	}
	if len(src) < headBytes {
		return nil, fmt.Errorf("head of a batch: %w", ErrCorrupt)
	}
	b.Source = binary.LittleEndian.Uint64(src[atSource:])
	b.Number = binary.LittleEndian.Uint64(src[atNumber:])
	flags := src[atFlags]
	if flags&^(flagAway|flagWatermark|flagPacked) != 0 {
		return nil, fmt.Errorf("head of a batch: %w", ErrCorrupt)
	}
	b.Away = flags&flagAway != 0
	if flags&flagWatermark != 0 {
		b.Watermark = unixNano(src[atWatermark:])
	}
	count := uint64(binary.LittleEndian.Uint32(src[atCount:]))
	revoked := uint64(binary.LittleEndian.Uint32(src[atRevoked:]))
	if rest, err = d.unpack(src[headBytes:], flags&flagPacked != 0); err != nil {
		return nil, err
	}
	if count > uint64(len(rest)/leastObservation) || revoked > uint64(len(rest)/revokedBytes) {
		return nil, fmt.Errorf("head of a batch: %w", ErrCorrupt)
	}
	if count > 0 {
		b.Observations = make([]*seshat.Observation, count)
	}
	for i := range b.Observations {
		if b.Observations[i], rest, err = d.Decode(rest); err != nil {
			return nil, fmt.Errorf("observation %d: %w", i, err)
		}
	}
	var whole bool
	if b.Revocations, rest, whole = readRevocations(rest, revoked); whole && version == versionReadmits {
		if whole = len(rest) >= countBytes; whole {
			count := uint64(binary.LittleEndian.Uint32(rest))
			b.Readmissions, rest, whole = readRevocations(rest[countBytes:], count)
		}
	}
	if !whole || len(rest) > 0 {
		return nil, fmt.Errorf("revocations of a batch: %w", ErrCorrupt)
	}
	return b, nil
}

// readRevocations reads as many revocations as there must be.
func readRevocations(src []byte, count uint64) (list []Revocation, rest []byte, whole bool) {
	if count > uint64(len(src)/revokedBytes) {
		return nil, src, false
	}
	for ; count > 0; count-- {
		list = append(list, Revocation{Session: seshat.SessionID(src[:16]), Time: unixNano(src[16:])})
		src = src[revokedBytes:]
	}
	return list, src, true
}

func unixNano(b []byte) time.Time {
	return time.Unix(0, int64(binary.LittleEndian.Uint64(b))).UTC()
}
