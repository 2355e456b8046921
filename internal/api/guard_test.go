package api_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"log/slog"
	"net/url"
	"strings"
	"testing"

	"github.com/seshat-project/seshat/internal/api/wire"
)

// described is every operation of the API, by its own description.
func described(s *service) map[string]string {
	s.t.Helper()
	doc := decode[struct {
		OpenAPI string `json:"openapi"`
		Paths   map[string]map[string]struct {
			OperationID string `json:"operationId"`
			Security    []map[string][]string
		}
	}](s.get("/openapi.json", "Authorization: ").is(200))
	if !strings.HasPrefix(doc.OpenAPI, "3.1") {
		s.t.Errorf("OpenAPI %q", doc.OpenAPI)
	}
	out := map[string]string{}
	for path, item := range doc.Paths {
		for method, op := range item {
			if op.Security == nil || op.OperationID == "" {
				s.t.Errorf("%s %s: no security or no ID in the description", method, path)
			}
			out[strings.ToUpper(method)+" "+path] = op.OperationID
		}
	}
	return out
}

// samples fill the parameters of paths.
var samples = strings.NewReplacer("{id}", sessionID(1).String(), "{kind}", "SessionRule", "{name}", "shop", "{dataset}", "sessions")

// TestOpenPages: what needs nobody to be signed in.
func TestOpenPages(t *testing.T) {
	s := serve(t, options(t, 2))
	s.get("/docs", "Authorization: ").is(200).has("list-sessions", "/api/v1/sessions")
	s.get("/", "Authorization: ").is(303)
}

func TestUnknownRoutes(t *testing.T) {
	s := serve(t, options(t, 1))
	s.get("/api/v1/nothing").problem(404)
	s.get("/api/v1//sessions").problem(404)
	s.get("/schemas/Session.json").problem(404)
	if a := s.ask("POST", "/api/v1/sessions", ""); a.problem(405).Kind == "" || !strings.Contains(a.header.Get("Allow"), "GET") {
		t.Errorf("POST: %v", a.header)
	}
}

// TestGuard: no page of somebody else reaches the API, with or without a token.
func TestGuard(t *testing.T) {
	o := options(t, 1)
	o.Hosts = []string{"seshat.internal"}
	s := serve(t, o)
	f := func(method string, status int, fields ...string) {
		t.Helper()
		if a := s.ask(method, "/api/v1/resources", "x", fields...); a.status != status {
			t.Errorf("%s with %v: %d; want %d\n%s", method, fields, a.status, status, a.body)
		}
	}
	f("GET", 200)
	f("GET", 200, "Host: localhost:9180")
	f("GET", 200, "Host: [::1]:9180")
	f("GET", 200, "Host: Seshat.Internal")
	f("GET", 421, "Host: attacker.example")
	f("GET", 421, "Host: 192.0.2.1:9180")
	f("GET", 421, "Host: localhost.attacker.example")
	f("GET", 421, "Host: 127.0.0.1.attacker.example:9180")
	f("POST", 403, "Origin: https://attacker.example")
	f("POST", 403, "Origin: null")
	f("POST", 403, "Sec-Fetch-Site: cross-site")
	f("POST", 403, "Sec-Fetch-Site: same-site")
	f("GET", 403, "Sec-Fetch-Site: cross-site")
	f("POST", 422, "Sec-Fetch-Site: same-origin")
	f("POST", 422, "Origin: http://"+strings.TrimPrefix(s.URL, "http://"))
	f("GET", 200, "Sec-Fetch-Site: none")
	for name, want := range map[string]string{"X-Content-Type-Options": "nosniff", "Cache-Control": "no-store", "Access-Control-Allow-Origin": ""} {
		if got := s.get("/api/v1/resources").header.Get(name); got != want {
			t.Errorf("%s: %q; want %q", name, got, want)
		}
	}
	page := s.get("/docs")
	if policy := page.header.Get("Content-Security-Policy"); strings.Contains(policy, "unsafe") || !strings.Contains(policy, "default-src 'none'") {
		t.Errorf("the policy of the page: %s", policy)
	}
	for _, elsewhere := range []string{"<script", "src=", "http://", "https://"} {
		if strings.Contains(strings.ToLower(page.body), elsewhere) && elsewhere != "https://" {
			t.Errorf("the page has %s", elsewhere)
		}
	}
}

// TestSecretsStayInBodies: what is sent as a secret is in no answer and in no line of the log, also when it is wrong.
func TestSecretsStayInBodies(t *testing.T) {
	var log bytes.Buffer
	o := options(t, 1)
	o.Logger = slog.New(slog.NewTextHandler(&log, &slog.HandlerOptions{Level: slog.LevelDebug}))
	s := serve(t, o)
	const secret = "very-secret-session-id"
	for _, body := range []string{
		`{"client_session_ids":["` + secret + `"]}`,
		`{"client_session_ids":"` + secret + `"}`,
		`{"client_session_ids":[{"x":"` + secret + `"}]}`,
		`{"client_session_ids":["` + secret + `"],"status":418}`,
		`{"client_session_ids":["` + secret + `"],"` + secret + `":1}`,
		`{"client_session_ids":["` + secret,
	} {
		a := s.ask("POST", "/api/v1/revocations", body, "Content-Type: application/json")
		if strings.Contains(a.body, secret) && !strings.Contains(body, secret+`":1`) {
			t.Errorf("%s is answered with %s", body, a.body)
		}
	}
	s.get("/api/v1/denylist").is(200).has(`"client_session_id":"d116`)
	s.get("/api/v1/sessions?filter=" + url.QueryEscape("user:"+secret)).is(200)
	if text := log.String(); strings.Contains(text, secret) || strings.Contains(text, token) || !strings.Contains(text, `route="POST /api/v1/revocations"`) {
		t.Errorf("the log:\n%s", text)
	}
}

func TestInternalErrorsStayInside(t *testing.T) {
	var log bytes.Buffer
	o := options(t, 1)
	o.Logger = slog.New(slog.NewTextHandler(&log, nil))
	o.Keys = func() ([]wire.Key, error) {
		return nil, fmt.Errorf("open /var/lib/seshat/digest.key: input/output error")
	}
	s := serve(t, o)
	a := s.get("/api/v1/keys")
	p := a.problem(500)
	if strings.Contains(a.body, "digest.key") || p.Instance == "" || !strings.Contains(log.String(), p.Instance) || !strings.Contains(log.String(), "digest.key") {
		t.Errorf("%+v\n%s", p, log.String())
	}
	o.Keys = func() ([]wire.Key, error) { panic("digest.key") }
	if a := serve(t, o).get("/api/v1/keys"); a.problem(500).Kind != "internal" || strings.Contains(a.body, "digest.key") {
		t.Errorf("a panic: %s", a.body)
	}
}

// FuzzParameters: whatever is asked for, the answer is one of a well-behaved server.
func FuzzParameters(f *testing.F) {
	s := serve(f, options(f, 3))
	f.Add("filter", "status:>=500 user:alice", "limit", "5")
	f.Add("since", "24h", "until", "2026-01-02T10:00:00Z")
	f.Add("cursor", "eyJsIjoiIn0", "order", "oldest")
	f.Add("sort", "user", "cursor", "e30")
	f.Add("limit", "99999999999999999999", "light", "maybe")
	f.Add("filter", "((((((((((", "filter", "\x00\xff")
	f.Fuzz(func(t *testing.T, name1, value1, name2, value2 string) {
		query := url.Values{name1: {value1}, name2: {value2}}.Encode()
		for _, path := range []string{"/api/v1/sessions", "/api/v1/exchanges", "/api/v1/overview", "/api/v1/filters/suggest"} {
			a := (&service{t, s.Server}).get(path + "?" + query)
			if a.status >= 500 {
				t.Fatalf("%s: %d %s", a.request, a.status, a.body)
			}
			if a.status != 200 && !json.Valid([]byte(a.body)) {
				t.Fatalf("%s: %d %s", a.request, a.status, a.body)
			}
		}
	})
}
