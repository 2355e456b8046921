package tail

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/seshat-project/seshat"
)

// sink keeps the paths of what it observes.
type sink struct {
	mu      sync.Mutex
	paths   []string
	ids     map[string]int
	changed chan struct{}
	flush   error
}

func newSink() *sink { return &sink{changed: make(chan struct{}, 1), ids: map[string]int{}} }

func (s *sink) Observe(_ context.Context, x *seshat.Exchange) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.paths = append(s.paths, strings.Clone(x.Request.Path))
	s.ids[strings.Clone(x.ID)]++
	select {
	case s.changed <- struct{}{}:
	default:
	}
	return nil
}

func (s *sink) Flush(context.Context) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.flush
}

func (s *sink) seen() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.paths)
}

// log is a log that a test writes, and the follower of it.
type log struct {
	t      *testing.T
	path   string
	config Config
	sink   *sink
	stop   func()
	next   int
}

func newLog(t *testing.T) *log {
	t.Helper()
	folder := t.TempDir()
	l := &log{t: t, path: filepath.Join(folder, "access.log"), sink: newSink(), stop: func() {}}
	l.config = Config{Path: l.path, Position: filepath.Join(folder, "positions", PositionName(l.path)), Sink: l.sink}
	t.Cleanup(func() { l.stop() })
	return l
}

// start follows the log, and returns once it does.
func (l *log) start() {
	l.t.Helper()
	f, err := Open(l.config)
	if err != nil {
		l.t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- f.Run(ctx) }()
	l.stop = func() {
		cancel()
		if err := <-done; err != nil {
			l.t.Errorf("the follower ended with %v", err)
		}
		l.stop = func() {}
	}
}

const deadline = 20 * time.Second

func (l *log) until(what string, holds func() bool) {
	l.t.Helper()
	end := time.After(deadline)
	for !holds() {
		select {
		case <-l.sink.changed:
		case <-time.After(5 * time.Millisecond):
		case <-end:
			l.t.Fatalf("within %s it does not hold that %s; seen %v", deadline, what, l.sink.seen())
		}
	}
}

func line(n int) string {
	return fmt.Sprintf(`203.0.113.7 - - [02/Jan/2026:03:04:%02d +0000] "GET /%d HTTP/1.1" 200 5 "-" "curl/8.9"`+"\n", n%60, n)
}

// write adds n lines to a file.
func (l *log) write(path string, n int) {
	l.t.Helper()
	var b strings.Builder
	for range n {
		b.WriteString(line(l.next))
		l.next++
	}
	l.raw(path, b.String())
}

func (l *log) raw(path, text string) {
	l.t.Helper()
	file, err := os.OpenFile(path, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o600)
	if err == nil {
		_, err = file.WriteString(text)
		err = errors.Join(err, file.Close())
	}
	if err != nil {
		l.t.Fatal(err)
	}
}

// want waits until the lines from first up to now were seen, each once and in order.
func (l *log) want(first int) {
	l.t.Helper()
	var want []string
	for n := first; n < l.next; n++ {
		want = append(want, fmt.Sprintf("/%d", n))
	}
	l.until(fmt.Sprintf("%d lines were seen", len(want)), func() bool { return len(l.sink.seen()) >= len(want) })
	if got := l.sink.seen(); !slices.Equal(got, want) {
		l.t.Fatalf("seen %v, want %v", got, want)
	}
}

func (l *log) rename(from, to string) {
	l.t.Helper()
	if err := os.Rename(from, to); err != nil {
		l.t.Fatal(err)
	}
}

func TestBeginsAtTheEnd(t *testing.T) {
	t.Parallel()
	l := newLog(t)
	l.write(l.path, 3)
	l.start()
	l.write(l.path, 2)
	l.want(3)
}

func TestBeginsAtTheBeginningOfALogThatComesLater(t *testing.T) {
	t.Parallel()
	l := newLog(t)
	l.start()
	l.write(l.path, 2)
	l.want(0)
}

func TestALineInTwoPieces(t *testing.T) {
	t.Parallel()
	l := newLog(t)
	l.raw(l.path, "")
	l.start()
	whole := line(l.next)
	l.next++
	l.raw(l.path, whole[:30])
	l.config.Sink.(*sink).until(t)
	l.raw(l.path, whole[30:])
	l.want(0)
}

// until gives a follower the time to look at the log twice, and fails when it makes something of what is there.
func (s *sink) until(t *testing.T) {
	t.Helper()
	select {
	case <-s.changed:
		t.Fatalf("half a line was taken for a line: %v", s.seen())
	case <-time.After(2*pollEvery + 50*time.Millisecond):
	}
}

func TestRotationByRename(t *testing.T) {
	t.Parallel()
	l := newLog(t)
	l.raw(l.path, "")
	l.start()
	l.write(l.path, 2)
	l.want(0)
	l.rename(l.path, l.path+".1")
	l.write(l.path+".1", 2) // the server goes on until it is told
	l.write(l.path, 3)
	l.want(0)
	l.rename(l.path+".1", l.path+".2")
	l.rename(l.path, l.path+".1")
	l.write(l.path, 1)
	l.want(0)
}

func TestRotationByTruncation(t *testing.T) {
	t.Parallel()
	l := newLog(t)
	l.raw(l.path, "")
	l.start()
	l.write(l.path, 5)
	l.want(0)
	if err := os.Truncate(l.path, 0); err != nil {
		t.Fatal(err)
	}
	l.write(l.path, 2)
	l.want(0)
}

func TestGoesOnWhereItStopped(t *testing.T) {
	t.Parallel()
	t.Run("same file", func(t *testing.T) {
		t.Parallel()
		l := newLog(t)
		l.raw(l.path, "")
		l.start()
		l.write(l.path, 3)
		l.want(0)
		l.stop()
		l.write(l.path, 2)
		l.start()
		l.want(0)
		l.stop()
		l.start()
		l.write(l.path, 1)
		l.want(0)
	})
	t.Run("nothing was read", func(t *testing.T) {
		t.Parallel()
		l := newLog(t)
		l.write(l.path, 2)
		l.start()
		l.stop()
		l.write(l.path, 2)
		l.start()
		l.want(2)
	})
	t.Run("renamed twice", func(t *testing.T) {
		t.Parallel()
		l := newLog(t)
		l.raw(l.path, "")
		l.start()
		l.write(l.path, 3)
		l.want(0)
		l.stop()
		l.write(l.path, 1)
		l.rename(l.path, l.path+".2")
		l.older(l.path+".2", 2*time.Hour)
		l.write(l.path+".1", 2)
		l.older(l.path+".1", time.Hour)
		l.raw(l.path+"-old.1", "x\n") // another log
		l.write(l.path, 1)
		l.start()
		l.want(0)
	})
	t.Run("the inode was used again", func(t *testing.T) {
		t.Parallel()
		l := newLog(t)
		l.raw(l.path, "")
		l.start()
		l.write(l.path, 3)
		l.want(0)
		l.stop()
		if err := os.Truncate(l.path, 0); err != nil { // the same inode, and other lines
			t.Fatal(err)
		}
		l.write(l.path, 4)
		l.start()
		l.want(0)
	})
}

// older sets when a file was changed last.
func (l *log) older(path string, by time.Duration) {
	l.t.Helper()
	at := time.Now().Add(-by)
	if err := os.Chtimes(path, at, at); err != nil {
		l.t.Fatal(err)
	}
}

// TestNothingIsLostUntilItIsKept checks that the position stays behind what the sink has settled, and that lines that
// are read again have the ID that they had.
func TestNothingIsLostUntilItIsKept(t *testing.T) {
	t.Parallel()
	l := newLog(t)
	l.raw(l.path, "")
	l.start()
	l.write(l.path, 2)
	l.want(0)
	l.stop()
	l.sink.flush = errors.New("the journal is slow")
	l.start()
	l.write(l.path, 3)
	l.want(0)
	l.stop()
	l.sink.flush = nil
	l.start()
	l.until("the lines were read again", func() bool { return len(l.sink.seen()) == 8 })
	if len(l.sink.ids) != 5 {
		t.Errorf("5 lines have %d IDs: %v", len(l.sink.ids), l.sink.ids)
	}
}

func TestBadLinesDoNotStopTheRest(t *testing.T) {
	t.Parallel()
	l := newLog(t)
	l.raw(l.path, "")
	l.start()
	l.write(l.path, 1)
	l.raw(l.path, "rubbish\n\n# a comment\n")
	l.write(l.path, 1)
	l.want(0)
}

func TestDamagedPosition(t *testing.T) {
	l := newLog(t)
	if err := os.MkdirAll(filepath.Dir(l.config.Position), 0o700); err != nil {
		t.Fatal(err)
	}
	f := func(text string, want seshat.ErrorKind) {
		t.Helper()
		if err := os.WriteFile(l.config.Position, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := Open(l.config); err == nil || seshat.KindOfError(err) != want {
			t.Errorf("%q: %v, want kind %d", text, err, want)
		}
	}
	f("{", seshat.ErrorInvalid)
	f("{}", seshat.ErrorInvalid)
	f(`{"version":2}`, seshat.ErrorUnsupported)
}

func TestUnknownFormat(t *testing.T) {
	l := newLog(t)
	l.sink.flush = nil
	follower, err := Open(l.config)
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan error, 1)
	go func() { done <- follower.Run(t.Context()) }()
	l.raw(l.path, strings.Repeat("rubbish\n", sampleBytes/8+1))
	select {
	case err := <-done:
		if !errors.Is(err, errFormat) || !strings.Contains(err.Error(), "logs.format") {
			t.Error(err)
		}
	case <-time.After(deadline):
		t.Fatal("it goes on with a log of unknown format")
	}
}

func TestRotatedNames(t *testing.T) {
	f := func(name string, want bool) {
		t.Helper()
		if got := rotated(name, "access.log"); got != want {
			t.Errorf("rotated(%q) is %t", name, got)
		}
	}
	f("access.log", false)
	f("access.log.1", true)
	f("access.log-20260102", true)
	f("access-20260102.log", true)
	f("access-2026-01-02T03.log", true)
	f("access.log.2.gz", false)
	f("access-admin.log", false)
	f("access.log.bak", false)
	f("other.log.1", false)
}
