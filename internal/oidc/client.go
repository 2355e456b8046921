package oidc

import (
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"time"
)

const (
	// requestTime is how long one request to the provider may take, with its answer. Who signs in waits for two or three.
	requestTime = 10 * time.Second
	// maxAnswer is how many bytes an answer may have. Key sets and tokens with hundreds of groups have some 100 KiB.
	maxAnswer = 1 << 20
	// maxAnswerHeader is how many bytes the header of an answer may have.
	maxAnswerHeader = 64 << 10
	// maxRedirects is for descriptions that moved.
	maxRedirects = 3
)

// Transport is how requests get to a provider whose certificate is verified by config; nil is by the system's authorities.
func Transport(config *tls.Config) *http.Transport {
	return &http.Transport{
		Proxy: http.ProxyFromEnvironment, ForceAttemptHTTP2: true, MaxResponseHeaderBytes: maxAnswerHeader,
		MaxConnsPerHost: 2 * maxEnds, IdleConnTimeout: time.Minute, TLSClientConfig: config, TLSHandshakeTimeout: requestTime,
	}
}

// newClient returns the client of all requests to the provider.
func newClient(transport http.RoundTripper, issuer *url.URL) *http.Client {
	if transport == nil {
		transport = Transport(nil)
	}
	return &http.Client{
		Transport: bounded{transport}, Timeout: requestTime,
		CheckRedirect: func(r *http.Request, via []*http.Request) error {
			switch {
			case via[0].Method != http.MethodGet: // a code and a secret are for the address that was described
				return errors.New("the provider redirects a request that holds a secret")
			case via[0].Header.Get("Authorization") != "" && r.URL.Host != via[0].URL.Host:
				return errors.New("the provider redirects a request that holds a token")
			case len(via) > maxRedirects:
				return fmt.Errorf("more than %d redirects", maxRedirects)
			}
			return checkAddress(r.URL, issuer)
		},
	}
}

// bounded is a transport whose answers are not larger than maxAnswer.
type bounded struct{ http.RoundTripper }

func (b bounded) RoundTrip(r *http.Request) (*http.Response, error) {
	response, err := b.RoundTripper.RoundTrip(r)
	if err != nil {
		return nil, err
	}
	response.Body = &boundedBody{ReadCloser: response.Body, left: maxAnswer}
	return response, nil
}

type boundedBody struct {
	io.ReadCloser
	left int64
}

func (b *boundedBody) Read(into []byte) (int, error) {
	if b.left <= 0 {
		var one [1]byte
		if n, err := b.ReadCloser.Read(one[:]); n == 0 {
			return 0, err
		}
		return 0, fmt.Errorf("the answer has more than %d bytes", maxAnswer)
	}
	n, err := b.ReadCloser.Read(into[:min(int64(len(into)), b.left)])
	b.left -= int64(n)
	return n, err
}

// checkAddress checks an address of the provider: https, or http on this host for a provider that is here altogether. Who is
// on the way could sign in as anybody.
func checkAddress(u, issuer *url.URL) error {
	switch {
	case u.Host == "" || u.Opaque != "" || u.User != nil || u.Fragment != "":
		return errors.New("an address names no host, or more than that")
	case u.Scheme == "https":
		return nil
	case u.Scheme == "http" && issuer.Scheme == "http" && loopback(u.Hostname()):
		return nil
	default:
		return fmt.Errorf("an address of the provider is not https: %s", u.Redacted())
	}
}

func loopback(host string) bool {
	if host == "localhost" { // RFC 6761, section 6.3: always this host
		return true
	}
	ip := net.ParseIP(host)
	return ip != nil && ip.IsLoopback()
}
