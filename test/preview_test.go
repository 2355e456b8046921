package test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"syscall"
	"testing"
	"time"
)

// visitRule looks for sessions where nothing that ships with the program does, and wants them to be shown.
const visitRule = `
apiVersion: seshat/v1
kind: SessionRule
metadata: {name: visits}
spec: {priority: %d, identifiers: [{header: X-Visit, obfuscate: false}]}
`

// tried is what a preview says.
type tried struct {
	Source struct {
		From, Node            string
		Enabled, Whole        bool
		Exchanges, Max, Nodes int
		Share                 float64
		Since, Until          time.Time
		Bytes                 int64
		MaxBytes              int64 `json:"max_bytes"`
	}
	Exchanges, Successful int
	Verdict               struct{ Grade, Text string }
	Warnings              []struct{ Code, Grade string }
	Rules                 []struct {
		Name                     string
		InScope                  int `json:"in_scope"`
		Found, Decides, Priority int
	}
	Before, After struct{ Sessions, Identified int }
	Sessions      []struct{ Masked []string }
	Parameters    []struct{ Values []struct{ Value string } }
}

func (s *seshat) try(args ...string) tried {
	s.t.Helper()
	return decodeLines[tried](s.t, s.ok(append([]string{"try", "--format", "json"}, args...)...).stdout)[0]
}

// request asks the API of the instance.
func (r *running) request(method, path, body string, fields ...string) answerOf {
	r.t.Helper()
	return ask(r.t, client(r.t), method, r.api+path, body, append([]string{"Authorization", "Bearer " + r.apiToken(), "Content-Type", "application/json"}, fields...)...)
}

// TestTryARule is the main job of a preview: a draft is tried on what has passed, applied, and identifies sessions as it
// said that it would. No secret is in anything that is said.
func TestTryARule(t *testing.T) {
	traffic := &secrets{raw: map[string]string{}}
	origin := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte("ok")) }))
	defer origin.Close()
	s := fresh(t)
	config := file(t, "seshat.yaml", "")
	write := func(more string) {
		text := "listen: \"127.0.0.1:0\"\nupstreams: [{name: a, servers: [\"" + origin.URL + "\"]}]\n" + more
		if err := os.WriteFile(config, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	write("")
	g := s.serve("-c", config)
	c := client(t)
	const visits, requests = 4, 10
	visit := func() {
		for v := range visits {
			for n := range requests {
				ask(t, c, http.MethodGet, fmt.Sprintf("%s/orders/%d?q=%s", g.gateway, n, traffic.secret("query")), "", "User-Agent", "Firefox",
					"X-Visit", traffic.raw[fmt.Sprint("visit", v)], "X-Nonce", traffic.secret(fmt.Sprint("nonce", v, n)), "Authorization", "Basic "+traffic.raw["basic"])
			}
		}
	}
	traffic.secret("basic")
	for v := range visits {
		traffic.secret(fmt.Sprint("visit", v))
	}
	visit()

	draft := file(t, "draft.yaml", fmt.Sprintf(visitRule, 50))
	got := s.try("-f", draft)
	if got.Source.From != "recent" || !got.Source.Enabled || !got.Source.Whole || got.Source.Share != 1 || got.Exchanges != visits*requests || got.Successful != visits*requests {
		t.Errorf("tried on %+v", got)
	}
	if len(got.Rules) != 1 || got.Rules[0].InScope != visits*requests || got.Rules[0].Found != visits*requests || got.Rules[0].Decides != visits*requests {
		t.Errorf("rules %+v", got.Rules)
	}
	if got.Before.Sessions != 1 || got.After.Sessions != visits || got.After.Identified != visits*requests || got.Verdict.Grade != "good" {
		t.Errorf("sessions before %+v, after %+v; %+v %+v", got.Before, got.After, got.Verdict, got.Warnings)
	}
	nonce := file(t, "nonce.yaml", strings.Replace(fmt.Sprintf(visitRule, 50), "X-Visit", "X-Nonce", 1))
	if got := s.try("-f", nonce); got.Verdict.Grade != "bad" || len(got.Warnings) == 0 || got.Warnings[0].Code != "seen-once" {
		t.Errorf("a nonce: %+v %+v", got.Verdict, got.Warnings)
	}
	parameter := file(t, "parameter.yaml", `
apiVersion: seshat/v1
kind: ContextParameter
metadata: {name: credentials}
spec: {type: user, extract: {location: header, key: Authorization}}
`)
	for _, args := range [][]string{
		{"try", "-f", draft}, {"try", "-f", draft, "--format", "json"}, {"try", "-f", nonce}, {"try", "-f", parameter}, {"try", "-f", parameter, "--format", "json"},
	} {
		r := s.ok(args...)
		traffic.find(t, fmt.Sprint("seshat ", args), []byte(r.stdout+r.stderr))
	}
	s.run("try", "-f", file(t, "wrong.yaml", strings.Replace(fmt.Sprintf(visitRule, 50), "header: X-Visit", `extract: {location: header, key: {matches: "("}}`, 1))).
		want(1).says("wrong.yaml:5:", "spec.identifiers[0].extract.key.matches")
	if a := g.request("POST", "/api/v1/previews", `{"yaml":"kind: Nothing"}`); a.status != http.StatusUnprocessableEntity || !strings.Contains(a.body, `"faults"`) {
		t.Errorf("a broken draft: %+v", a)
	}
	if got := s.sessions("identifier:visits"); len(got) != 0 {
		t.Fatalf("to try a draft made sessions: %+v", got)
	}

	// What it said is what happens.
	traffic.files(t, s.data)
	s.ok("apply", "-f", file(t, "rule.yaml", strings.Replace(fmt.Sprintf(visitRule, 50), ", obfuscate: false", "", 1)))
	visit()
	eventually(t, "the rule identifies sessions", func() bool { return len(s.sessions("identifier:visits")) == got.After.Sessions })
	traffic.files(t, s.data)

	// Another order, by the API, and a rule that is switched off.
	s.ok("apply", "-f", file(t, "other.yaml", strings.NewReplacer("visits", "nonces", "X-Visit", "X-Nonce", ", obfuscate: false", "").Replace(fmt.Sprintf(visitRule, 60))))
	a := g.request("POST", "/api/v1/session-rules/order", `{"names":["nonces","visits"]}`)
	if a.status != http.StatusOK || !strings.HasPrefix(a.body, `{"items":[{"name":"nonces"`) {
		t.Errorf("order: %+v", a)
	}
	if got := s.try("--remove", "sessionrule/nonces"); len(got.Rules) != 1 || got.Rules[0].Name != "visits" {
		t.Errorf("without a rule: %+v", got.Rules)
	}
	if a := g.request("POST", "/api/v1/resources/sessionrule/nonces/enabled", `{"enabled":false}`); a.status != http.StatusOK {
		t.Errorf("switched off: %+v", a)
	}
	if a := g.request("GET", "/api/v1/resources/sessionrule/nonces/diff", ""); a.status != http.StatusOK || !strings.Contains(a.body, `+  enabled: false`) {
		t.Errorf("diff: %+v", a)
	}

	// A view is there after the instance was started again.
	if a := g.request("POST", "/api/v1/views", `{"name":"mine","page":"sessions","query":"filter=a"}`); a.status != http.StatusCreated {
		t.Errorf("view: %+v", a)
	}

	// Nothing is kept where that is switched off.
	write("recent: {exchanges: 0}\n")
	if err := g.cmd.Process.Signal(syscall.SIGHUP); err != nil {
		t.Fatal(err)
	}
	eventually(t, "nothing is kept any more", func() bool { return s.try("-f", draft).Exchanges == 0 })
	if a := g.request("GET", "/api/v1/previews/source", ""); !strings.Contains(a.body, `"enabled":false,"exchanges":0,"bytes":0`) {
		t.Errorf("the source: %s", a.body)
	}
	g.stop()
	g = s.serve("-c", config)
	var views struct{ Items []struct{ Name string } }
	if err := json.Unmarshal([]byte(g.request("GET", "/api/v1/views", "").body), &views); err != nil || len(views.Items) != 1 || views.Items[0].Name != "mine" {
		t.Errorf("views after a start: %+v, %v", views, err)
	}
}

// TestTryElsewhere tries a draft at an instance that records on what a gateway in another process has seen.
func TestTryElsewhere(t *testing.T) {
	origin := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte("ok")) }))
	defer origin.Close()
	token := file(t, "nats.token", strings.Repeat("0123456789abcdef", 2))
	address := freePort(t)
	first, second := fresh(t), fresh(t)
	one := first.serve("-c", file(t, "one.yaml", fmt.Sprintf("role: recorder\nnatsListen: {address: %q, tokenFile: %q}\n", address, token)))
	sameKey(t, first, second)
	two := second.serve("-c", file(t, "two.yaml", fmt.Sprintf(`
listen: "127.0.0.1:0"
upstreams: [{name: shop, servers: [%q]}]
nats: {url: "nats://%s", tokenFile: %q}
role: gateway
`, origin.URL, address, token)))
	traffic := &secrets{raw: map[string]string{}}
	c := client(t)
	for v := range 3 {
		value := traffic.secret(fmt.Sprint("visit", v))
		for range 5 {
			ask(t, c, http.MethodGet, two.gateway+"/", "", "X-Visit", value)
		}
	}
	draft := file(t, "draft.yaml", fmt.Sprintf(visitRule, 50))
	got := first.try("-f", draft)
	if got.Exchanges != 15 || got.Source.Node == "" || got.Source.Nodes != 2 || got.After.Sessions != 3 || got.Rules[0].Found != 15 {
		t.Errorf("tried at the other process: %+v", got)
	}
	first.run("try", "-f", file(t, "wrong.yaml", strings.Replace(fmt.Sprintf(visitRule, 50), "header: X-Visit", `extract: {location: header, key: {matches: "("}}`, 1))).
		want(1).says("wrong.yaml:5:")
	r := first.ok("try", "-f", draft)
	r.prints("by one of 2 processes")
	traffic.find(t, "what it says", []byte(r.stdout+r.stderr))
	if a := one.request("GET", "/api/v1/previews/source", ""); !strings.Contains(a.body, `"exchanges":15`) || !strings.Contains(a.body, `"nodes":2`) {
		t.Errorf("the source: %s", a.body)
	}
	if got := second.try("-f", draft); got.Exchanges != 15 || got.Source.Node != "" {
		t.Errorf("tried where they are: %+v", got.Source)
	}
}
