package middleware

import (
	"bufio"
	"bytes"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/http/httptrace"
	"net/netip"
	"net/textproto"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/coder/websocket"

	"github.com/seshat-project/seshat"
	"github.com/seshat-project/seshat/internal/clientaddr"
	"github.com/seshat-project/seshat/internal/pipeline"
	"github.com/seshat-project/seshat/internal/pipeline/inlinetest"
)

const rules = `
apiVersion: seshat/v1
kind: SessionRule
metadata: {name: shop}
spec:
  identifiers:
  - {cookie: SHOPSESS}
  - {extract: {location: body, jsonPath: $.refresh_token}, type: refreshToken}
  - {in: response, extract: {location: body, jsonPath: $.access_token}, type: accessToken}
---
apiVersion: seshat/v1
kind: Limit
metadata: {name: few}
spec: {key: [ip], count: 2, window: 1m, endpoints: ["* */few"]}
`

// served is a server whose handler is behind the middleware.
type served struct {
	*httptest.Server
	node *inlinetest.Node
	t    *testing.T
}

var sessionFields = pipeline.SessionFields{Session: "X-Session", User: "X-User", Verdict: "X-Verdict"}

// behind serves a handler behind the middleware.
func behind(t *testing.T, next http.HandlerFunc, options ...func(*httptest.Server)) *served {
	t.Helper()
	return behindConfig(t, next, pipeline.InlineConfig{Fields: sessionFields}, options...)
}

func behindConfig(t *testing.T, next http.HandlerFunc, config pipeline.InlineConfig, options ...func(*httptest.Server)) *served {
	t.Helper()
	node := inlinetest.Start(t, rules, config)
	addresses, err := clientaddr.New(clientaddr.Config{Trusted: []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")}})
	if err != nil {
		t.Fatal(err)
	}
	h := newHandlers(node.Inline, addresses, "", time.Now)
	s := &served{node: node, t: t}
	s.Server = httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { _ = h.handle(w, r, plain(next), nil) }))
	s.Config.ErrorLog = nil
	for _, option := range options {
		option(s.Server)
	}
	if s.TLS == nil && !s.EnableHTTP2 {
		s.Start()
	} else {
		s.StartTLS()
	}
	t.Cleanup(s.Close)
	return s
}

func http2(s *httptest.Server) { s.EnableHTTP2 = true }

// send sends a request; fields are names and values by turns.
func (s *served) send(method, path, body string, fields ...string) (*http.Response, string) {
	s.t.Helper()
	response := s.open(method, path, body, fields...)
	defer func() { _ = response.Body.Close() }()
	text, err := io.ReadAll(response.Body)
	if err != nil {
		s.t.Fatal(err)
	}
	return response, string(text)
}

func (s *served) open(method, path, body string, fields ...string) *http.Response {
	s.t.Helper()
	request, err := http.NewRequestWithContext(s.t.Context(), method, s.URL+path, strings.NewReader(body))
	if err != nil {
		s.t.Fatal(err)
	}
	for i := 0; i < len(fields); i += 2 {
		request.Header.Add(fields[i], fields[i+1])
	}
	response, err := s.Client().Transport.RoundTrip(request)
	if err != nil {
		s.t.Fatal(err)
	}
	return response
}

// recorded waits until n exchanges are recorded, and returns the last of them. There must not be more.
func (s *served) recorded(n int) *seshat.Observation {
	s.t.Helper()
	for end := time.Now().Add(20 * time.Second); ; time.Sleep(time.Millisecond) {
		all := s.node.Recorded()
		if len(all) == n {
			return all[n-1]
		}
		if len(all) > n || time.Now().After(end) {
			s.t.Fatalf("%d exchanges are recorded, want %d", len(all), n)
		}
	}
}

func TestSessionIsKnownToTheNextHandler(t *testing.T) {
	var found Session
	var known bool
	var told http.Header
	s := behind(t, func(w http.ResponseWriter, r *http.Request) {
		found, known = SessionFrom(r.Context())
		told = r.Header
		http.SetCookie(w, &http.Cookie{Name: "SHOPSESS", Value: "anotherZk3vQ9xTt1LmN8p"})
		fmt.Fprint(w, "hello")
	})
	response, body := s.send("GET", "/a%2Fb?x=1", "", "Cookie", "SHOPSESS=k3vQ9xTt1LmN8pR2s", "X-User", "forged", "X-Forwarded-For", "203.0.113.9")
	if response.StatusCode != 200 || body != "hello" {
		t.Errorf("%d %s", response.StatusCode, body)
	}
	if !known || found.ID.IsZero() || found.Verdict.Action != seshat.ActionAllow {
		t.Errorf("the next handler knows %+v, %t", found, known)
	}
	if _, forged := told["X-User"]; forged || told.Get("X-Session") != found.ID.String() || told.Get("X-Verdict") != "allow" || told.Get("Cookie") == "" {
		t.Errorf("the next handler is told %v", told)
	}
	o := s.recorded(1)
	if o.Method != "GET" || o.Path != "/a%2Fb" || o.Status != 200 || o.ResponseBytes != 5 || o.ClientIP.String() != "203.0.113.9" || o.HTTPVersion != "1.1" || o.Scheme != "http" {
		t.Errorf("recorded %+v", o)
	}
	sides := map[seshat.Side]bool{}
	for _, id := range o.IDs {
		sides[id.Side] = sides[id.Side] || id.Key == "SHOPSESS"
	}
	if !sides[seshat.InRequest] || !sides[seshat.InResponse] {
		t.Errorf("IDs %+v", o.IDs)
	}
	if _, known := SessionFrom(context.Background()); known {
		t.Error("a context from elsewhere has a session")
	}
}

func TestRefusal(t *testing.T) {
	reached := 0
	s := behind(t, func(http.ResponseWriter, *http.Request) { reached++ })
	for n, want := range []int{200, 200, 429} {
		response, body := s.send("GET", "/few", "", "Cookie", "SHOPSESS=k3vQ9xTt1LmN8pR2s")
		if response.StatusCode != want || response.Header.Get("RateLimit") == "" {
			t.Errorf("request %d: %d %v", n+1, response.StatusCode, response.Header)
		}
		if want == 429 && (response.Header.Get("Retry-After") == "" || response.Header.Get("Content-Type") != "application/problem+json" || !strings.Contains(body, `"status":429`)) {
			t.Errorf("the refusal: %v %s", response.Header, body)
		}
	}
	if response, body := s.send("HEAD", "/few", "", "Cookie", "SHOPSESS=k3vQ9xTt1LmN8pR2s"); response.StatusCode != 429 || body != "" {
		t.Errorf("HEAD: %d %q", response.StatusCode, body)
	}
	if o := s.recorded(4); reached != 2 || o.Status != 429 || o.Verdict.By != "Limit/few" {
		t.Errorf("reached %d times; recorded %d by %q", reached, o.Status, o.Verdict.By)
	}
}

// TestBodies checks that a body is looked at where a rule wants it, and that the next handler and the client get all of it.
func TestBodies(t *testing.T) {
	s := behind(t, func(w http.ResponseWriter, r *http.Request) {
		sent, err := io.ReadAll(r.Body)
		if err != nil {
			t.Error(err)
		}
		w.Header().Set("Content-Type", "application/json")
		_, _ = io.WriteString(w, `{"access_token":"accessQ9xTt1LmN8pR2sZk3v",`)
		_, _ = fmt.Fprintf(w, `"sent":%d}`, len(sent))
	})
	padding := strings.Repeat(" ", 200<<10)
	f := func(sent string) {
		t.Helper()
		n := len(s.node.Recorded())
		_, body := s.send("POST", "/token", sent, "Content-Type", "application/json")
		if want := fmt.Sprintf(`{"access_token":"accessQ9xTt1LmN8pR2sZk3v","sent":%d}`, len(sent)); body != want {
			t.Errorf("body %s, want %s", body, want)
		}
		o := s.recorded(n + 1)
		kinds := map[seshat.IDKind]bool{}
		for _, id := range o.IDs {
			kinds[id.Kind] = true
		}
		if !kinds[seshat.KindRefreshToken] || !kinds[seshat.KindAccessToken] || o.RequestBytes != int64(len(sent)) || o.ResponseBytes != int64(len(body)) {
			t.Errorf("recorded %+v", o)
		}
	}
	f(`{"refresh_token":"refreshQ9xTt1LmN8pR2sZk3"}`)
	f(`{"refresh_token":"refreshQ9xTt1LmN8pR2sZk3"}` + padding)
}

func TestBodyThatBreaksOff(t *testing.T) {
	failed := make(chan error, 1)
	s := behind(t, func(_ http.ResponseWriter, r *http.Request) {
		_, err := io.ReadAll(r.Body)
		failed <- err
	})
	conn, err := net.Dial("tcp", s.Listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	fmt.Fprintf(conn, "POST / HTTP/1.1\r\nHost: h\r\nContent-Type: application/json\r\nContent-Length: 100\r\n\r\n{\"a\"")
	if err := conn.(*net.TCPConn).CloseWrite(); err != nil {
		t.Fatal(err)
	}
	if err := <-failed; !errors.Is(err, io.ErrUnexpectedEOF) {
		t.Errorf("the next handler gets %v", err)
	}
	s.recorded(1)
	_ = conn.Close()
}

// TestStreams checks that what a handler flushes arrives while it goes on.
func TestStreams(t *testing.T) {
	f := func(name string, options ...func(*httptest.Server)) {
		t.Run(name, func(t *testing.T) {
			release := make(chan struct{})
			s := behind(t, func(w http.ResponseWriter, _ *http.Request) {
				w.Header().Set("Content-Type", "text/event-stream")
				fmt.Fprint(w, "data: 1\n\n")
				if err := http.NewResponseController(w).Flush(); err != nil {
					t.Error(err)
				}
				<-release
				fmt.Fprint(w, "data: 2\n\n")
				w.(http.Flusher).Flush()
			}, options...)
			response := s.open("GET", "/events", "")
			lines := bufio.NewReader(response.Body)
			if first, err := lines.ReadString('\n'); err != nil || first != "data: 1\n" {
				t.Errorf("%q, %v", first, err)
			}
			close(release)
			rest, err := io.ReadAll(lines)
			if err != nil || string(rest) != "\ndata: 2\n\n" {
				t.Errorf("%q, %v", rest, err)
			}
			_ = response.Body.Close()
			if o := s.recorded(1); o.ResponseBytes != 18 {
				t.Errorf("%d bytes", o.ResponseBytes)
			}
		})
	}
	f("HTTP/1.1")
	f("HTTP/2", http2)
}

func TestWebSocket(t *testing.T) {
	s := behind(t, func(w http.ResponseWriter, r *http.Request) {
		conn, err := websocket.Accept(w, r, nil)
		if err != nil {
			t.Error(err)
			return
		}
		defer func() { _ = conn.CloseNow() }()
		kind, message, err := conn.Read(r.Context())
		if err == nil {
			err = conn.Write(r.Context(), kind, append([]byte("echo "), message...))
		}
		if err != nil {
			t.Error(err)
		}
		_ = conn.Close(websocket.StatusNormalClosure, "")
	})
	conn, _, err := websocket.Dial(t.Context(), s.URL, nil)
	if err != nil {
		t.Fatal(err)
	}
	if err := conn.Write(t.Context(), websocket.MessageText, []byte("hello")); err != nil {
		t.Fatal(err)
	}
	if _, message, err := conn.Read(t.Context()); err != nil || string(message) != "echo hello" {
		t.Errorf("%q, %v", message, err)
	}
	_ = conn.CloseNow()
	if o := s.recorded(1); o.Status != http.StatusSwitchingProtocols {
		t.Errorf("status %d", o.Status)
	}
}

// TestHijack checks handlers that speak to the connection without saying anything through the ResponseWriter.
func TestHijack(t *testing.T) {
	s := behind(t, func(w http.ResponseWriter, _ *http.Request) {
		conn, _, err := http.NewResponseController(w).Hijack()
		if err != nil {
			t.Error(err)
			return
		}
		fmt.Fprint(conn, "HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\nok")
		_ = conn.Close()
	})
	if response, body := s.send("GET", "/", ""); response.StatusCode != 200 || body != "ok" {
		t.Errorf("%d %q", response.StatusCode, body)
	}
	s.recorded(1)
}

func TestTrailersAndInformationalResponses(t *testing.T) {
	f := func(name string, options ...func(*httptest.Server)) {
		t.Run(name, func(t *testing.T) {
			s := behind(t, func(w http.ResponseWriter, _ *http.Request) {
				w.Header().Set("Link", "</x.css>; rel=preload")
				w.WriteHeader(http.StatusEarlyHints)
				w.Header().Set("Trailer", "X-Sum")
				w.WriteHeader(http.StatusAccepted)
				fmt.Fprint(w, "body")
				w.Header().Set("X-Sum", "42")
			}, options...)
			hints := 0
			trace := &httptrace.ClientTrace{Got1xxResponse: func(int, textproto.MIMEHeader) error { hints++; return nil }}
			request, err := http.NewRequestWithContext(httptrace.WithClientTrace(t.Context(), trace), "GET", s.URL, nil)
			if err != nil {
				t.Fatal(err)
			}
			response, err := s.Client().Do(request)
			if err != nil {
				t.Fatal(err)
			}
			_, _ = io.ReadAll(response.Body)
			_ = response.Body.Close()
			if response.StatusCode != 202 || hints != 1 || response.Trailer.Get("X-Sum") != "42" {
				t.Errorf("%d, %d hints, trailers %v", response.StatusCode, hints, response.Trailer)
			}
			if o := s.recorded(1); o.Status != 202 {
				t.Errorf("recorded %d", o.Status)
			}
		})
	}
	f("HTTP/1.1")
	f("HTTP/2", http2)
}

// TestPanic checks that a panic of the next handler gets to the server, and that the exchange is recorded once.
func TestPanic(t *testing.T) {
	node := inlinetest.Start(t, rules, pipeline.InlineConfig{})
	addresses, err := clientaddr.New(clientaddr.Config{})
	if err != nil {
		t.Fatal(err)
	}
	h := newHandlers(node.Inline, addresses, "", time.Now)
	f := func(want any, status int, next http.HandlerFunc) {
		t.Helper()
		n := len(node.Recorded())
		func() {
			defer func() {
				if got := recover(); got != want {
					t.Errorf("panic %v, want %v", got, want)
				}
			}()
			_ = h.handle(httptest.NewRecorder(), httptest.NewRequest("GET", "/", nil), plain(next), nil)
		}()
		if all := node.Recorded(); len(all) != n+1 || all[n].Status != status {
			t.Errorf("%d exchanges, want %d", len(all), n+1)
		}
	}
	f("oh", 0, func(http.ResponseWriter, *http.Request) { panic("oh") })
	f(http.ErrAbortHandler, 201, func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(201)
		panic(http.ErrAbortHandler)
	})
	f(nil, 200, func(http.ResponseWriter, *http.Request) {})
}

func TestFailClosed(t *testing.T) {
	s := behindConfig(t, func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, "a secret") }, pipeline.InlineConfig{FailClosed: true})
	if _, body := s.send("GET", "/", ""); body != "a secret" {
		t.Fatal(body)
	}
	s.node.Close()
	response, err := s.Client().Get(s.URL)
	if err == nil {
		body, errRead := io.ReadAll(response.Body)
		_ = response.Body.Close()
		if errRead == nil && response.StatusCode == 200 {
			t.Errorf("the client got a complete answer: %q", body)
		}
	}
	if response, body := s.send("GET", "/", ""); response.StatusCode != 503 || strings.Contains(body, "secret") {
		t.Errorf("later: %d %s", response.StatusCode, body)
	}
}

// TestFiles checks that a file is handed to the server as a file, and that its bytes are counted.
func TestFiles(t *testing.T) {
	content := make([]byte, 300<<10)
	_, _ = rand.Read(content)
	name := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(name, content, 0o600); err != nil {
		t.Fatal(err)
	}
	s := behind(t, func(w http.ResponseWriter, r *http.Request) { http.ServeFile(w, r, name) })
	if _, body := s.send("GET", "/file", ""); body != string(content) {
		t.Error("the file is another one")
	}
	if o := s.recorded(1); o.ResponseBytes != int64(len(content)) {
		t.Errorf("%d bytes", o.ResponseBytes)
	}
	if response, body := s.send("HEAD", "/file", ""); body != "" || response.ContentLength != int64(len(content)) {
		t.Errorf("HEAD: %d", response.ContentLength)
	}
	if o := s.recorded(2); o.ResponseBytes != 0 {
		t.Errorf("HEAD: %d bytes", o.ResponseBytes)
	}
}

func TestFullDuplex(t *testing.T) {
	s := behind(t, func(w http.ResponseWriter, r *http.Request) {
		c := http.NewResponseController(w)
		if err := errors.Join(c.EnableFullDuplex(), c.SetReadDeadline(time.Now().Add(time.Minute)), c.SetWriteDeadline(time.Now().Add(time.Minute))); err != nil {
			t.Error(err)
		}
		lines := bufio.NewScanner(r.Body)
		for lines.Scan() {
			fmt.Fprintln(w, "echo", lines.Text())
			if err := c.Flush(); err != nil {
				t.Error(err)
			}
		}
	})
	read, write := io.Pipe()
	request, err := http.NewRequestWithContext(t.Context(), "POST", s.URL, read)
	if err != nil {
		t.Fatal(err)
	}
	request.Header.Set("Content-Type", "application/x-ndjson")
	go fmt.Fprintln(write, "one")
	response, err := s.Client().Do(request)
	if err != nil {
		t.Fatal(err)
	}
	answers := bufio.NewReader(response.Body)
	for _, word := range []string{"one", "two"} {
		if word != "one" {
			go fmt.Fprintln(write, word)
		}
		if line, err := answers.ReadString('\n'); err != nil || line != "echo "+word+"\n" {
			t.Errorf("%q, %v", line, err)
		}
	}
	_ = write.Close()
	_, _ = io.ReadAll(answers)
	_ = response.Body.Close()
	if o := s.recorded(1); o.RequestBytes != 8 || o.ResponseBytes != 18 {
		t.Errorf("%d bytes in, %d out", o.RequestBytes, o.ResponseBytes)
	}
}

// TestAbilities checks that a ResponseWriter can do the same with the middleware as without it.
func TestAbilities(t *testing.T) {
	base := struct{ http.ResponseWriter }{httptest.NewRecorder()}
	var (
		f http.Flusher  = httptest.NewRecorder()
		h http.Hijacker = hijacker{}
		p http.Pusher   = pusher{}
		r io.ReaderFrom = &bytes.Buffer{}
	)
	abilities := func(w http.ResponseWriter) string {
		_, flushes := w.(http.Flusher)
		_, hijacks := w.(http.Hijacker)
		_, pushes := w.(http.Pusher)
		_, reads := w.(io.ReaderFrom)
		return fmt.Sprint(flushes, hijacks, pushes, reads)
	}
	type (
		B = http.ResponseWriter
		F = http.Flusher
		H = http.Hijacker
		P = http.Pusher
		R = io.ReaderFrom
	)
	for _, w := range []http.ResponseWriter{
		base,
		struct {
			B
			F
		}{base, f},
		struct {
			B
			H
		}{base, h},
		struct {
			B
			P
		}{base, p},
		struct {
			B
			R
		}{base, r},
		struct {
			B
			F
			H
		}{base, f, h},
		struct {
			B
			F
			P
		}{base, f, p},
		struct {
			B
			F
			R
		}{base, f, r},
		struct {
			B
			H
			P
		}{base, h, p},
		struct {
			B
			H
			R
		}{base, h, r},
		struct {
			B
			P
			R
		}{base, p, r},
		struct {
			B
			F
			H
			P
		}{base, f, h, p},
		struct {
			B
			F
			H
			R
		}{base, f, h, r},
		struct {
			B
			F
			P
			R
		}{base, f, p, r},
		struct {
			B
			H
			P
			R
		}{base, h, p, r},
		struct {
			B
			F
			H
			P
			R
		}{base, f, h, p, r},
	} {
		wrapped := (&response{ResponseWriter: w}).wrap()
		if got, want := abilities(wrapped), abilities(w); got != want {
			t.Errorf("with the middleware %s, without %s", got, want)
		}
		if wrapped.(interface{ Unwrap() http.ResponseWriter }).Unwrap() != w {
			t.Error("it unwraps to another one")
		}
	}
}
