package remote

import (
	"bytes"
	"compress/gzip"
	"fmt"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/seshat-project/seshat/internal/jwks"
)

func TestAddress(t *testing.T) {
	f := func(address, want string) {
		t.Helper()
		_, err := New(address, Options{})
		if got := fmt.Sprint(err); (want == "") != (err == nil) || !strings.Contains(got, want) {
			t.Errorf("%s: %v; want %q", address, err, want)
		}
	}
	f("https://id.example/jwks.json", "")
	f("https://id.example:8443/realms/a/certs?x=1", "")
	f("http://127.0.0.1:9000/keys", "")
	f("http://[::1]:9000/keys", "")
	f("http://localhost/keys", "")
	f("http://id.example/keys", "http is for this host only")
	f("http://127.0.0.1.attacker.example/keys", "http is for this host only")
	f("http://localhost.attacker.example/keys", "http is for this host only")
	f("http://0.0.0.0/keys", "http is for this host only")
	f("http://169.254.169.254/keys", "http is for this host only")
	f("https://user:password@id.example/keys", "password")
	f("ftp://id.example/keys", `not "ftp"`)
	f("file:///etc/passwd", "no host")
	f("https:///keys", "no host")
	f("https:id.example", "no host")
	f("id.example/keys", "no host")
	f("https://id.example/%zz", "invalid URL escape")
	f("", "no host")
}

func TestFetch(t *testing.T) {
	var packed bytes.Buffer
	writer := gzip.NewWriter(&packed)
	for range 64 {
		if _, err := writer.Write(bytes.Repeat([]byte(" "), 1<<20)); err != nil {
			t.Fatal(err)
		}
	}
	if err := writer.Close(); err != nil {
		t.Fatal(err)
	}
	mux := http.NewServeMux()
	mux.HandleFunc("/good", func(w http.ResponseWriter, r *http.Request) {
		if r.Method != http.MethodGet || !strings.Contains(r.Header.Get("Accept"), "application/jwk-set+json") || r.Header.Get("User-Agent") != "seshat" {
			t.Errorf("%s %v", r.Method, r.Header)
		}
		fmt.Fprint(w, document(1))
	})
	mux.HandleFunc("/huge", func(w http.ResponseWriter, _ *http.Request) {
		fmt.Fprint(w, document(1)+strings.Repeat(" ", jwks.MaxSize))
	})
	mux.HandleFunc("/bomb", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Encoding", "gzip")
		_, _ = w.Write(packed.Bytes())
	})
	mux.HandleFunc("/header", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("X-Long", strings.Repeat("x", 2*maxResponseHeader))
		fmt.Fprint(w, document(1))
	})
	mux.HandleFunc("/short", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Length", "1000")
		fmt.Fprint(w, document(1))
	})
	mux.HandleFunc("/status/{code}", func(w http.ResponseWriter, r *http.Request) {
		var code int
		_, _ = fmt.Sscan(r.PathValue("code"), &code)
		w.WriteHeader(code)
		fmt.Fprint(w, document(1))
	})
	mux.HandleFunc("/hops/{n}", func(w http.ResponseWriter, r *http.Request) {
		var n int
		_, _ = fmt.Sscan(r.PathValue("n"), &n)
		if n == 0 {
			http.Redirect(w, r, "/good", http.StatusFound)
			return
		}
		http.Redirect(w, r, fmt.Sprintf("/hops/%d", n-1), http.StatusFound)
	})
	mux.HandleFunc("/to", func(w http.ResponseWriter, r *http.Request) {
		http.Redirect(w, r, r.URL.Query().Get("u"), http.StatusFound)
	})
	mux.HandleFunc("/login", func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, "<!doctype html><title>Sign in</title>") })
	mux.HandleFunc("/none", func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, `{"keys":[]}`) })
	server := httptest.NewServer(mux)
	defer server.Close()
	f := func(path, want string) {
		t.Helper()
		k, err := New(server.URL+path, Options{})
		if err != nil {
			t.Fatal(err)
		}
		err = k.Fetch(t.Context())
		if got := fmt.Sprint(err); (want == "") != (err == nil) || !strings.Contains(got, want) {
			t.Errorf("%s: %v; want %q", path, err, want)
			return
		}
		if s := k.State(); (err == nil) != (s.Keys == 1 && k.Current().Len() == 1 && s.Err == nil && !s.Fetched.IsZero()) || s.Tried.IsZero() {
			t.Errorf("%s: the state is %+v", path, s)
		}
	}
	f("/good", "")
	f("/hops/2", "")
	f("/hops/3", "more than 3 redirects")
	f("/to?u=http://id.example/keys", "redirected: keys are fetched by https")
	f("/to?u=file:///etc/passwd", "redirected")
	f("/huge", "more than 1024 KiB")
	f("/bomb", "more than 1024 KiB")
	f("/header", "header")
	f("/short", "unexpected EOF")
	f("/login", "read the key set: neither a JSON Web Key Set nor PEM")
	f("/none", "there is no key in it")
	f("/status/404", "the server answers 404 Not Found")
	f("/status/500", "the server answers 500 Internal Server Error")
	f("/status/204", "the server answers 204 No Content")
	f("/status/206", "the server answers 206 Partial Content")

	server.Close()
	f("/good", "connection refused")
}

// endless is a response that does not end, and counts what is read of it.
type endless struct{ read int }

func (e *endless) Read(p []byte) (int, error) {
	e.read += len(p)
	return copy(p, bytes.Repeat([]byte(" "), len(p))), nil
}

func (e *endless) Close() error { return nil }

func (e *endless) RoundTrip(request *http.Request) (*http.Response, error) {
	return &http.Response{StatusCode: http.StatusOK, Body: e, Request: request}, nil
}

func TestEndless(t *testing.T) {
	e := &endless{}
	k, err := New("https://id.example/keys", Options{Transport: e})
	if err != nil {
		t.Fatal(err)
	}
	if err := k.Fetch(t.Context()); err == nil || e.read > 2*jwks.MaxSize {
		t.Errorf("%v, after %d bytes", err, e.read)
	}
}

// TestDowngrade checks that https does not lead to http, even on this host.
func TestDowngrade(t *testing.T) {
	plain := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, document(1)) }))
	defer plain.Close()
	secure := httptest.NewUnstartedServer(http.RedirectHandler(plain.URL, http.StatusFound))
	secure.Config.ErrorLog = log.New(io.Discard, "", 0) // what the server says of clients that do not trust it
	secure.StartTLS()
	defer secure.Close()
	k, err := New(secure.URL, Options{Transport: secure.Client().Transport, Now: func() time.Time { return time.Unix(0, 0) }})
	if err != nil {
		t.Fatal(err)
	}
	if err := k.Fetch(t.Context()); err == nil || !strings.Contains(err.Error(), "redirected from https to http") {
		t.Error(err)
	}
	if !k.State().Tried.Equal(time.Unix(0, 0)) {
		t.Error("the clock that was given is not used")
	}
	// Without the certificate of the server in the trust of the system nothing is fetched.
	if k, err = New(secure.URL, Options{}); err != nil {
		t.Fatal(err)
	}
	if err := k.Fetch(t.Context()); err == nil || !strings.Contains(err.Error(), "certificate") {
		t.Error(err)
	}
}
