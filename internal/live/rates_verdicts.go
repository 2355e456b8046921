package live

import (
	"slices"
	"time"

	"github.com/seshat-project/seshat"
)

// Judged is what was decided again and again of one source: a session, or an address, whose sessions may be made up. One source
// that is refused a thousand times a second is one thing that happens, and must not hide the others.
type Judged struct {
	// Last is the exchange that came last, as it was committed.
	Last seshat.Assigned
	// Since is when the first of them started.
	Since time.Time
	// Count is how many there were.
	Count uint64
	// Several says that they are of more than one session.
	Several bool
}

// same reports whether an exchange is one more of them.
func (j *Judged) same(x *seshat.Assigned) bool {
	a, b := &j.Last.Verdict, &x.Verdict
	if a.Action != b.Action || a.By != b.By || !slices.Equal(a.Tags, b.Tags) || x.Time.Sub(j.Last.Time) > Window {
		return false
	}
	return j.Last.Session == x.Session || x.ClientIP.IsValid() && j.Last.ClientIP == x.ClientIP
}

// verdicts are the last that were not simply to let pass, the newest first.
type verdicts struct {
	list [maxVerdicts]Judged
	n    int
}

func (v *verdicts) add(x *seshat.Assigned) {
	place := 0
	for place < v.n && !v.list[place].same(x) {
		place++
	}
	one := Judged{Last: *x, Since: x.Time, Count: 1}
	if place < v.n {
		before := &v.list[place]
		one.Count, one.Several = before.Count+1, before.Several || before.Last.Session != x.Session
		if before.Since.Before(one.Since) {
			one.Since = before.Since
		}
		if before.Last.Time.After(x.Time) { // it came late
			one.Last = before.Last
		}
	} else {
		v.n = min(v.n+1, maxVerdicts)
		place = v.n - 1 // the oldest makes room
	}
	copy(v.list[1:place+1], v.list[:place])
	v.list[0] = one
}
