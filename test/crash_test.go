package test

import (
	"math/rand/v2"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestKilledGateway kills an instance without warning, fifty times under load, and starts it again: every exchange whose
// answer a client got completely is stored, and none is stored twice. The journal is fail-closed, so that a complete answer
// means that the exchange was acknowledged.
func TestKilledGateway(t *testing.T) {
	times := 50
	if testing.Short() {
		times = 5
	}
	s := fresh(t)
	config := configuration(t, shop(t).URL, "journal: {failClosed: true}\n")
	l := newLoad(t)
	random := rand.New(rand.NewPCG(1, 2))
	for range times {
		g := s.serve("-c", config)
		before := l.count(http.StatusOK)
		l.start(g.gateway, 8)
		// At moments all over what goes on: publishing, committing, trimming.
		wait := 1 + random.IntN(400)
		eventually(t, "requests are answered", func() bool { return l.count(http.StatusOK) >= before+wait })
		g.kill()
		l.stop()
	}
	g := s.serve("-c", config)
	g.settled()
	g.stop()
	l.check(s, 0)
	t.Logf("%d requests: %v", l.next, l.statuses())
	noSecrets(t, s.data, loadSecret)
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
