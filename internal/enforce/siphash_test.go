package enforce

import (
	"encoding/binary"
	"encoding/hex"
	"testing"
)

// TestSipHash compares with vectors_sip128 of the reference implementation, for messages of whole words.
func TestSipHash(t *testing.T) {
	var key [16]byte
	for i := range key {
		key[i] = byte(i)
	}
	f := func(words int, want string) {
		t.Helper()
		s := newSip(key)
		for w := range words {
			var b [8]byte
			for i := range b {
				b[i] = byte(8*w + i)
			}
			s.word(binary.LittleEndian.Uint64(b[:]))
		}
		sum := s.sum()
		var out [16]byte
		binary.LittleEndian.PutUint64(out[:8], sum[0])
		binary.LittleEndian.PutUint64(out[8:], sum[1])
		if got := hex.EncodeToString(out[:]); got != want {
			t.Errorf("%d words: %s, want %s", words, got, want)
		}
	}
	f(0, "a3817f04ba25a8e66df67214c7550293")
	f(1, "3b62a9ba6258f5610f83e264f31497b4")
}

func TestTextsDoNotRunTogether(t *testing.T) {
	seen := map[hash]string{}
	f := func(name string, fill func(s *sip)) {
		t.Helper()
		s := newSip([16]byte{1})
		fill(&s)
		sum := s.sum()
		if other, ok := seen[sum]; ok {
			t.Errorf("%s and %s are one", name, other)
		}
		seen[sum] = name
	}
	for _, parts := range [][]string{{"ab", "c"}, {"a", "bc"}, {"abc"}, {"abc", ""}, {"", "abc"}, {"abc\x00"}, {"ABC"}, {"12345678", "9"}, {"123456789"}} {
		f("text", func(s *sip) {
			for _, p := range parts {
				s.text(p)
			}
		})
	}
	lower, upper, plain := newSip([16]byte{}), newSip([16]byte{}), newSip([16]byte{})
	lower.folded("alice@example.com")
	upper.folded("Alice@EXAMPLE.com")
	plain.text("alice@example.com")
	if a, b, c := lower.sum(), upper.sum(), plain.sum(); a != b || a != c {
		t.Error("letters have a case")
	}
}
