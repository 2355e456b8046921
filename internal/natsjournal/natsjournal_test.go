package natsjournal_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/nats-io/nats.go"

	"github.com/seshat-project/seshat/internal/journal"
	"github.com/seshat-project/seshat/internal/journal/journaltest"
	"github.com/seshat-project/seshat/internal/natsjournal"
	"github.com/seshat-project/seshat/internal/natsserver"
)

const patience = 30 * time.Second

func start(t *testing.T, o natsserver.Options) *natsserver.Server {
	t.Helper()
	s, err := natsserver.Start(o)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func connect(t *testing.T, s *natsserver.Server) *nats.Conn {
	t.Helper()
	conn, err := s.Connect()
	if err != nil {
		t.Fatal(err)
	}
	return conn
}

func openLog(t *testing.T, conn *nats.Conn, o natsjournal.Options) *natsjournal.Log {
	t.Helper()
	l, err := natsjournal.Open(context.Background(), conn, o)
	if err != nil {
		t.Fatal(err)
	}
	return l
}

// alone opens a log on a server of its own, which ends with the test.
func alone(t *testing.T, o natsjournal.Options) journal.Log {
	t.Helper()
	s := start(t, natsserver.Options{Dir: t.TempDir()})
	conn := connect(t, s)
	t.Cleanup(func() { conn.Close(); s.Close() })
	return openLog(t, conn, o)
}

func TestLog(t *testing.T) {
	journaltest.Run(t, func(t *testing.T) journal.Log { return alone(t, natsjournal.Options{Stream: "exchanges"}) })
}

func TestFull(t *testing.T) {
	journaltest.RunFull(t, alone(t, natsjournal.Options{Stream: "exchanges", MaxBytes: 3 << 20}))
}

func TestNoRoom(t *testing.T) {
	none := fmt.Errorf("nearly full: %w", journal.ErrFull)
	l := alone(t, natsjournal.Options{Stream: "exchanges", Room: func() error { return none }})
	if _, err := l.Append(t.Context(), "a", nil); !errors.Is(err, journal.ErrFull) {
		t.Errorf("appended without room: %v", err)
	}
}

func TestDropsTheOldest(t *testing.T) {
	l := alone(t, natsjournal.Options{Stream: "links", MaxBytes: 1 << 20, DropOldest: true})
	for i := range 20 {
		if _, err := l.Append(t.Context(), fmt.Sprint(i), make([]byte, 100<<10)); err != nil {
			t.Fatal(err)
		}
	}
	stop := errors.New("stop")
	err := l.Read(t.Context(), 0, func(sequence journal.Sequence, _ []byte) error {
		if sequence < 10 {
			t.Errorf("entry %d is still there", sequence)
		}
		return stop
	})
	if !errors.Is(err, stop) {
		t.Error(err)
	}
}

func TestBus(t *testing.T) {
	s := start(t, natsserver.Options{Dir: t.TempDir()})
	t.Cleanup(s.Close)
	shared := connect(t, s)
	t.Cleanup(shared.Close)
	members := 0
	journaltest.RunBus(t, func(t *testing.T) journal.Bus {
		if members++; members > 2 {
			conn := connect(t, s)
			t.Cleanup(conn.Close)
			return natsjournal.NewBus(conn, "counts")
		}
		return natsjournal.NewBus(shared, "counts")
	})
}

// TestServerIsStartedAgain: a reader and a writer elsewhere go on after the server was away, and miss nothing.
func TestServerIsStartedAgain(t *testing.T) {
	o := natsserver.Options{Dir: t.TempDir(), Listen: "127.0.0.1:0", Token: "t"}
	s := start(t, o)
	o.Listen = s.Address()
	conn, err := natsserver.Dial("nats://"+o.Listen, natsserver.DialOptions{Token: o.Token})
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	l := openLog(t, conn, natsjournal.Options{Stream: "exchanges"})
	const each, rounds = 20, 3
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	done := make(chan error, 1)
	var seen atomic.Int64
	go func() {
		done <- l.Read(ctx, 0, func(sequence journal.Sequence, data []byte) error {
			if want := fmt.Sprint(seen.Load()); string(data) != want || int64(sequence) != seen.Load()+1 {
				return fmt.Errorf("entry %d is %s, want %s", sequence, data, want)
			}
			if seen.Add(1) == each*rounds {
				return context.Canceled
			}
			return nil
		})
	}()
	n := 0
	for round := range rounds {
		for range each {
			for {
				_, err := l.Append(ctx, fmt.Sprint("id", n), []byte(fmt.Sprint(n)))
				if err == nil {
					break
				}
				if ctx.Err() != nil {
					t.Fatal(err)
				}
			}
			n++
		}
		if round < rounds-1 {
			s.Close()
			s = start(t, o)
		}
	}
	if err := <-done; !errors.Is(err, context.Canceled) {
		t.Errorf("read %d of %d entries: %v", seen.Load(), n, err)
	}
	if err := l.Close(); err != nil {
		t.Error(err)
	}
	s.Close()
}

// dirVariable tells the process that TestKill starts which folder to write to.
const dirVariable = "NATSJOURNAL_TEST_DIR"

// TestKill kills a process that appends, several times, and looks for what was acknowledged.
func TestKill(t *testing.T) {
	if dir := os.Getenv(dirVariable); dir != "" {
		appendForever(t, dir)
		return
	}
	dir := t.TempDir()
	last := 0
	for range 5 {
		child := exec.Command(os.Args[0], "-test.run=^TestKill$") //nolint:gosec // this test itself
		child.Env = append(os.Environ(), dirVariable+"="+dir)
		acknowledged := make(chan int, 1)
		child.Stdout = &acks{want: 300, reached: acknowledged}
		if err := child.Start(); err != nil {
			t.Fatal(err)
		}
		select {
		case <-acknowledged:
		case <-time.After(patience):
			t.Error("the process did not append")
		}
		_ = child.Process.Kill() // SIGKILL; it cannot have ended
		_ = child.Wait()         // says that it was killed
		n := child.Stdout.(*acks).n
		last += n
		s := start(t, natsserver.Options{Dir: dir})
		conn := connect(t, s)
		l := openLog(t, conn, natsjournal.Options{Stream: "exchanges"})
		got, err := l.Last(t.Context())
		if err != nil || int(got) < last || int(got) > last+1 {
			t.Errorf("after a kill the log has %d entries, %v; %d were acknowledged", got, err, last)
		}
		last = int(got)
		_ = l.Close()
		conn.Close()
		s.Close()
	}
}

// acks counts the lines that are written to it.
type acks struct {
	n, want int
	reached chan int
}

func (a *acks) Write(b []byte) (int, error) {
	before := a.n
	a.n += strings.Count(string(b), "ack\n")
	if before < a.want && a.n >= a.want {
		a.reached <- a.n
	}
	return len(b), nil
}

func appendForever(t *testing.T, dir string) {
	s := start(t, natsserver.Options{Dir: dir})
	l := openLog(t, connect(t, s), natsjournal.Options{Stream: "exchanges"})
	data := make([]byte, 2000)
	for i := range 1_000_000 {
		if _, err := l.Append(t.Context(), fmt.Sprint(os.Getpid(), i), data); err != nil {
			t.Fatal(err)
		}
		if _, err := os.Stdout.WriteString("ack\n"); err != nil {
			return
		}
	}
}

func TestOpenFails(t *testing.T) {
	s := start(t, natsserver.Options{Dir: t.TempDir()})
	defer s.Close()
	conn := connect(t, s)
	defer conn.Close()
	if _, err := natsjournal.Open(t.Context(), conn, natsjournal.Options{Stream: "a b"}); err == nil {
		t.Error("opened a stream with a bad name")
	}
}

// TestAsk asks the other members of a bus.
func TestAsk(t *testing.T) {
	s := start(t, natsserver.Options{Dir: t.TempDir()})
	t.Cleanup(s.Close)
	member := func(answer string) *natsjournal.Bus {
		conn := connect(t, s)
		t.Cleanup(conn.Close)
		bus := natsjournal.NewBus(conn, "questions")
		t.Cleanup(func() { _ = bus.Close() })
		if _, err := bus.Answer(func(question []byte) []byte {
			if answer == "" {
				return nil
			}
			return append([]byte(answer+" to "), question...)
		}); err != nil {
			t.Fatal(err)
		}
		return bus
	}
	asking := member("itself")
	ctx := context.Background()
	if got, err := asking.Ask(ctx, []byte("x"), 5, 50*time.Millisecond); err != nil || len(got) != 0 {
		t.Fatalf("it answers itself: %q, %v", got, err)
	}
	for _, name := range []string{"a", "b", ""} {
		member(name)
	}
	within := func(wanted int) []string {
		t.Helper()
		got, err := asking.Ask(ctx, []byte("x"), wanted, time.Second)
		if err != nil {
			t.Fatal(err)
		}
		var out []string
		for _, answer := range got {
			out = append(out, string(answer))
		}
		slices.Sort(out)
		return out
	}
	deadline := time.Now().Add(patience)
	for known := 0; known < 2 && time.Now().Before(deadline); { // until the server knows them
		known = len(within(2))
	}
	if got := within(3); !slices.Equal(got, []string{"a to x", "b to x"}) {
		t.Errorf("answers %q", got)
	}
	if got := within(1); len(got) != 1 {
		t.Errorf("one was wanted: %q", got)
	}
	ended, end := context.WithCancel(ctx)
	end()
	if _, err := asking.Ask(ended, []byte("x"), 3, time.Second); !errors.Is(err, context.Canceled) {
		t.Errorf("nobody waits any more: %v", err)
	}
}
