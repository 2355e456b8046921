package gateway

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"errors"
	"io"
	"math/big"
	"net"
	"net/http"
	"net/netip"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/seshat-project/seshat"
	"github.com/seshat-project/seshat/internal/pipeline"
)

// testCertificate makes a self-signed certificate.
func testCertificate(t testing.TB, name string) tls.Certificate {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(time.Now().UnixNano()), Subject: pkix.Name{CommonName: name}, DNSNames: []string{name},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour), IsCA: true, BasicConstraintsValid: true,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	leaf, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key, Leaf: leaf}
}

var errJournal = errors.New("the journal is full")

func hello(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "hello") }

func TestHTTP2Refuses(t *testing.T) {
	reached := false
	guard := &twinGuard{answer: func(*seshat.Exchange) *pipeline.Answer {
		return &pipeline.Answer{
			Status: 429, Body: []byte(`{"status":429}`),
			Fields: []seshat.Field{{Name: "Content-Type", Value: "application/problem+json"}, {Name: "Retry-After", Value: "7"}},
		}
	}}
	e := newEdge(t, http.HandlerFunc(func(http.ResponseWriter, *http.Request) { reached = true }), edgeOptions{guard: guard})
	response, body := do(t, e.plain, request(t, http.MethodPost, "http://shop.example/", strings.NewReader(strings.Repeat("x", 1<<20))))
	if response.StatusCode != 429 || response.Header.Get("Retry-After") != "7" || body != `{"status":429}` || reached {
		t.Errorf("%v %q, origin reached: %v", response, body, reached)
	}
	if x := e.exchanges(t, 1)[0]; x.Response.Status != 429 || field(x.Response.Header, "retry-after") != "7" {
		t.Errorf("%+v", x.Response)
	}
}

func TestHTTP2WithoutARoute(t *testing.T) {
	f := func(secure bool, method, url string, want int) {
		t.Helper()
		e := newEdge(t, http.HandlerFunc(hello), edgeOptions{tls: secure})
		client := e.plain
		if secure {
			client = e.secure
		}
		response, body := do(t, client, request(t, method, url, nil))
		if response.StatusCode != want || !strings.Contains(body, `"status":`) {
			t.Errorf("%s %s: %s %q, want %d", method, url, response.Status, body, want)
		}
		if x := e.exchanges(t, 1)[0]; x.Response.Status != want {
			t.Errorf("%s %s: recorded with %d", method, url, x.Response.Status)
		}
	}
	f(false, http.MethodGet, "http://other.example/", http.StatusNotFound)
	f(true, http.MethodGet, "https://other.example/", http.StatusMisdirectedRequest)
	f(false, http.MethodConnect, "http://shop.example:443", http.StatusNotImplemented)
}

// TestHTTP2FailsClosed checks that no client gets a complete answer that is not in the journal.
func TestHTTP2FailsClosed(t *testing.T) {
	answers := map[string]http.HandlerFunc{
		"short": hello,
		"length": func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Length", "100000")
			for range 10 {
				_, _ = io.WriteString(w, strings.Repeat("x", 10000))
				_ = http.NewResponseController(w).Flush()
			}
		},
		"stream": func(w http.ResponseWriter, _ *http.Request) {
			for range 3 {
				_, _ = io.WriteString(w, "data: x\n\n")
				_ = http.NewResponseController(w).Flush()
			}
		},
		"nothing": func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusNoContent) },
		"trailers": func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set(http.TrailerPrefix+"Grpc-Status", "0")
			hello(w, nil)
		},
	}
	for name, handler := range answers {
		t.Run(name, func(t *testing.T) {
			both(t, func(t *testing.T, two bool) {
				e := newEdge(t, handler, edgeOptions{http2: two, guard: &twinGuard{fails: errJournal}})
				response, err := e.plain.Do(request(t, http.MethodGet, "http://shop.example/", nil))
				if err == nil {
					var body []byte
					body, err = io.ReadAll(response.Body)
					if response.ContentLength > 0 && int64(len(body)) >= response.ContentLength {
						t.Errorf("all of the %d bytes came", len(body))
					}
					_ = response.Body.Close()
				}
				if err == nil {
					t.Error("the answer looks complete")
				}
				e.exchanges(t, 1)
			})
		})
	}
	t.Run("refused", func(t *testing.T) {
		refuse := func(*seshat.Exchange) *pipeline.Answer { return &pipeline.Answer{Status: 403, Body: []byte("no")} }
		e := newEdge(t, http.HandlerFunc(hello), edgeOptions{guard: &twinGuard{fails: errJournal, answer: refuse}})
		if response, err := e.plain.Do(request(t, http.MethodGet, "http://shop.example/", nil)); err == nil {
			_ = response.Body.Close()
			t.Error("the answer looks complete")
		}
		e.exchanges(t, 1)
	})
}

func TestHTTP2OriginsThatBreak(t *testing.T) {
	both(t, func(t *testing.T, two bool) {
		handler := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if r.URL.Path == "/after" {
				hello(w, r)
				_ = http.NewResponseController(w).Flush()
			}
			panic(http.ErrAbortHandler)
		})
		e := newEdge(t, handler, edgeOptions{http2: two, pool: PoolConfig{Retries: -1}})
		response, _ := do(t, e.plain, request(t, http.MethodPost, "http://shop.example/before", strings.NewReader("x")))
		if response.StatusCode != http.StatusBadGateway {
			t.Error(response.Status)
		}
		response, err := e.plain.Do(request(t, http.MethodGet, "http://shop.example/after", nil))
		if err != nil {
			t.Fatal(err)
		}
		if body, err := io.ReadAll(response.Body); err == nil {
			t.Errorf("a cut answer looks complete: %q", body)
		}
		_ = response.Body.Close()
		xs := e.exchanges(t, 2)
		if xs[0].Response.Status != 502 || xs[1].Response.Status != 200 || xs[1].Response.Body.Size != 5 {
			t.Errorf("%+v", xs)
		}
		if failed := e.http2.Stats(); failed.Failed != 1 || failed.Aborted != 1 {
			t.Errorf("%+v", failed)
		}
	})
}

func TestHTTP2ClientsThatGo(t *testing.T) {
	both(t, func(t *testing.T, two bool) {
		gone := make(chan struct{})
		handler := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			_, _ = io.WriteString(w, "x")
			_ = http.NewResponseController(w).Flush()
			<-r.Context().Done()
			close(gone)
		})
		e := newEdge(t, handler, edgeOptions{http2: two})
		ctx, cancel := context.WithCancel(t.Context())
		response, err := e.plain.Do(request(t, http.MethodGet, "http://shop.example/", nil).WithContext(ctx))
		if err != nil {
			t.Fatal(err)
		}
		cancel()
		_ = response.Body.Close()
		select {
		case <-gone:
		case <-time.After(patience):
			t.Fatal("the origin does not hear of it")
		}
		if x := e.exchanges(t, 1)[0]; x.Response.Status != 200 {
			t.Errorf("%+v", x.Response)
		}
	})
}

// closedPort is the address of a server that is not there.
func closedPort(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = l.Close() }()
	return l.Addr().String()
}

func TestHTTP2Retries(t *testing.T) {
	both(t, func(t *testing.T, two bool) {
		good := origin(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { _, _ = io.Copy(w, r.Body) }), two)
		e := newEdge(t, nil, edgeOptions{
			http2: two, servers: []string{closedPort(t), good.Listener.Addr().String()}, pool: PoolConfig{Balance: RoundRobin},
		})
		for range 4 {
			response, body := do(t, e.plain, request(t, http.MethodPost, "http://shop.example/", strings.NewReader("body")))
			if response.StatusCode != http.StatusOK || body != "body" {
				t.Errorf("%s %q", response.Status, body)
			}
		}
		e.exchanges(t, 4)
		dead := newEdge(t, nil, edgeOptions{http2: two, servers: []string{closedPort(t)}})
		if response, _ := do(t, dead.plain, request(t, http.MethodGet, "http://shop.example/", nil)); response.StatusCode != http.StatusBadGateway {
			t.Error(response.Status)
		}
	})
}

// TestHTTP2DoesNotRepeatWhatMayHaveHappened sends a request that changes something to a server that breaks.
func TestHTTP2DoesNotRepeatWhatMayHaveHappened(t *testing.T) {
	var calls atomic.Int32
	breaks := http.HandlerFunc(func(http.ResponseWriter, *http.Request) {
		calls.Add(1)
		panic(http.ErrAbortHandler)
	})
	e := newEdge(t, breaks, edgeOptions{pool: PoolConfig{Retries: 3}})
	response, _ := do(t, e.plain, request(t, http.MethodDelete, "http://shop.example/", nil))
	if response.StatusCode != http.StatusBadGateway || calls.Load() != 1 {
		t.Errorf("%s after %d calls", response.Status, calls.Load())
	}
	calls.Store(0)
	do(t, e.plain, request(t, http.MethodGet, "http://shop.example/", nil))
	if calls.Load() != 4 {
		t.Errorf("a safe request was sent %d times", calls.Load())
	}
}

func TestHTTP2Bounds(t *testing.T) {
	handler := http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
	})
	e := newEdge(t, handler, edgeOptions{
		config: HTTP2Config{MaxBody: 1000, MaxHeaderBytes: 4096, BodyTimeout: 50 * time.Millisecond},
	})
	response, _ := do(t, e.plain, request(t, http.MethodPost, "http://shop.example/", strings.NewReader(strings.Repeat("x", 1001))))
	if response.StatusCode != http.StatusRequestEntityTooLarge {
		t.Errorf("a long body: %s", response.Status)
	}
	endless := struct{ io.Reader }{strings.NewReader(strings.Repeat("x", 100_000))} // of unknown length
	response, _ = do(t, e.plain, request(t, http.MethodPost, "http://shop.example/", endless))
	if response.StatusCode != http.StatusRequestEntityTooLarge {
		t.Errorf("a long stream: %s", response.Status)
	}
	r := request(t, http.MethodGet, "http://shop.example/", nil)
	r.Header.Set("X-Long", strings.Repeat("x", 20_000))
	if response, err := e.plain.Do(r); err == nil && response.StatusCode != http.StatusRequestHeaderFieldsTooLarge {
		t.Errorf("a long header: %s", response.Status)
	}
	silent, writer := io.Pipe()
	defer func() { _ = writer.Close() }()
	response, err := e.plain.Do(request(t, http.MethodPost, "http://shop.example/", silent))
	if err == nil {
		_ = response.Body.Close()
		if response.StatusCode != http.StatusBadGateway && response.StatusCode != http.StatusRequestTimeout && response.StatusCode != http.StatusGatewayTimeout {
			t.Errorf("a body that does not come: %s", response.Status)
		}
	}
}

func TestHTTP2BehindATrustedProxy(t *testing.T) {
	var got string
	handler := http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { got = r.Header.Get("X-Forwarded-For") })
	e := newEdge(t, handler, edgeOptions{trusted: []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")}})
	r := request(t, http.MethodGet, "http://shop.example/", nil)
	r.Header.Set("X-Forwarded-For", "6.6.6.6, 203.0.113.9")
	do(t, e.plain, r)
	if x := e.exchanges(t, 1)[0]; x.Client.IP.String() != "203.0.113.9" || got != "203.0.113.9, 127.0.0.1" {
		t.Errorf("client %s, the origin heard of %q", x.Client.IP, got)
	}
}

func TestHTTP2Drains(t *testing.T) {
	release := make(chan struct{})
	entered := make(chan struct{})
	handler := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/slow" {
			close(entered)
			<-release
		}
		hello(w, r)
	})
	e := newEdge(t, handler, edgeOptions{tls: true})
	do(t, e.client(true), request(t, http.MethodGet, "https://shop.example/", nil)) // a connection that stays idle
	type result struct {
		body string
		err  error
	}
	done := make(chan result, 1)
	go func() {
		response, err := e.secure.Do(request(t, http.MethodGet, "https://shop.example/slow", nil))
		if err != nil {
			done <- result{err: err}
			return
		}
		defer func() { _ = response.Body.Close() }()
		body, err := io.ReadAll(response.Body)
		done <- result{string(body), err}
	}()
	<-entered
	drained := make(chan error, 1)
	go func() {
		ctx, cancel := context.WithTimeout(context.Background(), patience)
		defer cancel()
		drained <- e.listener.Drain(ctx)
	}()
	for end := time.Now().Add(patience); e.http2.Stats().Connections > 1; { // the idle one goes
		if time.Now().After(end) {
			t.Fatal("a connection on which nothing goes on stays")
		}
		<-time.After(time.Millisecond)
	}
	close(release)
	if r := <-done; r.err != nil || r.body != "hello" {
		t.Errorf("what was under way: %q, %v", r.body, r.err)
	}
	if err := <-drained; err != nil {
		t.Error(err)
	}
}
