package natskv

import (
	"regexp"
	"testing"

	"pgregory.net/rapid"
)

func TestEncodeKey(t *testing.T) {
	f := func(key, want string) {
		t.Helper()
		if got := encodeKey(key); got != want {
			t.Errorf("encodeKey(%q) = %q, want %q", key, got, want)
		}
	}
	f("SessionRule/shop-1", "SessionRule.shop-1")
	f("a.b*>", "a=2Eb=2A=3E")
	f("/a//b/", "=.a.=.b.=")
	f("é", "=C3=A9")
	f("=", "=3D")
}

func TestDecodeKeyRefuses(t *testing.T) {
	for _, encoded := range []string{"", ".", "a.", ".a", "a..b", "=2", "=2x", "=2e", "=41", "a=", "a/b", "a b", "=2F"} {
		if key, ok := decodeKey(encoded); ok {
			t.Errorf("decodeKey(%q) = %q; it was not made by encodeKey", encoded, key)
		}
	}
}

func TestKeyRoundTrip(t *testing.T) {
	// The rule of the NATS client, and no empty tokens.
	valid := regexp.MustCompile(`^[-_=a-zA-Z0-9]+(\.[-_=a-zA-Z0-9]+)*$`)
	rapid.Check(t, func(t *rapid.T) {
		key := rapid.OneOf(rapid.StringN(1, 30, -1), rapid.StringMatching(`[a/.=*> ]{1,12}`)).Draw(t, "key")
		encoded := encodeKey(key)
		if decoded, ok := decodeKey(encoded); !ok || decoded != key || !valid.MatchString(encoded) {
			t.Fatalf("%q is encoded as %q and decoded as %q, %v", key, encoded, decoded, ok)
		}
	})
}
