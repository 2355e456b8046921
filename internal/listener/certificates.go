package listener

import (
	"context"
	"crypto/sha256"
	"crypto/tls"
	"errors"
	"fmt"
	"os"
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

// CertificateFile names the files of a certificate chain and its private key, both in PEM.
type CertificateFile struct {
	Certificate, Key string
}

// DefaultCertificatePoll is how often the files are looked at for a change. Certificates are renewed days ahead.
const DefaultCertificatePoll = 10 * time.Second

// maxCertificateFile bounds what is read: a chain has some 10 KiB.
const maxCertificateFile = 1 << 20

// Certificates are the certificates of a listener, by the names in them. They can be read again while they are in use: a
// new certificate serves the connections that come after it, and a broken file changes nothing.
type Certificates struct {
	files   []CertificateFile
	current atomic.Pointer[certificateSet]
	reloads atomic.Uint64

	mu     sync.Mutex        // one reload at a time
	loaded [sha256.Size]byte // of what is in use
	failed error             // of the last reload
}

// certificateSet is immutable.
type certificateSet struct {
	fallback []*tls.Certificate            // for clients that name no server, or one that nobody has
	byName   map[string][]*tls.Certificate // exact names, and "*.example" for one label in front of it
	expires  time.Time                     // of the first to expire
}

// LoadCertificates reads certificates from files. The first one serves clients that do not say which server they want.
func LoadCertificates(files []CertificateFile) (*Certificates, error) {
	if len(files) == 0 {
		return nil, errors.New("no certificate is given")
	}
	c := &Certificates{files: files}
	if _, err := c.Reload(); err != nil {
		return nil, err
	}
	return c, nil
}

// NewCertificates holds certificates that were made otherwise; they do not change.
func NewCertificates(certificates ...tls.Certificate) (*Certificates, error) {
	if len(certificates) == 0 {
		return nil, errors.New("no certificate is given")
	}
	set, err := newCertificateSet(certificates)
	if err != nil {
		return nil, err
	}
	c := &Certificates{}
	c.current.Store(set)
	return c, nil
}

// Reload reads the files again and reports whether they changed. On an error the certificates in use stay.
func (c *Certificates) Reload() (changed bool, err error) {
	if len(c.files) == 0 {
		return false, nil
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	var certificates []tls.Certificate
	digest := sha256.New()
	var faults []error
	for _, f := range c.files {
		chain, err := readBounded(f.Certificate)
		if err != nil {
			faults = append(faults, err)
			continue
		}
		key, err := readBounded(f.Key)
		if err != nil {
			faults = append(faults, err)
			continue
		}
		_, _ = digest.Write(chain)
		_, _ = digest.Write(key)
		certificate, err := tls.X509KeyPair(chain, key)
		clear(key)
		if err != nil {
			faults = append(faults, fmt.Errorf("certificate %s with key %s: %w", f.Certificate, f.Key, err))
			continue
		}
		certificates = append(certificates, certificate)
	}
	if len(faults) > 0 {
		c.failed = errors.Join(faults...)
		return false, c.failed
	}
	sum := [sha256.Size]byte(digest.Sum(nil))
	c.failed = nil
	if sum == c.loaded {
		return false, nil
	}
	set, err := newCertificateSet(certificates)
	if err != nil {
		c.failed = err
		return false, err
	}
	if c.current.Swap(set) != nil {
		c.reloads.Add(1)
	}
	c.loaded = sum
	return true, nil
}

// readBounded reads a file; its error does not hold what is in it.
func readBounded(name string) ([]byte, error) {
	info, err := os.Stat(name)
	if err != nil {
		return nil, fmt.Errorf("certificates: %w", err)
	}
	if info.Size() > maxCertificateFile {
		return nil, fmt.Errorf("certificates: %s has %d bytes, which is no certificate or key", name, info.Size())
	}
	data, err := os.ReadFile(name) //nolint:gosec // the operator names the file
	if err != nil {
		return nil, fmt.Errorf("certificates: %w", err)
	}
	return data, nil
}

// Watch reads the files again whenever the interval has passed, until ctx ends. Report is called with nil after each
// change that took effect, and once with each new error.
func (c *Certificates) Watch(ctx context.Context, interval time.Duration, report func(error)) {
	ticker := time.NewTicker(interval)
	defer ticker.Stop()
	said := ""
	for {
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
		}
		changed, err := c.Reload()
		switch {
		case err != nil && err.Error() != said:
			said = err.Error()
			report(err)
		case err == nil:
			said = ""
			if changed {
				report(nil)
			}
		}
	}
}

// Failed returns the error of the last reload: then the certificates before it are in use.
func (c *Certificates) Failed() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.failed
}

// Expires returns when the first of the certificates in use expires.
func (c *Certificates) Expires() time.Time { return c.current.Load().expires }

// TLSConfig is how a server of HTTP other than the listener's encrypts with the certificates. The least version is 1.2 when it
// is 0.
func (c *Certificates) TLSConfig(minVersion uint16) *tls.Config {
	return &tls.Config{
		MinVersion: max(minVersion, tls.VersionTLS12), GetCertificate: c.get, NextProtos: []string{protocolHTTP2, protocolHTTP11},
	}
}

// get is tls.Config.GetCertificate.
func (c *Certificates) get(hello *tls.ClientHelloInfo) (*tls.Certificate, error) {
	set := c.current.Load()
	name := strings.ToLower(strings.TrimSuffix(hello.ServerName, "."))
	candidates := set.byName[name]
	if candidates == nil {
		if _, parent, ok := strings.Cut(name, "."); ok {
			candidates = set.byName["*."+parent]
		}
	}
	if candidates == nil {
		candidates = set.fallback
	}
	// A name may have a certificate for each kind of key: take one that the client can verify.
	for _, certificate := range candidates[:len(candidates)-1] {
		if hello.SupportsCertificate(certificate) == nil {
			return certificate, nil
		}
	}
	return candidates[len(candidates)-1], nil
}

func newCertificateSet(certificates []tls.Certificate) (*certificateSet, error) {
	set := &certificateSet{byName: map[string][]*tls.Certificate{}}
	for i := range certificates {
		certificate := &certificates[i]
		leaf := certificate.Leaf
		if leaf == nil {
			return nil, fmt.Errorf("certificate %d is not parsed", i)
		}
		if set.expires.IsZero() || leaf.NotAfter.Before(set.expires) {
			set.expires = leaf.NotAfter
		}
		names := leaf.DNSNames
		if len(names) == 0 && len(leaf.IPAddresses) == 0 && leaf.Subject.CommonName != "" {
			names = []string{leaf.Subject.CommonName}
		}
		for _, name := range names {
			name = strings.ToLower(strings.TrimSuffix(name, "."))
			set.byName[name] = append(set.byName[name], certificate)
		}
		if i == 0 {
			set.fallback = append(set.fallback, certificate)
		}
	}
	// Certificates of other kinds for the same names as the first one serve as well.
	for _, name := range set.fallback[0].Leaf.DNSNames {
		if same := set.byName[strings.ToLower(strings.TrimSuffix(name, "."))]; len(same) > 1 {
			set.fallback = same
			break
		}
	}
	return set, nil
}
