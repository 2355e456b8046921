package listener

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"math/big"
	"os"
	"path/filepath"
	"testing"
	"testing/synctest"
	"time"
)

// newCertificate makes a self-signed certificate. The kind of key is "ecdsa" or "rsa".
func newCertificate(t testing.TB, kind string, names ...string) (chain, key []byte) {
	t.Helper()
	var private any
	var public any
	switch kind {
	case "rsa":
		k, err := rsa.GenerateKey(rand.Reader, 2048)
		if err != nil {
			t.Fatal(err)
		}
		private, public = k, &k.PublicKey
	default:
		k, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
		if err != nil {
			t.Fatal(err)
		}
		private, public = k, &k.PublicKey
	}
	serial, err := rand.Int(rand.Reader, big.NewInt(1<<62))
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: serial, Subject: pkix.Name{CommonName: names[0]}, DNSNames: names,
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(24 * time.Hour),
		KeyUsage: x509.KeyUsageDigitalSignature, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, public, private)
	if err != nil {
		t.Fatal(err)
	}
	keyDER, err := x509.MarshalPKCS8PrivateKey(private)
	if err != nil {
		t.Fatal(err)
	}
	return pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}), pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: keyDER})
}

// writeCertificate makes a certificate and writes it to dir.
func writeCertificate(t testing.TB, dir, file, kind string, names ...string) CertificateFile {
	t.Helper()
	chain, key := newCertificate(t, kind, names...)
	f := CertificateFile{Certificate: filepath.Join(dir, file+".crt"), Key: filepath.Join(dir, file+".key")}
	write(t, f.Certificate, chain)
	write(t, f.Key, key)
	return f
}

func write(t testing.TB, name string, data []byte) {
	t.Helper()
	if err := os.WriteFile(name, data, 0o600); err != nil {
		t.Fatal(err)
	}
}

// served is the common name of the certificate that a client gets that asks for a server.
func served(t testing.TB, c *Certificates, server string) string {
	t.Helper()
	certificate, err := c.get(&tls.ClientHelloInfo{ServerName: server})
	if err != nil {
		t.Fatal(err)
	}
	return certificate.Leaf.Subject.CommonName
}

func TestCertificatesByName(t *testing.T) {
	dir := t.TempDir()
	c, err := LoadCertificates([]CertificateFile{
		writeCertificate(t, dir, "a", "ecdsa", "a.example", "*.a.example"),
		writeCertificate(t, dir, "b", "ecdsa", "b.example"),
		writeCertificate(t, dir, "deep", "ecdsa", "x.a.example"),
	})
	if err != nil {
		t.Fatal(err)
	}
	f := func(server, want string) {
		t.Helper()
		if got := served(t, c, server); got != want {
			t.Errorf("%q gets the certificate of %s, want %s", server, got, want)
		}
	}
	f("a.example", "a.example")
	f("A.Example.", "a.example")
	f("www.a.example", "a.example")
	f("x.a.example", "x.a.example")
	f("b.example", "b.example")
	f("y.www.a.example", "a.example") // nobody has it: the first certificate
	f("c.example", "a.example")
	f("", "a.example")
}

func TestBrokenFilesChangeNothing(t *testing.T) {
	dir := t.TempDir()
	file := writeCertificate(t, dir, "a", "ecdsa", "old.example")
	c, err := LoadCertificates([]CertificateFile{file})
	if err != nil {
		t.Fatal(err)
	}
	if changed, err := c.Reload(); changed || err != nil {
		t.Fatalf("nothing changed, and Reload says %v, %v", changed, err)
	}
	chain, key := newCertificate(t, "ecdsa", "new.example")
	write(t, file.Certificate, chain) // the key has not been written yet
	if changed, err := c.Reload(); changed || err == nil || c.Failed() == nil {
		t.Fatalf("with a key of another certificate Reload says %v, %v", changed, err)
	}
	if got := served(t, c, ""); got != "old.example" {
		t.Fatalf("a broken file put %s in use", got)
	}
	write(t, file.Key, key)
	if changed, err := c.Reload(); !changed || err != nil || c.Failed() != nil {
		t.Fatalf("Reload says %v, %v", changed, err)
	}
	if got := served(t, c, ""); got != "new.example" {
		t.Fatalf("%s is in use", got)
	}
	if err := os.Remove(file.Key); err != nil {
		t.Fatal(err)
	}
	if changed, err := c.Reload(); changed || err == nil {
		t.Fatalf("without a key Reload says %v, %v", changed, err)
	}
	if _, err := LoadCertificates([]CertificateFile{file}); err == nil {
		t.Fatal("it starts without a key")
	}
}

func TestWatchReportsOnce(t *testing.T) {
	dir := t.TempDir()
	file := writeCertificate(t, dir, "a", "ecdsa", "old.example")
	newChain, newKey := newCertificate(t, "ecdsa", "new.example")
	c, err := LoadCertificates([]CertificateFile{file})
	if err != nil {
		t.Fatal(err)
	}
	synctest.Test(t, func(t *testing.T) {
		var reports []error
		go c.Watch(t.Context(), time.Second, func(err error) { reports = append(reports, err) })
		wait := func() {
			time.Sleep(3 * time.Second)
			synctest.Wait()
		}
		wait()
		if len(reports) != 0 {
			t.Fatalf("nothing changed: %v", reports)
		}
		write(t, file.Certificate, newChain)
		wait()
		if len(reports) != 1 || reports[0] == nil {
			t.Fatalf("a broken file is reported once: %v", reports)
		}
		write(t, file.Key, newKey)
		wait()
		if len(reports) != 2 || reports[1] != nil {
			t.Fatalf("a change is reported once: %v", reports)
		}
	})
}
