package recent_test

import (
	"fmt"
	"hash/maphash"
	"net/netip"
	"strings"
	"sync"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/seshat-project/seshat"
	"github.com/seshat-project/seshat/internal/recent"
	"github.com/seshat-project/seshat/internal/rule"
)

var start = time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)

func compiled(t testing.TB, resources ...seshat.Resource) *rule.Ruleset {
	t.Helper()
	rules, faults := rule.Compile(resources)
	if len(faults) > 0 {
		t.Fatal(faults)
	}
	return rules
}

// exchange is the nth exchange of a client.
func exchange(client, n int, at time.Time) *seshat.Exchange {
	return &seshat.Exchange{
		ID: fmt.Sprintf("%d-%d", client, n), Time: at, Service: "shop",
		Client: seshat.Client{IP: netip.AddrFrom4([4]byte{10, 0, byte(client >> 8), byte(client)})},
		Request: seshat.Request{
			Method: "GET", Scheme: "https", Host: "shop.example", Path: "/orders/" + fmt.Sprint(n), Query: "a=1",
			Header: []seshat.Field{{Name: "User-Agent", Value: "Firefox"}, {Name: "Cookie", Value: "SID=" + strings.Repeat("x", n%50)}},
		},
		Response: seshat.Response{
			Status: 200, Header: []seshat.Field{{Name: "Content-Type", Value: "application/json"}},
			Body: seshat.Body{Bytes: []byte(`{"n":1}`), Size: 7},
		},
	}
}

// TestBounds adds what may come to rings of any size: the bounds hold, what is kept is what was added, in the order of its
// time, and as the source says.
func TestBounds(t *testing.T) {
	rules := compiled(t)
	rapid.Check(t, func(t *rapid.T) {
		b := recent.Bounds{
			Exchanges: rapid.IntRange(0, 40).Draw(t, "exchanges"), Bytes: int64(rapid.IntRange(1000, 60_000).Draw(t, "bytes")),
			PerSecond: rapid.IntRange(1, 50).Draw(t, "per second"),
		}
		r := recent.NewRing(b, maphash.MakeSeed())
		at, added := start, map[string]bool{}
		clients := rapid.IntRange(1, 30).Draw(t, "clients")
		for n := range rapid.IntRange(0, 300).Draw(t, "n") {
			at = at.Add(time.Duration(rapid.IntRange(-20, 200).Draw(t, "ms")) * time.Millisecond)
			x := exchange(rapid.IntRange(1, clients).Draw(t, "client"), n, at)
			r.Add(x, rules)
			added[x.ID] = true
			if n == 150 && rapid.Bool().Draw(t, "other bounds") {
				b.Exchanges, b.Bytes = b.Exchanges/2, b.Bytes/2
				r.Use(b)
			}
		}
		kept, source := r.Snapshot(1 << 20)
		if source.Kept > b.Exchanges || source.KeptBytes > b.Bytes || len(kept) > source.Kept {
			t.Fatalf("%d exchanges of %d kept, %d bytes; the bounds are %+v", len(kept), source.Kept, source.KeptBytes, b)
		}
		seen := map[string]bool{}
		for i, x := range kept {
			if !added[x.ID] || seen[x.ID] {
				t.Fatalf("%s is kept, which was not added once", x.ID)
			}
			seen[x.ID] = true
			if i > 0 && x.Time.Before(kept[i-1].Time) {
				t.Fatalf("%s at %v comes after %v", x.ID, x.Time, kept[i-1].Time)
			}
		}
		if len(kept) > 0 && (!source.Since.Equal(kept[0].Time) || !source.Until.Equal(kept[len(kept)-1].Time)) {
			t.Fatalf("since %v until %v", source.Since, source.Until)
		}
		if few, _ := r.Snapshot(3); len(few) != min(3, len(kept)) || len(few) > 0 && few[len(few)-1] != kept[len(kept)-1] {
			t.Fatalf("a snapshot of 3 has %d, not the newest", len(few))
		}
	})
}

// TestWholeClients checks that what is said to be whole is: every exchange since the first one that is kept, of every
// client of which one is kept.
func TestWholeClients(t *testing.T) {
	rules := compiled(t)
	whole := 0
	rapid.Check(t, func(t *rapid.T) {
		r := recent.NewRing(recent.Bounds{
			Exchanges: rapid.IntRange(50, 500).Draw(t, "exchanges"), Bytes: 1 << 30, PerSecond: rapid.IntRange(4, 60).Draw(t, "per second"),
		}, maphash.MakeSeed())
		var all []*seshat.Exchange
		at := start
		for n := range 800 {
			if n%100 == 0 { // the load changes
				at = at.Add(time.Duration(rapid.IntRange(0, 8).Draw(t, "pause")) * time.Second)
			}
			at = at.Add(time.Duration(rapid.SampledFrom([]int{1, 1, 20, 200}).Draw(t, "ms")) * time.Millisecond)
			x := exchange(rapid.IntRange(1, 60).Draw(t, "client"), n, at)
			r.Add(x, rules)
			all = append(all, x)
		}
		kept, source := r.Snapshot(1 << 20)
		if !source.Whole || len(kept) == 0 {
			return
		}
		whole++
		got, first := map[netip.Addr]map[string]bool{}, kept[0].ID
		for _, x := range kept {
			if got[x.Client.IP] == nil {
				got[x.Client.IP] = map[string]bool{}
			}
			got[x.Client.IP][x.ID] = true
		}
		begun := false
		for _, x := range all {
			begun = begun || x.ID == first
			if ids := got[x.Client.IP]; begun && ids != nil && !ids[x.ID] {
				t.Fatalf("%s of the client %s is not kept, others since are", x.ID, x.Client.IP)
			}
		}
	})
	if whole == 0 {
		t.Error("no ring was whole: nothing was checked")
	}
}

// TestBudget sends far more than the budget from many clients: what is taken stays near it, and comes from few clients.
func TestBudget(t *testing.T) {
	rules := compiled(t)
	r := recent.NewRing(recent.Bounds{Exchanges: 5000, Bytes: 1 << 30, PerSecond: 200}, maphash.MakeSeed())
	const perSecond, seconds, clients = 4000, 20, 1000
	for n := range perSecond * seconds {
		r.Add(exchange(n%clients, n, start.Add(time.Duration(n)*time.Second/perSecond)), rules)
	}
	kept, source := r.Snapshot(1 << 20)
	if !source.Whole || source.Share > 0.25 || source.Share < 1.0/256 {
		t.Fatalf("source %+v", source)
	}
	rate := float64(len(kept)) / source.Until.Sub(source.Since).Seconds()
	if rate > 210 || rate < 25 {
		t.Errorf("%.0f exchanges a second are taken", rate)
	}
	// When the load is gone, everybody is kept again.
	for n := range 600 {
		r.Add(exchange(n%clients, n, start.Add(seconds*time.Second+time.Duration(n)*200*time.Millisecond)), rules)
	}
	if _, source := r.Snapshot(1); source.Share != 1 {
		t.Errorf("the share is %v a long time after the load", source.Share)
	}
}

// TestOneClient checks that traffic of one client alone, such as that behind a proxy that hides the others, is kept too.
func TestOneClient(t *testing.T) {
	rules := compiled(t)
	for range 6 { // clients are chosen by chance
		r := recent.NewRing(recent.DefaultBounds(), maphash.MakeSeed())
		for n := range 30 * 1000 {
			r.Add(exchange(1, n, start.Add(time.Duration(n)*time.Millisecond)), rules)
		}
		if kept, _ := r.Snapshot(1 << 20); len(kept) < 150 {
			t.Errorf("%d exchanges are kept of half a minute of one busy client", len(kept))
		}
	}
}

// TestOwnMemory checks that nothing that is kept changes with the memory that it was read from.
func TestOwnMemory(t *testing.T) {
	r := recent.NewRing(recent.DefaultBounds(), maphash.MakeSeed())
	x := exchange(1, 7, start)
	buffer := []byte(`{"token":"abc"}`)
	x.Request.Body = seshat.Body{Bytes: buffer, Size: 15}
	r.Add(x, compiled(t))
	copy(buffer, "***************")
	x.Request.Header[0].Name = "gone"
	kept, _ := r.Snapshot(10)
	if got := kept[0]; string(got.Request.Body.Bytes) != `{"token":"abc"}` || got.Request.Header[0].Name != "User-Agent" {
		t.Errorf("what is kept has changed: %+v", got)
	}
}

func TestBodiesAreBounded(t *testing.T) {
	r := recent.NewRing(recent.DefaultBounds(), maphash.MakeSeed())
	x := exchange(1, 7, start)
	x.Response.Body = seshat.Body{Bytes: make([]byte, recent.MaxBody+1)}
	r.Add(x, compiled(t))
	x.Request.Header = append(x.Request.Header, seshat.Field{Name: "X", Value: strings.Repeat("x", 1<<20)})
	r.Add(x, compiled(t)) // too large as a whole
	kept, source := r.Snapshot(10)
	if len(kept) != 1 {
		t.Fatalf("%d are kept", len(kept))
	}
	if b := kept[0].Response.Body; len(b.Bytes) != recent.MaxBody || !b.Truncated || b.Size != recent.MaxBody+1 {
		t.Errorf("body of %d bytes, truncated %v, size %d", len(b.Bytes), b.Truncated, b.Size)
	}
	if source.Whole && len(kept) > 0 {
		t.Error("one was left out, and all is said to be there")
	}
}

func TestOff(t *testing.T) {
	var none *recent.Ring
	none.Add(exchange(1, 1, start), compiled(t))
	none.Use(recent.DefaultBounds())
	none.NewSample().Add(exchange(1, 1, start), compiled(t))
	none.NewSample().Finish()
	if kept, source := none.Snapshot(10); len(kept) != 0 || source.Exchanges != 0 {
		t.Error("no ring keeps something")
	}
	r := recent.NewRing(recent.DefaultBounds(), maphash.MakeSeed())
	r.Add(exchange(1, 1, start), compiled(t))
	r.Use(recent.Bounds{})
	r.Add(exchange(1, 2, start), compiled(t))
	if kept, source := r.Snapshot(10); len(kept) != 0 || source.Kept != 0 || source.KeptBytes != 0 {
		t.Errorf("a ring that is switched off has %+v", source)
	}
}

// TestSample reads far more than fits: whole clients are kept, as many as fit.
func TestSample(t *testing.T) {
	rules := compiled(t)
	r := recent.NewRing(recent.Bounds{Exchanges: 1000, Bytes: 1 << 30, PerSecond: 1}, maphash.MakeSeed())
	s := r.NewSample()
	const clients, each = 2000, 10
	var reading sync.WaitGroup
	for part := range 4 {
		reading.Go(func() {
			for n := range clients * each / 4 {
				s.Add(exchange(part*clients/4+n%(clients/4), n, start.Add(time.Duration(n)*time.Second)), rules)
			}
		})
	}
	reading.Wait()
	s.Finish()
	kept, source := r.Snapshot(1 << 20)
	if len(kept) < 300 || len(kept) > 1000 || !source.Whole {
		t.Fatalf("%d are kept; %+v", len(kept), source)
	}
	count := map[netip.Addr]int{}
	for _, x := range kept {
		count[x.Client.IP]++
	}
	for ip, n := range count {
		if n != each {
			t.Errorf("%d exchanges of %s are kept, of %d", n, ip, each)
		}
	}
	// Of one client alone, the last ones.
	r = recent.NewRing(recent.Bounds{Exchanges: 100, Bytes: 1 << 30, PerSecond: 1}, maphash.MakeSeed())
	s = r.NewSample()
	for n := range 1000 {
		s.Add(exchange(1, n, start.Add(time.Duration(n)*time.Second)), rules)
	}
	s.Finish()
	if kept, _ := r.Snapshot(1000); len(kept) < 50 || kept[len(kept)-1].ID != "1-999" {
		t.Errorf("%d are kept of one client", len(kept))
	}
}

func TestConcurrent(t *testing.T) {
	rules := compiled(t)
	r := recent.NewRing(recent.Bounds{Exchanges: 100, Bytes: 1 << 20, PerSecond: 20}, maphash.MakeSeed())
	var running sync.WaitGroup
	for client := range 4 {
		running.Go(func() {
			for n := range 800 {
				r.Add(exchange(client, n, start.Add(time.Duration(n)*10*time.Millisecond)), rules)
			}
		})
	}
	for range 50 {
		kept, _ := r.Snapshot(100)
		for _, x := range kept {
			if x.Service != "shop" {
				t.Error("an exchange in pieces")
			}
		}
	}
	running.Wait()
}

// TestHideLater puts a mask rule in force when exchanges are there that were kept without it.
func TestHideLater(t *testing.T) {
	r := recent.NewRing(recent.Bounds{Exchanges: 8, Bytes: 1 << 20, PerSecond: 1000}, maphash.MakeSeed())
	for n := range 12 {
		x := exchange(n, n, start.Add(time.Duration(n)*time.Second))
		x.Request.Header = append(x.Request.Header, seshat.Field{Name: "X-Card", Value: "4111"})
		r.Add(x, compiled(t))
	}
	_, before := r.Snapshot(100)
	r.Hide(compiled(t))
	if _, same := r.Snapshot(100); same != before {
		t.Errorf("without mask rules it becomes %+v", same)
	}
	r.Hide(compiled(t, maskRule("card", seshat.MaskRuleSpec{Location: "header", Key: equals("x-card")})))
	kept, after := r.Snapshot(100)
	if len(kept) != 8 || after.KeptBytes >= before.KeptBytes || !after.Since.Equal(before.Since) {
		t.Errorf("%d are kept; before %+v, after %+v", len(kept), before, after)
	}
	for _, x := range kept {
		if len(x.Request.Header) != 2 {
			t.Errorf("%s still has %+v", x.ID, x.Request.Header)
		}
	}
}
