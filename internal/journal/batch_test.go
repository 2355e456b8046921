package journal

import (
	"errors"
	"os"
	"reflect"
	"testing"
	"time"

	"github.com/klauspost/compress/s2"
	"pgregory.net/rapid"

	"github.com/seshat-project/seshat"
)

func drawBatch(t *rapid.T) *Batch {
	at := func(name string) time.Time {
		return time.Unix(0, rapid.Int64Range(1, 1<<61).Draw(t, name)).UTC()
	}
	b := &Batch{Source: rapid.Uint64().Draw(t, "source"), Number: rapid.Uint64().Draw(t, "number"), Away: rapid.Bool().Draw(t, "away")}
	if rapid.Bool().Draw(t, "watermark set") {
		b.Watermark = at("watermark")
	}
	for range rapid.IntRange(0, 3).Draw(t, "observations") {
		o := &seshat.Observation{}
		drawValue(t, reflect.ValueOf(o).Elem(), "observation")
		b.Observations = append(b.Observations, o)
	}
	for range rapid.IntRange(0, 2).Draw(t, "revocations") {
		id := seshat.SessionID(rapid.SliceOfN(rapid.Byte(), 16, 16).Draw(t, "session"))
		b.Revocations = append(b.Revocations, Revocation{Session: id, Time: at("revoked")})
	}
	for range rapid.IntRange(0, 2).Draw(t, "readmissions") {
		id := seshat.SessionID(rapid.SliceOfN(rapid.Byte(), 16, 16).Draw(t, "readmitted session"))
		b.Readmissions = append(b.Readmissions, Revocation{Session: id, Time: at("readmitted")})
	}
	return b
}

func TestBatchRoundTrip(t *testing.T) {
	decoder := NewDecoder()
	rapid.Check(t, func(t *rapid.T) {
		want := drawBatch(t)
		src := AppendBatch([]byte("x"), want)[1:]
		got, err := decoder.DecodeBatch(src)
		if err != nil || !reflect.DeepEqual(got, want) {
			t.Fatalf("decoded\n %+v, %v, want\n %+v", got, err, want)
		}
		for range 2 { // packing what is packed changes nothing
			src = Pack([]byte("x"), src)[1:]
			if got, err := decoder.DecodeBatch(src); err != nil || !reflect.DeepEqual(got, want) {
				t.Fatalf("packed and decoded\n %+v, %v, want\n %+v", got, err, want)
			}
		}
		for range 20 {
			n := rapid.IntRange(0, len(src)-1).Draw(t, "cut")
			if _, err := decoder.DecodeBatch(src[:n]); !errors.Is(err, ErrCorrupt) {
				t.Fatalf("the first %d of %d bytes: %v, want corrupt", n, len(src), err)
			}
		}
	})
}

// TestReadsVersion1 reads a batch as the release before wrote it: a header, and observations without verdicts.
func TestReadsVersion1(t *testing.T) {
	src, err := os.ReadFile("testdata/batch-1.bin")
	if err != nil {
		t.Fatal(err)
	}
	got, err := NewDecoder().DecodeBatch(src)
	if err != nil {
		t.Fatal(err)
	}
	second := typical()
	second.Key, second.IDs = 2, nil
	want := &Batch{Observations: []*seshat.Observation{typical(), second}}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("decoded\n %+v, want\n %+v", got, want)
	}
}

func TestPack(t *testing.T) {
	var w Writer
	for range 100 {
		w.Add(typical())
	}
	batch := w.Finish(1, 1, time.Time{}, false)
	packed := Pack(nil, batch)
	if len(packed) > len(batch)/5 {
		t.Errorf("%d of %d bytes are left", len(packed), len(batch))
	}
	if n := testing.AllocsPerRun(20, func() { packed = Pack(packed[:0], batch) }); n > 0 {
		t.Errorf("%v allocations for packing a batch", n)
	}
	d := NewDecoder()
	for range 2 {
		if b, err := d.DecodeBatch(packed); err != nil || len(b.Observations) != 100 {
			t.Errorf("unpacked %+v, %v", b, err)
		}
	}
	small := AppendBatch(nil, &Batch{Source: 1})
	if got := Pack(nil, small); !reflect.DeepEqual(got, small) {
		t.Errorf("a batch without exchanges was packed: %x", got)
	}
	bomb := append(AppendBatch(nil, &Batch{})[:headBytes:headBytes], s2.Encode(nil, make([]byte, maxUnpacked+1))...)
	bomb[atFlags] |= flagPacked
	if _, err := d.DecodeBatch(bomb); !errors.Is(err, ErrCorrupt) {
		t.Errorf("a batch that unpacks to more than an entry: %v", err)
	}
}

func TestWriter(t *testing.T) {
	var w Writer
	if w.Size() != 0 || w.Count() != 0 {
		t.Errorf("an empty batch has %d bytes and %d observations", w.Size(), w.Count())
	}
	f := func(number uint64, observations int, undo bool) {
		t.Helper()
		for range observations {
			w.Add(typical())
		}
		if undo {
			size := w.Size()
			w.Add(typical())
			w.Undo(size)
		}
		w.Revoke(Revocation{Session: seshat.SessionID{1}, Time: time.Unix(5, 0).UTC()})
		size := w.Size()
		src := w.Finish(1, number, time.Unix(9, 0), false)
		b, err := NewDecoder().DecodeBatch(src)
		if err != nil || b.Number != number || len(b.Observations) != observations || len(b.Revocations) != 1 || len(src) != size {
			t.Errorf("batch %d of %d bytes, said to be %d: %+v, %v", number, len(src), size, b, err)
		}
		w.Reset()
	}
	f(1, 2, false)
	f(2, 1, true)
	f(3, 0, false)
}

func TestSources(t *testing.T) {
	if a, b := NewSource(7, 1), NewSource(7, 2); a == b || NodeOf(a) != 7 || NodeOf(b) != 7 {
		t.Errorf("two processes of a node are %x and %x", a, b)
	}
}

func TestAddingAllocatesNothing(t *testing.T) {
	var w Writer
	o := typical()
	fill := func() {
		for range 100 {
			w.Add(o)
		}
		w.Finish(1, 2, o.Time, false)
		w.Reset()
	}
	fill()
	if n := testing.AllocsPerRun(20, fill); n > 0 {
		t.Errorf("%v allocations for a batch, want none", n)
	}
}

func FuzzDecodeBatch(f *testing.F) {
	o := typical()
	o.Verdict = seshat.ObservedVerdict{Action: seshat.ActionLimit, By: "Limit/login", Tags: []string{"Limit/new"}}
	f.Add(AppendBatch(nil, &Batch{
		Source: 1, Number: 2, Watermark: o.Time, Away: true, Observations: []*seshat.Observation{o, typical()},
		Revocations: []Revocation{{Session: seshat.SessionID{1}, Time: o.Time}},
	}))
	f.Add(Pack(nil, AppendBatch(nil, &Batch{Source: 1, Observations: []*seshat.Observation{typical(), o, typical()}})))
	f.Add(Append([]byte("SOB\x01"), typical()))
	f.Add(AppendHeader(nil))
	f.Fuzz(func(t *testing.T, src []byte) {
		b, err := NewDecoder().DecodeBatch(src)
		if err != nil {
			return
		}
		if cap(b.Observations)*leastObservation > 2*max(len(src), maxUnpacked) {
			t.Fatalf("%d bytes made room for %d observations", len(src), cap(b.Observations))
		}
		again, err := NewDecoder().DecodeBatch(AppendBatch(nil, b))
		if err != nil || !reflect.DeepEqual(again, b) {
			t.Fatalf("decoded %+v, and after encoding %+v, %v", b, again, err)
		}
	})
}
