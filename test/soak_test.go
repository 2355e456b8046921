package test

import (
	"encoding/json"
	"math/rand/v2"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"
)

// soakTime is how long the soak takes: SESHAT_SOAK, or some moments.
func soakTime(t testing.TB) time.Duration {
	t.Helper()
	text := os.Getenv("SESHAT_SOAK")
	switch {
	case text != "":
		d, err := time.ParseDuration(text)
		if err != nil {
			t.Fatalf("SESHAT_SOAK: %v", err)
		}
		return d
	case testing.Short():
		return 8 * time.Second
	default:
		return 20 * time.Second
	}
}

// What may be more at the end of the soak than after its first third. Goroutines and files follow the connections of the
// moment; memory is also what the store keeps at hand, which has a bound of its own (512 MiB), and what the race detector
// remembers.
const (
	soakGoroutines = 100
	soakFiles      = 100
	soakMemory     = 512 << 20
)

// TestSoak runs the whole demonstration under the race detector: clients of every kind at a hundred times their usual pace,
// while resources are applied and taken back, sessions revoked, the configuration read again, and everything looked at.
func TestSoak(t *testing.T) {
	long := soakTime(t)
	racing := filepath.Join(t.TempDir(), "seshat")
	tool(t, "go", "build", "-race", "-o", racing, "../cmd/seshat")
	s := fresh(t)
	g := s.launchProgram(racing, "demo", "--pace", "5ms", "--for", (2 * long).String(), "--listen", "127.0.0.1:0", "--api", "127.0.0.1:0")
	eventually(t, "there is traffic", func() bool { return g.metric(metricStored) > 100 })

	watched := []string{"go_goroutines", "process_open_fds", "process_resident_memory_bytes"}
	sample := func() map[string]float64 {
		out := map[string]float64{}
		for _, name := range watched {
			out[name] = g.metric(name)
		}
		return out
	}
	var warm map[string]float64
	random := rand.New(rand.NewPCG(5, 6))
	rounds, start := 0, time.Now()
	for ; time.Since(start) < long; rounds++ {
		if warm == nil && time.Since(start) > long/3 {
			warm = sample()
		}
		soakRound(t, s, g, rounds, random)
	}
	end := sample()
	t.Logf("%d rounds, %.0f exchanges; after a third %v, at the end %v", rounds, g.metric(metricStored), warm, end)
	for i, most := range []float64{soakGoroutines, soakFiles, soakMemory} {
		if grown := end[watched[i]] - warm[watched[i]]; grown > most {
			t.Errorf("%s has grown by %.0f, which is more than %.0f", watched[i], grown, most)
		}
	}
	if dropped := g.metric(metricDropped); dropped != 0 {
		t.Errorf("%v exchanges were dropped", dropped)
	}
	if lag := g.metric("seshat_recorder_behind_seconds"); lag > 10 {
		t.Errorf("the store is %v s behind", lag)
	}
	said := g.stderr.String()
	g.stop()
	if said += g.stderr.String(); strings.Contains(said, "DATA RACE") {
		t.Errorf("there are data races:\n%s", said[strings.Index(said, "DATA RACE"):])
	}
	if strings.Contains(said, "level=ERROR") {
		t.Errorf("it logged errors:\n%s", brief(said[strings.Index(said, "level=ERROR"):]))
	}
	if code := g.cmd.ProcessState.ExitCode(); code != 0 && code != interrupted {
		t.Errorf("it ended with %d", code)
	}
	s.sessions("user:alice") // the store is whole
}

// soakRound does some of what people do beside the traffic.
func soakRound(t *testing.T, s *seshat, g *running, round int, random *rand.Rand) {
	t.Helper()
	limit := "apiVersion: seshat/v1\nkind: Limit\nmetadata: {name: soak}\nspec: {endpoints: [\"GET */products/*\"], key: [session], count: " +
		strconv.Itoa(5+random.IntN(50)) + ", window: 10s}\n"
	switch round % 6 {
	case 0:
		s.ok("apply", "-f", file(t, "limit.yaml", limit))
	case 1:
		var newest []session
		for line := range strings.Lines(s.ok("sessions", "--limit", "20", "--format", "json").stdout) {
			var one session
			if err := json.Unmarshal([]byte(line), &one); err != nil {
				t.Fatal(err)
			}
			newest = append(newest, one)
		}
		if len(newest) > 0 {
			s.ok("revoke", newest[random.IntN(len(newest))].ID)
		}
	case 2:
		if err := g.cmd.Process.Signal(syscall.SIGHUP); err != nil {
			t.Fatal(err)
		}
	case 3:
		s.ok("explore", "status:>=400", "--limit", "100", "--format", "csv")
		s.ok("status")
	case 4:
		s.ok("delete", "limit", "soak")
	default:
		if a := ask(t, client(t), http.MethodGet, g.gateway+"/", "", "Connection", "close"); a.status != http.StatusOK {
			t.Errorf("the shop answers %d", a.status)
		}
	}
}
