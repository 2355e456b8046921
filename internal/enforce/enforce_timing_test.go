package enforce_test

import (
	"encoding/binary"
	"fmt"
	"net/netip"
	"runtime"
	"testing"
	"time"

	"github.com/seshat-project/seshat"
	"github.com/seshat-project/seshat/internal/enforce"
	"github.com/seshat-project/seshat/internal/identify"
)

// tenRules are ten session rules and one limit, as the budget speaks of.
func tenRules() string {
	out := sessionRule + limitYAML("a", "key: [session], count: 100000000, window: 1m")
	for i := range 9 {
		out += fmt.Sprintf("---\napiVersion: seshat/v1\nkind: SessionRule\nmetadata: {name: r%d}\nspec: {identifiers: [{cookie: other%d}]}\n", i, i)
	}
	return out
}

// typical is a gateway that knows the session of a request with a cookie and a bearer token.
func typical(b *testing.B, resources string, keys map[string]enforce.KeySource) (*gateway, *enforce.Request) {
	b.Helper()
	g := newGateway(b, "")
	g.use(resources, keys)
	token := newIssuer("a").token(claims(`,"sub":"alice","sid":"s1"`))
	fields := []string{"Cookie: SESSID=0123456789abcdef0123456789abcdef; theme=dark", "Authorization: Bearer " + token, "User-Agent: Mozilla/5.0"}
	id := seshat.SessionID{1}
	learn(b, g, []seshat.SessionFacts{{ID: id, User: "alice", Started: start()}}, []seshat.Link{
		{Session: id, To: digestOf("0123456789abcdef0123456789abcdef"), Evidence: seshat.EvidenceIssued, Time: start()},
	})
	g.send("GET /orders/42", fields...)
	return g, g.request()
}

// BenchmarkDecide has a typical request with ten rules in force. Identification is not part of it.
func BenchmarkDecide(b *testing.B) {
	run := func(name, resources string, prepare func(e *enforce.Enforcer)) {
		b.Run(name, func(b *testing.B) {
			source := &keys{}
			source.set.Store(keySet(b, newIssuer("a")))
			g, r := typical(b, resources, map[string]enforce.KeySource{"shop": source})
			prepare(g.enforcer)
			b.ReportAllocs()
			for b.Loop() {
				r.Now = r.Now.Add(time.Millisecond)
				g.enforcer.Decide(r, &g.decision)
			}
			if g.decision.Verdict.Action != seshat.ActionAllow || !g.decision.Vouched {
				b.Fatalf("%+v", g.decision.Verdict)
			}
		})
	}
	nothing := func(*enforce.Enforcer) {}
	run("limit", tenRules(), nothing)
	run("limit-endpoint", tenRules()+limitYAML("b", `key: [ip], count: 100000000, window: 1m, endpoints: ["GET */orders/*"]`), nothing)
	run("limit-shared", tenRules(), func(e *enforce.Enforcer) { e.AppendShare(nil, start()) })
	run("limit-denylist", tenRules(), func(e *enforce.Enforcer) {
		denials := []seshat.Denial{{Name: "u", User: "mallory", Status: 401}}
		for i := range 10_000 {
			denials = append(denials, seshat.Denial{Name: fmt.Sprint(i), Session: seshat.SessionID{9, byte(i), byte(i >> 8)}, Status: 401})
		}
		e.Deny(denials)
	})
	run("limit-token", tenRules()+validationYAML("shop", ""), nothing)
	thousand := tenRules()
	for i := range 1000 {
		thousand += limitYAML(fmt.Sprintf("far%d", i), fmt.Sprintf(`key: [ip], count: 1, window: 1m, scope: {services: ["s%d.example"]}`, i))
	}
	run("thousand-out-of-scope", thousand, nothing)
}

// BenchmarkDecideParallel has as many connections as processors.
func BenchmarkDecideParallel(b *testing.B) {
	set := compile(b, tenRules())
	engine := identify.New(set, hasher{})
	e := enforce.New(enforce.Config{NewSessionID: newSessionID})
	e.Use(set, nil)
	b.ReportAllocs()
	b.RunParallel(func(p *testing.PB) {
		g := &gateway{t: b, enforcer: e, worker: engine.NewWorker(), now: start()}
		g.send("GET /", "Cookie: SESSID=0123456789abcdef")
		r := g.request()
		for p.Next() {
			r.Now = r.Now.Add(time.Millisecond)
			e.Decide(r, &g.decision)
		}
	})
}

// BenchmarkDecideMillion has a million sessions in turn: nothing is in the processor's caches.
func BenchmarkDecideMillion(b *testing.B) {
	g, r := million(b)
	b.ReportAllocs()
	n := uint32(0)
	for b.Loop() {
		n = n*1664525 + 1013904223
		r.Digests[r.Identity.Grouping] = numbered(n % sessionsOfMillion)
		g.enforcer.Decide(r, &g.decision)
	}
	if !g.decision.Vouched {
		b.Fatal("not vouched for")
	}
}

func BenchmarkAnswered(b *testing.B) {
	g, r := typical(b, tenRules(), nil)
	g.exchange.Response.Status = 200
	b.ReportAllocs()
	for b.Loop() {
		g.enforcer.Answered(r, &g.decision)
	}
}

func BenchmarkAppendFields(b *testing.B) {
	g, r := typical(b, tenRules(), nil)
	g.enforcer.Decide(r, &g.decision)
	var fields []seshat.Field
	b.ReportAllocs()
	for b.Loop() {
		fields = enforce.AppendFields(fields[:0], &g.decision)
	}
}

// BenchmarkLearn has a batch of 2,000 links and as many sessions with users; the time is of one of them.
func BenchmarkLearn(b *testing.B) {
	var links []seshat.Link
	var facts []seshat.SessionFacts
	for i := range uint32(2000) {
		id := seshat.SessionID(numbered(i + 1<<30))
		links = append(links, seshat.Link{Session: id, To: numbered(i), Evidence: seshat.EvidenceIssued, Time: start()})
		facts = append(facts, seshat.SessionFacts{ID: id, User: fmt.Sprintf("user-%d", i), Started: start()})
	}
	notices := enforce.AppendNotices(nil, facts, links)
	e := enforce.New(enforce.Config{})
	b.ReportAllocs()
	for n := 0; b.Loop(); n++ {
		if err := e.Learn(notices); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/4000, "ns/notice")
}

func BenchmarkShare(b *testing.B) {
	g := newGateway(b, limitYAML("a", "key: [ip], count: 1000000, window: 1m"))
	other := newGateway(b, limitYAML("a", "key: [ip], count: 1000000, window: 1m"))
	g.enforcer.AppendShare(nil, start())
	g.send("GET /")
	r := g.request()
	var share []byte
	b.ReportAllocs()
	for b.Loop() {
		ip := netip.MustParseAddr("10.0.0.0")
		for range 1000 {
			ip = ip.Next()
			r.Exchange.Client.IP = ip
			g.enforcer.Decide(r, &g.decision)
		}
		share = g.enforcer.AppendShare(share[:0], start())
		if err := other.enforcer.Merge(share, start()); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/1000, "ns/key")
}

const sessionsOfMillion = 1_000_000

func numbered(n uint32) (d seshat.Digest) {
	x := (uint64(n) + 1) * 0x9e3779b97f4a7c15
	binary.LittleEndian.PutUint64(d[:], x^x>>29)
	binary.LittleEndian.PutUint64(d[8:], x*0xbf58476d1ce4e5b9)
	return d
}

// million is a gateway that has counted a request of each of a million sessions, whose IDs the origin issued.
func million(t testing.TB) (*gateway, *enforce.Request) {
	t.Helper()
	g := newGateway(t, sessionRule+limitYAML("a", "key: [session], count: 100, window: 1h"))
	g.send("GET /", "Cookie: SESSID=a")
	r := g.request()
	for i := range uint32(sessionsOfMillion) {
		d := numbered(i)
		notices := enforce.AppendNotices(nil, nil, []seshat.Link{
			{Session: newSessionIDOf(d), To: d, Evidence: seshat.EvidenceIssued, Time: start()},
		})
		if err := g.enforcer.Learn(notices); err != nil {
			t.Fatal(err)
		}
		r.Digests[r.Identity.Grouping] = d
		g.enforcer.Decide(r, &g.decision)
		if !g.decision.Vouched || g.decision.Verdict.Action != seshat.ActionAllow {
			t.Fatalf("session %d: %s", i, word(&g.decision))
		}
	}
	return g, r
}

func newSessionIDOf(d seshat.Digest) seshat.SessionID {
	d[0] ^= 0xff
	return seshat.SessionID(d)
}

// TestMemoryOfAMillionSessions: a live session, with its client session ID, its vouching and the count of a limit, takes
// at most 300 bytes.
func TestMemoryOfAMillionSessions(t *testing.T) {
	if testing.Short() {
		t.Skip("a million sessions take some seconds")
	}
	heap := func() uint64 {
		runtime.GC()
		runtime.GC()
		var m runtime.MemStats
		runtime.ReadMemStats(&m)
		return m.HeapAlloc
	}
	before := heap()
	g, _ := million(t)
	each := float64(heap()-before) / sessionsOfMillion
	t.Logf("%.0f bytes for each session", each)
	if each > 300 {
		t.Errorf("%.0f bytes for each session, want at most 300", each)
	}
	for _, s := range g.enforcer.Stats().Tables {
		if (s.Name == "keys" || s.Name == "ids") && (s.Entries < sessionsOfMillion || s.Evicted+s.Refused > 0) {
			t.Errorf("%+v", s)
		}
	}
	runtime.KeepAlive(g)
}
