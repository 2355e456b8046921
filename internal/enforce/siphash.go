package enforce

import (
	"encoding/binary"
	"math/bits"
)

// hash is a keyed hash of 128 bits. Who does not know the key can neither find two values with one hash nor choose
// where in a table a value goes.
type hash [2]uint64

// sip is SipHash-2-4 with a result of 128 bits (Aumasson and Bernstein, "SipHash: a fast short-input PRF", 2012, and
// their reference implementation), fed with words of eight bytes. It is a value: a hash that was begun can be copied and
// gone on with.
type sip struct {
	v0, v1, v2, v3 uint64
	words          uint64
}

func newSip(key [16]byte) sip {
	k0, k1 := binary.LittleEndian.Uint64(key[:8]), binary.LittleEndian.Uint64(key[8:])
	return sip{
		v0: 0x736f6d6570736575 ^ k0,
		v1: 0x646f72616e646f6d ^ k1 ^ 0xee,
		v2: 0x6c7967656e657261 ^ k0,
		v3: 0x7465646279746573 ^ k1,
	}
}

func (s *sip) round() {
	s.v0 += s.v1
	s.v1 = bits.RotateLeft64(s.v1, 13) ^ s.v0
	s.v0 = bits.RotateLeft64(s.v0, 32)
	s.v2 += s.v3
	s.v3 = bits.RotateLeft64(s.v3, 16) ^ s.v2
	s.v0 += s.v3
	s.v3 = bits.RotateLeft64(s.v3, 21) ^ s.v0
	s.v2 += s.v1
	s.v1 = bits.RotateLeft64(s.v1, 17) ^ s.v2
	s.v2 = bits.RotateLeft64(s.v2, 32)
}

func (s *sip) word(w uint64) {
	s.v3 ^= w
	s.round()
	s.round()
	s.v0 ^= w
	s.words++
}

// digest adds 16 bytes.
func (s *sip) digest(d [16]byte) {
	s.word(binary.LittleEndian.Uint64(d[:8]))
	s.word(binary.LittleEndian.Uint64(d[8:]))
}

// text adds a text with its length, so that texts that are divided differently do not match each other.
func (s *sip) text(t string) {
	s.word(uint64(len(t)))
	for ; len(t) >= 8; t = t[8:] {
		s.word(uint64(t[0]) | uint64(t[1])<<8 | uint64(t[2])<<16 | uint64(t[3])<<24 |
			uint64(t[4])<<32 | uint64(t[5])<<40 | uint64(t[6])<<48 | uint64(t[7])<<56)
	}
	if t != "" {
		var w uint64
		for i := range len(t) {
			w |= uint64(t[i]) << (8 * i)
		}
		s.word(w)
	}
}

// folded adds a text as [sip.text] does, with ASCII letters in lower case.
func (s *sip) folded(t string) {
	s.word(uint64(len(t)))
	for i := 0; i < len(t); i += 8 {
		var w uint64
		for j, c := range []byte(t[i:min(i+8, len(t))]) {
			if c-'A' < 26 {
				c |= 0x20
			}
			w |= uint64(c) << (8 * j)
		}
		s.word(w)
	}
}

func (s *sip) sum() hash {
	s.word(s.words * 8 << 56) // the length in bytes, modulo 256, closes the message
	s.v2 ^= 0xee
	for range 4 {
		s.round()
	}
	first := s.v0 ^ s.v1 ^ s.v2 ^ s.v3
	s.v1 ^= 0xdd
	for range 4 {
		s.round()
	}
	return hash{first, s.v0 ^ s.v1 ^ s.v2 ^ s.v3}
}
