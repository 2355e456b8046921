package test

import (
	"encoding/base64"
	"fmt"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"
)

// TestNoSecretIsKeptOrShownLive sends secrets through a gateway that tells everything that it can tell, and looks for them in
// its files, also after it was killed, in its log, its metrics, its API, and in what commands say that ask it.
func TestNoSecretIsKeptOrShownLive(t *testing.T) {
	traffic := &secrets{raw: map[string]string{}}
	for _, place := range []string{
		"set-cookie", "response token", "response refresh token", "response body", "cookie", "built-in cookie", "other cookie", "query",
		"opaque bearer", "card", "form password", "form field", "json password", "json token", "path parameter", "path segment",
		"revoked raw ID", "referer", "masked header", "masked parameter", "basic password", "token of NATS", "broken request",
	} {
		traffic.secret(place)
	}
	raw := traffic.raw
	bearer := jwtOf(map[string]any{"sub": "alice", "jti": traffic.secret("jti"), "sid": traffic.secret("sid")}, traffic.secret("signature"))
	raw["bearer token"] = bearer
	basic := base64.StdEncoding.EncodeToString([]byte("alice:" + raw["basic password"]))
	raw["basic credentials"] = basic

	origin := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/broken" {
			panic(http.ErrAbortHandler) // the gateway has something to log
		}
		w.Header().Set("Content-Type", "application/json")
		w.Header().Add("Set-Cookie", "SESSID="+raw["set-cookie"]+"; Path=/; HttpOnly")
		_, _ = fmt.Fprintf(w, `{"access_token":%q,"refresh_token":%q,"note":%q}`, raw["response token"], raw["response refresh token"], raw["response body"])
	}))
	defer origin.Close()

	s := fresh(t)
	s.ok("apply", "-f", file(t, "rules.yaml", secretRules+`
---
apiVersion: seshat/v1
kind: Limit
metadata: {name: cards}
spec: {key: ["parameter:card"], count: 2, window: 1m}
---
apiVersion: seshat/v1
kind: JWTValidation
metadata: {name: tokens}
spec:
  jwks: '{"keys":[{"kty":"OKP","crv":"Ed25519","kid":"a","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}]}'
  action: tag
`))
	config := configuration(t, origin.URL, fmt.Sprintf(`
natsListen: {address: %q, tokenFile: %q}
sessionFields: {session: X-Session-Id, user: X-User, verdict: X-Verdict}
`, freePort(t), file(t, "nats.token", raw["token of NATS"])))
	start := func() *running {
		return s.launch("--verbose", "--log", "json", "run", "--api", "127.0.0.1:0", "-c", config)
	}
	g := start()
	c := client(t)
	const form, asJSON = "application/x-www-form-urlencoded", "application/json"
	send := func(method, path, body string, fields ...string) {
		t.Helper()
		a, err := tryAsk(c, method, g.gateway+path, body, fields...)
		if err == nil && a.status == http.StatusOK {
			return // the origin's answer has secrets
		}
		traffic.find(t, fmt.Sprintf("the answer %d to %s", a.status, path), []byte(fmt.Sprint(a.header, a.body, err)))
	}
	visits := func() {
		t.Helper()
		send("GET", "/", "", "Cookie", "SESSID="+raw["cookie"]+"; connect.sid="+raw["built-in cookie"]+"; x="+raw["other cookie"])
		send("GET", "/find?token="+raw["query"]+"&x=1", "", "Referer", "https://shop.example/?token="+raw["referer"])
		send("GET", "/", "", "Authorization", "Bearer "+bearer)
		send("GET", "/", "", "Authorization", "Bearer "+raw["opaque bearer"])
		send("GET", "/", "", "Authorization", "Basic "+basic)
		for range 4 { // the last ones are refused
			send("GET", "/", "", "X-Card", raw["card"], "X-Masked", raw["masked header"], "X-Masked-Too", raw["masked parameter"])
		}
		send("POST", "/login", "username=alice&password="+raw["form password"]+"&form_token="+raw["form field"], "Content-Type", form)
		send("POST", "/login", `{"auth":{"token":"`+raw["json token"]+`"},"password":"`+raw["json password"]+`"}`, "Content-Type", asJSON)
		send("GET", "/page;jsessionid="+raw["path parameter"], "")
		send("GET", "/reset/"+raw["path segment"]+"/confirm", "")
		send("GET", "/", "", "X-Session", raw["revoked raw ID"])
		send("GET", "/broken?token="+raw["broken request"], "", "Cookie", "SESSID="+raw["cookie"])
	}
	say := func(stdin string, args ...string) *result {
		t.Helper()
		r := s.runWith(stdin, args...)
		traffic.find(t, fmt.Sprint("seshat ", args), []byte(r.stdout+r.stderr))
		return r
	}
	// Heads that are no HTTP are logged, perhaps, and never shown.
	answer, err := slowClient(g.gateway[len("http://"):], "GET /?token="+raw["broken request"]+" HTTP/1.1\r\nHost: a\r\nBad Name: "+raw["cookie"]+"\r\n\r\n", nil)
	if err != nil {
		t.Error(err)
	}
	traffic.find(t, "the answer to what is no HTTP", []byte(answer))

	visits()
	say(raw["revoked raw ID"]+"\n"+raw["opaque bearer"]+"\n", "revoke", "--client-session-id", "-").want(0)
	within(t, 2*time.Second, "the revoked ID is refused", func() bool {
		return ask(t, c, http.MethodGet, g.gateway+"/", "", "X-Session", raw["revoked raw ID"]).status == http.StatusUnauthorized
	})
	visits()
	g.settled()
	for _, args := range [][]string{
		{"status"},
		{"status", "--format", "json"},
		{"denylist"},
		{"sessions", "--since", "all", "--format", "json"},
		{"explore", "--since", "all", "--limit", "0", "--format", "ndjson"},
		{"get", "-o", "yaml"},
		{"explore", "--since", "all", "--limit", "0", "--format", "csv", "--columns", "path,user,identifier,client_session_ids,attr.card,attr.masked,verdict"},
	} {
		say("", args...).want(0)
	}
	if rows := s.explore("path", "verdict:limit"); len(rows) == 0 {
		t.Error("no request was limited")
	}
	if rows := s.explore("path", "verdict:block"); len(rows) == 0 {
		t.Error("no request was blocked")
	}
	for _, one := range s.sessions() {
		say("", "session", one.ID, "--format", "json").want(0)
	}
	for _, path := range []string{"/metrics", "/healthz", "/readyz", "/openapi.json", "/v1/sessions", "/"} {
		a := ask(t, c, http.MethodGet, g.api+path, "")
		traffic.find(t, "the API at "+path, []byte(fmt.Sprint(a.header, a.body)))
	}
	traffic.files(t, s.data)
	visits()
	g.kill() // with something in the journal that is not stored
	traffic.files(t, s.data)
	traffic.find(t, "the log", []byte(g.stderr.String()))
	g = start()
	g.settled()
	g.stop()
	traffic.files(t, s.data)
	traffic.find(t, "the log", []byte(g.stderr.String()))
}
