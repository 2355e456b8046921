package remote

import (
	"bytes"
	"context"
	"crypto/ed25519"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/seshat-project/seshat/internal/jwt"
)

// issuer is an issuer whose keys can be changed, and that can fail. Its keys are numbered.
type issuer struct {
	mu       sync.Mutex
	key      byte
	header   http.Header
	failure  error
	status   int
	slow     time.Duration
	requests atomic.Int64
}

func (i *issuer) set(change func(*issuer)) {
	i.mu.Lock()
	defer i.mu.Unlock()
	change(i)
}

func private(number byte) ed25519.PrivateKey {
	return ed25519.NewKeyFromSeed(bytes.Repeat([]byte{number}, ed25519.SeedSize))
}

// document is the key set with one key.
func document(number byte) string {
	public := private(number).Public().(ed25519.PublicKey)
	return fmt.Sprintf(`{"keys":[{"kty":"OKP","crv":"Ed25519","kid":"k%d","x":%q}]}`, number, base64.RawURLEncoding.EncodeToString(public))
}

// token is signed by a key.
func token(number byte) string {
	text := base64.RawURLEncoding.EncodeToString(fmt.Appendf(nil, `{"alg":"EdDSA","kid":"k%d"}`, number)) + ".e30"
	return text + "." + base64.RawURLEncoding.EncodeToString(ed25519.Sign(private(number), []byte(text)))
}

func (i *issuer) RoundTrip(request *http.Request) (*http.Response, error) {
	i.requests.Add(1)
	i.mu.Lock()
	defer i.mu.Unlock()
	if i.slow > 0 {
		select {
		case <-time.After(i.slow):
		case <-request.Context().Done():
			return nil, request.Context().Err()
		}
	}
	if i.failure != nil {
		return nil, i.failure
	}
	status := i.status
	if status == 0 {
		status = http.StatusOK
	}
	return &http.Response{
		StatusCode: status, Header: i.header.Clone(), Request: request,
		Body: io.NopCloser(strings.NewReader(document(i.key))),
	}, nil
}

// running is an issuer and its keys, kept fresh. What f does takes no time but what it sleeps.
func running(t *testing.T, i *issuer, f func(t *testing.T, k *Keys)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		k, err := New("https://id.example/jwks.json", Options{Transport: i})
		if err != nil {
			t.Fatal(err)
		}
		if k.Current().Len() != 0 || !k.State().Fetched.IsZero() {
			t.Error("there are keys before the first fetch")
		}
		ctx, cancel := context.WithCancel(t.Context())
		ended := make(chan struct{})
		go func() {
			defer close(ended)
			k.Run(ctx)
		}()
		synctest.Wait()
		f(t, k)
		cancel()
		<-ended
	})
}

// verify is what a gateway does with a token.
func verify(k *Keys, tok string) error {
	synctest.Wait() // for what is due at this moment
	_, _, err := (&jwt.Policy{}).Verify(tok, k.Current(), time.Now())
	if jwt.NewerKeysMayHelp(err) {
		k.Miss()
	}
	synctest.Wait()
	return err
}

func expectRequests(t *testing.T, i *issuer, want int64) {
	t.Helper()
	if got := i.requests.Load(); got != want {
		t.Errorf("%d requests; want %d", got, want)
	}
}

func TestFreshness(t *testing.T) {
	f := func(cacheControl, age string, want time.Duration) {
		t.Helper()
		i := &issuer{key: 1, header: http.Header{"Cache-Control": {cacheControl}, "Age": {age}}}
		running(t, i, func(t *testing.T, k *Keys) {
			if err := verify(k, token(1)); err != nil {
				t.Error(err)
			}
			time.Sleep(want - time.Millisecond)
			synctest.Wait()
			if got := i.requests.Load(); got != 1 {
				t.Errorf("%s, age %s: %d requests before %s", cacheControl, age, got, want)
			}
			time.Sleep(2 * time.Millisecond)
			synctest.Wait()
			if got := i.requests.Load(); got != 2 {
				t.Errorf("%s, age %s: %d requests after %s; want 2", cacheControl, age, got, want)
			}
		})
	}
	f("max-age=1800", "", 30*time.Minute)
	f("public, MAX-AGE=1800, must-revalidate", "", 30*time.Minute)
	f(`max-age="1800"`, "", 30*time.Minute)
	f("max-age=1800", "600", 20*time.Minute)
	f("max-age=1800", "1e9", 30*time.Minute)
	f("max-age=1800", "9999", MinLifetime)
	f("", "", defaultLifetime)
	f("private", "", defaultLifetime)
	f("max-age=0", "", MinLifetime)
	f("max-age=299", "", MinLifetime)
	f("no-store, max-age=1800", "", MinLifetime)
	f("max-age=1800, no-cache", "", MinLifetime)
	f("max-age=31536000", "", MaxLifetime)
	f("max-age=99999999999999999999", "", MaxLifetime)
	f("max-age=-1", "", MinLifetime)
	f("max-age=soon", "", MinLifetime)
}

// TestRotation checks that a key that was published a moment ago is known soon, and one that was withdrawn is forgotten.
func TestRotation(t *testing.T) {
	i := &issuer{key: 1, header: http.Header{"Cache-Control": {"max-age=3600"}}}
	running(t, i, func(t *testing.T, k *Keys) {
		time.Sleep(10 * time.Minute)
		i.set(func(i *issuer) { i.key = 2 })
		if err := verify(k, token(2)); jwt.KindOf(err) != jwt.UnknownKey {
			t.Errorf("a key that was not fetched yet: %v", err)
		}
		if err := verify(k, token(2)); err != nil { // the last fetch is long ago: the next is at once
			t.Errorf("after the miss: %v", err)
		}
		if err := verify(k, token(1)); jwt.KindOf(err) != jwt.UnknownKey {
			t.Errorf("a key that was withdrawn: %v", err)
		}
		// It just fetched: another rotation is seen after the interval.
		i.set(func(i *issuer) { i.key = 3 })
		if err := verify(k, token(3)); jwt.KindOf(err) != jwt.UnknownKey {
			t.Errorf("a second rotation: %v", err)
		}
		time.Sleep(missInterval)
		if err := verify(k, token(3)); err != nil {
			t.Errorf("the second rotation, half a minute later: %v", err)
		}
		expectRequests(t, i, 3)
	})
}

// TestFlood sends tokens of unknown keys without end.
func TestFlood(t *testing.T) {
	i := &issuer{key: 1}
	running(t, i, func(t *testing.T, k *Keys) {
		const length = time.Hour
		unknown, good := token(99), token(1)
		for began := time.Now(); time.Since(began) < length; time.Sleep(5 * time.Second) {
			for range 3 {
				if err := verify(k, unknown); jwt.KindOf(err) != jwt.UnknownKey {
					t.Fatal(err)
				}
			}
			if err := verify(k, good); err != nil {
				t.Fatal(err)
			}
		}
		if got, most := i.requests.Load(), int64(length/missInterval)+1; got > most || got < most-2 {
			t.Errorf("%d requests in an hour; want at most %d", got, most)
		}
	})
	// Tokens that are wrong in another way ask for nothing.
	running(t, i, func(t *testing.T, k *Keys) {
		before := i.requests.Load()
		for _, tok := range []string{"", "a.b.c", token(1) + "A", strings.Replace(token(1), ".e30.", ".e30K.", 1), "eyJhbGciOiJub25lIn0.e30."} {
			if verify(k, tok) == nil {
				t.Errorf("%s is accepted", tok)
			}
			time.Sleep(missInterval)
		}
		if got := i.requests.Load(); got != before {
			t.Errorf("%d requests for tokens that newer keys cannot help", got-before)
		}
	})
}

// TestOutage checks that the keys stay while the issuer is away, whichever way it is, and that it is asked less often.
func TestOutage(t *testing.T) {
	f := func(name string, begin func(*issuer)) {
		t.Helper()
		i := &issuer{key: 1, header: http.Header{"Cache-Control": {"max-age=300"}}}
		running(t, i, func(t *testing.T, k *Keys) {
			fetched := k.State().Fetched
			i.set(begin)
			time.Sleep(MinLifetime + time.Hour)
			synctest.Wait()
			if err := verify(k, token(1)); err != nil {
				t.Errorf("%s: after an hour of it: %v", name, err)
			}
			if s := k.State(); s.Err == nil || !s.Fetched.Equal(fetched) || s.Keys != 1 || time.Since(s.Tried) > lastRetry+fetchTimeout {
				t.Errorf("%s: the state is %+v", name, s)
			}
			if got := i.requests.Load(); got < 12 || got > 24 {
				t.Errorf("%s: %d requests in an hour of it", name, got)
			}
			i.set(func(i *issuer) { i.failure, i.status, i.slow, i.key = nil, 0, 0, 2 })
			time.Sleep(lastRetry + fetchTimeout)
			if err := verify(k, token(2)); err != nil {
				t.Errorf("%s: when it is over: %v", name, err)
			}
			if s := k.State(); s.Err != nil {
				t.Errorf("%s: when it is over the state has %v", name, s.Err)
			}
		})
	}
	f("no connection", func(i *issuer) { i.failure = errors.New("connection refused") })
	f("server error", func(i *issuer) { i.status = http.StatusInternalServerError })
	f("not found", func(i *issuer) { i.status = http.StatusNotFound })
	f("no answer", func(i *issuer) { i.slow = time.Hour })
}

// TestOutageAtStart checks that the first retries come soon.
func TestOutageAtStart(t *testing.T) {
	i := &issuer{key: 1, failure: errors.New("connection refused")}
	running(t, i, func(t *testing.T, k *Keys) {
		if err := verify(k, token(1)); jwt.KindOf(err) != jwt.UnknownKey || !strings.Contains(err.Error(), "there are no keys") {
			t.Errorf("without keys: %v", err)
		}
		time.Sleep(firstRetry - time.Second)
		i.set(func(i *issuer) { i.failure = nil })
		time.Sleep(2 * time.Second)
		if err := verify(k, token(1)); err != nil {
			t.Error(err)
		}
		expectRequests(t, i, 2)
	})
}

// TestSecondOutage checks that an outage that is over does not slow the retries of the next.
func TestSecondOutage(t *testing.T) {
	i := &issuer{key: 1, header: http.Header{"Cache-Control": {"max-age=300"}}, failure: errors.New("connection refused")}
	running(t, i, func(t *testing.T, k *Keys) {
		time.Sleep(time.Hour)
		i.set(func(i *issuer) { i.failure = nil })
		time.Sleep(lastRetry + time.Second)
		fetched := k.State().Fetched
		if fetched.IsZero() {
			t.Fatal("nothing was fetched")
		}
		i.set(func(i *issuer) { i.failure = errors.New("connection refused") })
		time.Sleep(time.Until(fetched.Add(MinLifetime + time.Second)))
		i.set(func(i *issuer) { i.failure = nil })
		time.Sleep(firstRetry)
		synctest.Wait()
		if s := k.State(); !s.Fetched.Equal(fetched.Add(MinLifetime + firstRetry)) {
			t.Errorf("fetched %s after the second outage began; want %s", s.Fetched.Sub(fetched.Add(MinLifetime)), firstRetry)
		}
	})
}

// TestMissInOutage checks that tokens of new keys shorten the wait when an outage was long.
func TestMissInOutage(t *testing.T) {
	i := &issuer{key: 1, failure: errors.New("connection refused")}
	running(t, i, func(t *testing.T, k *Keys) {
		time.Sleep(time.Hour)
		synctest.Wait()
		before := i.requests.Load()
		for range 60 {
			_ = verify(k, token(1))
			time.Sleep(10 * time.Second)
		}
		if got := i.requests.Load() - before; got < 18 || got > 21 {
			t.Errorf("%d requests in ten minutes; want one every half minute", got)
		}
	})
}

func TestFetchIsOneAtATime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		i := &issuer{key: 1, slow: time.Second}
		k, err := New("https://id.example/jwks.json", Options{Transport: i})
		if err != nil {
			t.Fatal(err)
		}
		began := time.Now()
		var group sync.WaitGroup
		for range 3 {
			group.Go(func() {
				if err := k.Fetch(t.Context()); err != nil {
					t.Error(err)
				}
			})
		}
		synctest.Wait()
		ctx, cancel := context.WithTimeout(t.Context(), time.Millisecond)
		defer cancel()
		if err := k.Fetch(ctx); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("a fetch that nobody waits for: %v", err)
		}
		group.Wait()
		if took := time.Since(began); took != 3*time.Second {
			t.Errorf("three fetches took %s", took)
		}
	})
}

// TestCancelledFetch checks that a fetch that was given up says nothing about the issuer.
func TestCancelledFetch(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		i := &issuer{key: 1, slow: time.Second}
		k, err := New("https://id.example/jwks.json", Options{Transport: i})
		if err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithTimeout(t.Context(), time.Millisecond)
		defer cancel()
		if err := k.Fetch(ctx); !errors.Is(err, context.DeadlineExceeded) || k.State().Err != nil || !k.State().Tried.IsZero() {
			t.Errorf("%v, %+v", err, k.State())
		}
	})
}
