package main

import (
	"bytes"
	"context"
	"errors"
	"io"
	"strings"
	"testing"
	"testing/iotest"
	"time"

	"github.com/seshat-project/seshat"
	"github.com/seshat-project/seshat/internal/store/duckdb"
)

// TestInterruptWaiting checks that an import that waits for its standard input ends when it is told to.
func TestInterruptWaiting(t *testing.T) {
	p := newProgram(t)
	in, out := io.Pipe()
	defer func() { _ = out.Close() }()
	ctx, interrupt := context.WithCancel(t.Context())
	var stdout, stderr bytes.Buffer
	code := make(chan int)
	go func() { code <- run(ctx, []string{"--data", p.data, "import", "-"}, in, &stdout, &stderr) }()
	if _, err := io.WriteString(out, traffic); err != nil { // returns when all of it was read
		t.Error(err)
	}
	interrupt()
	if got := <-code; got != exitInterrupted {
		t.Errorf("exit code %d; want %d\n%s", got, exitInterrupted, stderr.String())
	}
	if want := "Interrupted. What is stored stays; run the same command again to go on.\nseshat: interrupted\n"; stderr.String() != want {
		t.Errorf("it says %q; want %q", stderr.String(), want)
	}
	p.input(traffic, "import", "-").exits(exitDone).prints("5 exchanges read, 5 stored")
}

func TestInterruptibleReader(t *testing.T) {
	f := func(r io.Reader, want string, wantErr error) {
		t.Helper()
		got, err := io.ReadAll(interruptible(t.Context(), r))
		if string(got) != want || !errors.Is(err, wantErr) {
			t.Errorf("read %d bytes, %v; want %d, %v", len(got), err, len(want), wantErr)
		}
	}
	long := strings.Repeat("0123456789", 50_000)
	broken := errors.New("broken")
	f(strings.NewReader(long), long, nil)
	f(iotest.OneByteReader(strings.NewReader("abc")), "abc", nil)
	f(iotest.DataErrReader(strings.NewReader("abc")), "abc", nil)
	f(io.MultiReader(strings.NewReader("abc"), iotest.ErrReader(broken)), "abc", broken)
}

// TestRetention checks that an import removes what was stored too long ago, and only that.
func TestRetention(t *testing.T) {
	p := imported(t)
	a := &app{stdout: io.Discard, stderr: io.Discard, data: p.data, now: time.Now}
	e, err := a.engines(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	left := func(after time.Duration) int64 {
		t.Helper()
		a.now = func() time.Time { return time.Now().Add(after) }
		s, err := a.openStore(t.Context(), duckdb.Options{LockWait: lockWait})
		if err != nil {
			t.Fatal(err)
		}
		if err := a.dropOld(t.Context(), s, e.rules); err != nil {
			t.Fatal(err)
		}
		span, err := s.Span(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
		return span.Exchanges
	}
	if n := left(6 * 24 * time.Hour); n != 5 {
		t.Errorf("after 6 days %d exchanges are left; want 5: the event time does not count", n)
	}
	if n := left(9 * 24 * time.Hour); n != 0 {
		t.Errorf("after 9 days %d exchanges are left; want none", n)
	}
	// The settings say how long.
	p.input("apiVersion: seshat/v1\nkind: Settings\nmetadata: {name: default}\nspec: {retention: 30d}\n", "apply", "-f", "-").exits(exitDone)
	p.must("import", write(t, "traffic.ndjson", traffic)).prints("5 stored")
	if e, err = a.engines(t.Context()); err != nil {
		t.Fatal(err)
	}
	if n := left(9 * 24 * time.Hour); n != 5 {
		t.Errorf("after 9 of 30 days %d exchanges are left; want 5", n)
	}
}

// TestAutoIdentifier checks that Authorization becomes a rule where it identifies sessions, once, and visibly.
func TestAutoIdentifier(t *testing.T) {
	p := newProgram(t)
	var b strings.Builder
	for range 400 {
		b.WriteString(`{"time":"2026-01-02T10:00:00Z","client":{"ip":"192.0.2.1"},"request":{"method":"GET","scheme":"https","host":"api.shop.example","path":"/","headers":[["Authorization","Bearer 0123456789abcdef0123456789abcdef"]]},"response":{"status":200}}` + "\n")
	}
	file := write(t, "t.ndjson", b.String())
	const name = "auto-authorization-api-shop-example"
	const note = "Authorization identifies sessions of api.shop.example from now on: session rule " + name + " was added"
	p.must("import", file).says(note)
	p.must("get", "sessionrules").prints(name, "auto-identifier")
	again := p.must("import", file)
	if strings.Contains(again.stderr, note) {
		t.Errorf("it was added twice: %s", again.stderr)
	}
	p.must("delete", "sessionrule", name)
	if r := p.must("import", file); strings.Contains(r.stderr, note) {
		t.Errorf("it was added although somebody deleted it: %s", r.stderr)
	}
	off := newProgram(t)
	off.input("apiVersion: seshat/v1\nkind: Settings\nmetadata: {name: default}\nspec: {autoIdentifier: false}\n", "apply", "-f", "-").exits(exitDone)
	if r := off.must("import", file); strings.Contains(r.stderr, note) {
		t.Errorf("it was added although the settings say no: %s", r.stderr)
	}
}

// TestInUse checks that two processes on one data directory get a clear message.
func TestInUse(t *testing.T) {
	p := imported(t)
	s, err := duckdb.Open(t.Context(), p.data, duckdb.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = s.Close() }()
	r := p.run("sessions").exits(exitFailed)
	if !strings.HasPrefix(r.stderr, "seshat: open data directory "+p.data+": ") || strings.Count(r.stderr, "\n") != 1 {
		t.Errorf("it says %s", r.stderr)
	}
	p.must("get", "sessionrules").prints("shop-app") // rules can be looked at meanwhile
}

func TestExitCodes(t *testing.T) {
	f := func(err error, want int) {
		t.Helper()
		if got := exitCode(err); got != want {
			t.Errorf("exitCode(%v) = %d; want %d", err, got, want)
		}
	}
	f(nil, 0)
	f(errors.New("x"), 1)
	f(errReported, 1)
	f(errInterrupted, 130)
	f(seshat.Faults{{Message: "x"}}, 1)
	for kind := seshat.ErrorInternal; kind <= seshat.ErrorUnsupported; kind++ {
		want := 1
		if kind == seshat.ErrorUsage {
			want = 2
		}
		f(&seshat.Error{Kind: kind}, want)
	}
}

func TestLogs(t *testing.T) {
	p := imported(t)
	r := p.must("--verbose", "--log", "json", "import", write(t, "traffic.ndjson", traffic))
	r.says(`"msg":"reading"`, `"format":"ndjson"`)
	if strings.Contains(r.stderr, "bob-session") {
		t.Errorf("a secret is logged: %s", r.stderr)
	}
}
