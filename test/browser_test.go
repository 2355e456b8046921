package test

import (
	"bytes"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"crypto/x509"
	"encoding/hex"
	"encoding/pem"
	"fmt"
	"io"
	"math/big"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/coder/websocket"
)

// certificate writes a certificate for the loopback interface and its key into two files.
func certificate(t testing.TB) (certificate, key string) {
	t.Helper()
	private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}, DNSNames: []string{"localhost"}, BasicConstraintsValid: true, IsCA: true,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, private.Public(), private)
	if err != nil {
		t.Fatal(err)
	}
	secret, err := x509.MarshalPKCS8PrivateKey(private)
	if err != nil {
		t.Fatal(err)
	}
	return file(t, "certificate.pem", string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}))),
		file(t, "key.pem", string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: secret})))
}

// browserPage does what pages do, and tells /result what came of it.
const browserPage = `<!doctype html><title>shop</title><link rel="stylesheet" href="/style.css"><h1>Shop</h1><script type="module">
const out = {};
const attempt = async (name, f) => { try { out[name] = await f() } catch (e) { out[name] = 'failed: ' + e } };
await attempt('login', async () => (await fetch('/login', {method: 'POST', body: new URLSearchParams({username: '%s', password: 'browser-secret-pw'})})).url.replace(location.origin, ''));
await attempt('account', async () => (await fetch('/account')).text());
await attempt('script', async () => document.cookie);
await attempt('upload', async () => {
  const form = new FormData();
  form.append('file', new Blob([new Uint8Array(3000000).fill(97)]), 'a.bin');
  return (await fetch('/upload', {method: 'POST', body: form})).text();
});
await attempt('events', () => new Promise((resolve, reject) => {
  const source = new EventSource('/events'), seen = [];
  source.onmessage = e => { seen.push(e.data); if (seen.length == 3) { source.close(); resolve(seen.join()) } };
  source.onerror = () => reject('no events');
}));
await attempt('socket', () => new Promise((resolve, reject) => {
  const socket = new WebSocket(location.origin.replace('http', 'ws') + '/socket');
  socket.onopen = () => socket.send('hello');
  socket.onmessage = e => { socket.close(); resolve(e.data) };
  socket.onerror = () => reject('no socket');
}));
await attempt('parallel', async () => (await Promise.all([...Array(30).keys()].map(n => fetch('/n/' + n).then(r => r.status)))).filter(s => s == 200).length);
await fetch('/result', {method: 'POST', body: JSON.stringify(out)});
</script>`

// browserOrigin is a site with all that pages ask for. What the pages tell comes out of results.
func browserOrigin(t testing.TB, results chan<- string) *httptest.Server {
	t.Helper()
	mux := http.NewServeMux()
	mux.HandleFunc("GET /page/{user}", func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		if _, err := r.Cookie("SHOPSESS"); err != nil {
			http.SetCookie(w, &http.Cookie{Name: "SHOPSESS", Value: rand.Text(), Path: "/", HttpOnly: true})
		}
		_, _ = fmt.Fprintf(w, browserPage, r.PathValue("user"))
	})
	mux.HandleFunc("GET /style.css", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/css")
		_, _ = io.WriteString(w, "h1 { color: green }")
	})
	mux.HandleFunc("POST /login", func(w http.ResponseWriter, r *http.Request) {
		http.SetCookie(w, &http.Cookie{Name: "SHOPSESS", Value: "of-" + r.FormValue("username") + "-" + rand.Text(), Path: "/", HttpOnly: true})
		http.Redirect(w, r, "/account", http.StatusSeeOther)
	})
	mux.HandleFunc("GET /account", func(w http.ResponseWriter, r *http.Request) {
		cookie, err := r.Cookie("SHOPSESS")
		if err != nil {
			http.Error(w, "sign in first", http.StatusUnauthorized)
			return
		}
		who, _, _ := strings.Cut(strings.TrimPrefix(cookie.Value, "of-"), "-")
		_, _ = fmt.Fprintf(w, "account of %s by %s", who, r.Header.Get("X-Forwarded-Proto"))
	})
	mux.HandleFunc("POST /upload", func(w http.ResponseWriter, r *http.Request) {
		content, _, err := r.FormFile("file")
		if err != nil {
			http.Error(w, err.Error(), http.StatusBadRequest)
			return
		}
		n, err := io.Copy(io.Discard, content)
		_, _ = fmt.Fprint(w, n, err)
	})
	mux.HandleFunc("GET /events", func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "text/event-stream")
		for n := range 3 {
			_, _ = fmt.Fprintf(w, "data: %d\n\n", n)
			if http.NewResponseController(w).Flush() != nil {
				return
			}
		}
		<-r.Context().Done() // it goes on until the browser has enough
	})
	mux.HandleFunc("GET /socket", func(w http.ResponseWriter, r *http.Request) {
		conn, err := websocket.Accept(w, r, &websocket.AcceptOptions{InsecureSkipVerify: true})
		if err != nil {
			return
		}
		defer func() { _ = conn.CloseNow() }()
		kind, message, err := conn.Read(r.Context())
		if err != nil {
			return
		}
		_ = conn.Write(r.Context(), kind, append([]byte("echo of "), message...))
		_, _, _ = conn.Read(r.Context()) // until it is closed
	})
	mux.HandleFunc("GET /n/{n}", func(w http.ResponseWriter, r *http.Request) { _, _ = io.WriteString(w, r.PathValue("n")) })
	mux.HandleFunc("POST /result", func(_ http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		results <- string(body)
	})
	mux.HandleFunc("PUT /sum", func(w http.ResponseWriter, r *http.Request) {
		sum := sha256.New()
		_, _ = io.Copy(sum, r.Body)
		w.Header().Set("Trailer", "X-Done")
		_, _ = io.WriteString(w, hex.EncodeToString(sum.Sum(nil)))
		w.Header().Set("X-Done", "yes")
	})
	mux.HandleFunc("GET /large", func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write(large()) })
	server := httptest.NewServer(mux)
	t.Cleanup(server.Close)
	return server
}

// large is 8 MiB that are no repetition of a few bytes.
func large() []byte {
	out := make([]byte, 0, 8<<20)
	for block := sha256.Sum256(nil); len(out) < cap(out); block = sha256.Sum256(block[:]) {
		out = append(out, block[:]...)
	}
	return out
}

// serveTLS serves an origin by HTTP and HTTPS.
func serveTLS(t testing.TB, s *seshat, origin string) (g *running, secure string) {
	t.Helper()
	cert, key := certificate(t)
	g = s.serve("-c", file(t, "seshat.yaml", fmt.Sprintf(`
listeners:
  - address: "127.0.0.1:0"
  - {address: "127.0.0.1:0", tls: {certificates: [{certificate: %q, key: %q}]}}
upstreams: [{name: site, servers: [%q]}]
`, cert, key, origin)))
	return g, g.said(`Serving on (https://[^, ]+)`)
}

// TestChromium has two profiles of a real browser use a site through the gateway, by HTTP/2 over TLS, and one by HTTP/1.1.
func TestChromium(t *testing.T) {
	need(t, "chromium")
	results := make(chan string, 3)
	origin := browserOrigin(t, results)
	s := fresh(t)
	g, secure := serveTLS(t, s, origin.URL)
	var browsers sync.WaitGroup
	defer browsers.Wait()
	ctx, stop := context.WithCancel(context.Background())
	defer stop()
	for user, base := range map[string]string{"alice": secure, "bob": secure, "carol": g.gateway} {
		profile := t.TempDir()
		cmd := exec.CommandContext(ctx, "chromium", "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
			"--disable-background-networking", "--disable-component-update", "--disable-sync", "--disable-dev-shm-usage",
			"--ignore-certificate-errors", "--remote-debugging-port=0", "--user-data-dir="+profile, base+"/page/"+user)
		cmd.Env = append(os.Environ(), "HOME="+profile)
		said := &bytes.Buffer{}
		cmd.Stdout, cmd.Stderr = said, said
		cmd.WaitDelay = 5 * time.Second
		browsers.Go(func() {
			if err := cmd.Run(); ctx.Err() == nil {
				t.Errorf("the browser of %s ended: %v\n%s", user, err, said)
			}
		})
	}
	for range 3 {
		select {
		case result := <-results:
			for _, want := range []string{
				`"login":"/account"`, `"script":""`, `"upload":"3000000 `, `"events":"0,1,2"`, `"socket":"echo of hello"`, `"parallel":30`,
			} {
				if !strings.Contains(result, want) {
					t.Errorf("a browser reports %s, and not %s", result, want)
				}
			}
			proto := "https"
			if strings.Contains(result, "of carol") {
				proto = "http"
			}
			if !strings.Contains(result, " by "+proto+`"`) {
				t.Errorf("a browser reports %s", result)
			}
		case <-time.After(2 * soon):
			t.Fatal("a browser does not report what it did")
		}
	}
	stop()
	browsers.Wait()
	eventually(t, "each browser is one session", func() bool { return len(s.sessions("user:*", "exchanges:>=37")) == 3 })
	g.settled()
	prints := map[string]bool{}
	for user, versions := range map[string][]string{"alice": {"2", "1.1"}, "bob": {"2", "1.1"}, "carol": {"1.1"}} {
		found := s.sessions("user:" + user)
		if len(found) != 1 {
			t.Errorf("%s has %d sessions", user, len(found))
			continue
		}
		seen := map[string]bool{}
		for _, row := range s.explore("http_version,ja4,user_agent,path", "session:"+found[0].ID) {
			seen[row[0]] = true
			if secured := user != "carol"; secured != strings.HasPrefix(row[1], "t13i") {
				t.Errorf("%s by HTTP/%s has the JA4 %q", row[3], row[0], row[1])
			}
			if row[0] == "2" {
				prints[row[1]] = true
			}
			if !strings.Contains(row[2], "Chrome/") {
				t.Errorf("%s has the user agent %q", row[3], row[2])
			}
		}
		for _, version := range versions { // WebSocket is by HTTP/1.1
			if !seen[version] {
				t.Errorf("%s did nothing by HTTP/%s", user, version)
			}
		}
	}
	// The "i" says that an address was asked for, not a name.
	if len(prints) != 1 {
		t.Errorf("one kind of browser has the JA4s %v", prints)
	}
	noSecrets(t, s.data, "browser-secret-pw")
}

// TestCurl sends what curl can send, by each version of HTTP.
func TestCurl(t *testing.T) {
	need(t, "curl")
	origin := browserOrigin(t, make(chan string, 1))
	s := fresh(t)
	g, secure := serveTLS(t, s, origin.URL)
	sum := func(data []byte) string {
		h := sha256.Sum256(data)
		return hex.EncodeToString(h[:])
	}
	folder := t.TempDir()
	upload := write(t, folder, "upload", string(large()))
	for _, version := range []struct{ name, flag, base, want string }{
		{"HTTP/1.0", "--http1.0", g.gateway, "1.0"}, // answered as 1.1: the version is each side's own
		{"HTTP/1.1", "--http1.1", g.gateway, "1.1"},
		{"HTTP/2 without TLS", "--http2-prior-knowledge", g.gateway, "2"},
		{"HTTP/1.1 over TLS", "--http1.1", secure, "1.1"},
		{"HTTP/2 over TLS", "--http2", secure, "2"},
	} {
		t.Run(version.name, func(t *testing.T) {
			curl := func(args ...string) string {
				t.Helper()
				return tool(t, "curl", append([]string{"--silent", "--show-error", "--insecure", "--max-time", "30", version.flag}, args...)...)
			}
			if got := curl("-w", "%{http_version}", "-o", filepath.Join(folder, "large"), version.base+"/large"); got != version.want && version.want != "1.0" {
				t.Errorf("it speaks HTTP/%s", got)
			}
			if got := sum([]byte(read(t, filepath.Join(folder, "large")))); got != sum(large()) {
				t.Error("a download is not what was sent")
			}
			if got := curl("-T", upload, version.base+"/sum"); got != sum(large()) {
				t.Errorf("an upload has the sum %s", got)
			}
			if got := curl("-X", "PUT", "-H", "Expect: 100-continue", "--data-binary", "@"+upload, version.base+"/sum"); got != sum(large()) {
				t.Errorf("an upload that asks first has the sum %s", got)
			}
			if version.want != "1.0" { // which knows no chunks
				if got := curl("-X", "PUT", "-H", "Transfer-Encoding: chunked", "--data-binary", "@"+upload, version.base+"/sum"); got != sum(large()) {
					t.Errorf("an upload of unknown length has the sum %s", got)
				}
			}
			if got := curl("-F", "file=@"+upload, version.base+"/upload"); !strings.HasPrefix(got, fmt.Sprint(len(large()))) {
				t.Errorf("an upload by a form: %s", got)
			}
			if got := curl("-I", version.base+"/large"); !strings.Contains(got, " 200") {
				t.Errorf("HEAD: %s", got)
			}
			cookies := filepath.Join(t.TempDir(), "jar")
			curl("-c", cookies, "-d", "username=dave&password=secret-of-curl", version.base+"/login")
			if got := curl("-b", cookies, version.base+"/account"); !strings.HasPrefix(got, "account of dave") {
				t.Errorf("a sign-in: %s", got)
			}
			events := exec.Command("curl", "--silent", "--insecure", "--no-buffer", "--max-time", "2", version.flag, version.base+"/events")
			out, _ := events.Output() // it ends when the time is over
			if string(out) != "data: 0\n\ndata: 1\n\ndata: 2\n\n" {
				t.Errorf("events: %q", out)
			}
		})
	}
	g.settled()
	if found := s.sessions("user:dave"); len(found) != 5 {
		t.Errorf("five cookie jars are %d sessions", len(found))
	}
	for _, row := range s.explore("ja4,scheme", "path:/account") {
		if strings.HasPrefix(row[0], "t13i") != (row[1] == "https") {
			t.Errorf("by %s, the JA4 is %q", row[1], row[0])
		}
	}
	noSecrets(t, s.data, "secret-of-curl")
}
