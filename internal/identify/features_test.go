package identify_test

import (
	"encoding/base64"
	"encoding/json"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/seshat-project/seshat"
	"github.com/seshat-project/seshat/internal/identify"
)

func body(contentType, text string) func(x *seshat.Exchange) {
	return func(x *seshat.Exchange) {
		x.Request.Header = append(x.Request.Header, seshat.Field{Name: "Content-Type", Value: contentType})
		x.Request.Body.Bytes = []byte(text)
	}
}

func answerBody(contentType, text string) func(x *seshat.Exchange) {
	return func(x *seshat.Exchange) {
		x.Response.Header = append(x.Response.Header, seshat.Field{Name: "Content-Type", Value: contentType})
		x.Response.Body.Bytes = []byte(text)
	}
}

func to(method, path string) func(x *seshat.Exchange) {
	return func(x *seshat.Exchange) {
		x.Request.Method = method
		x.Request.Path, x.Request.Query, _ = strings.Cut(path, "?")
	}
}

func TestExtraction(t *testing.T) {
	f := func(what string, id seshat.Identifier, change func(*seshat.Exchange), want string) {
		t.Helper()
		w := engine(t, noBuiltIn(), sessionRule("r", id)).NewWorker()
		var out seshat.Identity
		w.Identify(exchange(change), &out)
		if got := found(&out); got != want {
			t.Errorf("%s: %q, want %q", what, got, want)
		}
	}
	on := func(e seshat.Extract, steps ...seshat.Transformation) seshat.Identifier {
		return seshat.Identifier{Extract: &e, Transformations: steps}
	}
	f("the first cookie of a name that matches", on(seshat.Extract{Location: "cookie", Key: key("a"), Value: &seshat.Match{Matches: text(`^\d+$`)}}),
		with("Cookie: a=x; A=1; a=2", "Cookie: a=3"), "r[0]=2")
	f("quoted cookie", seshat.Identifier{Cookie: "a"}, with(`Cookie: a="x y"`), "r[0]=x y")
	f("empty cookie", seshat.Identifier{Cookie: "a"}, with("Cookie: a=; b=1"), "")
	f("duplicate headers, the second is one", seshat.Identifier{Header: "x-t", Transformations: []seshat.Transformation{{Base64Decode: &seshat.EmptyTransformation{}}}},
		with("X-T: !!", "X-T: YWJj"), "r[0]=abc")
	f("repeated parameter", on(seshat.Extract{Location: "query", Key: key("a")}), to("GET", "/?a=&a=2&a=3"), "r[0]=2")
	f("Unicode", on(seshat.Extract{Location: "query", Key: key("ключ")}, seshat.Transformation{Lowercase: &seshat.EmptyTransformation{}}), to("GET", "/?%D0%BA%D0%BB%D1%8E%D1%87=%D0%81%C3%9F"), "r[0]=ёß")
	f("multipart", on(seshat.Extract{Location: "body", Key: key("token")}),
		body("multipart/form-data; boundary=XX", "--XX\r\nContent-Disposition: form-data; name=\"token\"\r\n\r\nt-1\r\n--XX--\r\n"), "r[0]=t-1")
	f("form of another type", on(seshat.Extract{Location: "body", Key: key("token")}), body("text/plain", "token=1"), "")
	f("JSON without a content type", on(seshat.Extract{Location: "body", JSONPath: "$.a"}), func(x *seshat.Exchange) { x.Request.Body.Bytes = []byte(`{"a":true}`) }, "r[0]=true")
	f("JSON as another type", on(seshat.Extract{Location: "body", JSONPath: "$.a"}), body("text/html", `{"a":"x"}`), "")
	f("JSON by a suffix", on(seshat.Extract{Location: "body", JSONPath: "$.a"}), body("application/vnd.x+json; charset=utf-8", `{"a":"\u00e9"}`), "r[0]=é")
	f("after a byte order mark", on(seshat.Extract{Location: "body", JSONPath: "$.a"}), body("application/json", "\xef\xbb\xbf"+`{"a":"x"}`), "r[0]=x")
	f("after a byte order mark, without a type", on(seshat.Extract{Location: "body", JSONPath: "$.a"}), func(x *seshat.Exchange) { x.Request.Body.Bytes = []byte("\xef\xbb\xbf" + `{"a":"x"}`) }, "r[0]=x")
	f("a byte order mark alone", on(seshat.Extract{Location: "body", JSONPath: "$.a"}), body("application/json", "\xef\xbb\xbf"), "")
	f("null is nothing", on(seshat.Extract{Location: "body", JSONPath: "$.a"}), body("application/json", `{"a":null}`), "")
	f("the node that matches", on(seshat.Extract{Location: "body", JSONPath: "$.*", Value: &seshat.Match{StartsWith: text("s-")}}), body("application/json", `{"a":"x","b":"s-1"}`), "r[0]=s-1")
	f("cut form", on(seshat.Extract{Location: "body", Key: key("token")}), all(body("application/x-www-form-urlencoded", "a=1&token=abc"), func(x *seshat.Exchange) { x.Request.Body.Truncated = true }), "")
	f("malformed token", seshat.Identifier{JWTClaim: &seshat.JWTClaimShort{Header: "Authorization", Claim: "sub"}}, with("Authorization: Bearer eyJhbGciOiJub25lIn0.%%%.x"), "")
	f("huge value", seshat.Identifier{Header: "X"}, with("X: "+strings.Repeat("a", identify.MaxIDLength+1)), "")
	f("largest value", seshat.Identifier{Header: "X"}, with("X: "+strings.Repeat("a", identify.MaxIDLength)), "r[0]="+strings.Repeat("a", identify.MaxIDLength))
	f("hash", seshat.Identifier{Header: "X", Transformations: []seshat.Transformation{{Hash: &seshat.EmptyTransformation{}}}}, with("X: abc"), "r[0]=61626300000000000000000000000000")
	f("Basic", seshat.Identifier{Header: "Authorization"}, with("Authorization: basic  abc="), "r[0]=abc=")
	f("a scheme alone", seshat.Identifier{Header: "Authorization"}, with("Authorization: Bearer"), "")
	f("whole match", seshat.Identifier{Header: "X", Transformations: []seshat.Transformation{{Regex: &seshat.RegexTransformation{Pattern: `\d+`}}}}, with("X: a42b"), "r[0]=42")
	f("group that took no part", seshat.Identifier{Header: "X", Transformations: []seshat.Transformation{{Regex: &seshat.RegexTransformation{Pattern: `a|(b)`}}}}, with("X: a"), "")
	f("plus stays", seshat.Identifier{Header: "X", Transformations: []seshat.Transformation{{URLDecode: &seshat.EmptyTransformation{}}}}, with("X: a+b%2Bc"), "r[0]=a+b+c")
	f("malformed escape", seshat.Identifier{Header: "X", Transformations: []seshat.Transformation{{URLDecode: &seshat.EmptyTransformation{}}}}, with("X: a%zz"), "")
	f("claim with a URL as its name", seshat.Identifier{JWTClaim: &seshat.JWTClaimShort{Cookie: "t", Claim: "https://a/b.c"}},
		with("Cookie: t=eyJhbGciOiJub25lIn0."+base64.RawURLEncoding.EncodeToString([]byte(`{"https://a/b.c":7}`))+"."), "r[0]=7")
}

func TestConditions(t *testing.T) {
	yes := true
	change := all(to("GET", "/?a=1&a=2"), with("X-A: 1", "x-a: 2", "Cookie: c=1"), answered(204))
	f := func(c seshat.Extract, want bool) {
		t.Helper()
		w := engine(t, noBuiltIn(), sessionRule("r", seshat.Identifier{Header: "X-A", Conditions: []seshat.Condition{{Extract: c}}})).NewWorker()
		var out seshat.Identity
		w.Identify(exchange(change), &out)
		if got := found(&out) != ""; got != want {
			t.Errorf("%+v: %v", c, got)
		}
	}
	f(seshat.Extract{Location: "header", Key: key("x-a")}, true)
	f(seshat.Extract{Location: "header", Key: key("x-b")}, false)
	f(seshat.Extract{Location: "header", Key: key("x-b"), Value: &seshat.Match{NotExists: &yes}}, true)
	f(seshat.Extract{Location: "header", Key: key("x-a"), Value: &seshat.Match{NotExists: &yes}}, false)
	f(seshat.Extract{Location: "header", Key: key("x-a"), Value: key("2")}, true)
	f(seshat.Extract{Location: "header", Key: key("x-a"), Value: &seshat.Match{NotEquals: text("2")}}, false)
	f(seshat.Extract{Location: "header", Key: key("x-a"), Value: &seshat.Match{NotEquals: text("3")}}, true)
	f(seshat.Extract{Location: "header", Key: key("x-b"), Value: &seshat.Match{NotMatches: text("3")}}, true)
	f(seshat.Extract{Location: "cookie", Key: key("C")}, false)
	f(seshat.Extract{Location: "query", Key: &seshat.Match{NotEquals: text("a")}}, false)
	f(seshat.Extract{Location: "query", Value: key("2")}, true)
	f(seshat.Extract{Location: "pathParameter", Key: &seshat.Match{NotExists: &yes}}, true)
	f(seshat.Extract{Location: "status", Value: &seshat.Match{In: []string{"200", "204"}}}, true)
	f(seshat.Extract{Location: "clientIP", Value: &seshat.Match{StartsWith: text("203.0.113.")}}, true)
	f(seshat.Extract{Location: "ja4", Value: &seshat.Match{Exists: &yes}}, false)
}

func TestMasks(t *testing.T) {
	mask := func(spec seshat.MaskRuleSpec) seshat.Resource { return declare("m", &spec) }
	f := func(what string, m seshat.Resource, change func(*seshat.Exchange), want string) {
		t.Helper()
		x := exchange(change)
		before, _ := json.Marshal(x)
		var out seshat.Identity
		engine(t, m).NewWorker().Identify(x, &out)
		got := found(&out)
		for _, p := range out.Parameters {
			got += " " + p.Name + "=" + p.Value
		}
		if strings.TrimSpace(got) != want {
			t.Errorf("%s: %q, want %q", what, got, want)
		}
		if after, _ := json.Marshal(x); string(after) != string(before) {
			t.Errorf("%s: the exchange was changed", what)
		}
	}
	f("built-in cookie", mask(seshat.MaskRuleSpec{Location: "cookie", Key: key("connect.sid")}), all(with("Cookie: connect.sid=abc; SESS=def"), answered(200, "Set-Cookie: connect.sid=new")), "cookie:SESS=def")
	f("on one side", mask(seshat.MaskRuleSpec{In: "request", Location: "cookie", Key: key("SESS")}), all(with("Cookie: SESS=def"), answered(200, "Set-Cookie: SESS=new")), "<cookie:SESS=new")
	f("all cookies, as a header", mask(seshat.MaskRuleSpec{Location: "header", Key: key("cookie")}), with("Cookie: SESS=def"), "")
	f("user agent", mask(seshat.MaskRuleSpec{Location: "header", Key: key("user-agent")}), with("User-Agent: x"), "")
	f("query", mask(seshat.MaskRuleSpec{Location: "query", Key: &seshat.Match{StartsWith: text("session")}}), to("GET", "/?session_token=abcdefghi&sid=12345678"), "query:sid=12345678")
	f("form field", mask(seshat.MaskRuleSpec{Location: "body", Key: key("email")}), all(to("POST", "/login"), body("application/x-www-form-urlencoded", "email=a@b&login=alice&password=x")), "sign-in=alice")
	f("JSON node", mask(seshat.MaskRuleSpec{Location: "body", JSONPath: "$..session_token"}), all(to("POST", "/x"), body("application/json", `{"a":{"session_token":"abcdefghij"},"refresh_token":"0123456789abcdef"}`)), "body:refresh_token=0123456789abcdef")
	f("a member by the name of a field", mask(seshat.MaskRuleSpec{Location: "body", Key: key("session_token")}), all(to("POST", "/x"), body("application/json", `{"session_token":"abcdefghij"}`)), "")
	f("JSON that cannot be masked", mask(seshat.MaskRuleSpec{Location: "body", JSONPath: "$.x"}), all(to("POST", "/x"), body("application/json", `{"session_token":"abcdefghij",`)), "")
	f("out of scope", mask(seshat.MaskRuleSpec{Scope: seshat.Scope{Services: []string{"other"}}, Location: "cookie", Key: key("SESS")}), with("Cookie: SESS=def"), "cookie:SESS=def")
}

func TestHides(t *testing.T) {
	w := engine(t, declare("m", &seshat.MaskRuleSpec{Scope: seshat.Scope{Services: []string{"shop"}}, Location: "header", Key: key("referer")})).NewWorker()
	f := func(service, name string, want bool) {
		t.Helper()
		var out seshat.Identity
		x := exchange(nil)
		x.Service = service
		w.Identify(x, &out)
		if got := w.Hides(seshat.InRequest, seshat.LocationHeader, name); got != want {
			t.Errorf("%s of %s: %v", name, service, got)
		}
		if got := w.Engine().Ruleset().Hides(x, seshat.InRequest, seshat.LocationHeader, name); got != want {
			t.Errorf("%s of %s, by the ruleset: %v", name, service, got)
		}
	}
	f("shop", "Referer", true)
	f("shop", "Origin", false)
	f("other", "Referer", false)
}

func TestExpiration(t *testing.T) {
	f := func(format, value string, wantLifetime time.Duration, wantAt string) {
		t.Helper()
		id := seshat.Identifier{Header: "X", In: "response", Expiration: &seshat.Expiration{Attribute: &seshat.ExpirationAttribute{
			Extract: seshat.Extract{Location: "header", Key: key("X-Until")}, Format: format,
		}}}
		var out seshat.Identity
		engine(t, noBuiltIn(), sessionRule("r", id)).Identify(exchange(answered(200, "X: a", "X-Until: "+value)), &out)
		at := ""
		if !out.IDs[0].ExpiresAt.IsZero() {
			at = out.IDs[0].ExpiresAt.Format(time.RFC3339Nano)
		}
		if out.IDs[0].Lifetime != wantLifetime || at != wantAt {
			t.Errorf("%s %s: %v, %s; want %v, %s", format, value, out.IDs[0].Lifetime, at, wantLifetime, wantAt)
		}
	}
	f("durationSeconds", "90", 90*time.Second, "")
	f("durationSeconds", " 1.5", 1500*time.Millisecond, "")
	f("durationMilliseconds", "250", 250*time.Millisecond, "")
	f("epochSeconds", "1767326400", 0, "2026-01-02T04:00:00Z")
	f("epochMilliseconds", "1767326400123", 0, "2026-01-02T04:00:00.123Z")
	for _, absurd := range []string{"", "0", "-5", "NaN", "Inf", "1e300", "never", "99999999999999999"} {
		f("durationSeconds", absurd, 0, "")
		f("epochSeconds", absurd, 0, "")
	}
	f("epochSeconds", "3600", 0, "")             // a duration
	f("epochSeconds", "1767326400000", 0, "")    // milliseconds
	f("durationSeconds", "1767326400000", 0, "") // an epoch
	var out seshat.Identity
	engine(t).Identify(exchange(with("Authorization: Bearer "+sampleToken)), &out)
	want := time.Unix(1767326600, 0).UTC()
	if id := out.IDs[0]; !id.ExpiresAt.Equal(id.Token.ExpiresAt) || id.Token.ExpiresAt.IsZero() || id.Token.Subject != "u-42" {
		t.Errorf("the built-in set reads a token as %+v, expiring at %v, want %v", id.Token, id.ExpiresAt, want)
	}
	engine(t, sessionRule("r", seshat.Identifier{Header: "Authorization"})).Identify(exchange(with("Authorization: Bearer "+sampleToken)), &out)
	if id := out.IDs[0]; id.ExpiresAt.IsZero() || !id.ExpiresAt.Equal(id.Token.ExpiresAt) { // as the built-in set has it
		t.Errorf("a rule without expiration: expires at %v, the token at %v", id.ExpiresAt, id.Token.ExpiresAt)
	}
}

// TestNoise makes sure that what is not a session is not taken for one.
func TestNoise(t *testing.T) {
	x := exchange(all(to("POST", "/collect?utm_session_id=abcdefghij&state=x&code=DE&lang=en"), with(
		"Cookie: _ga=GA1.2.1; _ga_7QX2LAB=GS1.1.1; ajs_user_id=u1; ajs_anonymous_id=x; _gid=1; _fbp=fb.1; csrf=abcdefghijkl; csrf_session_id=abcdef; XSRF-TOKEN=abc; lang=en; OptanonAlertBoxClosed=2026; OptanonConsent=x; amplitude_id_session_id=x; intercom-session-abc=x; connect.sid.sig=abcdef; _session.sig=abcdef; __cf_bm=x; AWSALB=x; theme=dark; visitor_session_id=x",
		"Traceparent: 00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01", "X-Device-Id: d-1", "X-Request-Id: r-1", "X-CSRF-Token: abcdefgh", "X-Correlation-Id: c-1",
	), body("application/json", `{"code":"SAVE10","token":"abcdefghijklmnopqrs","nonce":"1"}`)))
	var out seshat.Identity
	engine(t).Identify(x, &out)
	if got := found(&out); got != "" {
		t.Errorf("found %s", got)
	}
	engine(t).Identify(exchange(with("Cookie: SESS=deleted; connect.sid=undefined; PHPSESSID=null", "Authorization: Bearer null")), &out)
	if got := found(&out); got != "" {
		t.Errorf("placeholders were taken for IDs: %s", got)
	}
}

func TestBuiltInFlowsAndUsers(t *testing.T) {
	f := func(change func(*seshat.Exchange), wantFlows string, wantUsers ...string) {
		t.Helper()
		var out seshat.Identity
		x := exchange(change)
		engine(t).Identify(x, &out)
		var flows, users []string
		for _, flow := range out.Flows {
			flows = append(flows, flow.Name)
		}
		for _, p := range out.Parameters {
			users = append(users, p.Name+"="+p.Value)
		}
		if got := strings.Join(flows, " "); got != wantFlows || !slices.Equal(users, wantUsers) {
			t.Errorf("%s %s: flows %q, users %q; want %q, %q", x.Request.Method, x.Request.Path, got, users, wantFlows, wantUsers)
		}
	}
	form := "application/x-www-form-urlencoded"
	f(to("GET", "/login"), "")
	f(all(to("POST", "/login"), body(form, "email=a%40b.example&password=x")), "authentication", "sign-in=a@b.example")
	f(all(to("POST", "/v2/session"), body("application/json", `{"login":"alice","password":"x"}`)), "authentication", "sign-in=alice")
	f(all(to("POST", "/register"), body(form, "email=a&password=x")), "account-creation")
	f(all(to("POST", "/profile"), body(form, "email=a")), "")
	f(all(to("POST", "/token"), body(form, "grant_type=refresh_token&refresh_token=0123456789abcdef")), "token-refresh")
	f(all(to("POST", "/token"), body(form, "grant_type=authorization_code&code=0123456789abcdef")), "authentication")
	f(all(to("POST", "/token"), body(form, "grant_type=client_credentials"), func(x *seshat.Exchange) {
		x.Request.Header = append(x.Request.Header, fields([]string{"Authorization: Basic YXBwOnNlY3JldA=="})...)
	}), "")
	f(all(to("GET", "/reports"), with("Authorization: Basic YWxpY2U6c2VjcmV0")), "", "basic=alice")
	f(to("GET", "/logout"), "logout")
	f(to("POST", "/wp-admin/checkout"), "admin billing")
	f(to("POST", "/v1/chat/completions"), "ai")
	f(with("Cf-Access-Authenticated-User-Email: a@b.example"), "", "header:cf-access-authenticated-user-email=a@b.example")
	token := "eyJhbGciOiJub25lIn0." + base64.RawURLEncoding.EncodeToString([]byte(`{"sub":"1","preferred_username":"al","roles":["a","b"],"realm_access":{"roles":["c"]}}`)) + "."
	f(with("Authorization: Bearer "+token), "", "jwt:role=a", "jwt:role=b", "jwt:role=c", "jwt:preferred_username=al", "jwt:sub=1")
}

func TestDeclaredContext(t *testing.T) {
	resources := []seshat.Resource{
		noBuiltIn(),
		declare("tenant", &seshat.ContextParameterSpec{Extract: seshat.Extract{Location: "pathSegment", Segment: new(int)}, Hash: true}),
		declare("group", &seshat.ContextParameterSpec{In: "response", Type: "role", Extract: seshat.Extract{Location: "body", JSONPath: "$.groups[*]"}}),
		declare("pay", &seshat.FlowSpec{Type: "billing", Endpoints: []string{"POST */pay"}, Conditions: []seshat.Condition{{Extract: seshat.Extract{Location: "status", Value: key("200")}}}}),
	}
	var out seshat.Identity
	engine(t, resources...).Identify(exchange(all(to("POST", "/acme/pay"), answered(200), answerBody("application/json", `{"groups":["a","b"]}`))), &out)
	want := []seshat.FoundParameter{
		{Name: "group", Type: seshat.ParameterRole, Side: seshat.InResponse, Value: "a"},
		{Name: "group", Type: seshat.ParameterRole, Side: seshat.InResponse, Value: "b"},
		{Name: "tenant", Value: "acme", Hash: true},
	}
	if !slices.Equal(out.Parameters, want) {
		t.Errorf("parameters %+v", out.Parameters)
	}
	if len(out.Flows) != 1 || out.Flows[0] != (seshat.FlowMatch{Name: "pay", Type: seshat.FlowBilling}) {
		t.Errorf("flows %+v", out.Flows)
	}
}

func TestDeclaredRoles(t *testing.T) {
	f := func(spec seshat.ContextParameterSpec, change func(*seshat.Exchange), want ...string) {
		t.Helper()
		spec.Type = "role"
		var out seshat.Identity
		engine(t, noBuiltIn(), declare("role", &spec)).Identify(exchange(change), &out)
		var got []string
		for _, p := range out.Parameters {
			got = append(got, p.Value)
		}
		if !slices.Equal(got, want) {
			t.Errorf("roles %q, want %q", got, want)
		}
	}
	groups := seshat.Extract{Location: "header", Key: key("X-Group")}
	f(seshat.ContextParameterSpec{Extract: groups}, with("X-Group: a", "X-Other: x", "x-group: b", "X-Group: a"), "a", "b")
	f(seshat.ContextParameterSpec{Extract: groups, Transformations: []seshat.Transformation{{Regex: &seshat.RegexTransformation{Pattern: "^g-(.*)"}}}},
		with("X-Group: g-a", "X-Group: none", "X-Group: g-b"), "a", "b")
	f(seshat.ContextParameterSpec{Extract: seshat.Extract{Location: "body", JSONPath: "$.groups[*]"}}, body("application/json", `{"groups":["a",{"x":1},"b",""]}`), "a", "b")
	f(seshat.ContextParameterSpec{Extract: seshat.Extract{Location: "body", JSONPath: "$.group"}}, body("application/json", `{"group":"a"}`), "a")
	token := "eyJhbGciOiJub25lIn0." + base64.RawURLEncoding.EncodeToString([]byte(`{"perm":["read","write",null],"one":"admin"}`)) + "."
	claim := func(c string, more ...seshat.Transformation) seshat.ContextParameterSpec {
		return seshat.ContextParameterSpec{
			Extract:         seshat.Extract{Location: "header", Key: key("X-Token")},
			Transformations: append([]seshat.Transformation{{JWTClaim: c}}, more...),
		}
	}
	f(claim("$.perm[*]"), with("X-Token: "+token), "read", "write")
	f(claim("$.perm[*]", seshat.Transformation{Regex: &seshat.RegexTransformation{Pattern: "^w.*"}}), with("X-Token: "+token), "write")
	f(claim("one"), with("X-Token: "+token), "admin")
	f(claim("$.perm[*]"), with("X-Token: not.a.token"))
	f(seshat.ContextParameterSpec{Extract: groups, Transformations: []seshat.Transformation{{JSONPath: "$[*].n"}}}, with(`X-Group: [{"n":"a"},{"n":"b"}]`), "a", "b")
}

func TestAutoIdentifier(t *testing.T) {
	a := identify.NewAutoIdentifier()
	see := func(host string, n int, status int, headers ...string) {
		x := exchange(all(with(headers...), answered(status)))
		x.Request.Host = host
		for range n {
			a.Observe(x)
		}
	}
	see("exactly.example", 99, 200)
	see("exactly.example", 1, 200, "authorization: Bearer x") // 1 % is not more than 1 %
	see("API.example", 150, 204)
	see("api.example:443", 2, 200, "Authorization: x")
	see("guessed.example", 200, 200)
	see("guessed.example", 500, 401, "Authorization: x")
	see("clients.example", 200, 200, "Authorization: Basic Y2xpZW50OnNlY3JldA==") // shared by all users of the client
	see("signed.example", 200, 200, "Authorization: AWS4-HMAC-SHA256 Credential=x, Signature=y")
	see("few.example", 5, 200, "Authorization: x")
	if got := a.Suggested(); !slices.Equal(got, []string{"api.example"}) {
		t.Errorf("suggested %q", got)
	}
	state, err := json.Marshal(a)
	if err != nil {
		t.Fatal(err)
	}
	var b identify.AutoIdentifier
	if err := json.Unmarshal(state, &b); err != nil || !slices.Equal(b.Suggested(), a.Suggested()) {
		t.Errorf("after reading its state: %q, %v", b.Suggested(), err)
	}
	if err := json.Unmarshal([]byte(`{"version":2}`), &b); err == nil {
		t.Error("a state of another version was read")
	}
	r := identify.AutoRule("API.example:8443")
	if r.Metadata.Name != "auto-authorization-api-example-8443" {
		t.Errorf("the rule is called %s", r.Metadata.Name)
	}
	x := exchange(with("Authorization: Bearer tok"))
	x.Request.Host = "api.example:8443"
	var out seshat.Identity
	engine(t, noBuiltIn(), r).Identify(x, &out)
	if got := found(&out); got != r.Metadata.Name+"[0]=tok" {
		t.Errorf("the rule found %s", got)
	}
	finds := func(authorization, want string) {
		t.Helper()
		x := exchange(with("Authorization: " + authorization))
		x.Request.Host = "api.example:8443"
		var out seshat.Identity
		engine(t, noBuiltIn(), r).Identify(x, &out)
		if got := found(&out); got != want {
			t.Errorf("of %s the rule found %q, want %q", authorization, got, want)
		}
		if len(out.IDs) > 0 && out.IDs[0].Origin == seshat.OriginRule && out.IDs[0].Kind != seshat.KindAccessToken {
			t.Errorf("of %s the rule made a %s", authorization, out.IDs[0].Kind)
		}
	}
	finds("dpop tok", r.Metadata.Name+"[0]=tok")
	finds("0123abcd", r.Metadata.Name+"[0]=0123abcd")
	finds("Basic Y2xpZW50OnNlY3JldA==", "")
	finds(`Digest username="a", nonce="b"`, "")
	x = exchange(with("Authorization: Bearer " + sampleToken))
	x.Request.Host = "api.example:8443"
	engine(t, noBuiltIn(), r).Identify(x, &out)
	if len(out.IDs) == 0 || !out.IDs[0].ExpiresAt.Equal(out.IDs[0].Token.ExpiresAt) || out.IDs[0].ExpiresAt.IsZero() {
		t.Errorf("the rule does not say when a token ends: %+v", out.IDs)
	}
	if n := len(identify.AutoRule(strings.Repeat("a.", 120) + "example").Metadata.Name); n > 63 {
		t.Errorf("a name of %d characters", n)
	}
	for i := range 10_000 { // bounded
		see(strings.Repeat("h", i%200+1)+string(rune('a'+i/200%26)), 1, 200)
	}
	if got := a.Suggested(); !slices.Equal(got, []string{"api.example"}) {
		t.Errorf("after many hosts: %q", got)
	}
}

func TestExplainJSON(t *testing.T) {
	f := func(resources []seshat.Resource, want string) {
		t.Helper()
		text, err := json.Marshal(engine(t, resources...).NewWorker().Explain(exchange(with("X: abc"))))
		if err != nil {
			t.Fatal(err)
		}
		if got := string(text); got != want {
			t.Errorf("got  %s\nwant %s", got, want)
		}
	}
	const fallback = `{"name":"ip","index":1,"origin":"fallback","kind":"address","side":"request","where":"clientIP","value":"203.0.113.9"}`
	f(nil, `{"method":"GET","url":"https://api.shop.example/orders/42","environment":"prod","service":"shop","rules":[],"builtIn":[],"ids":[`+fallback+
		`],"grouping":0,"reason":"nothing was found by rules or the built-in set, so the ip groups the exchange"}`)
	f([]seshat.Resource{sessionRule("r", seshat.Identifier{Header: "X", Conditions: []seshat.Condition{{Extract: seshat.Extract{Location: "header", Key: key("Y")}}}})},
		`{"method":"GET","url":"https://api.shop.example/orders/42","environment":"prod","service":"shop","rules":[{"name":"r","id":"`+seshat.RuleIDFor("r").String()+
			`","priority":100,"inScope":true,"scope":"in scope","identifiers":[{"name":"r","index":0,"conditions":[{"where":"request header Y","asks":"exists","found":[],"held":false}],`+
			`"outcome":"a condition does not hold"}]}],"builtIn":[],"ids":[`+fallback+
			`],"grouping":0,"reason":"nothing was found by rules or the built-in set, so the ip groups the exchange"}`)
}

func TestExplainText(t *testing.T) {
	w := engine(t, sessionRule("shop", seshat.Identifier{
		JWTClaim:   &seshat.JWTClaimShort{Header: "Authorization", Claim: "sid"},
		Conditions: []seshat.Condition{{Extract: seshat.Extract{Location: "header", Key: key("X-A")}}},
	}), declare("other", &seshat.SessionRuleSpec{Scope: seshat.Scope{Services: []string{"billing"}}, Identifiers: []seshat.Identifier{{Header: "X"}}})).NewWorker()
	e := w.Explain(exchange(with("X-A: 1", "Authorization: Bearer "+sampleToken)))
	var b strings.Builder
	if err := e.WriteText(&b); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{
		"other (priority 100): another service", "✓ condition request header X-A exists: holds", "→ stripScheme: eyJh",
		"→ jwtClaim sid: …(8)", "* shop[0] …(8) in request header Authorization", "it is the first in order, and was found in the request",
	} {
		if !strings.Contains(b.String(), want) {
			t.Errorf("the text lacks %q:\n%s", want, b.String())
		}
	}
	if strings.Contains(b.String(), sampleToken) || strings.Contains(b.String(), "8f3d17a2") {
		t.Errorf("the text shows a secret:\n%s", b.String())
	}
}
