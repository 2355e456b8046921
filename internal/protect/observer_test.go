package protect

import (
	"encoding/json"
	"fmt"
	"net/netip"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"
	"unicode/utf8"
	"unsafe"

	"github.com/google/go-cmp/cmp"

	"github.com/seshat-project/seshat"
)

const (
	cookieSecret  = "s%3AZj3kq0s8y7hVbT2mQ9aXkI.signature"
	bearerSecret  = "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJhbGljZSIsInNpZCI6InRoZS1zaWQtMTIzNCJ9.c2lnbmF0dXJl"
	segmentSecret = "plainwordsecret"
	agentSecret   = "install-8d3f2a1b77"
	sidSecret     = "the-sid-1234"
)

var testTime = time.Date(2026, 1, 2, 3, 4, 5, 678901000, time.UTC)

func testExchange() *seshat.Exchange {
	return &seshat.Exchange{
		ID: "e1", Time: testTime, Duration: 12 * time.Millisecond, Environment: "prod",
		Client:  seshat.Client{IP: netip.MustParseAddr("203.0.113.9"), JA4: "t13d1516h2_8daaf6152771_e5627efa2ab1"},
		TraceID: "4bf92f3577b34da6a3ce929d0e0e4736",
		Request: seshat.Request{
			Method: "POST", Scheme: "https", Host: "api.shop.example", HTTPVersion: "1.1",
			Path:  "/v1/share/" + segmentSecret + "/orders/42;jsessionid=" + "pathparametersecret",
			Query: "token=querysecret",
			Header: []seshat.Field{
				{Name: "cookie", Value: "sid=" + cookieSecret},
				{Name: "authorization", Value: "Bearer " + bearerSecret},
				{Name: "user-agent", Value: "App/1.0 (" + agentSecret + ")"},
				{Name: "Accept-Language", Value: "de"},
				{Name: "Referer", Value: "https://User:password@Shop.example:8443/cart?token=querysecret"},
			},
			Body: seshat.Body{Bytes: []byte("bodysecret"), Size: 100},
		},
		Response: seshat.Response{Status: 201, Body: seshat.Body{Bytes: []byte("bodysecret")}},
	}
}

func testIdentity() *seshat.Identity {
	return &seshat.Identity{
		Grouping: 1,
		IDs: []seshat.FoundID{
			{Value: cookieSecret, Rule: seshat.RuleIDFor("shop"), Index: 2, Name: "shop", Where: seshat.LocationCookie, Key: "sid", Lifetime: time.Hour},
			{
				Value: bearerSecret, Name: "bearer", Origin: seshat.OriginBuiltIn, Kind: seshat.KindAccessToken, Where: seshat.LocationHeader, Key: "authorization",
				ExpiresAt: testTime.Add(time.Hour),
				Token:     seshat.TokenClaims{Issuer: "https://op.example", Subject: "alice", SessionID: sidSecret, ID: "jti-secret-1", IssuedAt: testTime, ExpiresAt: testTime.Add(time.Hour)},
			},
			{Value: segmentSecret, Name: "share", Where: seshat.LocationPathSegment, Key: "2"},
			{Value: agentSecret, Name: "install", Where: seshat.LocationUserAgent},
			{Value: "clear-value", Name: "clear", Clear: true, Where: seshat.LocationHeader, Key: "X-Clear"},
			{Name: "gone", Deleted: true, Side: seshat.InResponse, Where: seshat.LocationCookie, Key: "gone"},
			{Value: "203.0.113.9", Name: "ip", Origin: seshat.OriginFallback, Kind: seshat.KindAddress, Where: seshat.LocationClientIP},
		},
		Parameters: []seshat.FoundParameter{
			{Name: "plan", Value: "gold"},
			{Name: "user", Type: seshat.ParameterUser, Value: "alice", Weak: true},
			{Name: "card", Value: "cardsecret", Hash: true, Side: seshat.InResponse},
			{Name: "cookies", Value: "sid=" + cookieSecret + "; a=1"},
		},
		Flows: []seshat.FlowMatch{{Name: "checkout", Type: seshat.FlowBilling}},
	}
}

func testObserver() *Observer { return NewObserver(NewDigester([]byte("test key"))) }

func TestObserve(t *testing.T) {
	h := NewDigester([]byte("test key")).Hasher()
	digits := func(d seshat.Digest) string { return d.String()[:12] }
	got := testObserver().Observe(testExchange(), testIdentity(), nil)
	want := &seshat.Observation{
		ID: "e1", Time: testTime, Duration: 12 * time.Millisecond, Environment: "prod", Service: "api.shop.example",
		Method: "POST", Scheme: "https", Host: "api.shop.example",
		Path:     "/v1/share/~" + digits(h.HashString(segmentSecret)) + "/orders/42;jsessionid=*",
		Endpoint: "/v1/share/{var1}/orders/{var2}", HTTPVersion: "1.1", Status: 201, RequestBytes: 100, ResponseBytes: 10,
		ClientIP: netip.MustParseAddr("203.0.113.9"), UserAgent: "App/1.0 (in…77(18))", JA4: "t13d1516h2_8daaf6152771_e5627efa2ab1",
		Device: h.HashLabelled("device", "de", "", "", ""), Origin: "https://shop.example:8443", TraceID: "4bf92f3577b34da6a3ce929d0e0e4736",
		Grouping: 1,
		IDs: []seshat.ObservedID{
			{Digest: h.HashString(cookieSecret), Masked: "s%3A…re(36)", Rule: seshat.RuleIDFor("shop"), Index: 2, Name: "shop", Where: seshat.LocationCookie, Key: "sid", Lifetime: time.Hour},
			{
				Digest: h.HashString(bearerSecret), Masked: "eyJh…Jl(82)", Name: "bearer", Origin: seshat.OriginBuiltIn, Kind: seshat.KindAccessToken, Where: seshat.LocationHeader, Key: "authorization",
				ExpiresAt: testTime.Add(time.Hour), Token: seshat.ObservedClaims{
					IsToken: true, Issuer: "https://op.example", Subject: "alice",
					SessionID: h.HashLabelled("sid", "https://op.example", sidSecret), IssuedAt: testTime, ExpiresAt: testTime.Add(time.Hour),
				},
			},
			{Digest: h.HashString(segmentSecret), Masked: "…(15)", Name: "share", Where: seshat.LocationPathSegment, Key: "2"},
			{Digest: h.HashString(agentSecret), Masked: "in…77(18)", Name: "install", Where: seshat.LocationUserAgent},
			{Digest: h.HashString("clear-value"), Masked: "clear-value", Name: "clear", Where: seshat.LocationHeader, Key: "X-Clear"},
			{Name: "gone", Deleted: true, Side: seshat.InResponse, Where: seshat.LocationCookie, Key: "gone"},
			{Digest: h.HashString("203.0.113.9"), Masked: "203.0.113.9", Name: "ip", Origin: seshat.OriginFallback, Kind: seshat.KindAddress, Where: seshat.LocationClientIP},
		},
		Parameters: []seshat.Parameter{
			{Name: "plan", Value: "gold"},
			{Name: "user", Type: seshat.ParameterUser, Value: "alice", Weak: true},
			{Name: "card", Value: h.HashLabelled("parameter", "cardsecret").String(), Side: seshat.InResponse},
			{Name: "cookies", Value: "sid=s%3A…re(36); a=1"},
		},
		Flows: []seshat.FlowMatch{{Name: "checkout", Type: seshat.FlowBilling}},
	}
	if diff := cmp.Diff(want, got, cmp.Comparer(func(a, b netip.Addr) bool { return a == b })); diff != "" {
		t.Errorf("-want +got\n%s", diff)
	}
}

// TestObservationHoldsNoSecret looks for every secret of the exchange in everything that can be printed of its
// observation.
func TestObservationHoldsNoSecret(t *testing.T) {
	o := testObserver()
	obs := o.Observe(testExchange(), testIdentity(), nil)
	text, err := json.Marshal(obs)
	if err != nil {
		t.Fatal(err)
	}
	for _, printed := range []string{string(text), fmt.Sprintf("%#v %#v", *obs, obs.IDs), fmt.Sprintf("%+v", o.names.kept)} {
		for _, secret := range []string{
			cookieSecret, bearerSecret, segmentSecret, agentSecret, sidSecret, "querysecret", "cardsecret",
			"bodysecret", "jti-secret", "pathparametersecret", "password", "signature", "c2lnbmF0dXJl",
		} {
			if strings.Contains(printed, secret) {
				t.Errorf("%q is in %s", secret, printed)
			}
		}
	}
}

// TestObservationOwnsItsMemory overwrites the exchange's buffer after it was observed.
func TestObservationOwnsItsMemory(t *testing.T) {
	o := testObserver()
	observe := func() *seshat.Observation {
		buffers := [][]byte{}
		alias := func(s *string) {
			b := []byte(*s)
			buffers = append(buffers, b)
			*s = stringAlias(b)
		}
		x, id := testExchange(), testIdentity()
		for _, s := range []*string{&x.ID, &x.Environment, &x.Client.JA4, &x.TraceID, &x.Request.Method, &x.Request.Scheme, &x.Request.Host, &x.Request.Path} {
			alias(s)
		}
		for i := range x.Request.Header {
			alias(&x.Request.Header[i].Value)
		}
		for i := range id.IDs {
			alias((*string)(&id.IDs[i].Value))
			alias(&id.IDs[i].Name)
			alias(&id.IDs[i].Key)
			alias(&id.IDs[i].Token.Issuer)
			alias(&id.IDs[i].Token.Subject)
		}
		for i := range id.Parameters {
			alias(&id.Parameters[i].Value)
		}
		obs := o.Observe(x, id, nil)
		for _, b := range buffers {
			for i := range b {
				b[i] = '#'
			}
		}
		return obs
	}
	want := testObserver().Observe(testExchange(), testIdentity(), nil)
	for range 2 {
		if got := observe(); !reflect.DeepEqual(got, want) {
			t.Errorf("\n got %+v\nwant %+v", got, want)
		}
	}
}

// stringAlias is b as a string that changes with b.
func stringAlias(b []byte) string { return unsafe.String(unsafe.SliceData(b), len(b)) }

func TestObservePath(t *testing.T) {
	o := testObserver()
	h := NewDigester([]byte("test key")).Hasher()
	f := func(path, wantPath, wantEndpoint string, ids ...seshat.FoundID) {
		t.Helper()
		x := &seshat.Exchange{Request: seshat.Request{Path: path}}
		got := o.Observe(x, &seshat.Identity{IDs: ids}, nil)
		if got.Path != wantPath || got.Endpoint != wantEndpoint {
			t.Errorf("path %q\n got %q, %q\nwant %q, %q", path, got.Path, got.Endpoint, wantPath, wantEndpoint)
		}
	}
	id := func(value string) seshat.FoundID { return seshat.FoundID{Value: seshat.ClientSessionID(value)} }
	mark := func(d seshat.Digest) string { return "~" + d.String()[:12] }
	f("/orders/42", "/orders/42", "/orders/{var1}")
	f("/orders/42", "/orders/"+mark(h.HashString("42")), "/orders/{var1}", id("42"))
	f("/orders/420", "/orders/420", "/orders/{var1}", id("42")) // too short to be told from chance
	f("/t/my%20token%20value/x", "/t/"+mark(h.HashString("my token value"))+"/x", "/t/{var1}/x", id("my token value"))
	f("/t/id-sessionword", "/t/"+mark(h.HashString("sessionword")), "/t/{var1}", id("sessionword"))
	f("/reset/"+bearerSecret+"/x", "/reset/"+mark(h.HashLabelled("path", bearerSecret))+"/x", "/reset/{var1}/x")
	f("/o/550e8400-e29b-41d4-a716-446655440000", "/o/550e8400-e29b-41d4-a716-446655440000", "/o/{var1}")
	f("/o/5f8d0d55b54764421b7156c35f8d0d55", "/o/"+mark(h.HashLabelled("path", "5f8d0d55b54764421b7156c35f8d0d55")), "/o/{var1}")
	for _, token := range []string{"SECRETseg0123456789abc", "secret01234567890token", "x-SECRETseg0123456789abc"} {
		f("/reset/"+token+"/x", "/reset/"+mark(h.HashLabelled("path", token))+"/x", "/reset/{var1}/x")
	}
	for _, name := range []string{
		"01234567890123456789", "screenshot20260102030405", "2026-01-02T03:04:05.000Z", "0123456789.0123456789.0123456789",
		"order-2026-000123-europe-west1", "SECRET0123456789abc",
	} {
		f("/o/"+name, "/o/"+name, "/o/{var1}")
	}
	f("/a-long-name-of-an-ordinary-article", "/a-long-name-of-an-ordinary-article", "/a-long-name-of-an-ordinary-article")
	f("/a;b=1;c;d=/x;e=2", "/a;b=*;*;d=*/x;e=*", "/a/x")
	f("/a;secretsecret=1;secretsecret", "/a;*;*", "/a", id("secretsecret"))
	// An ID that a transformation made from a segment is not found in it: all values are masked.
	made := id("decoded")
	made.Where = seshat.LocationPathSegment
	f("/u/ZGVjb2RlZA==/me", "/u/"+mark(h.HashLabelled("path", "ZGVjb2RlZA=="))+"/me", "/u/{var1}/me", made)
	f("/a\x00b/\x1b[31m", "/ab/\uFFFD[31m", "/{var1}/{var2}")
	f("", "", "/")
}

func TestObserveFallback(t *testing.T) {
	o := testObserver()
	f := func(agent, want string, ids ...seshat.FoundID) {
		t.Helper()
		ids = append(ids, seshat.FoundID{Value: seshat.ClientSessionID("203.0.113.9 " + agent), Origin: seshat.OriginFallback, Kind: seshat.KindUserAgent})
		got := o.Observe(&seshat.Exchange{}, &seshat.Identity{IDs: ids}, nil)
		if shown := got.IDs[len(ids)-1].Masked; shown != want {
			t.Errorf("user agent %q\n got %q\nwant %q", agent, shown, want)
		}
	}
	f("curl/8", "203.0.113.9 curl/8")
	f("Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko)", "203.0.113.9 Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKi…")
	f(strings.Repeat("é", 100), "203.0.113.9 "+strings.Repeat("é", 26)+"…")
	f("a\x00\x1b[31m\xff", "203.0.113.9 a\uFFFD[31m\uFFFD")
	f(strings.Repeat("\x1b", 100), "203.0.113.9 "+strings.Repeat("\uFFFD", 17)+"…")
	f("App (sessionword)", "203.0.113.9 App (…(11))", seshat.FoundID{Value: "sessionword"})
}

// hidden hides request headers by name.
type hidden []string

func (h hidden) Hides(side seshat.Side, l seshat.Location, name string) bool {
	return side == seshat.InRequest && l == seshat.LocationHeader && slices.Contains(h, name)
}

func TestObserveHidden(t *testing.T) {
	o := testObserver()
	headers := []string{"User-Agent", "Origin", "Referer", "Accept-Language", "Sec-CH-UA", "Sec-CH-UA-Platform", "Sec-CH-UA-Mobile"}
	exchange := func(names ...string) *seshat.Exchange {
		x := &seshat.Exchange{}
		for _, name := range names {
			x.Request.Header = append(x.Request.Header, seshat.Field{Name: strings.ToLower(name), Value: "https://" + name})
		}
		return x
	}
	for i, name := range headers {
		without := slices.Delete(slices.Clone(headers), i, i+1)
		got := o.Observe(exchange(headers...), &seshat.Identity{}, hidden{name})
		want := o.Observe(exchange(without...), &seshat.Identity{}, nil)
		if !reflect.DeepEqual(got, want) {
			t.Errorf("%s is hidden\n got %+v\nwant %+v", name, got, want)
		}
	}
	if got := o.Observe(exchange(headers...), &seshat.Identity{}, hidden(headers)); got.UserAgent != "" || got.Origin != "" || !got.Device.IsZero() {
		t.Errorf("all is hidden: %+v", got)
	}
}

func TestOriginOf(t *testing.T) {
	f := func(url, want string) {
		t.Helper()
		if got := originOf(url); got != want {
			t.Errorf("originOf(%q) = %q, want %q", url, got, want)
		}
	}
	f("https://Shop.example", "https://shop.example")
	f("HTTP://shop.example:80/a/b?c=d#e", "http://shop.example:80")
	f("https://user:secret@shop.example/x", "https://shop.example")
	f("https://shop.example?x=secret", "https://shop.example")
	f("https://shop.example\\secret", "https://shop.example")
	f("android-app://com.example.app/", "android-app://com.example.app")
	f("null", "")
	f("", "")
	f("://x", "")
	f("https://", "")
	f("https:///x", "")
	f("https://"+strings.Repeat("x", 300), "")
}

func TestObserveIsBounded(t *testing.T) {
	huge := strings.Repeat("x\xff\x00", 100_000)
	x := &seshat.Exchange{
		ID: huge, Environment: huge, Service: huge, TraceID: huge, Client: seshat.Client{JA4: huge},
		Request: seshat.Request{Method: huge, Scheme: huge, Host: huge, Path: huge, HTTPVersion: huge, Header: []seshat.Field{
			{Name: "User-Agent", Value: huge}, {Name: "Origin", Value: "https://" + huge},
		}},
	}
	id := &seshat.Identity{Grouping: 150}
	for i := range 200 {
		id.IDs = append(id.IDs, seshat.FoundID{
			Value: seshat.ClientSessionID(huge[i:]), Name: huge, Key: huge, Clear: true, Index: i,
			Token: seshat.TokenClaims{Issuer: huge, Subject: huge},
		})
		id.Parameters = append(id.Parameters, seshat.FoundParameter{Name: huge, Value: huge})
		id.Flows = append(id.Flows, seshat.FlowMatch{Name: huge, Type: seshat.FlowType(huge)})
	}
	o := testObserver()
	obs := o.Observe(x, id, nil)
	text, err := json.Marshal(obs)
	if err != nil || len(text) > 1<<19 || !utf8.Valid(text) || strings.Contains(string(text), `\u0000`) {
		t.Errorf("%d bytes of JSON, %v", len(text), err)
	}
	if obs.IDs[obs.Grouping].Index != 150 {
		t.Errorf("the ID that groups is %d", obs.IDs[obs.Grouping].Index)
	}
	for text := range o.names.kept {
		if len(text) > maxPath {
			t.Errorf("a text of %d bytes is interned", len(text))
		}
	}
}

// FuzzObserve looks for the secret in what is kept of exchanges that carry it at many places.
func FuzzObserve(f *testing.F) {
	f.Add("a-secret-value", "/a/", "App/1")
	f.Add("%41%42%43%44%45%46%47%48", "/a;x=", "")
	f.Add("se/cr;et?&valueé", "", "\xff")
	f.Fuzz(func(t *testing.T, secret, path, agent string) {
		if len(secret) < shortestSecret {
			return
		}
		x := &seshat.Exchange{Request: seshat.Request{Path: path + secret + path, Header: []seshat.Field{{Name: "User-Agent", Value: agent + secret + agent}}}}
		obs := testObserver().Observe(x, &seshat.Identity{
			IDs:        []seshat.FoundID{{Value: seshat.ClientSessionID(secret)}},
			Parameters: []seshat.FoundParameter{{Name: "p", Value: agent + secret}},
		}, nil)
		masked := Mask(secret)
		for _, text := range []string{obs.UserAgent, obs.Parameters[0].Value} {
			if strings.Contains(strings.ReplaceAll(text, masked, ""), secret) && !strings.Contains(masked, secret) {
				t.Fatalf("%q holds %q", text, secret)
			}
		}
		if !strings.Contains(secret, "/") && !strings.Contains(secret, ";") && strings.Contains(obs.Path, secret) {
			t.Fatalf("path %q holds %q", obs.Path, secret)
		}
		if !utf8.ValidString(obs.Path) || !utf8.ValidString(obs.UserAgent) || strings.ContainsRune(obs.Path+obs.UserAgent, 0) {
			t.Fatalf("not clean: %q, %q", obs.Path, obs.UserAgent)
		}
	})
}
