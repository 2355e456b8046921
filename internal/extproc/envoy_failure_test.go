package extproc

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"
)

func TestEnvoyWithoutSeshat(t *testing.T) {
	f := func(allow bool, want int) {
		t.Helper()
		t.Run(fmt.Sprint(allow), func(t *testing.T) {
			w, origin := newTwin(), newOrigin(t)
			s := newServer(w, Options{StopTimeout: time.Millisecond})
			address, stop := run(t, s, "127.0.0.1:0")
			t.Cleanup(stop)
			e := startEnvoy(t, "ext-proc.yaml", origin.URL, address,
				"failure_mode_allow: true", fmt.Sprintf("failure_mode_allow: %v", allow),
				"          interval: 5s\n          no_traffic_interval: 5s", "          interval: 0.1s\n          no_traffic_interval: 0.1s")
			if got := do(t, "GET", e.url+"/before", ""); got.StatusCode != 200 {
				t.Fatalf("%d with Seshat there", got.StatusCode)
			}
			stop()
			if got := do(t, "GET", e.url+"/without", ""); got.StatusCode != want {
				t.Errorf("%d without Seshat, want %d", got.StatusCode, want)
			}
			_, stop = run(t, s, address)
			t.Cleanup(stop)
			e.until("Envoy does not come back to Seshat", func() bool {
				got := do(t, "GET", e.url+"/after", "", "X-Over", "1")
				return got.StatusCode == 429
			})
			w.settled(t)
		})
	}
	f(true, 200)
	f(false, 500)
}

// An answer that goes on for hours does not depend on the Seshat that saw it begin.
func TestEnvoyKeepsLongAnswersWhenSeshatStops(t *testing.T) {
	more := make(chan struct{})
	origin := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/event-stream")
		_, _ = io.WriteString(w, "data: 1\n\n")
		w.(http.Flusher).Flush()
		<-more
		_, _ = io.WriteString(w, "data: 2\n\n")
	}))
	t.Cleanup(origin.Close)
	w := newTwin()
	s := newServer(w, Options{StopTimeout: time.Millisecond})
	address, stop := run(t, s, "127.0.0.1:0")
	t.Cleanup(stop)
	e := startEnvoy(t, "ext-proc.yaml", origin.URL, address, "failure_mode_allow: true", "failure_mode_allow: false")
	response, err := http.Get(e.url + "/token") // its response's body would be looked at if it were none of events
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = response.Body.Close() }()
	lines := bufio.NewReader(response.Body)
	if line, err := lines.ReadString('\n'); line != "data: 1\n" {
		t.Fatalf("%q, %v", line, err)
	}
	w.take(t, "/token")
	stop()
	close(more)
	rest, err := io.ReadAll(lines)
	if err != nil || !strings.Contains(string(rest), "data: 2") {
		t.Errorf("the rest of the answer is %q, %v", rest, err)
	}
	w.settled(t)
}

func TestEnvoyThatIgnoresOverrides(t *testing.T) {
	w, origin := newTwin(), newOrigin(t)
	var log bytes.Buffer
	s, address := serve(t, w, Options{Log: slog.New(slog.NewTextHandler(&log, nil))})
	e := startEnvoy(t, "ext-proc.yaml", origin.URL, address, "allow_mode_override: true", "allow_mode_override: false")
	for i := range 3 {
		got := do(t, "POST", e.url+"/login", `{"user":"evil"}`, "Content-Type", "application/json", "Cookie", "SESS=a")
		if got.StatusCode != 200 {
			t.Errorf("%d", got.StatusCode)
		}
		x := w.take(t, "/login")
		if len(x.Request.Body.Bytes) != 0 || x.Request.Body.Size != 15 || !x.Request.Body.Truncated || x.Response.Status != 200 {
			t.Errorf("%+v", x)
		}
		if id := got.Header.Get("Seen-Session"); i > 0 && id != sessionOf("a").String() {
			t.Errorf("the origin saw the session %q of request %d", id, i)
		}
	}
	if line := e.logged("/login"); line["session_id"] != sessionOf("a").String() {
		t.Errorf("the access log has %v of the one that was judged late", line)
	}
	got := do(t, "POST", e.url+"/login", `{}`, "Content-Type", "application/json", "X-Over", "1")
	if got.StatusCode != 429 || got.Header.Get("Seen-Framing") != "" {
		t.Errorf("%d %v", got.StatusCode, got.Header)
	}
	if n := strings.Count(log.String(), "allow_mode_override"); n != 1 {
		t.Errorf("it was said %d times:\n%s", n, log.String())
	}
	if s.Stats().Missed == 0 {
		t.Errorf("%+v", s.Stats())
	}
	w.settled(t)
}

// Envoys that send bodies of their own accord.
func TestEnvoyWithBodyModes(t *testing.T) {
	const modes = "request_body_mode: NONE\n                        response_body_mode: NONE"
	f := func(name, request, response string, others ...string) {
		t.Run(name, func(t *testing.T) {
			w, origin := newTwin(), newOrigin(t)
			s, address := serve(t, w, Options{})
			with := strings.NewReplacer("request_body_mode: NONE", "request_body_mode: "+request, "response_body_mode: NONE", "response_body_mode: "+response).Replace(modes)
			e := startEnvoy(t, "ext-proc.yaml", origin.URL, address, append([]string{modes, with}, others...)...)
			big := strings.Repeat("y", 20_000)
			for _, path := range []string{"/login", "/orders", "/token"} {
				got := do(t, "POST", e.url+path, big, "Content-Type", "application/json", "Cookie", "SESS=a")
				if got.StatusCode != 200 {
					t.Errorf("%s: %d %s", path, got.StatusCode, got.body)
				}
				want := map[string]int{"/login": len(`{"got":""}`) + 20_000, "/orders": len("20000 bytes"), "/token": 150_000}
				if len(got.body) != want[path] {
					t.Errorf("%s: %d bytes came, want %d", path, len(got.body), want[path])
				}
				if id := got.Header.Get("Seen-Session"); id != sessionOf("a").String() {
					t.Errorf("%s: the origin saw the session %q", path, id)
				}
				x := w.take(t, path)
				if path == "/login" && string(x.Request.Body.Bytes) != big {
					t.Errorf("%d bytes of the request's body", len(x.Request.Body.Bytes))
				}
				if path == "/token" && len(x.Response.Body.Bytes) != 64<<10 {
					t.Errorf("%d bytes of the response's body", len(x.Response.Body.Bytes))
				}
			}
			if got := do(t, "POST", e.url+"/orders", big, "X-Bad", "1"); got.StatusCode != 403 {
				t.Errorf("%d", got.StatusCode)
			}
			if stats := s.Stats(); stats.Malformed != 0 {
				t.Errorf("%+v", stats)
			}
			w.settled(t)
		})
	}
	off := []string{"allow_mode_override: true", "allow_mode_override: false"}
	f("buffered", "BUFFERED", "STREAMED")
	f("buffered, no override", "BUFFERED", "BUFFERED_PARTIAL", off...)
	f("partial, no override", "BUFFERED_PARTIAL", "STREAMED", off...)
	f("duplex", "FULL_DUPLEX_STREAMED", "FULL_DUPLEX_STREAMED", append(off, "trailer_mode: SKIP", "trailer_mode: SEND")...)
}

func TestEnvoyThatOnlyShows(t *testing.T) {
	w, origin := newTwin(), newOrigin(t)
	s, address := serve(t, w, Options{})
	e := startEnvoy(t, "ext-proc.yaml", origin.URL, address, "failure_mode_allow: true", "failure_mode_allow: true\n                      observability_mode: true",
		"request_body_mode: NONE", "request_body_mode: STREAMED")
	if got := do(t, "POST", e.url+"/shown", "text", "X-Over", "1"); got.StatusCode != 200 {
		t.Errorf("%d: nothing is refused", got.StatusCode)
	}
	if x := w.take(t, "/shown"); x.Response.Status != 200 || string(x.Request.Body.Bytes) != "text" {
		t.Errorf("%+v", x)
	}
	if stats := s.Stats(); stats.Observed != 1 || stats.Malformed != 0 || stats.Refused != 0 {
		t.Errorf("%+v", stats)
	}
	w.settled(t)
}

// Without an entry in the journal there is no answer, where the configuration says so.
func TestEnvoyWithoutJournal(t *testing.T) {
	w, origin := newTwin(), newOrigin(t)
	w.failing = true
	s, address := serve(t, w, Options{})
	e := startEnvoy(t, "ext-proc.yaml", origin.URL, address)
	if got := do(t, "GET", e.url+"/orders", ""); got.StatusCode != 503 || strings.Contains(got.body, "bytes") {
		t.Errorf("%d %s", got.StatusCode, got.body)
	}
	response, err := http.Get(e.url + "/token")
	if err == nil {
		var body []byte
		if body, err = io.ReadAll(response.Body); err == nil && response.StatusCode == 200 {
			t.Errorf("a complete answer of %d bytes", len(body))
		}
		_ = response.Body.Close()
	}
	if n := s.Stats().Failed; n != 2 {
		t.Errorf("%d were counted", n)
	}
	w.settled(t)
}

func TestEnvoyWithClientsThatGoAway(t *testing.T) {
	w := newTwin()
	stuck := make(chan struct{})
	origin := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		select {
		case <-stuck:
		case <-r.Context().Done():
		}
	}))
	t.Cleanup(origin.Close)
	t.Cleanup(func() { close(stuck) })
	s, address := serve(t, w, Options{})
	e := startEnvoy(t, "ext-proc.yaml", origin.URL, address)
	f := func(path, request string) {
		t.Helper()
		conn, err := net.Dial("tcp", e.host)
		if err != nil {
			t.Fatal(err)
		}
		_, _ = io.WriteString(conn, request)
		e.until("the request did not come", func() bool { return s.Stats().Open > 0 })
		_ = conn.Close()
		if x := w.take(t, path); x.Response.Status != 0 {
			t.Errorf("%+v", x)
		}
		e.until("the stream was not closed", func() bool { return s.Stats().Open == 0 })
	}
	f("/stuck", "GET /stuck HTTP/1.1\r\nHost: x\r\n\r\n")
	f("/login", "POST /login HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\nhalf")
	if n := s.Stats().Cut; n != 2 {
		t.Errorf("%d were counted as cut", n)
	}
	w.settled(t)
}

// A server that stops lets what is under way finish.
func TestEnvoyWhileSeshatStops(t *testing.T) {
	w := newTwin()
	answer := make(chan struct{})
	origin := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		<-answer
		w.WriteHeader(204)
	}))
	t.Cleanup(origin.Close)
	s := newServer(w, Options{})
	ctx, cancel := context.WithCancel(context.Background())
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	served := make(chan error, 1)
	go func() { served <- s.Serve(ctx, listener) }()
	e := startEnvoy(t, "ext-proc.yaml", origin.URL, listener.Addr().String(), "failure_mode_allow: true", "failure_mode_allow: false")
	status := make(chan int)
	go func() {
		response, err := http.Get(e.url + "/slow")
		if err != nil {
			status <- 0
			return
		}
		_ = response.Body.Close()
		status <- response.StatusCode
	}()
	e.until("the request did not come", func() bool { return s.Stats().Open == 1 })
	cancel()
	close(answer)
	if got := <-status; got != 204 {
		t.Errorf("%d of a request that was under way", got)
	}
	if err := <-served; err != nil {
		t.Error(err)
	}
	if x := w.take(t, "/slow"); x.Response.Status != 204 {
		t.Errorf("%+v", x)
	}
	w.settled(t)
}
