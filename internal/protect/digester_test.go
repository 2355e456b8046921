package protect

import (
	"crypto/hmac"
	"crypto/sha256"
	"strings"
	"sync"
	"testing"

	"github.com/seshat-project/seshat"
)

// slowDigest is the digest as docs/formats/digest-key.md defines it.
func slowDigest(key []byte, use, message string) (d seshat.Digest) {
	mac := func(key []byte, message string) []byte {
		h := hmac.New(sha256.New, key)
		h.Write([]byte(message))
		return h.Sum(nil)
	}
	copy(d[:], mac(mac(key, use), message))
	return d
}

func TestDigester(t *testing.T) {
	key := []byte("0123456789abcdef0123456789abcdef")
	d := NewDigester(key)
	h := d.Hasher()
	for _, value := range []string{"", "a", "a session ID of ordinary length 12345678", strings.Repeat("long", 5000)} {
		want := slowDigest(key, "seshat/v1 values", value)
		for range 2 { // the second time with a state that was used before
			if got := d.Hash([]byte(value)); got != want {
				t.Errorf("Hash(%.20q) = %v, want %v", value, got, want)
			}
			if got := h.HashString(value); got != want {
				t.Errorf("HashString(%.20q) = %v, want %v", value, got, want)
			}
		}
	}
	const eight = "\x00\x00\x00\x00\x00\x00\x00"
	want := slowDigest(key, "seshat/v1 labelled", eight+"\x03sid"+eight+"\x02ab"+eight+"\x01c")
	if got := h.HashLabelled("sid", "ab", "c"); got != want || got != d.HashLabelled("sid", "ab", "c") {
		t.Errorf("HashLabelled = %v, want %v", got, want)
	}
}

func TestDigestsDiffer(t *testing.T) {
	h := NewDigester([]byte("key")).Hasher()
	seen := map[seshat.Digest]string{}
	for name, digest := range map[string]seshat.Digest{
		"value":     h.HashString("ab"),
		"other key": NewDigester([]byte("kez")).Hash([]byte("ab")),
		"label":     h.HashLabelled("ab"),
		"parts 1":   h.HashLabelled("l", "a", "b"),
		"parts 2":   h.HashLabelled("l", "ab", ""),
		"parts 3":   h.HashLabelled("l", "ab"),
		"parts 4":   h.HashLabelled("la", "b"),
	} {
		if other, ok := seen[digest]; ok {
			t.Errorf("%s and %s have one digest", name, other)
		}
		seen[digest] = name
	}
}

func TestDigesterIsConcurrent(t *testing.T) {
	d := NewDigester([]byte("key"))
	want := d.Hash([]byte("value"))
	var wait sync.WaitGroup
	for range 8 {
		wait.Go(func() {
			for range 500 {
				if d.Hash([]byte("value")) != want {
					t.Error("digests differ")
					return
				}
				d.HashLabelled("l", "other")
			}
		})
	}
	wait.Wait()
}

func TestHasherDoesNotAllocate(t *testing.T) {
	h := NewDigester([]byte("key")).Hasher()
	value := strings.Repeat("v", 40)
	if n := testing.AllocsPerRun(100, func() {
		h.HashString(value)
		h.HashLabelled("label", value, value)
	}); n != 0 {
		t.Errorf("%v allocations", n)
	}
}
