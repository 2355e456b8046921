package test

import (
	"encoding/json"
	"fmt"
	"net/url"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// hostileTexts are what somebody may put where the console shows it, to break out of its place. Each would set __xss when it
// is run, and be found as an element when it is not.
func hostileTexts() []string {
	return []string{
		`<script>window.__xss=1</script>`, `"><img src=x onerror="window.__xss=2">`, `'-alert(3)-'`, `javascript:window.__xss=4`, `{{7*7}}${7*7}`,
		`</style><style>body{width:9999px;background:url(//evil.example)}</style>`, `</textarea></title><svg onload=window.__xss=5>`,
		strings.Repeat("A", 5000), "\u202Egnp.exe\u202C\u2066", "a\u0001\u0007\u001b[31mb", "&lt;b&gt;&#0;", `<!--]]><a href=javascript:window.__xss=6>x</a>`,
	}
}

// hostileInstance is an instance whose traffic and everything that people wrote is hostile.
func hostileInstance(t *testing.T) *running {
	t.Helper()
	s := fresh(t)
	texts := hostileTexts()
	describe := func(i int) string {
		quoted, _ := json.Marshal(strings.ToValidUTF8(texts[i], ""))
		return strings.NewReplacer(`\u0001`, "", `\u0007`, "", `\u001b`, "").Replace(string(quoted))
	}
	s.run("apply", "-f", file(t, "hostile.yaml", fmt.Sprintf(`
apiVersion: seshat/v1
kind: SessionRule
metadata: {name: shop, description: %s, labels: {a: %s}}
spec: {identifiers: [{cookie: SHOP}]}
---
apiVersion: seshat/v1
kind: ContextParameter
metadata: {name: who, description: %s}
spec: {type: user, in: response, extract: {location: header, key: X-User}}
---
apiVersion: seshat/v1
kind: Flow
metadata: {name: flow, description: %s}
spec: {type: login, endpoints: ["POST */login"], conditions: [{in: request, location: header, key: "X-A", value: {contains: %s}}]}
---
apiVersion: seshat/v1
kind: MaskRule
metadata: {name: mask, description: %s}
spec: {in: request, location: body, jsonPath: "$..card.number"}
---
apiVersion: seshat/v1
kind: Limit
metadata: {name: limit, description: %s}
spec: {endpoints: ["GET */items/<b>*"], key: [session], count: 3, window: 1m, action: tag}
---
apiVersion: seshat/v1
kind: JWTValidation
metadata: {name: tokens, description: %s}
spec: {scope: {services: ["<b>shop"]}, jwksURL: "https://id.shop.example/jwks.json", issuers: [%s], required: false}
---
apiVersion: seshat/v1
kind: Settings
metadata: {name: default, description: %s}
spec: {retention: 90d}
`, describe(0), describe(1), describe(1), describe(6), describe(0), describe(5), describe(2), describe(4), describe(11), describe(3)))).want(0)

	// What a gateway would refuse comes as a file.
	var recorded strings.Builder
	now := time.Now().UTC().Format(time.RFC3339Nano)
	for i, text := range texts {
		one := map[string]any{
			"id": fmt.Sprint("x-", i, text[:min(len(text), 20)]), "time": now, "environment": "prod" + text[:min(len(text), 100)], "service": "shop" + text[:min(len(text), 100)],
			"client": map[string]any{"ip": "203.0.113.9"},
			"request": map[string]any{
				"method": "GET", "scheme": "https", "host": "shop.example" + text[:min(len(text), 100)], "path": "/items/" + text, "query": "q=" + text + "&" + text + "=1",
				"headers": [][2]string{{"Cookie", "SHOP=hostile-cookie-" + fmt.Sprint(i) + "-0123456789; " + text + "=" + text}, {"User-Agent", text}, {"Referer", text}, {"X" + text, text}},
				"body":    text,
			},
			"response": map[string]any{"status": 200, "headers": [][2]string{{"X-User", text}, {"Location", text}, {"Set-Cookie", "a=" + text}}, "body": text},
			"trace_id": text[:min(len(text), 30)],
		}
		line, err := json.Marshal(one)
		if err != nil {
			t.Fatal(err)
		}
		recorded.Write(line)
		recorded.WriteByte('\n')
	}
	s.run("import", file(t, "hostile.ndjson", recorded.String()))

	g := s.serve("--listen", "127.0.0.1:0", "--upstream", consoleOrigin(t))
	c := client(t)
	for i, text := range texts {
		plain := strings.Map(func(r rune) rune {
			if r < ' ' || r == 0x7f {
				return -1
			}
			return r
		}, text)
		for range 4 {
			_, err := tryAsk(c, "GET", g.gateway+"/items/"+url.PathEscape(plain)+"?who="+url.QueryEscape(plain)+"&q="+url.QueryEscape(text), "",
				"Cookie", fmt.Sprintf("SHOP=live-cookie-%d-0123456789abcdef", i), "User-Agent", plain, "X-Forwarded-For", plain, "Referer", plain)
			if err != nil {
				t.Logf("the gateway refuses %.40q: %v", text, err)
			}
		}
	}
	g.settled()

	wants := func(what string, a answerOf) {
		t.Helper()
		if a.status/100 != 2 {
			t.Fatalf("%s: %d %s", what, a.status, a.body)
		}
	}
	send := func(method, path string, body any) {
		t.Helper()
		text, err := json.Marshal(body)
		if err != nil {
			t.Fatal(err)
		}
		wants(path, g.owned(method, path, string(text), "Content-Type", "application/json"))
	}
	send("POST", "/api/v1/users", map[string]any{"name": "mallory", "display_name": texts[1], "role": "viewer", "password": accountPassword})
	send("POST", "/api/v1/tokens", map[string]any{"name": texts[0], "scopes": []string{"sessions:read"}, "user": "mallory"})
	send("POST", "/api/v1/revocations", map[string]any{"user": texts[1], "reason": texts[0] + strings.Repeat("r", 900)})
	return g
}

// addresses are the addresses of the console with one method, as its own test lists them.
func addresses(t *testing.T, method string) []string {
	t.Helper()
	var out []string
	for line := range strings.Lines(read(t, filepath.Join("..", "internal", "console", "testdata", "addresses.txt"))) {
		if m, path, _ := strings.Cut(strings.TrimSpace(line), " "); m == method {
			out = append(out, path)
		}
	}
	if len(out) < 20 {
		t.Fatalf("%d addresses", len(out))
	}
	return out
}

// places fills the wildcards of addresses with what there is.
type places struct{ session, exchange, denial, token string }

func placesOf(t *testing.T, g *running, filter string) places {
	t.Helper()
	first := func(path, member string) string {
		t.Helper()
		a := g.owned("GET", path, "")
		var page struct{ Items []map[string]any }
		if err := json.Unmarshal([]byte(a.body), &page); err != nil || len(page.Items) == 0 {
			t.Fatalf("%s: %d %s", path, a.status, a.body)
		}
		return fmt.Sprint(page.Items[0][member])
	}
	p := places{session: first("/api/v1/sessions?since=all&limit=1&filter="+url.QueryEscape(filter), "session_id")}
	p.exchange = first("/api/v1/sessions/"+p.session+"/exchanges?limit=1", "key")
	p.denial = first("/api/v1/denylist", "name")
	p.token = first("/api/v1/tokens?all=true", "id")
	return p
}

// fill is an address of the console with its wildcards filled.
func (p *places) fill(t *testing.T, pattern string) string {
	t.Helper()
	if pattern == "/{$}" {
		return "/"
	}
	name := ""
	for prefix, of := range map[string]string{
		"/context/flow/": "flow", "/context/mask/": "mask", "/context/parameter/": "who", "/limits/limit/": "limit", "/limits/validation/": "tokens",
		"/limits/denied/": p.denial, "/rules/{name}": "shop", "/rules/-/presets/": "keycloak", "/settings/general/": "default", "/settings/user/": "mallory",
		"/sessions/{id}/denials/": p.denial,
	} {
		if strings.HasPrefix(pattern, prefix) {
			name = of
		}
	}
	id := p.session
	if strings.HasPrefix(pattern, "/settings/token/") {
		id = p.token
	}
	path := strings.NewReplacer("{id}", id, "{key}", p.exchange, "{name}", name).Replace(pattern)
	if strings.Contains(path, "{") || strings.Contains(path, "//") {
		t.Fatalf("nobody says what %s is: add it here", pattern)
	}
	return path
}
