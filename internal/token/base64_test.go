package token_test

import (
	"encoding/base64"
	"testing"

	"github.com/seshat-project/seshat/internal/token"
)

func TestDecodeBase64(t *testing.T) {
	f := func(s, want string, wantOK bool) {
		t.Helper()
		got, ok := token.DecodeBase64([]byte("kept:"), s)
		if ok != wantOK || string(got) != "kept:"+want {
			t.Fatalf("DecodeBase64(%q): got %q, %v; want %q, %v", s, got, ok, want, wantOK)
		}
	}
	f("", "", true)
	f("aGVsbG8=", "hello", true)
	f("aGVsbG8", "hello", true)
	f("aGVsbA==", "hell", true)
	f("aGVsbA", "hell", true)
	f("aGVs", "hel", true)
	f("+/+/", "\xfb\xff\xbf", true)
	f("-_-_", "\xfb\xff\xbf", true)
	f("+_+_", "", false) // a mixture
	f("aGVsbA=", "", false)
	f("aGVsbG8==", "", false)
	f("aGVs====", "", false)
	f("=", "", false)
	f("====", "", false)
	f("a", "", false)
	f("aGVs\nbG8=", "", false)
	f("aGVsbG8=\n", "", false)
	f(" aGVs", "", false)
	f("aGV$", "", false)
	f("aGVé", "", false)
	f("aGVsbB", "hell", true) // unused bits are set
}

// FuzzDecodeBase64 holds the decoder to encoding/base64, which accepts the same but for newlines.
func FuzzDecodeBase64(f *testing.F) {
	for _, seed := range []string{"", "aGVsbG8=", "aGVsbG8", "-_-_", "+/+/", "+_", "a", "====", "aGVs\nbG8=", "\xff\x00"} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, s []byte) {
		got, ok := token.DecodeBase64(nil, s)
		want, wantOK := []byte(nil), false
		for _, e := range []*base64.Encoding{
			base64.StdEncoding, base64.RawStdEncoding, base64.URLEncoding, base64.RawURLEncoding,
		} {
			for _, c := range s {
				if c == '\n' || c == '\r' {
					e = nil
					break
				}
			}
			if e == nil {
				break
			}
			if decoded, err := e.DecodeString(string(s)); err == nil {
				want, wantOK = decoded, true
			}
		}
		if ok != wantOK || string(got) != string(want) {
			t.Fatalf("DecodeBase64(%q): got %q, %v; want %q, %v", s, got, ok, want, wantOK)
		}
	})
}
