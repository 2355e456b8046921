package live_test

import (
	"net/netip"
	"testing"
	"time"

	"github.com/seshat-project/seshat"
	"github.com/seshat-project/seshat/internal/live"
)

// TestVerdictsFold: one source that is refused all the time does not hide the others, whether it keeps its session or makes up
// another with every request.
func TestVerdictsFold(t *testing.T) {
	r := live.NewRates(start)
	now := start
	judge := func(session byte, ip, by string, after time.Duration) {
		now = now.Add(after)
		x := at(now, verdict(seshat.ActionBlock, by))
		x.Session = seshat.SessionID{session}
		x.ClientIP = netip.Addr{}
		if ip != "" {
			x.ClientIP = netip.MustParseAddr(ip)
		}
		r.Add(now, []seshat.Assigned{x}, nil)
	}
	judge(1, "203.0.113.1", "Limit/a", time.Second)
	for i := range 5000 {
		judge(byte(100+i%100), "203.0.113.66", "Denylist/x", time.Millisecond)
	}
	judge(1, "203.0.113.2", "Limit/a", time.Second) // the same session from elsewhere
	judge(1, "203.0.113.2", "Limit/b", 0)
	judge(2, "", "Limit/b", 0)
	judge(3, "", "Limit/b", 0) // without an address, sessions are apart
	type row struct {
		by      string
		session byte
		count   uint64
		several bool
	}
	check := func(want ...row) {
		t.Helper()
		s := r.Snapshot(now, live.Ask{Step: time.Second, Verdicts: 50})
		if len(s.Verdicts) != len(want) {
			t.Fatalf("%d verdicts: %+v", len(s.Verdicts), s.Verdicts)
		}
		for i := range want {
			v := &s.Verdicts[i]
			if got := (row{v.Last.Verdict.By, v.Last.Session[0], v.Count, v.Several}); got != want[i] {
				t.Errorf("verdict %d is %+v, want %+v", i, got, want[i])
			}
		}
	}
	rest := []row{{"Limit/b", 3, 1, false}, {"Limit/b", 2, 1, false}, {"Limit/b", 1, 1, false}, {"Limit/a", 1, 2, false}}
	check(append(rest, row{"Denylist/x", 199, 5000, true})...)
	judge(7, "203.0.113.66", "Denylist/x", time.Second)
	check(append([]row{{"Denylist/x", 7, 5001, true}}, rest...)...)
	// What comes again after a quarter of an hour is something new.
	judge(7, "203.0.113.66", "Denylist/x", live.Window+time.Second)
	check(append([]row{{"Denylist/x", 7, 1, false}, {"Denylist/x", 7, 5001, true}}, rest...)...)
	for i := range 60 { // more than there is room for
		judge(byte(i), "", "Limit/c", time.Second)
	}
	s := r.Snapshot(now, live.Ask{Step: time.Second, Verdicts: 50})
	if len(s.Verdicts) != 50 || s.Verdicts[0].Last.Session[0] != 59 || s.Verdicts[49].Last.Session[0] != 10 {
		t.Errorf("%d verdicts, from session %d to %d", len(s.Verdicts), s.Verdicts[0].Last.Session[0], s.Verdicts[49].Last.Session[0])
	}
}
