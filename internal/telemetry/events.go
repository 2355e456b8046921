package telemetry

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"sync"
	"sync/atomic"
	"time"

	"github.com/seshat-project/seshat"
)

// Events writes the starts and ends of sessions, one JSON object a line, after OpenTelemetry's conventions for sessions:
//
//	{"time":"2026-03-10T08:04:00.074Z","event.name":"session.start","session.id":"…","session.previous_id":"…"}
//	{"time":"2026-03-10T09:12:31Z","event.name":"session.end","session.id":"…","seshat.session.end_reason":"logout"}
//
// Writing happens in the background: whoever tells of events does not wait for a disk, or for whoever reads the other end
// of a pipe.
type Events struct {
	queue   chan []seshat.Event
	done    chan struct{}
	reopen  chan struct{}
	path    string
	failed  func(error)
	written atomic.Int64
	dropped atomic.Int64
	closing sync.Once
}

// maxEvents is how many batches of events wait to be written: what a slow disk may be behind, some seconds.
const maxEvents = 1024

// Stdout is the path that stands for standard output.
const Stdout = "-"

// OpenEvents returns a writer of events to the end of the file called path, or to stdout when that is [Stdout]. A failure
// to write is told once, until it works again.
func OpenEvents(path string, stdout io.Writer, failed func(error)) (*Events, error) {
	e := &Events{
		queue: make(chan []seshat.Event, maxEvents), done: make(chan struct{}), reopen: make(chan struct{}, 1), path: path, failed: failed,
	}
	out, err := e.open(stdout)
	if err != nil {
		return nil, err
	}
	go e.run(out, stdout)
	return e, nil
}

func (e *Events) open(stdout io.Writer) (io.WriteCloser, error) {
	if e.path == Stdout {
		return unclosed{stdout}, nil
	}
	f, err := os.OpenFile(e.path, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o600)
	if err != nil {
		return nil, fmt.Errorf("open the file of events: %w", err)
	}
	return f, nil
}

// unclosed is for what somebody else closes.
type unclosed struct{ io.Writer }

// Close implements [io.Closer].
func (unclosed) Close() error { return nil }

// Tell has events written. It does not wait, and keeps the slice, which must not be changed. What is too much is dropped
// and counted.
func (e *Events) Tell(events []seshat.Event) {
	if len(events) == 0 {
		return
	}
	select {
	case e.queue <- events:
	default:
		e.dropped.Add(int64(len(events)))
	}
}

// Reopen opens the file again, as after it was rotated.
func (e *Events) Reopen() {
	select {
	case e.reopen <- struct{}{}:
	default: // it is about to be
	}
}

// Counts are how many events were written, and how many were dropped.
func (e *Events) Counts() (written, dropped int64) { return e.written.Load(), e.dropped.Load() }

// Close writes what waits and closes the file, within a time. Nothing may be told any more.
func (e *Events) Close(most time.Duration) error {
	e.closing.Do(func() { close(e.queue) })
	timer := time.NewTimer(most)
	defer timer.Stop()
	select {
	case <-e.done:
		return nil
	case <-timer.C:
		return fmt.Errorf("write events to %s: it takes nothing", e.path)
	}
}

func (e *Events) run(out io.WriteCloser, stdout io.Writer) {
	defer close(e.done)
	buffer, failing := bufio.NewWriter(out), false
	for {
		select {
		case <-e.reopen:
			if next, err := e.open(stdout); err != nil {
				e.failed(err) // the one that is open stays
			} else {
				_ = buffer.Flush()
				_ = out.Close()
				out = next
				buffer.Reset(out)
			}
		case events, open := <-e.queue:
			if !open {
				_ = out.Close() // everything was flushed
				return
			}
			err := write(buffer, events)
			if err == nil {
				e.written.Add(int64(len(events)))
			} else {
				e.dropped.Add(int64(len(events)))
				buffer.Reset(out) // it would else fail for good
				if !failing {
					e.failed(fmt.Errorf("write events: %w", err))
				}
			}
			failing = err != nil
		}
	}
}

// event is a line. The names are those of OpenTelemetry's registry.
type event struct {
	Time     time.Time        `json:"time"`
	Name     seshat.EventType `json:"event.name"`
	Session  string           `json:"session.id"`
	Previous string           `json:"session.previous_id,omitempty"`
	Reason   seshat.EndReason `json:"seshat.session.end_reason,omitempty"`
}

func write(to *bufio.Writer, events []seshat.Event) error {
	encoder := json.NewEncoder(to)
	for i := range events {
		e := &events[i]
		line := event{Time: e.Time.UTC(), Name: e.Type, Session: e.Session.String(), Reason: e.Reason}
		if !e.Previous.IsZero() {
			line.Previous = e.Previous.String()
		}
		if err := encoder.Encode(line); err != nil {
			return err
		}
	}
	return to.Flush()
}
