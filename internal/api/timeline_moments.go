package api

import (
	"cmp"
	"slices"
	"sync"
	"time"

	"github.com/seshat-project/seshat"
	"github.com/seshat-project/seshat/internal/api/wire"
)

const (
	// mostMoments is how many moments a timeline has: more than anybody reads, or than fit into a picture.
	mostMoments = 500
	// mostDevices is how many devices are told apart. Clients that change their address with every request have more.
	mostDevices = 64
)

// telling makes the devices and moments of a session of its exchanges. Those for devices come in their order; the others
// may come meanwhile, from other goroutines.
type telling struct {
	mu      sync.Mutex
	session *seshat.Session
	denials []seshat.Denial // also those that are over
	now     time.Time
	moments []wire.Moment
	// at has where moments of an exchange are that is about what its lineage says as well.
	at map[string]wire.MomentKind
	// whole has the exchanges that were read whole.
	whole map[seshat.ExchangeKey]bool

	devices              []wire.TimelineDevice
	places               map[[3]string]int
	known                map[[2]string]bool // a kind of thing and its value
	last                 [3]string
	seen                 int64
	moreDevices, dropped int64
	partial              bool
}

func newTelling(s *seshat.Session, denials []seshat.Denial, now time.Time) *telling {
	return &telling{
		session: s, denials: denials, now: now, at: map[string]wire.MomentKind{}, whole: map[seshat.ExchangeKey]bool{}, places: map[[3]string]int{}, known: map[[2]string]bool{},
	}
}

// device notes where an exchange came from. It returns false when no more are wanted.
func (t *telling) device(o *seshat.Observation) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.seen == mostTold {
		t.partial = true
		return false
	}
	t.seen++
	is := [3]string{"", o.UserAgent, o.JA4}
	if o.ClientIP.IsValid() {
		is[0] = o.ClientIP.Unmap().String()
	}
	key := wire.KeyText(o.Key)
	if t.seen == 1 {
		t.moments = append(t.moments, wire.Moment{Kind: wire.MomentStart, Time: o.Time, Count: 1, Exchange: key})
	}
	for i, kind := range [...]wire.MomentKind{wire.MomentAddress, wire.MomentUserAgent, wire.MomentJA4} {
		value := [2]string{string(kind), is[i]}
		if is[i] == "" || t.known[value] {
			continue
		}
		if len(t.known) < 3*mostDevices {
			t.known[value] = true
		}
		if t.last[i] != "" {
			t.add(wire.Moment{Kind: kind, Time: o.Time, Count: 1, Exchange: key, From: t.last[i], To: is[i]})
		}
	}
	for i := range is {
		if is[i] != "" {
			t.last[i] = is[i]
		}
	}
	place, known := t.places[is]
	if !known {
		if len(t.devices) == mostDevices {
			t.moreDevices++
			return true
		}
		place = len(t.devices)
		t.places[is] = place
		t.devices = append(t.devices, wire.TimelineDevice{IP: is[0], UserAgent: is[1], JA4: is[2], First: o.Time})
	}
	t.devices[place].Exchanges++
	t.devices[place].Last = o.Time
	return true
}

// cut notes that there is more than is looked at.
func (t *telling) cut() {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.partial = true
}

// only notes that all exchanges of the session, of which there are some, came from the device of the first.
func (t *telling) only(exchanges int64) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if len(t.devices) == 1 {
		t.devices[0].Exchanges, t.devices[0].Last = exchanges, t.session.LastSeen
	}
}

// add adds a moment. There is a bound here too, so that a session that changes all the time does not fill the memory.
func (t *telling) add(m wire.Moment) {
	if len(t.moments) >= 4*mostMarked {
		t.dropped++
		return
	}
	t.moments = append(t.moments, m)
}

// marked notes what happened in an exchange that is read whole.
func (t *telling) marked(o *seshat.Observation) {
	t.mu.Lock()
	defer t.mu.Unlock()
	key := wire.KeyText(o.Key)
	if t.whole[o.Key] {
		return // it is one of several selections
	}
	t.whole[o.Key] = true
	m := wire.Moment{Time: o.Time, Count: 1, Exchange: key}
	if v := &o.Verdict; v.Action != seshat.ActionAllow {
		m.Kind, m.By = wire.MomentRefused, v.By
		if !v.Action.Refuses() {
			m.Kind = wire.MomentTagged
		}
		t.add(m)
		if v.Action.Refuses() {
			return // it did not get to where it was going
		}
		m.By = ""
	}
	failed := o.Status >= 400 || o.Status == 0
	for _, f := range o.Flows {
		m.Kind = ""
		switch {
		case f.Type == seshat.FlowAuthentication && failed:
			m.Kind = wire.MomentSignInRefused
		case f.Type == seshat.FlowAuthentication:
			m.Kind, m.User = wire.MomentSignIn, userOf(o)
		case f.Type == seshat.FlowTokenRefresh && failed:
			m.Kind = wire.MomentRefreshRefused
		case f.Type == seshat.FlowTokenRefresh:
			m.Kind = wire.MomentRefresh
		case failed:
		case f.Type == seshat.FlowLogout:
			m.Kind = wire.MomentSignOut
		case f.Type == seshat.FlowAccountCreation:
			m.Kind, m.User = wire.MomentRegistration, userOf(o)
		}
		if m.Kind != "" {
			t.at[key] = m.Kind
			t.add(m)
			return
		}
	}
}

// userOf is the user that an exchange names: one that was proved rather than one that was stated.
func userOf(o *seshat.Observation) string {
	stated := ""
	for _, p := range o.Parameters {
		switch {
		case p.Type != seshat.ParameterUser || p.Value == "":
		case !p.Weak:
			return p.Value
		case stated == "":
			stated = p.Value
		}
	}
	return stated
}

// lineage notes how client session IDs joined, where the exchange does not say more already.
func (t *telling) lineage(links []seshat.Link) {
	for i := range links {
		l := &links[i]
		key := wire.KeyText(l.Exchange)
		m := wire.Moment{
			Time: l.Time, Count: 1, Exchange: key, Name: l.Name, Evidence: l.Evidence,
		}
		switch l.Evidence {
		case seshat.EvidenceRotation:
			m.Kind = wire.MomentRotation
		case seshat.EvidenceRefresh:
			m.Kind = wire.MomentRefresh
		case seshat.EvidenceIssued:
			m.Kind = wire.MomentIssued
		case seshat.EvidenceSharedClaim, seshat.EvidenceDevice, seshat.EvidenceTakeover:
			m.Kind, m.Score = wire.MomentJoined, l.Score
		case seshat.EvidenceFirst, seshat.EvidencePresented:
			continue
		default:
			continue
		}
		if _, told := t.at[key]; told {
			continue // a sign-in that rotates the cookie is a sign-in
		}
		t.at[key] = m.Kind
		t.add(m)
	}
}

// finish adds what is known of the session itself, and puts all of it in order.
func (t *telling) finish(out *wire.Timeline) *wire.Timeline {
	s := t.session
	for i := range t.denials {
		d := &t.denials[i]
		t.moments = append(t.moments, wire.Moment{Kind: wire.MomentDenied, Time: d.At, By: d.By, Reason: d.Reason, Name: d.Name})
		switch {
		case !d.TakenBackAt.IsZero():
			t.moments = append(t.moments, wire.Moment{Kind: wire.MomentReadmitted, Time: d.TakenBackAt, By: d.TakenBackBy, Name: d.Name})
		case d.Expired(t.now):
			t.moments = append(t.moments, wire.Moment{Kind: wire.MomentReadmitted, Time: d.Until, Name: d.Name})
		}
	}
	switch {
	case s.EndedAt != nil && s.EndedBy != seshat.EndNone && (s.EndedBy != seshat.EndRevoked || len(t.denials) == 0):
		t.moments = append(t.moments, wire.Moment{Kind: wire.MomentEnd, Time: *s.EndedAt, Reason: string(s.EndedBy)})
	case s.State == seshat.StateExpired && s.ExpiresAt != nil:
		t.moments = append(t.moments, wire.Moment{Kind: wire.MomentExpired, Time: *s.ExpiresAt})
	}
	slices.SortStableFunc(t.moments, func(a, b wire.Moment) int {
		return cmp.Or(a.Time.Compare(b.Time), cmp.Compare(rank(a.Kind), rank(b.Kind)))
	})
	out.Moments = joined(t.moments)
	if len(out.Moments) > mostMoments { // the end belongs to the story
		out.MoreMoments = t.dropped + int64(len(out.Moments)-mostMoments)
		out.Moments = slices.Concat(out.Moments[:mostMoments/2], out.Moments[len(out.Moments)-mostMoments/2:])
	}
	out.Devices, out.MoreDevices, out.Partial = t.devices, t.moreDevices, t.partial
	if out.Devices == nil {
		out.Devices = []wire.TimelineDevice{}
	}
	return out
}

// rank orders moments of one time.
func rank(k wire.MomentKind) int {
	switch k {
	case wire.MomentStart:
		return 0
	case wire.MomentAddress, wire.MomentUserAgent, wire.MomentJA4:
		return 1
	case wire.MomentDenied, wire.MomentReadmitted, wire.MomentExpired, wire.MomentEnd:
		return 3
	default:
		return 2
	}
}

// joined makes one moment of those that say the same one after the other.
func joined(moments []wire.Moment) []wire.Moment {
	out := make([]wire.Moment, 0, len(moments))
	for _, m := range moments {
		if n := len(out); n > 0 && repeats(&out[n-1], &m) {
			out[n-1].Count += m.Count
			out[n-1].Until = m.Time
			continue
		}
		out = append(out, m)
	}
	return out
}

// repeats reports whether b says the same as a: of what comes by the hundred.
func repeats(a, b *wire.Moment) bool {
	if a.Kind != b.Kind || a.By != b.By {
		return false
	}
	switch a.Kind {
	case wire.MomentRefused, wire.MomentTagged, wire.MomentSignInRefused, wire.MomentRefreshRefused:
		return true
	case wire.MomentRotation, wire.MomentIssued:
		// A cookie that changes with every response is one thing that happens.
		return a.Name == b.Name && b.Time.Sub(last(a)) < runGap
	default:
		return false
	}
}

// runGap is how close rotations are that are told as one.
const runGap = time.Minute

func last(m *wire.Moment) time.Time {
	if m.Until.IsZero() {
		return m.Time
	}
	return m.Until
}
