package test

import (
	"math/rand/v2"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// TestKilledGateway kills an instance without warning, fifty times under load, and starts it again: every exchange whose
// answer a client got completely is stored, and none is stored twice. The journal is fail-closed, so that a complete answer
// means that the exchange was acknowledged.
func TestKilledGateway(t *testing.T) {
	times := 50
	if testing.Short() {
		times = 5
	}
	origin := shop(t)
	s := fresh(t)
	config := file(t, "seshat.yaml", `
listen: "127.0.0.1:0"
upstreams: [{name: shop, servers: ["`+origin.URL+`"]}]
journal: {failClosed: true}
`)
	var answered sync.Map // number of a request → true
	var next, count atomic.Int64
	random := rand.New(rand.NewPCG(1, 2))
	for range times {
		g := s.serve("-c", config)
		var clients sync.WaitGroup
		c := client(t)
		for n := range 8 {
			clients.Go(func() {
				cookie := "SHOPSESS=of-user" + strconv.Itoa(n) + "-Zk3vQ9xTt1LmN8pR2s"
				for {
					number := next.Add(1)
					a, err := tryAsk(c, http.MethodGet, g.gateway+"/n/"+strconv.FormatInt(number, 10), "", "Cookie", cookie)
					if err != nil {
						return // it was killed
					}
					if a.status == http.StatusOK {
						answered.Store(number, true)
						count.Add(1)
					}
				}
			})
		}
		before := count.Load()
		deadline := time.Now().Add(soon)
		// At moments all over what goes on: publishing, committing, trimming.
		for wait := int64(1 + random.IntN(400)); count.Load() < before+wait; {
			if time.Now().After(deadline) {
				t.Fatal("nothing is answered")
			}
			time.Sleep(time.Millisecond)
		}
		g.kill()
		clients.Wait()
	}
	g := s.serve("-c", config)
	eventually(t, "the journal is stored", func() bool {
		stored := len(s.explore("path", "path:/n/*"))
		return int64(stored) >= count.Load() && strings.Contains(ask(t, client(t), http.MethodGet, g.api+"/readyz", "").body, `"ok"`)
	})
	g.stop()
	seen := map[string]int{}
	for _, row := range s.explore("path", "path:/n/*") {
		seen[row[0]]++
	}
	for path, n := range seen {
		if n > 1 {
			t.Errorf("%s is stored %d times", path, n)
		}
	}
	lost := 0
	answered.Range(func(number, _ any) bool {
		if seen["/n/"+strconv.FormatInt(number.(int64), 10)] == 0 {
			if lost++; lost <= 5 {
				t.Errorf("request %d was answered and is not stored", number)
			}
		}
		return true
	})
	if lost > 5 {
		t.Errorf("… %d in all", lost)
	}
	t.Logf("%d requests, %d answered, %d stored", next.Load(), count.Load(), len(seen))
	noSecrets(t, s.data, "Zk3vQ9xTt1LmN8pR2s")
}

// noSecrets fails the test when a file of the data directory holds a secret.
func noSecrets(t testing.TB, dir string, secrets ...string) {
	t.Helper()
	err := filepath.WalkDir(dir, func(path string, entry os.DirEntry, err error) error {
		if err != nil || !entry.Type().IsRegular() {
			return err
		}
		data, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		for _, secret := range secrets {
			if strings.Contains(string(data), secret) {
				t.Errorf("%s holds the secret %q", path, secret)
			}
		}
		return nil
	})
	if err != nil {
		t.Error(err)
	}
}
