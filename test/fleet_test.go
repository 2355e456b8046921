package test

import (
	"fmt"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// freePort is a port of the loopback interface that was free a moment ago, for what has to be known beforehand.
func freePort(t testing.TB) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = l.Close() }()
	return l.Addr().String()
}

// sameKey gives an instance the digest key of another.
func sameKey(t testing.TB, from, to *seshat) {
	t.Helper()
	if err := os.MkdirAll(to.data, 0o700); err != nil {
		t.Fatal(err)
	}
	key := read(t, filepath.Join(from.data, "digest.key"))
	if err := os.WriteFile(filepath.Join(to.data, "digest.key"), []byte(key), 0o600); err != nil {
		t.Fatal(err)
	}
}

// TestTwoGateways runs a gateway beside an instance that records: limits are counted together, a revocation is in force in
// both within a second, and so are resources.
func TestTwoGateways(t *testing.T) {
	origin := shop(t)
	token := file(t, "nats.token", strings.Repeat("0123456789abcdef", 2))
	address := freePort(t)
	first, second := fresh(t), fresh(t)
	one := first.serve("-c", file(t, "one.yaml", fmt.Sprintf(`
listen: "127.0.0.1:0"
upstreams: [{name: shop, servers: [%q]}]
natsListen: {address: %q, tokenFile: %q}
`, origin.URL, address, token)))
	gateway := file(t, "two.yaml", fmt.Sprintf(`
listen: "127.0.0.1:0"
upstreams: [{name: shop, servers: [%q]}]
nats: {url: "nats://%s", tokenFile: %q}
role: gateway
`, origin.URL, address, token))
	second.run("run", "-c", gateway, "--api", "127.0.0.1:0").want(1).says("other nodes use one", "copy the file")
	sameKey(t, first, second)
	both := file(t, "both.yaml", strings.Replace(read(t, gateway), "role: gateway\n", "", 1))
	second.run("run", "-c", both, "--api", "127.0.0.1:0").want(1).says("records it", "role: gateway")
	two := second.serve("-c", gateway)
	c := client(t)

	cookie := signIn(t, c, one.gateway, "alice", "User-Agent", "test/1.0")
	get := func(g *running, cookie string) int {
		return ask(t, c, http.MethodGet, g.gateway+"/account", "", "Cookie", cookie, "User-Agent", "test/1.0").status
	}
	if status := get(two, cookie); status != http.StatusOK {
		t.Fatalf("the second gateway answers %d", status)
	}
	var sessions []session
	eventually(t, "exchanges of both gateways are in one session", func() bool {
		sessions = first.sessions("user:alice")
		return len(sessions) == 1 && sessions[0].Exchanges == 2
	})

	// A limit, declared at the first, is counted at both together.
	limit := file(t, "limit.yaml", `
apiVersion: seshat/v1
kind: Limit
metadata: {name: account}
spec: {endpoints: ["GET */account"], key: [session], count: 20, window: 1m}
`)
	first.ok("apply", "-f", limit)
	within(t, 2*time.Second, "the second gateway knows the limit", func() bool {
		return ask(t, c, http.MethodGet, two.gateway+"/account", "", "Cookie", cookie, "User-Agent", "test/1.0").header.Get("RateLimit") != ""
	})
	passed := 0
	for n := range 60 { // slowly enough that counts are shared meanwhile
		g := one
		if n%2 == 1 {
			g = two
		}
		if status := get(g, cookie); status == http.StatusOK {
			passed++
		} else if status != http.StatusTooManyRequests {
			t.Fatalf("status %d", status)
		}
		time.Sleep(20 * time.Millisecond)
	}
	// Some passed while waiting for the limit. Each gateway may let through what the other counts within a tenth of a second.
	if passed > 20+10 || passed == 0 {
		t.Errorf("%d of 60 requests passed two gateways; the limit is 20 for both together", passed)
	}
	first.ok("delete", "limit", "account")

	// Revoked at the first, refused at both.
	other := signIn(t, c, two.gateway, "bob", "User-Agent", "test/2.0")
	eventually(t, "bob's session is known", func() bool { return len(first.sessions("user:bob")) == 1 })
	bob := first.sessions("user:bob")[0].ID
	first.ok("revoke", bob)
	for _, g := range []*running{one, two} {
		within(t, time.Second, "bob is refused at "+g.gateway, func() bool { return get(g, other) == http.StatusUnauthorized })
	}
	eventually(t, "alice is not", func() bool { return get(two, cookie) == http.StatusOK })
	two.stop()
	one.stop()
}

// TestThreeNodes runs three instances whose embedded NATS servers are a cluster, and kills one: traffic goes on, and
// nothing that was acknowledged is lost.
func TestThreeNodes(t *testing.T) {
	origin := shop(t)
	token := file(t, "cluster.token", strings.Repeat("0123456789abcdef", 2))
	routes := []string{freePort(t), freePort(t), freePort(t)}
	nodes := []*seshat{fresh(t), fresh(t), fresh(t)}
	fresh := nodes[0]
	fresh.ok("key", "create")
	var running [3]*running
	started := make(chan int, 3)
	for i, s := range nodes {
		if i > 0 {
			sameKey(t, fresh, s)
		}
		role := "gateway"
		if i == 0 {
			role = "all"
		}
		config := file(t, fmt.Sprintf("node-%d.yaml", i), fmt.Sprintf(`
listen: "127.0.0.1:0"
upstreams: [{name: shop, servers: [%q]}]
cluster: {name: c, node: n%d, listen: %q, routes: [%q, %q, %q], tokenFile: %q, replicas: 3}
journal: {failClosed: true}
role: %s
`, origin.URL, i, routes[i], routes[0], routes[1], routes[2], token, role))
		go func() { // together: none is complete without another
			running[i] = s.serve("-c", config)
			started <- i
		}()
	}
	for range nodes {
		select {
		case <-started:
		case <-time.After(2 * soon):
			t.Fatal("the cluster does not start")
		}
	}
	c := client(t)
	acknowledged := 0
	send := func(g int, n int) {
		t.Helper()
		eventually(t, "a request is acknowledged", func() bool {
			a, err := tryAsk(c, http.MethodGet, fmt.Sprintf("%s/n/%d", running[g].gateway, n), "")
			return err == nil && a.status == http.StatusOK
		})
		acknowledged++
	}
	for n := range 30 {
		send(n%3, n)
	}
	running[2].kill()
	for n := 30; n < 60; n++ {
		send(n%2, n)
	}
	seen := map[string]bool{}
	defer func() {
		if !t.Failed() {
			return
		}
		for n := range acknowledged {
			if !seen[fmt.Sprintf("/n/%d", n)] {
				t.Errorf("request %d was acknowledged and is not stored", n)
			}
		}
		t.Logf("the recorder:\n%s\n%s", running[0].stderr, ask(t, c, http.MethodGet, running[0].api+"/metrics", "").body)
	}()
	eventually(t, "all that was acknowledged is stored", func() bool {
		for _, row := range nodes[0].explore("path", "path:/n/*", "status:200") {
			seen[row[0]] = true
		}
		return len(seen) == acknowledged
	})
	running[1].stop()
}
