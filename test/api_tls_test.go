package test

import (
	"context"
	"crypto/tls"
	"fmt"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"
)

// TestAPIByTLS serves the API and the console where others reach them: encrypted, under known names only, and to commands of
// this machine as before. A new certificate is served without a restart.
func TestAPIByTLS(t *testing.T) {
	certificate, key := certificate(t)
	address := strings.Replace(freePort(t), "127.0.0.1", "0.0.0.0", 1)
	_, port, err := net.SplitHostPort(address)
	if err != nil {
		t.Fatal(err)
	}
	configuration := func(api string) string {
		return file(t, "seshat.yaml", "listen: \"127.0.0.1:0\"\nupstreams: [{name: none, servers: [\"http://127.0.0.1:1\"]}]\napi:\n  address: \""+address+"\"\n"+api)
	}
	s := fresh(t)
	s.run("run", "-c", configuration(""), "--check").want(1).says("api.address: "+address+" is reached from other machines", "set api.tls")
	s.run("run", "-c", configuration("  url: https://console.test\n  tls: {certificates: [{certificate: missing.pem, key: "+key+"}]}\n"), "--check").want(1).says("api.tls: ", "missing.pem")
	s.run("run", "-c", configuration("  tlsAtProxy: true\n  url: http://console.test\n"), "--check").want(1).says("api.url: is not https")
	good := configuration(fmt.Sprintf("  url: https://console.test:%s\n  tls: {certificates: [{certificate: %q, key: %q}]}\n", port, certificate, key))
	s.ok("run", "-c", good, "--check")

	g := &running{seshat: s, stderr: &lines{grown: make(chan struct{}, 1)}, ended: make(chan error, 1)}
	g.cmd = s.command(context.Background(), "run", "-c", good)
	g.cmd.Stderr = g.stderr
	if err := g.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	go func() { g.ended <- g.cmd.Wait() }()
	t.Cleanup(g.stop)
	if at := g.said(`is at (https://console\.test:\d+)`); at != "https://console.test:"+port {
		t.Errorf("it says that it is at %s", at)
	}
	c := client(t)
	transport := c.Transport.(*http.Transport)
	transport.TLSClientConfig, transport.ForceAttemptHTTP2 = &tls.Config{InsecureSkipVerify: true}, true
	base := "https://127.0.0.1:" + port
	for host, want := range map[string]int{"console.test": http.StatusSeeOther, "CONSOLE.test:" + port: http.StatusSeeOther, "localhost": http.StatusSeeOther, "evil.test": http.StatusMisdirectedRequest} {
		if a := ask(t, c, "GET", base+"/", "", "Host", host); a.status != want {
			t.Errorf("the console under the name %s gives %d, not %d", host, a.status, want)
		}
	}
	if a := ask(t, c, "GET", base+"/api/v1/status", "", "Host", "console.test"); a.status != http.StatusUnauthorized {
		t.Errorf("the API without a token gives %d", a.status)
	}
	if a, err := tryAsk(client(t), "GET", "http://127.0.0.1:"+port+"/", ""); err == nil && a.status != http.StatusBadRequest {
		t.Errorf("without TLS it gives %d", a.status)
	}
	if conn, err := tls.DialWithDialer(&net.Dialer{Timeout: soon}, "tcp", "127.0.0.1:"+port, &tls.Config{InsecureSkipVerify: true, MinVersion: tls.VersionTLS10, MaxVersion: tls.VersionTLS11}); err == nil {
		_ = conn.Close()
		t.Error("it speaks TLS 1.1")
	}
	s.ok("status").prints("ok", "http://127.0.0.1:") // by the port that is for commands
	served := func() string {
		conn, err := tls.DialWithDialer(&net.Dialer{Timeout: soon}, "tcp", "127.0.0.1:"+port, &tls.Config{InsecureSkipVerify: true})
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _ = conn.Close() }()
		return conn.ConnectionState().PeerCertificates[0].NotAfter.Format(time.RFC3339Nano) + string(conn.ConnectionState().PeerCertificates[0].Signature)
	}
	before := served()
	replace(t, certificate, key)
	within(t, time.Minute, "the new certificate is served", func() bool { return served() != before })
}

// replace writes a new certificate in place of one.
func replace(t testing.TB, certificateFile, keyFile string) {
	t.Helper()
	c, k := certificate(t)
	for to, from := range map[string]string{certificateFile: c, keyFile: k} {
		write(t, to[:strings.LastIndexByte(to, '/')], to[strings.LastIndexByte(to, '/')+1:], read(t, from))
	}
}
