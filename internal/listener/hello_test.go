package listener

import (
	"crypto/tls"
	"encoding/hex"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/seshat-project/seshat/internal/ja4"
)

// TestFingerprintsOfRealClients replays the first packet of real clients. What is wanted was worked out from the bytes by
// another program, after the specification.
func TestFingerprintsOfRealClients(t *testing.T) {
	chain, key := newCertificate(t, "ecdsa", "shop.example")
	pair, err := tls.X509KeyPair(chain, key)
	if err != nil {
		t.Fatal(err)
	}
	certificates, err := NewCertificates(pair)
	if err != nil {
		t.Fatal(err)
	}
	f := func(file, want string) {
		t.Helper()
		text, err := os.ReadFile(filepath.Join("testdata", "hello", file))
		if err != nil {
			t.Fatal(err)
		}
		hello, err := hex.DecodeString(strings.ReplaceAll(string(text), "\n", ""))
		if err != nil {
			t.Fatal(err)
		}
		client, server := net.Pipe()
		conn := &Conn{Conn: server}
		secure := tls.Server(conn, newTLSConfig(Config{MinVersion: tls.VersionTLS12, Certificates: certificates}))
		done := make(chan struct{})
		go func() { // a recording cannot answer: the handshake fails, after the hello was read
			_ = secure.Handshake()
			_ = server.Close()
			close(done)
		}()
		if _, err := client.Write(hello); err != nil {
			t.Fatal(err)
		}
		_, _ = client.Read(make([]byte, 1))
		_ = client.Close()
		<-done
		if conn.hello != want || len(want) != ja4.Length {
			t.Errorf("%s: %s, want %s", file, conn.hello, want)
		}
	}
	f("curl7.88.hex", "t13d3112h2_e8f1e7e78f70_b26ce05bbdd6")
	f("openssl3.0-tls1.2.hex", "t12i280600_d943125447b4_e7e480e5a997")
	f("go1.26.hex", "t13d1312h2_f57a46bbacb6_ab7e3b40a677")
	f("python3.11.hex", "t13d181100_85036bcba153_d41ae481755e")
	f("node20.hex", "t13i590900_a33745022dd6_1f22a2ca17c4")
}
