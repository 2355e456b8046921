// Package journaltest is the suite that every implementation of the journal's contract passes.
package journaltest

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/seshat-project/seshat/internal/journal"
)

// patience is how long the suite waits for something that must come. It is only ever spent when a test fails.
const patience = 20 * time.Second

// Run runs the suite. Open returns a new, empty log that takes at least 4 MiB; the suite closes it.
func Run(t *testing.T, open func(t *testing.T) journal.Log) {
	for _, test := range []struct {
		name string
		f    func(t *testing.T, l journal.Log)
	}{
		{"AppendAndRead", testAppendAndRead},
		{"Sizes", testSizes},
		{"SameID", testSameID},
		{"ReadWaits", testReadWaits},
		{"ReadStops", testReadStops},
		{"ReadAfter", testReadAfter},
		{"Trim", testTrim},
		{"DataIsCopied", testDataIsCopied},
		{"Concurrent", testConcurrent},
		{"Cancelled", testCancelled},
	} {
		t.Run(test.name, func(t *testing.T) {
			l := open(t)
			test.f(t, l)
			if err := l.Close(); err != nil {
				t.Errorf("Close: %v", err)
			}
		})
	}
	t.Run("Closed", func(t *testing.T) { testClosed(t, open(t)) })
}

// RunFull tests a log that takes at most a few MiB.
func RunFull(t *testing.T, l journal.Log) {
	ctx := testContext(t)
	entry := make([]byte, 256<<10)
	var last journal.Sequence
	for i := range 64 {
		sequence, err := l.Append(ctx, fmt.Sprint("e", i), entry)
		if errors.Is(err, journal.ErrFull) {
			break
		}
		if err != nil || i == 63 {
			t.Fatalf("append %d: %v; want it to be full at some time", i, err)
		}
		last = sequence
	}
	if got, err := l.Last(ctx); err != nil || got != last || last == 0 {
		t.Errorf("Last of a full log = %d, %v; want %d", got, err, last)
	}
	if err := l.Trim(ctx, last); err != nil {
		t.Fatal(err)
	}
	if got, err := l.Append(ctx, "after", entry); err != nil || got <= last {
		t.Errorf("append after making room = %d, %v; want more than %d", got, err, last)
	}
	if err := l.Close(); err != nil {
		t.Errorf("Close: %v", err)
	}
}

func testContext(t *testing.T) context.Context {
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	t.Cleanup(cancel)
	return ctx
}

// Append appends data under an id of its own.
func appendEntry(t *testing.T, l journal.Log, data string) journal.Sequence {
	t.Helper()
	sequence, err := l.Append(testContext(t), "id of "+data, []byte(data))
	if err != nil {
		t.Fatalf("append %q: %v", data, err)
	}
	return sequence
}

var errEnough = errors.New("enough")

// read reads n entries.
func read(t *testing.T, l journal.Log, after journal.Sequence, n int) (sequences []journal.Sequence, data []string) {
	t.Helper()
	err := l.Read(testContext(t), after, func(sequence journal.Sequence, b []byte) error {
		sequences, data = append(sequences, sequence), append(data, string(b))
		if len(data) == n {
			return errEnough
		}
		return nil
	})
	if !errors.Is(err, errEnough) {
		t.Fatalf("read %d of %d entries, then %v", len(data), n, err)
	}
	return sequences, data
}

func testAppendAndRead(t *testing.T, l journal.Log) {
	if last, err := l.Last(testContext(t)); last != 0 || err != nil {
		t.Errorf("Last of an empty log = %d, %v", last, err)
	}
	var want []journal.Sequence
	var data []string
	for i := range 100 {
		data = append(data, fmt.Sprint("entry ", i))
		want = append(want, appendEntry(t, l, data[i]))
	}
	if want[0] != 1 {
		t.Errorf("the first sequence is %d", want[0])
	}
	for range 2 { // reading takes nothing away
		sequences, got := read(t, l, 0, 100)
		if fmt.Sprint(sequences) != fmt.Sprint(want) || fmt.Sprint(got) != fmt.Sprint(data) {
			t.Errorf("read %v %v", sequences, got)
		}
	}
	if last, err := l.Last(testContext(t)); last != want[99] || err != nil {
		t.Errorf("Last = %d, %v, want %d", last, err, want[99])
	}
}

func testSizes(t *testing.T, l journal.Log) {
	big := bytes.Repeat([]byte("0123456789abcdef"), journal.MaxEntry/16)
	for i, data := range [][]byte{nil, {0}, big} {
		if _, err := l.Append(testContext(t), fmt.Sprint(i), data); err != nil {
			t.Fatalf("append %d bytes: %v", len(data), err)
		}
	}
	if _, err := l.Append(testContext(t), "too big", append(big, make([]byte, 8<<10)...)); err == nil {
		t.Error("appended more than an entry may have")
	}
	_, got := read(t, l, 0, 3)
	if got[0] != "" || got[1] != "\x00" || got[2] != string(big) {
		t.Error("entries came back as others")
	}
}

func testSameID(t *testing.T, l journal.Log) {
	ctx := testContext(t)
	first, err := l.Append(ctx, "a", []byte("1"))
	if err != nil {
		t.Fatal(err)
	}
	appendEntry(t, l, "between")
	if again, err := l.Append(ctx, "a", []byte("1")); err != nil || again != first {
		t.Errorf("the same id again: %d, %v; want %d", again, err, first)
	}
	appendEntry(t, l, "end")
	if _, got := read(t, l, 0, 3); fmt.Sprint(got) != "[1 between end]" {
		t.Errorf("read %v", got)
	}
}

func testReadWaits(t *testing.T, l journal.Log) {
	appendEntry(t, l, "0")
	got := make(chan string)
	ctx, cancel := context.WithCancel(testContext(t))
	done := make(chan error, 1)
	go func() {
		done <- l.Read(ctx, 0, func(_ journal.Sequence, data []byte) error {
			got <- string(data)
			return nil
		})
	}()
	for i := range 20 {
		if data := <-got; data != fmt.Sprint(i) {
			t.Errorf("entry %d is %q", i, data)
		}
		appendEntry(t, l, fmt.Sprint(i+1))
	}
	<-got
	cancel()
	if err := <-done; !errors.Is(err, context.Canceled) {
		t.Errorf("a cancelled read returned %v", err)
	}
}

func testReadStops(t *testing.T, l journal.Log) {
	for i := range 10 {
		appendEntry(t, l, fmt.Sprint(i))
	}
	calls := 0
	err := l.Read(testContext(t), 0, func(journal.Sequence, []byte) error {
		calls++
		return errEnough
	})
	if !errors.Is(err, errEnough) || calls != 1 {
		t.Errorf("read returned %v after %d calls, want what the function returned after one", err, calls)
	}
}

func testReadAfter(t *testing.T, l journal.Log) {
	var sequences []journal.Sequence
	for i := range 10 {
		sequences = append(sequences, appendEntry(t, l, fmt.Sprint(i)))
	}
	if got, _ := read(t, l, sequences[6], 3); got[0] != sequences[7] {
		t.Errorf("after %d came %d", sequences[6], got[0])
	}
	ctx, cancel := context.WithCancel(testContext(t))
	done := make(chan error, 1)
	var got atomic.Uint64
	go func() {
		done <- l.Read(ctx, sequences[9]+1, func(sequence journal.Sequence, _ []byte) error { // the next one is skipped too
			got.Store(uint64(sequence))
			cancel()
			return nil
		})
	}()
	appendEntry(t, l, "skipped")
	want := appendEntry(t, l, "read")
	if err := <-done; !errors.Is(err, context.Canceled) || journal.Sequence(got.Load()) != want {
		t.Errorf("read %d, %v; want %d", got.Load(), err, want)
	}
}

func testTrim(t *testing.T, l journal.Log) {
	ctx := testContext(t)
	for i := range 10 {
		appendEntry(t, l, fmt.Sprint(i))
	}
	for _, upTo := range []journal.Sequence{0, 4, 2, 4} {
		if err := l.Trim(ctx, upTo); err != nil {
			t.Fatalf("trim up to %d: %v", upTo, err)
		}
	}
	if got, data := read(t, l, 0, 6); got[0] != 5 || data[0] != "4" {
		t.Errorf("the first entry is %d, %q; want 5, \"4\"", got[0], data[0])
	}
	if err := l.Trim(ctx, 10); err != nil {
		t.Fatal(err)
	}
	if last, err := l.Last(ctx); last != 10 || err != nil {
		t.Errorf("Last of a log that was emptied = %d, %v; want 10", last, err)
	}
	if next := appendEntry(t, l, "next"); next != 11 {
		t.Errorf("the next sequence is %d, want 11", next)
	}
	if got, _ := read(t, l, 3, 1); got[0] != 11 {
		t.Errorf("read %d, want 11", got[0])
	}
}

func testDataIsCopied(t *testing.T, l journal.Log) {
	data := []byte("before")
	if _, err := l.Append(testContext(t), "a", data); err != nil {
		t.Fatal(err)
	}
	copy(data, "after!")
	for range 2 {
		_ = l.Read(testContext(t), 0, func(_ journal.Sequence, got []byte) error {
			if string(got) != "before" {
				t.Errorf("the log keeps %q", got)
			}
			return errEnough
		})
	}
}

func testConcurrent(t *testing.T, l journal.Log) {
	const writers, each, readers = 4, 50, 3
	var all sync.WaitGroup
	for w := range writers {
		all.Go(func() {
			var before journal.Sequence
			for i := range each {
				sequence, err := l.Append(testContext(t), fmt.Sprint(w, "-", i), []byte(fmt.Sprint(w)))
				if err != nil || sequence <= before {
					t.Errorf("append %d of %d: %d after %d, %v", i, w, sequence, before, err)
					return
				}
				before = sequence
			}
		})
	}
	for range readers {
		all.Go(func() {
			var before journal.Sequence
			n := 0
			err := l.Read(testContext(t), 0, func(sequence journal.Sequence, _ []byte) error {
				if sequence != before+1 {
					return fmt.Errorf("entry %d after %d", sequence, before)
				}
				before = sequence
				if n++; n == writers*each {
					return errEnough
				}
				return nil
			})
			if !errors.Is(err, errEnough) {
				t.Errorf("read %d entries: %v", n, err)
			}
		})
	}
	all.Wait()
}

func testCancelled(t *testing.T, l journal.Log) {
	appendEntry(t, l, "there")
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if _, err := l.Append(ctx, "a", nil); !errors.Is(err, context.Canceled) {
		t.Errorf("append: %v", err)
	}
	if _, err := l.Last(ctx); !errors.Is(err, context.Canceled) {
		t.Errorf("last: %v", err)
	}
	if err := l.Trim(ctx, 1); !errors.Is(err, context.Canceled) {
		t.Errorf("trim: %v", err)
	}
	if err := l.Read(ctx, 0, func(journal.Sequence, []byte) error { return nil }); !errors.Is(err, context.Canceled) {
		t.Errorf("read: %v", err)
	}
}

func testClosed(t *testing.T, l journal.Log) {
	appendEntry(t, l, "there")
	reading := make(chan struct{})
	done := make(chan error, 1)
	go func() {
		done <- l.Read(testContext(t), 0, func(journal.Sequence, []byte) error { close(reading); return nil })
	}()
	<-reading
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	if err := <-done; err == nil || errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("a read of a log that was closed returned %v", err)
	}
	if _, err := l.Append(testContext(t), "a", nil); err == nil {
		t.Error("appended to a closed log")
	}
	if err := l.Close(); err != nil {
		t.Errorf("closed twice: %v", err)
	}
}
