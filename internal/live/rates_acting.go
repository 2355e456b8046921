package live

import (
	"cmp"
	"slices"
	"time"

	"github.com/seshat-project/seshat"
)

// The bounds of what is counted by the name of what acted.
const (
	// maxActing is how many names are counted: every limit and validation that people write, and the entries of the denylist
	// that act most. One that has not acted for longest makes room.
	maxActing = 1024
	// ActingMinutes is how far back they are counted by minute.
	ActingMinutes = 60
	ringMinutes   = ActingMinutes + 1 // a minute ahead of the newest may have begun
	// maxActedOn is how many of those that something acted on are kept, of each: those that came last.
	maxActedOn = 8
)

// Outcomes are how often something acted.
type Outcomes struct {
	Tagged, Limited, Blocked uint64
}

// Acting is what one limit, validation or entry of the denylist did since the process started.
type Acting struct {
	By string // as in [seshat.Verdict]
	Outcomes
	Last time.Time // when it acted last
	// Minutes are the last hour by minute, the oldest first; the last one is not complete.
	Minutes [ActingMinutes]Outcomes
	// On are those that it acted on last, the last one first.
	On []ActedOn
}

// ActedOn is a session that something acted on.
type ActedOn struct {
	Session seshat.SessionID
	User    string // that the exchange named
	IP      string
	Action  seshat.Action
	Times   uint64
	Last    time.Time
}

// acting is all that acted, by name.
type acting map[string]*acted

type acted struct {
	total   Outcomes
	last    time.Time
	minutes [ringMinutes]minute
	on      []ActedOn // the last one first
}

type minute struct {
	at                       int64 // minutes since 1970
	tagged, limited, blocked uint32
}

func newActing() acting { return acting{} }

// add counts the verdict of an exchange that counts in a second.
func (a acting) add(x *seshat.Assigned, at, newest int64) {
	v := &x.Verdict
	if v.By != "" {
		a.count(v.By, v.Action, x, at, newest)
	}
	for i, tag := range v.Tags {
		if tag != v.By && !slices.Contains(v.Tags[:i], tag) {
			a.count(tag, seshat.ActionTag, x, at, newest)
		}
	}
}

func (a acting) count(by string, action seshat.Action, x *seshat.Assigned, at, newest int64) {
	c := a[by]
	if c == nil {
		a.makeRoom()
		c = &acted{}
		a[by] = c
	}
	if x.Time.After(c.last) {
		c.last = x.Time
	}
	m := &minute{} // of before the hour
	if number := at / 60; number > newest/60-ActingMinutes {
		m = &c.minutes[number%ringMinutes]
		if m.at != number {
			*m = minute{at: number}
		}
	}
	switch action {
	case seshat.ActionTag:
		c.total.Tagged++
		m.tagged++
	case seshat.ActionLimit:
		c.total.Limited++
		m.limited++
	case seshat.ActionBlock:
		c.total.Blocked++
		m.blocked++
	case seshat.ActionAllow: // nothing acted
	}
	c.note(x, action)
}

// makeRoom forgets what has not acted for longest, when there is no room for another name.
func (a acting) makeRoom() {
	if len(a) < maxActing {
		return
	}
	oldest := ""
	for by, c := range a {
		if oldest == "" || c.last.Before(a[oldest].last) || c.last.Equal(a[oldest].last) && by < oldest {
			oldest = by
		}
	}
	delete(a, oldest)
}

// note keeps who was acted on.
func (c *acted) note(x *seshat.Assigned, action seshat.Action) {
	on := ActedOn{Session: x.Session, User: UserOf(x.Observation), Action: action, Times: 1, Last: x.Time}
	if x.ClientIP.IsValid() {
		on.IP = x.ClientIP.Unmap().String()
	}
	i := slices.IndexFunc(c.on, func(known ActedOn) bool { return known.Session == x.Session })
	switch {
	case i >= 0:
		on.Times += c.on[i].Times
		on.User = cmp.Or(on.User, c.on[i].User)
		if c.on[i].Last.After(on.Last) {
			on.Last = c.on[i].Last
		}
	case len(c.on) < maxActedOn:
		c.on = append(c.on, ActedOn{})
		i = len(c.on) - 1
	default:
		i = maxActedOn - 1
	}
	copy(c.on[1:i+1], c.on[:i])
	c.on[0] = on
}

// UserOf is the user that an exchange names; one that is proved before one that the client only says.
func UserOf(o *seshat.Observation) string {
	weak := ""
	for i := range o.Parameters {
		switch p := &o.Parameters[i]; {
		case p.Type != seshat.ParameterUser || p.Value == "":
		case !p.Weak:
			return p.Value
		case weak == "":
			weak = p.Value
		}
	}
	return weak
}

// Acting returns what acted, by name.
func (r *Rates) Acting(now time.Time) []Acting {
	out := make([]Acting, 0, len(r.acting))
	newest := now.Unix() / 60
	for by, c := range r.acting {
		one := Acting{By: by, Outcomes: c.total, Last: c.last, On: slices.Clone(c.on)}
		for i := range one.Minutes {
			number := newest - ActingMinutes + 1 + int64(i)
			if m := &c.minutes[number%ringMinutes]; m.at == number {
				one.Minutes[i] = Outcomes{uint64(m.tagged), uint64(m.limited), uint64(m.blocked)}
			}
		}
		out = append(out, one)
	}
	slices.SortFunc(out, func(a, b Acting) int { return cmp.Compare(a.By, b.By) })
	return out
}
