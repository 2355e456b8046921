package remote

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/seshat-project/seshat/internal/jwks"
)

// Bounds of a fetch.
const (
	// fetchTimeout is how long a fetch may take, redirects and body included. Issuers answer within a second; nothing
	// waits for a refresh.
	fetchTimeout = 10 * time.Second
	// maxResponseHeader is how many bytes the header of a response may have.
	maxResponseHeader = 64 << 10
)

// Bounds of how long a set is taken to be fresh, whatever the issuer says.
const (
	// MinLifetime keeps an issuer that says 0, or forbids caching, from being asked all the time.
	MinLifetime = 5 * time.Minute
	// MaxLifetime is how late the removal of a key is noticed at most, while the issuer can be reached.
	MaxLifetime = 24 * time.Hour
	// defaultLifetime is for issuers that say nothing.
	defaultLifetime = time.Hour
)

// newClient returns the client of all fetches of a set.
func newClient(transport http.RoundTripper) *http.Client {
	if transport == nil {
		transport = &http.Transport{
			Proxy:                  http.ProxyFromEnvironment,
			ForceAttemptHTTP2:      true,
			MaxResponseHeaderBytes: maxResponseHeader,
			DisableKeepAlives:      true, // the next fetch is minutes or hours away
		}
	}
	return &http.Client{Transport: transport, CheckRedirect: checkRedirect, Timeout: fetchTimeout}
}

// fetch asks for the set once.
func fetch(ctx context.Context, client *http.Client, address string) (*jwks.Set, time.Duration, error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, address, nil)
	if err != nil {
		return nil, 0, withoutAddress(err)
	}
	request.Header.Set("Accept", "application/jwk-set+json, application/json;q=0.9, */*;q=0.1")
	request.Header.Set("User-Agent", "seshat")
	response, err := client.Do(request)
	if err != nil {
		return nil, 0, withoutAddress(err)
	}
	defer func() { _ = response.Body.Close() }() // it was only read
	if response.StatusCode != http.StatusOK {
		return nil, 0, fmt.Errorf("the server answers %d %s", response.StatusCode, http.StatusText(response.StatusCode))
	}
	data, err := io.ReadAll(io.LimitReader(response.Body, jwks.MaxSize+1))
	if err != nil {
		return nil, 0, fmt.Errorf("read the key set: %w", withoutAddress(err))
	}
	set, err := jwks.Parse(data)
	if err != nil {
		return nil, 0, fmt.Errorf("read the key set: %w", err)
	}
	return set, lifetime(response.Header), nil
}

// withoutAddress takes the address out of an error of the client: it is said around it.
func withoutAddress(err error) error {
	if wrapped, ok := errors.AsType[*url.Error](err); ok {
		return wrapped.Err
	}
	return err
}

// lifetime is how long a response is fresh (RFC 9111, section 4.2), within the bounds.
func lifetime(header http.Header) time.Duration {
	fresh := defaultLifetime
	for directive := range strings.SplitSeq(strings.Join(header.Values("Cache-Control"), ","), ",") {
		name, value, _ := strings.Cut(strings.TrimSpace(directive), "=")
		switch strings.ToLower(name) {
		case "no-store", "no-cache":
			return MinLifetime
		case "max-age":
			seconds, err := strconv.ParseUint(strings.Trim(value, `"`), 10, 31) // quotes are wrong, and to be taken
			switch {
			case errors.Is(err, strconv.ErrRange):
				fresh = MaxLifetime
			case err == nil:
				fresh = time.Duration(seconds) * time.Second
			default:
				fresh = 0 // a response that nobody can date is stale
			}
		}
	}
	if age, err := strconv.ParseUint(header.Get("Age"), 10, 31); err == nil { // it lay in a cache on the way
		fresh -= time.Duration(age) * time.Second
	}
	return min(max(fresh, MinLifetime), MaxLifetime)
}
