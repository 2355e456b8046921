package protect

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"hash"
	"io"
	"sync"
	"unsafe"

	"github.com/seshat-project/seshat"
)

// The keys that are derived from the key of a [Digester] (as HMAC-SHA-256 of these texts), so that a digest of one
// use can never be taken for one of the other, and the key itself is used for nothing else.
const (
	valueKeyLabel    = "seshat/v1 values"
	labelledKeyLabel = "seshat/v1 labelled"
)

// Digester makes keyed digests: HMAC-SHA-256 truncated to 128 bits. Without the key, nobody can tell which value a
// digest stands for, even if there are few possible values. It is safe for concurrent use; a goroutine that makes
// many digests takes a [Hasher] of its own.
type Digester struct {
	valueKey, labelledKey []byte
	hashers               sync.Pool
	// values and labels are the digests of either kind that were made lately.
	values, labels *recentDigests
}

// NewDigester returns a digester under key, which should be 32 random bytes.
func NewDigester(key []byte) *Digester {
	return &Digester{
		valueKey: derive(key, valueKeyLabel), labelledKey: derive(key, labelledKeyLabel),
		values: newRecentDigests(), labels: newRecentDigests(),
	}
}

func derive(key []byte, label string) []byte {
	h := hmac.New(sha256.New, key)
	h.Write([]byte(label))
	return h.Sum(nil)
}

// Format implements [fmt.Formatter]: the keys are never printed.
func (d *Digester) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, "digester") }

// Hash returns the digest of a client session ID or another secret value, wherever it was found.
func (d *Digester) Hash(value []byte) seshat.Digest {
	h := d.hasher()
	defer d.hashers.Put(h)
	return h.Hash(value)
}

// HashLabelled is [Hasher.HashLabelled] for concurrent use.
func (d *Digester) HashLabelled(label string, parts ...string) seshat.Digest {
	h := d.hasher()
	defer d.hashers.Put(h)
	return h.HashLabelled(label, parts...)
}

func (d *Digester) hasher() *Hasher {
	if h, ok := d.hashers.Get().(*Hasher); ok {
		return h
	}
	return d.Hasher()
}

// Hasher returns a hasher under the same key, for one goroutine.
func (d *Digester) Hasher() *Hasher {
	return &Hasher{
		values: hmac.New(sha256.New, d.valueKey), labelled: hmac.New(sha256.New, d.labelledKey),
		recentValues: d.values, recentLabels: d.labels,
	}
}

// Hasher makes digests without allocating. It is not safe for concurrent use.
type Hasher struct {
	values, labelled hash.Hash
	sum              [sha256.Size]byte // here, because what is given to an interface moves to the heap
	parts            []byte            // in work

	recentValues, recentLabels *recentDigests
}

// Format implements [fmt.Formatter]: the keys are never printed.
func (h *Hasher) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, "hasher") }

// Hash returns the digest of a secret value.
func (h *Hasher) Hash(value []byte) seshat.Digest {
	key := h.recentValues.key(value)
	d, ok := h.recentValues.get(key)
	if !ok {
		d = h.finish(h.values, value)
		h.recentValues.put(key, d)
	}
	return d
}

// HashString is Hash for text.
func (h *Hasher) HashString(value string) seshat.Digest { return h.Hash(bytesOf(value)) }

// HashLabelled returns the digest of several values for one use, which label names. Digests with different labels,
// and digests of values that are divided differently, do not match each other, nor those of Hash.
func (h *Hasher) HashLabelled(label string, parts ...string) seshat.Digest {
	h.parts = appendPart(h.parts[:0], label)
	for _, part := range parts {
		h.parts = appendPart(h.parts, part)
	}
	key := h.recentLabels.key(h.parts)
	d, ok := h.recentLabels.get(key)
	if !ok {
		d = h.finish(h.labelled, h.parts)
		h.recentLabels.put(key, d)
	}
	clear(h.parts)
	return d
}

func appendPart(dst []byte, s string) []byte {
	return append(binary.BigEndian.AppendUint64(dst, uint64(len(s))), s...)
}

func (h *Hasher) finish(mac hash.Hash, value []byte) (d seshat.Digest) {
	mac.Reset() // to the state behind the key
	mac.Write(value)
	copy(d[:], mac.Sum(h.sum[:0]))
	return d
}

// bytesOf is s as bytes without a copy, which must not be changed.
func bytesOf(s string) []byte {
	return unsafe.Slice(unsafe.StringData(s), len(s)) //nolint:gosec // see the comment
}
