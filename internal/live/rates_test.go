package live_test

import (
	"fmt"
	"math"
	"net/netip"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/seshat-project/seshat"
	"github.com/seshat-project/seshat/internal/live"
)

// at is an exchange that began at a time.
func at(t time.Time, change ...func(*seshat.Assigned)) seshat.Assigned {
	x := exchange(0)
	x.Time, x.Status = t, 200
	for _, c := range change {
		c(&x)
	}
	return x
}

func took(d time.Duration) func(*seshat.Assigned) { return func(x *seshat.Assigned) { x.Duration = d } }

func status(s int) func(*seshat.Assigned) { return func(x *seshat.Assigned) { x.Status = s } }

func verdict(action seshat.Action, by string, tags ...string) func(*seshat.Assigned) {
	return func(x *seshat.Assigned) { x.Verdict = seshat.ObservedVerdict{Action: action, By: by, Tags: tags} }
}

func identified(origin seshat.Origin) func(*seshat.Assigned) {
	return func(x *seshat.Assigned) { x.IDs = []seshat.ObservedID{{Origin: origin}} }
}

func TestRates(t *testing.T) {
	r := live.NewRates(start.Add(-time.Hour))
	now := start.Add(20 * time.Second)
	r.Add(now, []seshat.Assigned{
		at(start, status(0), identified(seshat.OriginRule)),
		at(start.Add(999*time.Millisecond), status(404), identified(seshat.OriginBuiltIn), verdict(seshat.ActionTag, "Limit/a", "Limit/a")),
		at(start.Add(10*time.Second), status(500), verdict(seshat.ActionBlock, "Denylist/x")),
		at(start.Add(11*time.Second), status(101)),
		at(start.Add(18*time.Second), status(302)),                                              // not settled
		at(now.Add(4*time.Second), status(999)),                                                 // a little ahead
		at(now.Add(time.Hour), status(200)),                                                     // far ahead
		at(start.Add(-15*time.Minute), status(200)),                                             // too early
		at(time.Time{}, verdict(seshat.ActionLimit, "Limit/b"), identified(seshat.Origin(200))), // nonsense
	}, []seshat.Event{
		{Type: seshat.EventStart, Time: start},
		{Type: seshat.EventEnd, Time: start.Add(time.Second)},
		{Type: seshat.EventStart, Time: start.Add(-time.Hour)},
	})
	s := r.Snapshot(now, live.Ask{Step: 10 * time.Second, Verdicts: 50})
	if s.Total != 9 || s.Early != 2 || s.All.Exchanges != 7 || s.All.Status != [6]uint64{2, 1, 1, 1, 1, 1} {
		t.Errorf("total %d, early %d, %+v", s.Total, s.Early, s.All)
	}
	if s.All.Actions != [4]uint64{5, 1, 0, 1} || s.All.Origins != [3]uint64{1, 1, 5} || s.All.Started != 1 || s.All.Ended != 1 {
		t.Errorf("%+v", s.All)
	}
	if s.CurrentSeconds != 10 || s.Current.Exchanges != 2 || s.Current.Status[5] != 1 {
		t.Errorf("current, from %v to %v: %d s, %+v", start.Add(8*time.Second), start.Add(17*time.Second), s.CurrentSeconds, s.Current)
	}
	n := len(s.Series)
	if s.Step != 10*time.Second || n != 91 || !s.From.Equal(start.Add(-880*time.Second)) {
		t.Fatalf("%d elements of %v from %v", n, s.Step, s.From)
	}
	for i, want := range []uint64{2, 3, 2} {
		if got := s.Series[n-3+i].Exchanges; got != want {
			t.Errorf("element %d: %d; want %d", i, got, want)
		}
	}
	if len(s.Verdicts) != 3 || s.Verdicts[0].Last.Verdict.By != "Limit/b" || s.Verdicts[2].Last.Verdict.By != "Limit/a" {
		t.Errorf("verdicts: %v", s.Verdicts)
	}
	// The same a quarter of an hour later.
	s = r.Snapshot(now.Add(live.Window), live.Ask{})
	if s.All.Exchanges != 1 || len(s.Series) != 900 || s.Step != time.Second { // the one that was ahead
		t.Errorf("a quarter of an hour later: %+v", s.All)
	}
	if s = r.Snapshot(now.Add(live.Window+time.Minute), live.Ask{}); s.All.Exchanges != 0 || s.Total != 9 {
		t.Errorf("later still: %+v", s.All)
	}
}

// TestRatesModel holds rates against a list of everything, at any time and in any step.
func TestRatesModel(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		r := live.NewRates(start)
		var all []seshat.Assigned
		now := start
		for range rapid.IntRange(1, 20).Draw(t, "batches") {
			now = now.Add(time.Duration(rapid.IntRange(0, 400_000).Draw(t, "later")) * time.Millisecond)
			var batch []seshat.Assigned
			for range rapid.IntRange(0, 20).Draw(t, "size") {
				back := time.Duration(rapid.IntRange(-4000, 1_000_000).Draw(t, "back")) * time.Millisecond
				batch = append(batch, at(now.Add(-back), status(rapid.IntRange(0, 700).Draw(t, "status")), took(time.Millisecond)))
			}
			r.Add(now, batch, nil)
			for _, x := range batch {
				if x.Time.Unix() > now.Unix()-900 { // what was too early when it came counts nowhere
					all = append(all, x)
				}
			}
			step := rapid.IntRange(1, 60).Draw(t, "step")
			s := r.Snapshot(now, live.Ask{Step: time.Duration(step) * time.Second})
			var want, latency uint64
			series := make([]uint64, len(s.Series))
			for _, x := range all {
				if x.Time.Unix() <= now.Unix()-900 {
					continue
				}
				want++
				series[min((min(x.Time.Unix(), now.Unix())-s.From.Unix())/int64(step), int64(len(series)-1))]++
			}
			var sum uint64
			for i := range s.Series {
				sum += s.Series[i].Exchanges
				if s.Series[i].Exchanges != series[i] {
					t.Fatalf("step %d, element %d of %d: %d; want %d", step, i, len(series), s.Series[i].Exchanges, series[i])
				}
			}
			for i := range s.Latencies {
				latency += s.Latencies[i].Exchanges
			}
			if s.All.Exchanges != want || sum != want || latency < want {
				t.Fatalf("%d in all, %d in the series, %d latencies; want %d", s.All.Exchanges, sum, latency, want)
			}
			if s.From.Unix()%int64(step) != 0 || s.From.Add(time.Duration(len(s.Series)*step)*time.Second).Unix() <= now.Unix() {
				t.Fatalf("from %v with %d of %d s at %v", s.From, len(s.Series), step, now)
			}
		}
	})
}

// TestLatencies holds percentiles against those of a sorted list.
func TestLatencies(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		r := live.NewRates(start)
		var all []time.Duration
		var batch []seshat.Assigned
		for range rapid.IntRange(1, 300).Draw(t, "count") {
			d := time.Duration(math.Exp(rapid.Float64Range(math.Log(64e3), math.Log(134e9)).Draw(t, "log")))
			all = append(all, d)
			batch = append(batch, at(start, took(d)))
		}
		r.Add(start, batch, nil)
		got := r.Snapshot(start.Add(5*time.Second), live.Ask{}).Latency
		slices.Sort(all)
		for _, p := range []struct {
			part float64
			got  time.Duration
		}{{0.5, got.P50}, {0.9, got.P90}, {0.99, got.P99}} {
			want := all[int(math.Ceil(p.part*float64(len(all))))-1]
			if off := math.Abs(float64(p.got)/float64(want) - 1); off > 0.065 {
				t.Fatalf("the %v part of %d: %v; want %v", p.part, len(all), p.got, want)
			}
		}
	})
	r := live.NewRates(start)
	r.Add(start, []seshat.Assigned{at(start, took(time.Nanosecond)), at(start, took(math.MaxInt64)), at(start)}, nil)
	if got := r.Snapshot(start, live.Ask{}).Latency; got.Exchanges != 2 || got.P50 != 32*time.Microsecond || got.P99 < 2*time.Minute {
		t.Errorf("extremes: %+v", got)
	}
}

func TestActing(t *testing.T) {
	r := live.NewRates(start)
	session := func(n byte, user string) func(*seshat.Assigned) {
		return func(x *seshat.Assigned) {
			x.Session = seshat.SessionID{n}
			x.ClientIP = netip.MustParseAddr("::ffff:203.0.113.9")
			x.Parameters = []seshat.Parameter{{Type: seshat.ParameterUser, Value: user, Weak: true}, {Type: seshat.ParameterUser, Value: user + "!"}}
		}
	}
	r.Add(start, []seshat.Assigned{
		at(start, verdict(seshat.ActionLimit, "Limit/a", "Limit/b", "Limit/b"), session(1, "alice")),
		at(start, verdict(seshat.ActionTag, "Limit/b", "Limit/b", "JWTValidation/c"), session(2, "bob")),
		at(start.Add(-time.Minute), verdict(seshat.ActionBlock, "Limit/a"), session(1, "")),
		at(start.Add(-2*time.Hour), verdict(seshat.ActionBlock, "Limit/a"), session(3, "carol")),
	}, nil)
	all := r.Acting(start)
	if len(all) != 3 || all[0].By != "JWTValidation/c" || all[1].By != "Limit/a" || all[2].By != "Limit/b" {
		t.Fatalf("%+v", all)
	}
	a, b := all[1], all[2]
	if a.Outcomes != (live.Outcomes{Limited: 1, Blocked: 2}) || b.Outcomes != (live.Outcomes{Tagged: 2}) || !a.Last.Equal(start) {
		t.Errorf("%+v, %+v", a, b)
	}
	if a.Minutes[59] != (live.Outcomes{Limited: 1}) || a.Minutes[58] != (live.Outcomes{Blocked: 1}) || a.Minutes[0] != (live.Outcomes{}) {
		t.Errorf("%+v", a.Minutes)
	}
	if len(a.On) != 2 || a.On[0].Session != (seshat.SessionID{3}) || a.On[1].Times != 2 || a.On[1].IP != "203.0.113.9" || a.On[0].User != "carol!" {
		t.Errorf("%+v", a.On)
	}
	if later := r.Acting(start.Add(time.Hour)); later[1].Minutes != [live.ActingMinutes]live.Outcomes{} || later[1].Limited != 1 {
		t.Errorf("an hour later: %+v", later[1])
	}
}

// TestActingIsBounded lets more names act than are kept, and more sessions on one of them.
func TestActingIsBounded(t *testing.T) {
	r := live.NewRates(start)
	for n := range 3000 {
		now := start.Add(time.Duration(n) * time.Second)
		r.Add(now, []seshat.Assigned{
			at(now, verdict(seshat.ActionBlock, fmt.Sprintf("Denylist/%04d", n))),
			at(now, verdict(seshat.ActionLimit, "Limit/busy"), func(x *seshat.Assigned) { x.Session = seshat.SessionID{byte(n), byte(n >> 8)} }),
		}, nil)
	}
	all := r.Acting(start.Add(time.Hour))
	busy := slices.IndexFunc(all, func(a live.Acting) bool { return a.By == "Limit/busy" })
	if len(all) != 1024 || all[0].By != "Denylist/1977" || busy < 0 || all[busy].Limited != 3000 || len(all[busy].On) != 8 {
		t.Fatalf("%d are kept, from %s, busy at %d", len(all), all[0].By, busy)
	}
	if got := all[busy].On[0].Session; got != (seshat.SessionID{byte(2999 & 255), byte(2999 >> 8)}) {
		t.Errorf("the last one is %v", got)
	}
}
