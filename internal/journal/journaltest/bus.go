package journaltest

import (
	"testing"
	"time"

	"github.com/seshat-project/seshat/internal/journal"
)

// RunBus tests a bus by three of its members.
func RunBus(t *testing.T, join func(t *testing.T) journal.Bus) {
	a, b, c := join(t), join(t), join(t)
	got := make(chan string, 100)
	subscribe := func(name string, bus journal.Bus) func() {
		stop, err := bus.Subscribe(func(data []byte) { got <- name + " got " + string(data) })
		if err != nil {
			t.Fatal(err)
		}
		return stop
	}
	stopA := subscribe("a", a)
	subscribe("b", b)
	publish := func(bus journal.Bus, data string) {
		t.Helper()
		if err := bus.Publish([]byte(data)); err != nil {
			t.Fatal(err)
		}
	}
	wait := func(most time.Duration) string {
		select {
		case s := <-got:
			return s
		case <-time.After(most):
			return "nothing"
		}
	}
	next := func() string { return wait(patience) }
	// The bus is lossy, also for who has only just joined: whoever wants to be heard says it again.
	meet := func(from journal.Bus, greeting string, want ...string) {
		t.Helper()
		missing := map[string]bool{}
		for _, w := range want {
			missing[w] = true
		}
		for deadline := time.Now().Add(patience); len(missing) > 0 && time.Now().Before(deadline); {
			publish(from, greeting)
			delete(missing, wait(100*time.Millisecond))
		}
		if len(missing) > 0 {
			t.Fatalf("missing: %v", missing)
		}
	}
	meet(c, "hello", "a got hello", "b got hello")
	publish(a, "from a")
	for s := next(); s != "b got from a"; s = next() {
		if s != "a got hello" && s != "b got hello" {
			t.Fatalf("%s, want that b gets what a sent, and a does not", s)
		}
	}
	stopA()
	stopA()
	publish(c, "after")
	if s := next(); s != "b got after" && s != "a got hello" && s != "b got hello" {
		t.Errorf("after a has stopped: %s", s)
	}
	for _, bus := range []journal.Bus{a, b, c} {
		if err := bus.Close(); err != nil {
			t.Error(err)
		}
	}
}
