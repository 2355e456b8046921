package memory_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/seshat-project/seshat/internal/journal"
	"github.com/seshat-project/seshat/internal/journal/journaltest"
	"github.com/seshat-project/seshat/internal/journal/memory"
)

func TestLog(t *testing.T) {
	journaltest.Run(t, func(*testing.T) journal.Log { return memory.New(memory.Options{}) })
}

func TestFull(t *testing.T) { journaltest.RunFull(t, memory.New(memory.Options{MaxBytes: 3 << 20})) }

func TestBus(t *testing.T) {
	hub := memory.NewHub()
	journaltest.RunBus(t, func(*testing.T) journal.Bus { return hub.Join() })
}

func TestForgetsIDs(t *testing.T) {
	now := time.Unix(0, 0)
	l := memory.New(memory.Options{Now: func() time.Time { return now }})
	f := func(after time.Duration, want journal.Sequence) {
		t.Helper()
		now = now.Add(after)
		if got, err := l.Append(context.Background(), "a", nil); got != want || err != nil {
			t.Errorf("after %s: %d, %v; want %d", after, got, err, want)
		}
	}
	f(0, 1)
	f(time.Minute, 1)
	f(time.Minute, 2)
}

func TestDropsTheOldest(t *testing.T) {
	l := memory.New(memory.Options{MaxBytes: 10, DropOldest: true})
	for _, data := range []string{"12345", "67890", "abc"} {
		if _, err := l.Append(context.Background(), data, []byte(data)); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := l.Append(context.Background(), "big", make([]byte, 11)); !errors.Is(err, journal.ErrFull) {
		t.Errorf("an entry that is larger than the log: %v", err)
	}
	stop := errors.New("stop")
	err := l.Read(context.Background(), 0, func(sequence journal.Sequence, _ []byte) error {
		if sequence != 2 {
			t.Errorf("the oldest entry is %d, want 2", sequence)
		}
		return stop
	})
	if !errors.Is(err, stop) {
		t.Error(err)
	}
}
