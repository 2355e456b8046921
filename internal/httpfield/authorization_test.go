package httpfield

import (
	"encoding/base64"
	"net/http"
	"strings"
	"testing"
)

func TestAuthorization(t *testing.T) {
	f := func(value, scheme, credentials string, wantOK bool) {
		t.Helper()
		s, c, ok := Authorization(value)
		if s != scheme || c != credentials || ok != wantOK {
			t.Errorf("Authorization(%q) = %q, %q, %v, want %q, %q, %v", value, s, c, ok, scheme, credentials, wantOK)
		}
	}
	f("Bearer abc", "Bearer", "abc", true)
	f("  bearer \t abc  ", "bearer", "abc", true)
	f("abc.def.ghi", "", "abc.def.ghi", true) // a bare token
	f("Bearer", "Bearer", "", false)
	f("negotiate", "negotiate", "", false)
	f("", "", "", false)
	f("Bearer ", "Bearer", "", false)
	f(`Digest username="a", realm="b"`, "Digest", `username="a", realm="b"`, true)
	f("a:b c", "", "a:b c", true) // not a scheme
}

func TestBasicUser(t *testing.T) {
	f := func(credentials, want string, wantOK bool) {
		t.Helper()
		scratch := new(Scratch)
		got, ok := BasicUser(credentials, scratch)
		if got != want || ok != wantOK {
			t.Errorf("BasicUser(%q) = %q, %v, want %q, %v", credentials, got, ok, want, wantOK)
		}
		if kept := string(scratch.buf[:cap(scratch.buf)]); strings.Contains(kept, "secret") {
			t.Errorf("BasicUser(%q) keeps the password", credentials)
		}
	}
	f(base64.StdEncoding.EncodeToString([]byte("alice:secret")), "alice", true)
	f(base64.RawStdEncoding.EncodeToString([]byte("alice:secret")), "alice", true)
	f(base64.URLEncoding.EncodeToString([]byte("ÿÿÿ>>>???:secret")), "ÿÿÿ>>>???", true)
	f(base64.StdEncoding.EncodeToString([]byte("alice:sec:ret")), "alice", true)
	f(base64.StdEncoding.EncodeToString([]byte(":secret")), "", true)
	f(base64.StdEncoding.EncodeToString([]byte("alicesecret")), "", false)
	f("!!!", "", false)
	f("", "", false)
	f(base64.StdEncoding.EncodeToString([]byte("xsecret:"))+"!", "", false)
}

// FuzzBasicUser compares with net/http, which wants the standard alphabet and padding.
func FuzzBasicUser(f *testing.F) {
	f.Add("YWxpY2U6c2VjcmV0")
	f.Add("Og==")
	f.Add("YTpi\n")
	f.Fuzz(func(t *testing.T, credentials string) {
		request := http.Request{Header: http.Header{"Authorization": {"Basic " + credentials}}}
		got, ok := BasicUser(credentials, nil)
		if want, _, wantOK := request.BasicAuth(); wantOK && (!ok || got != want) {
			t.Fatalf("BasicUser(%q) = %q, %v, want %q", credentials, got, ok, want)
		}
	})
}
