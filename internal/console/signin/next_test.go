package signin

import (
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
)

func TestLocal(t *testing.T) {
	f := func(next, want string) {
		t.Helper()
		if got := local(next); got != want {
			t.Errorf("%q leads to %q, want %q", next, got, want)
		}
	}
	f("", "/")
	f("/", "/")
	f("/sessions", "/sessions")
	f("/sessions?filter=user:ann&limit=1", "/sessions?filter=user:ann&limit=1")
	f("/sessions/a%2fb?x=%2F%2Fevil", "/sessions/a%2fb?x=%2F%2Fevil")
	f("/sessions#more", "/sessions")
	f("/é", "/%C3%A9")
	for _, evil := range []string{
		"//evil.example", "///evil.example", "/\\evil.example", "\\/evil.example", "\\\\evil.example", "https://evil.example",
		"https:evil.example", "javascript:alert(1)", "data:text/html,x", "/\t/evil.example", "/\n/evil.example", "\t//evil.example",
		" //evil.example", "/ /evil.example", "evil.example", "./x", "@evil.example", "/\x00/evil.example", "/a\\b", "/%zz",
		"/\x7f", "/\xff", "http:/evil.example", "/" + strings.Repeat("a", maxNext), ":///evil.example",
		"/sign-in", "/sign-in?next=/x", "/sign-out", "/sign-in/oidc", "/.//evil.example\r\nSet-Cookie: a=b",
	} {
		f(evil, "/")
	}
}

func TestWith(t *testing.T) {
	if got := with("/sign-in/oidc", "/sessions?a=b&c"); got != "/sign-in/oidc?next=%2Fsessions%3Fa%3Db%26c" {
		t.Error(got)
	}
	if got := with("/sign-in", "https://evil.example"); got != "/sign-in" {
		t.Error(got)
	}
}

// browserTarget is where a browser goes that is on the console and is told to go to a location (WHATWG URL, section 4.4): it
// leaves out tabs and ends of line, drops blanks around, and takes \ for /.
func browserTarget(location string) (host string) {
	location = strings.TrimFunc(location, func(r rune) bool { return r <= ' ' })
	location = strings.NewReplacer("\t", "", "\n", "", "\r", "", "\\", "/").Replace(location)
	if strings.HasPrefix(location, "//") {
		rest := strings.TrimLeft(location, "/")
		host, _, _ = strings.Cut(rest, "/")
		return host
	}
	if scheme, _, found := strings.Cut(location, ":"); found && !strings.ContainsAny(scheme, "/?#") {
		return scheme + ":"
	}
	return "console.example"
}

func FuzzLocal(f *testing.F) {
	for _, seed := range []string{"/a?b#c", "//x", "/\\x", "/\t/x", "https://x", "/%2f%2fx", "/a/..//x", "/.//x", "/%09/x", "/?//x", "/;//x"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, next string) {
		got := local(next)
		if !strings.HasPrefix(got, "/") || strings.ContainsAny(got, "\\\r\n\t ") || len(got) > 3*maxNext {
			t.Fatalf("%q leads to %q", next, got)
		}
		if host := browserTarget(got); host != "console.example" {
			t.Fatalf("%q leads to %q, of the host %q", next, got, host)
		}
		if again := local(got); len(got) <= maxNext && again != got {
			t.Fatalf("%q leads to %q, and that to %q", next, got, again)
		}
		// As it is sent.
		w := httptest.NewRecorder()
		http.Redirect(w, httptest.NewRequest(http.MethodGet, "/sign-in", nil), got, http.StatusSeeOther)
		location := w.Header().Get("Location")
		if host := browserTarget(location); host != "console.example" {
			t.Fatalf("%q leads to %q, of the host %q", next, location, host)
		}
		base := url.URL{Scheme: "https", Host: "console.example", Path: "/sign-in"}
		if u, err := base.Parse(location); err != nil || u.Host != base.Host || u.Scheme != base.Scheme {
			t.Fatalf("%q leads to %v, %v", next, u, err)
		}
	})
}
