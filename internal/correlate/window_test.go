package correlate_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/seshat-project/seshat"
	"github.com/seshat-project/seshat/internal/correlate"
)

func order(observations []*seshat.Observation) string {
	var b strings.Builder
	for _, o := range observations {
		fmt.Fprint(&b, o.Key, " ")
	}
	return b.String()
}

func happened(second float64, key int) *seshat.Observation {
	return &seshat.Observation{Key: seshat.ExchangeKey(key), Time: at(second)}
}

// TestWindow says what each arrival lets go: "3 5" are the exchanges of those seconds, in order.
func TestWindow(t *testing.T) {
	type arrival struct {
		source    uint64
		watermark float64 // seconds; -1 for none
		away      bool
		seconds   []float64
		want      string
	}
	f := func(name string, arrivals ...arrival) {
		t.Helper()
		w := correlate.NewWindow(10 * time.Second)
		for i, a := range arrivals {
			take := &correlate.Arrival{Sequence: uint64(i + 1), Source: a.source, Node: a.source >> 32, Number: uint64(i + 1), Away: a.away}
			if a.watermark >= 0 {
				take.Watermark = at(a.watermark)
			}
			for _, second := range a.seconds {
				take.Observations = append(take.Observations, happened(second, int(second)))
			}
			var got []string
			w.Take(take, func(item *correlate.Item) { got = append(got, fmt.Sprint(item.Observation.Key)) })
			if text := strings.Join(got, " "); text != a.want {
				t.Errorf("%s: arrival %d let go %q, want %q", name, i+1, text, a.want)
			}
		}
	}
	f("in order up to the watermark",
		arrival{source: 1, watermark: 105, seconds: []float64{107, 104, 103, 105}, want: "103 104"},
		arrival{source: 1, watermark: 110, seconds: []float64{106}, want: "105 106 107"})
	f("two sources wait for each other",
		arrival{source: 1, watermark: 100, want: ""},
		arrival{source: 2, watermark: 105, seconds: []float64{104, 102}, want: ""},
		arrival{source: 1, watermark: 103, seconds: []float64{101}, want: "101 102"},
		arrival{source: 1, watermark: 106, want: "104"})
	f("not longer than the lateness",
		arrival{source: 1, watermark: 100},
		arrival{source: 2, watermark: 109, seconds: []float64{105}, want: ""},
		arrival{source: 2, watermark: 111, seconds: []float64{110}, want: "105 110"})
	f("not for one that is away",
		arrival{source: 1, watermark: 100, away: true},
		arrival{source: 2, watermark: 105, seconds: []float64{104}, want: "104"},
		arrival{source: 1, watermark: 104, seconds: []float64{106}, want: ""},
		arrival{source: 2, watermark: 108, seconds: []float64{107}, want: ""},
		arrival{source: 1, watermark: 109, want: "106 107"})
	f("for nobody",
		arrival{source: 1, watermark: 100, away: true, seconds: []float64{120, 119}, want: "119 120"})
	f("not for a process that was replaced",
		arrival{source: 5<<32 + 1, watermark: 100, seconds: []float64{101}, want: ""},
		arrival{source: 5<<32 + 2, watermark: 105, want: "101"})
	f("late ones at once",
		arrival{source: 1, watermark: 100, seconds: []float64{120}},
		arrival{source: 1, watermark: 115, seconds: []float64{50}, want: "50"})
	f("a clock that was set back",
		arrival{source: 1, watermark: 1000, seconds: []float64{1001}, want: ""},
		arrival{source: 1, watermark: 500, seconds: []float64{501, 502}, want: "1001"},
		arrival{source: 1, watermark: 502, want: "501"},
		arrival{source: 1, watermark: 503, want: "502"})
	f("without watermarks, the lateness",
		arrival{source: 0, watermark: -1, seconds: []float64{100, 105}, want: ""},
		arrival{source: 0, watermark: -1, seconds: []float64{112}, want: "100"})
}

func TestWindowKnowsBatches(t *testing.T) {
	w := correlate.NewWindow(time.Second)
	f := func(source, number uint64, want bool) {
		t.Helper()
		if got := w.Taken(source, number); got != want {
			t.Errorf("batch %d of %d: taken %v, want %v", number, source, got, want)
		}
	}
	f(1, 1, false)
	w.Take(&correlate.Arrival{Source: 1, Number: 2}, func(*correlate.Item) {})
	f(1, 1, true)
	f(1, 2, true)
	f(1, 3, false)
	f(1, 0, false)
	f(2, 1, false)
	for i := range 1000 { // many sources: the memory stays bounded, and who was heard of last is known
		w.Take(&correlate.Arrival{Sequence: uint64(i), Source: uint64(i) + 10, Number: 1}, func(*correlate.Item) {})
	}
	f(1, 1, false)
	f(1009, 1, true)
	if size := len(w.AppendState(nil)); size > 10_000 {
		t.Errorf("the state has %d bytes", size)
	}
}

// sent are batches of several sources in an order in which they may arrive: every exchange is over within the lateness,
// and before anybody sends, everybody says how far they are.
func sent(t *rapid.T, observations []*seshat.Observation) []*correlate.Arrival {
	type exchange struct {
		o    *seshat.Observation
		ends time.Time
	}
	type batch struct {
		source int
		at     time.Time
		all    []exchange
	}
	sources := rapid.IntRange(1, 3).Draw(t, "sources")
	of := make([][]exchange, sources)
	for _, o := range observations {
		s := rapid.IntRange(0, sources-1).Draw(t, "source")
		of[s] = append(of[s], exchange{o, o.Time.Add(time.Duration(rapid.IntRange(0, 9000).Draw(t, "takes")) * time.Millisecond)})
	}
	var batches []batch
	for s, list := range of {
		slices.SortStableFunc(list, func(a, b exchange) int { return a.ends.Compare(b.ends) })
		for len(list) > 0 {
			n := 1 // a batch waits for a moment only
			for n < len(list) && n < 5 && list[n].ends.Sub(list[0].ends) < time.Second && rapid.Bool().Draw(t, "another") {
				n++
			}
			batches = append(batches, batch{s, list[n-1].ends, list[:n]})
			list = list[n:]
		}
	}
	slices.SortStableFunc(batches, func(a, b batch) int { return a.at.Compare(b.at) })
	gone := map[seshat.ExchangeKey]bool{}
	numbers := make([]uint64, sources)
	var out []*correlate.Arrival
	say := func(source int, now time.Time, all []exchange) {
		numbers[source]++
		a := &correlate.Arrival{Sequence: uint64(len(out) + 1), Source: uint64(source + 1), Number: numbers[source], Watermark: now}
		for _, x := range all {
			a.Observations = append(a.Observations, x.o)
			gone[x.o.Key] = true
		}
		a.Away = true
		for _, x := range of[source] {
			if !gone[x.o.Key] {
				a.Away = false
				if x.o.Time.Before(a.Watermark) {
					a.Watermark = x.o.Time
				}
			}
		}
		out = append(out, a)
	}
	for _, b := range batches {
		for s := range sources {
			say(s, b.at, nil)
		}
		say(b.source, b.at, b.all)
	}
	return out
}

// TestWindowMakesOrderIrrelevant: exchanges that arrive within the lateness come out as if they had arrived in order.
func TestWindowMakesOrderIrrelevant(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		observations := randomTraffic(t)
		inOrder := slices.Clone(observations)
		slices.SortStableFunc(inOrder, func(a, b *seshat.Observation) int { return a.Time.Compare(b.Time) })
		var got []*seshat.Observation
		take := func(item *correlate.Item) { got = append(got, item.Observation) }
		w := correlate.NewWindow(10 * time.Second)
		for _, a := range sent(t, observations) {
			w.Take(a, take)
		}
		if w.Len() > 0 {
			t.Fatalf("%d are still held", w.Len())
		}
		if a, b := order(inOrder), order(got); a != b {
			t.Fatalf("in order %s\nout of order %s", a, b)
		}
		if a, b := groups(run(t, inOrder)), groups(run(t, got)); a != b {
			t.Fatalf("in order %s, out of order %s", a, b)
		}
	})
}

// TestWindowGoesOn saves and restores a window after each arrival.
func TestWindowGoesOn(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		arrivals := sent(t, randomTraffic(t))
		for _, a := range arrivals {
			if rapid.IntRange(0, 5).Draw(t, "revoke") == 0 {
				a.Revocations = append(a.Revocations, correlate.Item{Time: a.Watermark, Revoked: seshat.SessionID{byte(a.Sequence)}})
			}
		}
		word := func(i *correlate.Item) string {
			if i.Observation == nil {
				return fmt.Sprint("revoke-", i.Revoked[0], " ")
			}
			return fmt.Sprint(i.Observation.Key, " ")
		}
		want, got := "", ""
		w := correlate.NewWindow(10 * time.Second)
		for _, a := range arrivals {
			w.Take(a, func(i *correlate.Item) { want += word(i) })
		}
		w = correlate.NewWindow(10 * time.Second)
		held := map[seshat.ExchangeKey]*correlate.Item{}
		for _, a := range arrivals {
			for _, o := range a.Observations {
				held[o.Key] = &correlate.Item{Time: o.Time, Sequence: a.Sequence, Observation: o}
			}
			w.Take(a, func(i *correlate.Item) {
				got += word(i)
				if i.Observation != nil {
					delete(held, i.Observation.Key)
				}
			})
			next := correlate.NewWindow(10 * time.Second)
			if err := next.RestoreState(w.AppendState(nil)); err != nil {
				t.Fatal(err)
			}
			for _, item := range held {
				next.Hold(item)
			}
			if next.Oldest() != w.Oldest() || next.Len() != w.Len() || !next.Newest().Equal(w.Newest()) || !next.Latest().Equal(w.Latest()) {
				t.Fatal("the window was restored as another one")
			}
			w = next
		}
		if got != want {
			t.Fatalf("with restarts %s\nwithout       %s", got, want)
		}
	})
}

func FuzzRestoreWindow(f *testing.F) {
	w := correlate.NewWindow(time.Second)
	w.Take(&correlate.Arrival{
		Sequence: 1, Source: 5<<32 + 1, Node: 5, Number: 3, Watermark: at(10),
		Revocations: []correlate.Item{{Time: at(11), Revoked: seshat.SessionID{1}}},
	}, func(*correlate.Item) {})
	f.Add(w.AppendState(nil))
	f.Fuzz(func(t *testing.T, state []byte) {
		w := correlate.NewWindow(time.Second)
		if w.RestoreState(state) != nil {
			return
		}
		again := correlate.NewWindow(time.Second)
		if err := again.RestoreState(w.AppendState(nil)); err != nil {
			t.Fatal(err)
		}
	})
}
