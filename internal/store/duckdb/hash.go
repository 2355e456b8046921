package duckdb

import (
	"encoding/binary"
	"hash/maphash"
	"time"

	"github.com/seshat-project/seshat"
)

// contentHash stands for a content. It has 128 bits and secret seeds, so that nobody can send two contents that
// have the same one.
type contentHash [2]uint64

// contentHasher collects a content. Every part says where it ends, so that different contents are different bytes.
type contentHasher struct {
	seeds  [2]maphash.Seed
	buffer []byte
}

func newContentHasher() contentHasher {
	return contentHasher{seeds: [2]maphash.Seed{maphash.MakeSeed(), maphash.MakeSeed()}}
}

func (h *contentHasher) reset() { h.buffer = h.buffer[:0] }

func (h *contentHasher) sum() contentHash {
	return contentHash{maphash.Bytes(h.seeds[0], h.buffer), maphash.Bytes(h.seeds[1], h.buffer)}
}

func (h *contentHasher) bytes(b []byte) { h.buffer = append(h.buffer, b...) } // of a fixed length
func (h *contentHasher) int(n int64)    { h.buffer = binary.AppendVarint(h.buffer, n) }

func (h *contentHasher) text(s string) {
	h.buffer = binary.AppendUvarint(h.buffer, uint64(len(s)))
	h.buffer = append(h.buffer, s...)
}

func (h *contentHasher) bool(b bool) {
	if b {
		h.buffer = append(h.buffer, 1)
		return
	}
	h.buffer = append(h.buffer, 0)
}

func (h *contentHasher) time(t time.Time) {
	if t.IsZero() {
		h.buffer = append(h.buffer, 0)
		return
	}
	h.buffer = append(h.buffer, 1)
	h.int(t.UnixMicro())
}

// observedID adds what the table identities keeps of id.
func (h *contentHasher) observedID(id *seshat.ObservedID, o *seshat.Observation) {
	h.buffer = append(h.buffer, byte(id.Origin), byte(id.Kind), byte(id.Side), byte(id.Where))
	if id.Origin != seshat.OriginFallback {
		h.bytes(id.Digest[:])
	}
	h.text(keptMask(id, o))
	h.bytes(id.Rule[:])
	h.int(int64(id.Index))
	h.text(id.Name)
	h.text(id.Key)
	h.bool(id.Deleted)
	h.time(id.ExpiresAt)
	h.int(micros(id.Lifetime))
	hasClaims := id.Token != seshat.ObservedClaims{}
	h.bool(hasClaims)
	if hasClaims {
		h.bool(id.Token.IsToken)
		h.text(id.Token.Issuer)
		h.text(id.Token.Subject)
		h.bytes(id.Token.SessionID[:])
		h.time(id.Token.IssuedAt)
		h.time(id.Token.ExpiresAt)
	}
}

func (h *contentHasher) parameter(p *seshat.Parameter) {
	h.text(p.Name)
	h.buffer = append(h.buffer, byte(p.Type), byte(p.Side))
	h.text(p.Value)
	h.bool(p.Weak)
}
