package enforce_test

import (
	"crypto/sha256"
	"fmt"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/seshat-project/seshat"
	"github.com/seshat-project/seshat/internal/enforce"
	"github.com/seshat-project/seshat/internal/identify"
	"github.com/seshat-project/seshat/internal/resource"
	"github.com/seshat-project/seshat/internal/rule"
)

// start is when every test begins.
func start() time.Time { return time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC) }

func digestOf(value string) (d seshat.Digest) {
	sum := sha256.Sum256([]byte(value))
	copy(d[:], sum[:])
	return d
}

func newSessionID(first seshat.Digest, start time.Time) (id seshat.SessionID) {
	sum := sha256.Sum256(fmt.Appendf(nil, "%s %d", first, start.UnixNano()))
	copy(id[:], sum[:])
	return id
}

type hasher struct{}

func (hasher) Hash(value []byte) seshat.Digest { return digestOf(string(value)) }

// gateway is an enforcer with what is around it.
type gateway struct {
	t        testing.TB
	enforcer *enforce.Enforcer
	worker   *identify.Worker
	now      time.Time
	identity seshat.Identity
	decision enforce.Decision
	exchange seshat.Exchange
	digests  []seshat.Digest
}

func newGateway(t testing.TB, resources string) *gateway {
	t.Helper()
	g := &gateway{t: t, enforcer: enforce.New(enforce.Config{NewSessionID: newSessionID, Secret: [16]byte{7}}), now: start()}
	g.use(resources, nil)
	return g
}

func compile(t testing.TB, resources string) *rule.Ruleset {
	t.Helper()
	var list []seshat.Resource
	if resources != "" {
		parsed, faults := resource.Parse("test.yaml", []byte(resources))
		if len(faults) > 0 {
			t.Fatal(faults)
		}
		list = resource.Resources(parsed)
	}
	set, faults := rule.Compile(list)
	if len(faults) > 0 {
		t.Fatal(faults)
	}
	return set
}

func (g *gateway) use(resources string, keys map[string]enforce.KeySource) {
	g.t.Helper()
	set := compile(g.t, resources)
	g.worker = identify.New(set, hasher{}).NewWorker()
	g.enforcer.Use(set, keys)
}

func (g *gateway) wait(d time.Duration) { g.now = g.now.Add(d) }

// send judges a request such as "GET /orders", with header fields such as "Cookie: SESSID=a". The field "From" is the
// client's address.
func (g *gateway) send(line string, fields ...string) *enforce.Decision {
	g.t.Helper()
	method, target, _ := strings.Cut(line, " ")
	x := &g.exchange
	*x = seshat.Exchange{Time: g.now, Environment: "prod", Service: "shop.example"}
	x.Client.IP = netip.MustParseAddr("203.0.113.9")
	x.Request = seshat.Request{Method: method, Scheme: "https", Host: "shop.example", HTTPVersion: "1.1"}
	x.Request.Path, x.Request.Query, _ = strings.Cut(target, "?")
	for _, f := range fields {
		name, value, _ := strings.Cut(f, ": ")
		if name == "From" {
			x.Client.IP = netip.MustParseAddr(value)
			continue
		}
		x.Request.Header = append(x.Request.Header, seshat.Field{Name: name, Value: value})
	}
	g.enforcer.Decide(g.request(), &g.decision)
	return &g.decision
}

func (g *gateway) request() *enforce.Request {
	g.worker.Identify(&g.exchange, &g.identity)
	g.digests = g.digests[:0]
	for i := range g.identity.IDs {
		d := seshat.Digest{}
		if v := g.identity.IDs[i].Value; v != "" {
			d = digestOf(string(v))
		}
		g.digests = append(g.digests, d)
	}
	return &enforce.Request{Exchange: &g.exchange, Identity: &g.identity, Digests: g.digests, Now: g.now, Reader: g.worker}
}

// answer is what the origin answers to the last request.
func (g *gateway) answer(status int, fields ...string) {
	g.exchange.Response.Status = status
	for _, f := range fields {
		name, value, _ := strings.Cut(f, ": ")
		g.exchange.Response.Header = append(g.exchange.Response.Header, seshat.Field{Name: name, Value: value})
	}
	g.enforcer.Answered(g.request(), &g.decision)
}

// word is a decision in short, such as "allow", "tag Limit/a", "429 Limit/a" or "allow vouched".
func word(d *enforce.Decision) string {
	out := d.Verdict.Action.String()
	if d.Verdict.Action.Refuses() {
		out = fmt.Sprintf("%d %s", d.Verdict.Status, d.Verdict.By)
	}
	if len(d.Verdict.Tags) > 0 {
		out += " [" + strings.Join(d.Verdict.Tags, " ") + "]"
	}
	if d.Vouched {
		out += " vouched"
	}
	return out
}

func (g *gateway) want(want string, d *enforce.Decision) {
	g.t.Helper()
	if got := word(d); got != want {
		g.t.Errorf("%s %s %v: %s, want %s", g.exchange.Request.Method, g.exchange.Request.Path, g.exchange.Request.Header, got, want)
	}
}

func limitYAML(name, rest string) string {
	return "---\napiVersion: seshat/v1\nkind: Limit\nmetadata: {name: " + name + "}\nspec: {" + rest + "}\n"
}
