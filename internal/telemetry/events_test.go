package telemetry

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/seshat-project/seshat"
)

func someEvents() []seshat.Event {
	at := time.Date(2026, 3, 10, 9, 4, 0, 74e6, time.FixedZone("", 3600))
	one, two := seshat.SessionID{1}, seshat.SessionID{2}
	return []seshat.Event{
		{Type: seshat.EventStart, Time: at, Session: one},
		{Type: seshat.EventEnd, Time: at, Session: one, Reason: seshat.EndUserSwitch},
		{Type: seshat.EventStart, Time: at, Session: two, Previous: one},
	}
}

const someLines = `{"time":"2026-03-10T08:04:00.074Z","event.name":"session.start","session.id":"01000000-0000-0000-0000-000000000000"}
{"time":"2026-03-10T08:04:00.074Z","event.name":"session.end","session.id":"01000000-0000-0000-0000-000000000000","seshat.session.end_reason":"user-switch"}
{"time":"2026-03-10T08:04:00.074Z","event.name":"session.start","session.id":"02000000-0000-0000-0000-000000000000","session.previous_id":"01000000-0000-0000-0000-000000000000"}
`

func TestEventsAreLines(t *testing.T) {
	var out bytes.Buffer
	e, err := OpenEvents(Stdout, &out, func(err error) { t.Error(err) })
	if err != nil {
		t.Fatal(err)
	}
	e.Tell(someEvents())
	e.Tell(nil)
	if err := e.Close(time.Minute); err != nil {
		t.Fatal(err)
	}
	if out.String() != someLines {
		t.Errorf("got\n%s\nwant\n%s", out.String(), someLines)
	}
	for line := range strings.Lines(out.String()) {
		if !json.Valid([]byte(line)) {
			t.Errorf("%s is no JSON", line)
		}
	}
	if written, dropped := e.Counts(); written != 3 || dropped != 0 {
		t.Errorf("%d were written and %d dropped", written, dropped)
	}
}

// TestEventsGoOnAfterRotation moves the file away, as logrotate does.
func TestEventsGoOnAfterRotation(t *testing.T) {
	path := filepath.Join(t.TempDir(), "events.ndjson")
	e, err := OpenEvents(path, io.Discard, func(err error) { t.Error(err) })
	if err != nil {
		t.Fatal(err)
	}
	if err := os.Rename(path, path+".1"); err != nil {
		t.Fatal(err)
	}
	e.Reopen()
	for deadline := time.Now().Add(time.Minute); ; {
		if _, err := os.Stat(path); err == nil {
			break
		}
		if time.Now().After(deadline) {
			t.Fatal("it was not opened again")
		}
	}
	e.Tell(someEvents())
	if err := e.Close(time.Minute); err != nil {
		t.Fatal(err)
	}
	if got, err := os.ReadFile(path); err != nil || string(got) != someLines {
		t.Errorf("the new file has %q (%v)", got, err)
	}
	if info, err := os.Stat(path); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("the file is for %v", info.Mode())
	}
}

// stuck is what nobody reads from.
type stuck struct{ release chan struct{} }

func (s stuck) Write(p []byte) (int, error) { <-s.release; return len(p), nil }

// TestEventsDoNotWait tells more than is written: it is dropped, and counted.
func TestEventsDoNotWait(t *testing.T) {
	pipe := stuck{make(chan struct{})}
	e, err := OpenEvents(Stdout, pipe, func(error) {})
	if err != nil {
		t.Fatal(err)
	}
	for range maxEvents + 10 {
		e.Tell(someEvents())
	}
	if _, dropped := e.Counts(); dropped < 3*9 {
		t.Errorf("%d were dropped", dropped)
	}
	if err := e.Close(time.Millisecond); err == nil {
		t.Error("closing waits for whoever reads nothing")
	}
	close(pipe.release)
	if err := e.Close(time.Minute); err != nil {
		t.Error(err)
	}
}

// broken takes nothing until it is repaired.
type broken struct{ good bool }

func (b *broken) Write(p []byte) (int, error) {
	if b.good {
		return len(p), nil
	}
	b.good = true
	return 0, errors.New("no space left")
}

func TestEventsGoOnAfterAFailure(t *testing.T) {
	told := 0
	e, err := OpenEvents(Stdout, &broken{}, func(error) { told++ })
	if err != nil {
		t.Fatal(err)
	}
	e.Tell(someEvents())
	e.Tell(someEvents())
	if err := e.Close(time.Minute); err != nil {
		t.Fatal(err)
	}
	if written, dropped := e.Counts(); written != 3 || dropped != 3 || told != 1 {
		t.Errorf("%d written, %d dropped, told %d times", written, dropped, told)
	}
	if _, err := OpenEvents(filepath.Join(t.TempDir(), "none", "events"), nil, nil); err == nil {
		t.Error("a file in a folder that is not there is opened")
	}
}
