package oidc

import (
	"bytes"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"encoding/base64"
	"errors"
	"log/slog"
	"net/http"
	"net/url"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/seshat-project/seshat"
)

func TestSignIn(t *testing.T) {
	f := newFake(t)
	p := newProvider(t, f.options())
	sealed, state := f.begin(p, "/sessions?filter=user:ann")
	if strings.Contains(sealed, state) {
		t.Error("what the browser keeps can be read")
	}
	for name, want := range map[string]string{
		"response_type": "code", "client_id": "client", "scope": "openid email profile", "code_challenge_method": "S256",
		"redirect_uri": "https://console.example/sign-in/oidc/callback",
	} {
		if got := f.asked.Get(name); got != want {
			t.Errorf("%s is %q, want %q", name, got, want)
		}
	}
	got, err := p.End(t.Context(), sealed, Answer{State: state, Code: "good-code"})
	if err != nil {
		t.Fatal(err, Reason(err))
	}
	want := Person{
		Issuer: f.server.URL, Subject: "subject-1", Name: "Ann@shop.example", Display: "Ann Example", Role: "analyst",
		Next: "/sessions?filter=user:ann",
	}
	if *got != want {
		t.Errorf("%+v, want %+v", *got, want)
	}
	if f.basic != "secret-of-the-client" || f.infos != 0 {
		t.Errorf("the client said the secret %q, and asked userinfo %d times", f.basic, f.infos)
	}
	if got, want := p.SignOutURL(), f.server.URL+"/end?a=b&client_id=client&post_logout_redirect_uri=https%3A%2F%2Fconsole.example%2Fsign-in"; got != want {
		t.Errorf("the sign-out is at %s, want %s", got, want)
	}
}

// TestSignInIsRefused has one thing wrong with an otherwise good sign-in.
func TestSignInIsRefused(t *testing.T) {
	other, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	unsigned := func(payload []byte) string {
		return base64.RawURLEncoding.EncodeToString([]byte(`{"alg":"none"}`)) + "." + base64.RawURLEncoding.EncodeToString(payload) + "."
	}
	claim := func(name string, value any) func(*fakeProvider, *Answer) {
		return func(f *fakeProvider, _ *Answer) { f.claims = map[string]any{name: value} }
	}
	for name, c := range map[string]struct {
		change func(*fakeProvider, *Answer)
		reason string
		says   string
	}{
		"another state":              {func(_ *fakeProvider, a *Answer) { a.State = "x" + a.State[1:] }, "the state is another one", "not begun in this browser"},
		"no state":                   {func(_ *fakeProvider, a *Answer) { a.State = "" }, "the state is another one", "not begun in this browser"},
		"another code":               {func(_ *fakeProvider, a *Answer) { a.Code = "x" }, "invalid_grant", "did not say who you are"},
		"no code":                    {func(_ *fakeProvider, a *Answer) { a.Code = "" }, "no code", "not begun"},
		"an answer of another":       {func(_ *fakeProvider, a *Answer) { a.Issuer = "https://evil.example" }, "another issuer", "not begun"},
		"no":                         {func(_ *fakeProvider, a *Answer) { a.Error, a.Code = "access_denied", "" }, "access_denied", "says no: access_denied"},
		"a no of its own words":      {func(_ *fakeProvider, a *Answer) { a.Error = "Call 555-1234" }, "another error", "says no: another error"},
		"another nonce":              {claim("nonce", "x"), "another nonce", "did not say"},
		"no nonce":                   {claim("nonce", nil), "another nonce", "did not say"},
		"another issuer":             {claim("iss", "https://evil.example"), "different provider", "did not say"},
		"another audience":           {claim("aud", "evil"), "expected audience", "did not say"},
		"several audiences":          {claim("aud", []string{"client", "evil"}), "says no party", "did not say"},
		"another party":              {claim("azp", "evil"), "another party", "did not say"},
		"an end that is past":        {claim("exp", time.Now().Add(-2*Skew).Unix()), "expired", "did not say"},
		"a beginning to come":        {claim("iat", time.Now().Add(2*Skew).Unix()), "from the future", "did not say"},
		"a token from before":        {claim("iat", time.Now().Add(-2*Skew).Unix()), "before the sign-in began", "did not say"},
		"no time":                    {claim("iat", nil), "no iat", "did not say"},
		"no subject":                 {claim("sub", nil), "no sub", "did not say"},
		"another access token":       {claim("at_hash", "AAAAAAAAAAAAAAAAAAAAAA"), "at_hash", "did not say"},
		"another key":                {func(f *fakeProvider, _ *Answer) { f.sign = func(b []byte) string { return signWith(t, other, b) } }, "signature", "did not say"},
		"no signature":               {func(f *fakeProvider, _ *Answer) { f.sign = unsigned }, "malformed", "did not say"},
		"no role":                    {claim("groups", []string{"others"}), "no role", "may not use this console"},
		"a name that cannot be seen": {func(f *fakeProvider, _ *Answer) { f.claims = map[string]any{"email": "a\u202eb"} }, "no claim", "no name"},
		"no token": {func(f *fakeProvider, _ *Answer) {
			f.tokens = func(w http.ResponseWriter, _ *http.Request) bool {
				f.write(w, map[string]any{"access_token": "a", "token_type": "Bearer"})
				return true
			}
		}, "no id_token", "did not say"},
		"somebody else's userinfo": {func(f *fakeProvider, _ *Answer) {
			f.claims, f.info = map[string]any{"email": nil}, map[string]any{"sub": "subject-2", "email": "b@shop.example", "email_verified": true}
		}, "not of who signed in", "did not say"},
	} {
		t.Run(name, func(t *testing.T) {
			f := newFake(t)
			p := newProvider(t, f.options())
			sealed, state := f.begin(p, "")
			answer := Answer{State: state, Code: "good-code"}
			f.set(func() { c.change(f, &answer) })
			person, err := p.End(t.Context(), sealed, answer)
			if err == nil {
				t.Fatalf("it is accepted: %+v", person)
			}
			if seshat.KindOfError(err) != seshat.ErrorInvalid || !strings.Contains(err.Error(), c.says) {
				t.Errorf("it says %v, want %q", err, c.says)
			}
			if reason := Reason(err).Error(); !strings.Contains(reason, c.reason) {
				t.Errorf("the reason is %q, want %q", reason, c.reason)
			}
			for _, secret := range []string{"secret-of-the-answer", "secret-of-the-client", fakeAccess, sealed} {
				if strings.Contains(err.Error()+Reason(err).Error(), secret) {
					t.Errorf("the error holds %q", secret)
				}
			}
		})
	}
}

// TestAttemptsAreOfOneBrowserAndOnce uses what another browser keeps, nothing, what was changed, and the same twice.
func TestAttemptsAreOfOneBrowserAndOnce(t *testing.T) {
	f := newFake(t)
	p := newProvider(t, f.options())
	foreign, _ := f.begin(p, "")
	elsewhere, _ := f.begin(newProvider(t, f.options()), "") // another process
	sealed, state := f.begin(p, "")
	for what, kept := range map[string]string{
		"another attempt": foreign, "nothing": "", "what is no base64": "é", "what was changed": sealed[:len(sealed)-2] + "AA",
		"what another process sealed": elsewhere, "too much": strings.Repeat("A", maxSealed+1), "something short": "AAAA",
	} {
		if _, err := p.End(t.Context(), kept, Answer{State: state, Code: "good-code"}); err == nil || !strings.Contains(err.Error(), "not begun in this browser") {
			t.Errorf("%s: %v", what, err)
		}
	}
	if f.redeemed != 0 {
		t.Fatalf("the provider was asked %d times", f.redeemed)
	}
	if _, err := p.End(t.Context(), sealed, Answer{State: state, Code: "good-code"}); err != nil {
		t.Fatal(err, Reason(err))
	}
	if _, err := p.End(t.Context(), sealed, Answer{State: state, Code: "good-code"}); err == nil || !strings.Contains(err.Error(), "ended already") {
		t.Errorf("the same again: %v", err)
	}
	if f.redeemed != 1 {
		t.Errorf("the provider was asked %d times", f.redeemed)
	}
}

func TestAttemptsEnd(t *testing.T) {
	f := newFake(t)
	o, now := f.options(), time.Now()
	o.Now = func() time.Time { return now }
	p := newProvider(t, o)
	sealed, state := f.begin(p, "")
	now = now.Add(AttemptTime)
	if _, err := p.End(t.Context(), sealed, Answer{State: state, Code: "good-code"}); err == nil || !strings.Contains(Reason(err).Error(), "too old") {
		t.Errorf("after %v: %v", AttemptTime, err)
	}
}

// TestClocksMayDiffer accepts what is within the skew, on both sides.
func TestClocksMayDiffer(t *testing.T) {
	for _, off := range []time.Duration{-Skew + 2*time.Second, Skew - 2*time.Second} {
		f := newFake(t)
		p := newProvider(t, f.options())
		sealed, state := f.begin(p, "")
		f.set(func() {
			f.claims = map[string]any{"iat": time.Now().Add(off).Unix(), "exp": time.Now().Add(off + time.Second).Unix()}
		})
		if _, err := p.End(t.Context(), sealed, Answer{State: state, Code: "good-code"}); err != nil {
			t.Errorf("a clock that is %v off: %v, %v", off, err, Reason(err))
		}
	}
}

func TestUserInfoFillsIn(t *testing.T) {
	f := newFake(t)
	f.claims = map[string]any{"email": nil, "email_verified": nil, "name": nil, "groups": nil, "sub": "subject-1"}
	f.info = map[string]any{"sub": "subject-1", "email": "ann@shop.example", "email_verified": "true", "name": "Ann", "groups": "admins"}
	p := newProvider(t, f.options())
	sealed, state := f.begin(p, "")
	got, err := p.End(t.Context(), sealed, Answer{State: state, Code: "good-code"})
	if err != nil {
		t.Fatal(err, Reason(err))
	}
	if got.Name != "ann@shop.example" || got.Role != "admin" || got.Display != "Ann" {
		t.Errorf("%+v", got)
	}
}

// TestProviderIsAway begins while the provider is down: that is said, it is not asked all the time, and found again.
func TestProviderIsAway(t *testing.T) {
	f := newFake(t)
	f.down = true
	o, now := f.options(), time.Now()
	o.Now = func() time.Time { return now }
	p := newProvider(t, o)
	for range 3 {
		_, err := p.Begin(t.Context(), "")
		if seshat.KindOfError(err) != seshat.ErrorUnavailable || !strings.Contains(err.Error(), "cannot be reached") {
			t.Fatal(err)
		}
	}
	f.set(func() { f.down = false })
	if _, err := p.Begin(t.Context(), ""); err == nil || p.Known() {
		t.Error("it was asked again at once")
	}
	now = now.Add(retryFloor)
	sealed, state := f.begin(p, "")
	f.set(func() { f.down = true })
	if _, err := p.End(t.Context(), sealed, Answer{State: state, Code: "good-code"}); seshat.KindOfError(err) != seshat.ErrorUnavailable {
		t.Errorf("it goes down before the end: %v", err)
	}
}

// TestWatch finds a provider that comes later, by itself.
func TestWatch(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var down atomic.Bool
		var asked atomic.Int64
		down.Store(true)
		var said bytes.Buffer
		p := newProvider(t, Options{
			Issuer: "https://id.example", ClientID: "a", Callback: "https://c.example", Logger: slog.New(slog.NewTextHandler(&said, nil)),
			Transport: roundTrip(func(r *http.Request) (*http.Response, error) {
				asked.Add(1)
				if down.Load() {
					return nil, errors.New("no route to host")
				}
				return answerJSON(r, `{"issuer":"https://id.example","authorization_endpoint":"https://id.example/a","token_endpoint":"https://id.example/t","jwks_uri":"https://id.example/k"}`), nil
			}),
		})
		ctx, stop := context.WithCancel(t.Context())
		ended := make(chan struct{})
		go func() { p.Watch(ctx); close(ended) }()
		time.Sleep(10 * time.Minute)
		if n := asked.Load(); n < 10 || n > 20 || p.Known() {
			t.Errorf("in ten minutes it was asked %d times", n)
		}
		down.Store(false)
		time.Sleep(lastRetry)
		synctest.Wait()
		if !p.Known() {
			t.Error("it is not found")
		}
		stop()
		<-ended
		if n := strings.Count(said.String(), "\n"); n != 2 {
			t.Errorf("%d lines are logged:\n%s", n, said.String())
		}
	})
}

type roundTrip func(*http.Request) (*http.Response, error)

func (f roundTrip) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

func answerJSON(r *http.Request, text string) *http.Response {
	return &http.Response{
		StatusCode: http.StatusOK, Status: "200 OK", Header: http.Header{"Content-Type": {"application/json"}},
		Body: readCloser{strings.NewReader(text)}, Request: r,
	}
}

type readCloser struct{ *strings.Reader }

func (readCloser) Close() error { return nil }

// TestBadDescriptions are of providers that must not be used.
func TestBadDescriptions(t *testing.T) {
	f := func(metadata map[string]any, want string) {
		t.Helper()
		fake := newFake(t)
		fake.metadata = metadata
		_, err := newProvider(t, fake.options()).Begin(t.Context(), "")
		if err == nil || !strings.Contains(Reason(err).Error(), want) {
			t.Errorf("%v: %v, want %q", metadata, err, want)
		}
	}
	f(map[string]any{"issuer": "https://evil.example"}, "did not match the issuer")
	f(map[string]any{"authorization_endpoint": "http://evil.example/auth"}, "no good authorization_endpoint")
	f(map[string]any{"token_endpoint": nil}, "no good token_endpoint")
	f(map[string]any{"jwks_uri": "file:///etc/passwd"}, "no good jwks_uri")
	f(map[string]any{"end_session_endpoint": "javascript:alert(1)"}, "no good end_session_endpoint")
	f(map[string]any{"extra": strings.Repeat("x", maxAnswer)}, "the answer has more than")
}

// TestIssuerNamesItself holds a provider to what it says it sends (RFC 9207).
func TestIssuerNamesItself(t *testing.T) {
	f := newFake(t)
	f.metadata = map[string]any{"authorization_response_iss_parameter_supported": true}
	p := newProvider(t, f.options())
	sealed, state := f.begin(p, "")
	if _, err := p.End(t.Context(), sealed, Answer{State: state, Code: "good-code"}); err == nil {
		t.Error("an answer without iss is accepted")
	}
	sealed, state = f.begin(p, "")
	if _, err := p.End(t.Context(), sealed, Answer{State: state, Code: "good-code", Issuer: f.server.URL}); err != nil {
		t.Error(err)
	}
}

// TestSecretsAreNotRedirected has a token endpoint that leads elsewhere.
func TestSecretsAreNotRedirected(t *testing.T) {
	f := newFake(t)
	p := newProvider(t, f.options())
	sealed, state := f.begin(p, "")
	f.set(func() {
		f.tokens = func(w http.ResponseWriter, r *http.Request) bool {
			http.Redirect(w, r, "/token", http.StatusTemporaryRedirect)
			return true
		}
	})
	if _, err := p.End(t.Context(), sealed, Answer{State: state, Code: "good-code"}); err == nil || !strings.Contains(Reason(err).Error(), "redirects") {
		t.Errorf("%v: %v", err, Reason(err))
	}
	if f.redeemed != 1 {
		t.Errorf("the code was sent %d times", f.redeemed)
	}
}

func TestBadOptions(t *testing.T) {
	f := func(o Options) {
		t.Helper()
		if _, err := New(o); err == nil {
			t.Errorf("%+v is accepted", o)
		}
	}
	f(Options{Issuer: "https://id.example", ClientID: "a"})
	f(Options{Issuer: "http://id.example", ClientID: "a", Callback: "https://c.example"})
	f(Options{Issuer: "https://u:p@id.example", ClientID: "a", Callback: "https://c.example"})
	f(Options{Issuer: "ftp://id.example", ClientID: "a", Callback: "https://c.example"})
	f(Options{ClientID: "a", Callback: "https://c.example"})
}

func TestLongNextIsLeftOut(t *testing.T) {
	f := newFake(t)
	p := newProvider(t, f.options())
	for length, kept := range map[int]bool{maxURL: true, maxURL + 1: false} {
		next := "/" + strings.Repeat("%", length-1)
		sealed, state := f.begin(p, next)
		if len(sealed) > 3000 {
			t.Errorf("a browser has to keep %d bytes", len(sealed))
		}
		person, err := p.End(t.Context(), sealed, Answer{State: state, Code: "good-code"})
		if err != nil {
			t.Fatal(err)
		}
		if (person.Next == next) != kept {
			t.Errorf("%d bytes are kept: %v", length, !kept)
		}
	}
}

func FuzzOpen(f *testing.F) {
	s, err := newSealer("a")
	if err != nil {
		f.Fatal(err)
	}
	good, err := s.seal(&attempt{State: "s"})
	if err != nil {
		f.Fatal(err)
	}
	f.Add(good)
	f.Add("")
	f.Add(url.QueryEscape(good))
	f.Fuzz(func(t *testing.T, sealed string) {
		if _, err := s.open(sealed); err == nil && strings.TrimRight(sealed, "\r\n") != good {
			t.Errorf("%q is opened", sealed)
		}
	})
}
