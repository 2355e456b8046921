package terminal

import (
	"fmt"
	"slices"
	"time"

	"github.com/seshat-project/seshat"
	"github.com/seshat-project/seshat/internal/store"
)

// Story is a session told: what it was, what happened in it and in what order, which client session IDs it had, and
// why all that is one session. Its field names in JSON are stable.
type Story struct {
	Session *seshat.Session `json:"session"`
	// Timeline is the exchanges, oldest first.
	Timeline []Moment `json:"timeline"`
	// LeftOut is how many exchanges are not in the timeline; they come before the one at LeftOutAt.
	LeftOut   int64    `json:"left_out"`
	LeftOutAt int      `json:"left_out_at,omitempty"`
	Lineage   []Step   `json:"lineage"`
	Why       []string `json:"why"`
	// Denials are the entries of the denylist that refuse the session.
	Denials []seshat.Denial `json:"denials,omitempty"`
	// PastDenials are those that did, and were taken back or have lapsed.
	PastDenials []seshat.Denial `json:"past_denials,omitempty"`

	// What is counted while the timeline is read.
	previous *Moment
	starts   time.Time
	carriers []carrier
	byKey    map[seshat.ExchangeKey][]int // into Lineage
}

// Moment is one exchange of a timeline.
type Moment struct {
	Time       time.Time `json:"time"`
	OffsetMS   float64   `json:"offset_ms"` // since the first exchange
	GapMS      float64   `json:"gap_ms"`    // since the exchange before, in the timeline
	ID         string    `json:"id"`        // the exchange's own ID, else its key
	Method     string    `json:"method"`
	Endpoint   string    `json:"endpoint"` // host and path template
	Path       string    `json:"path"`
	Status     int       `json:"status"`
	DurationMS float64   `json:"duration_ms"`
	IP         string    `json:"ip"`
	UserAgent  string    `json:"user_agent"`
	JA4        string    `json:"ja4,omitempty"`
	Identifier string    `json:"identifier"`
	// Verdict is what Seshat did, VerdictBy what decided it; both are empty for what was allowed.
	Verdict   string `json:"verdict,omitempty"`
	VerdictBy string `json:"verdict_by,omitempty"`
	// Marks say what is special: "sign-in", "other address: 192.0.2.7".
	Marks []string `json:"marks"`
}

// Step is one client session ID of a session's lineage.
type Step struct {
	Time            time.Time       `json:"time"`
	ClientSessionID string          `json:"client_session_id"` // masked
	From            string          `json:"from,omitempty"`    // the one it follows from, masked
	Kind            string          `json:"kind"`
	Name            string          `json:"name"`
	Evidence        seshat.Evidence `json:"evidence"`
	Score           float64         `json:"score"`
	Exchange        string          `json:"exchange"` // key of the exchange that linked it
	ExpiresAt       *time.Time      `json:"expires_at,omitempty"`
}

// carrier counts exchanges that were given their session by one identifier at one place.
type carrier struct {
	name, where string
	origin      seshat.Origin
	exchanges   int64
}

// NewStory begins the story of a session with its lineage. The exchanges are added in order.
func NewStory(session *seshat.Session, lineage []seshat.Link) *Story {
	s := &Story{
		Session: session, Timeline: []Moment{}, Lineage: []Step{}, starts: session.FirstSeen,
		byKey: make(map[seshat.ExchangeKey][]int),
	}
	masked := make(map[seshat.Digest]string)
	for i := range lineage {
		link := &lineage[i]
		if !link.To.IsZero() {
			masked[link.To] = link.Masked
		}
		step := Step{
			Time: link.Time, ClientSessionID: link.Masked, Kind: link.Kind.String(), Name: link.Name,
			Evidence: link.Evidence, Score: Fraction(link.Score), Exchange: fmt.Sprintf("%016x", uint64(link.Exchange)),
		}
		if !link.From.IsZero() && link.From != link.To {
			step.From = masked[link.From]
		}
		if !link.ExpiresAt.IsZero() {
			expires := link.ExpiresAt
			step.ExpiresAt = &expires
		}
		s.byKey[link.Exchange] = append(s.byKey[link.Exchange], len(s.Lineage))
		s.Lineage = append(s.Lineage, step)
	}
	return s
}

// Skip says that n exchanges are left out here.
func (s *Story) Skip(n int64) { s.LeftOut, s.LeftOutAt = n, len(s.Timeline) }

// Add adds the next exchange, of which nothing is kept that belongs to the store.
func (s *Story) Add(x *seshat.Assigned) {
	const ms = float64(time.Millisecond)
	m := Moment{
		Time: x.Time, OffsetMS: float64(x.Time.Sub(s.starts)) / ms, ID: x.ID, Method: x.Method,
		Endpoint: x.Host + store.EndpointPath(x.Observation), Path: x.Path, Status: x.Status,
		DurationMS: float64(x.Duration) / ms, UserAgent: x.UserAgent, JA4: x.JA4, Marks: []string{},
	}
	if m.ID == "" {
		m.ID = fmt.Sprintf("%016x", uint64(x.Key))
	}
	if x.ClientIP.IsValid() {
		m.IP = x.ClientIP.Unmap().String()
	}
	if x.Grouping >= 0 && x.Grouping < len(x.IDs) {
		id := &x.IDs[x.Grouping]
		m.Identifier = id.Name
		s.count(id)
	}
	m.markVerdict(&x.Verdict)
	m.markFlows(x.Flows)
	for _, i := range s.byKey[x.Key] {
		if text := s.Lineage[i].mark(); text != "" {
			m.Marks = append(m.Marks, text)
		}
	}
	if s.previous != nil {
		m.GapMS = float64(x.Time.Sub(s.previous.Time)) / ms
		m.markDevice(s.previous)
	}
	s.Timeline = append(s.Timeline, m)
	s.previous = &m
}

func (s *Story) count(id *seshat.ObservedID) {
	where := id.Key
	for i := range s.carriers {
		if c := &s.carriers[i]; c.name == id.Name && c.where == where && c.origin == id.Origin {
			c.exchanges++
			return
		}
	}
	s.carriers = append(s.carriers, carrier{name: id.Name, where: where, origin: id.Origin, exchanges: 1})
}

// markVerdict marks what was not just allowed, and what would have acted on it.
func (m *Moment) markVerdict(v *seshat.ObservedVerdict) {
	if v.Action != seshat.ActionAllow {
		m.Verdict, m.VerdictBy = v.Action.String(), v.By
		text := m.Verdict
		if v.By != "" {
			text += " by " + v.By
		}
		m.Marks = append(m.Marks, text)
	}
	for _, tag := range v.Tags {
		if tag != v.By {
			m.Marks = append(m.Marks, "tagged by "+tag)
		}
	}
}

// markFlows marks what a person looks for first: where the session's standing changed.
func (m *Moment) markFlows(flows []seshat.FlowMatch) {
	for _, f := range flows {
		text := f.Name
		switch f.Type {
		case seshat.FlowAuthentication:
			text = "sign-in"
			if m.Status >= 400 {
				text = "sign-in refused"
			}
		case seshat.FlowLogout:
			text = "sign-out"
		case seshat.FlowTokenRefresh:
			text = "token refresh"
			if m.Status >= 400 {
				text = "token refresh refused"
			}
		case seshat.FlowAccountCreation:
			text = "account creation"
		case seshat.FlowBilling, seshat.FlowAdmin, seshat.FlowMessaging, seshat.FlowAI:
		}
		if text != "" && !slices.Contains(m.Marks, text) {
			m.Marks = append(m.Marks, text)
		}
	}
}

// mark is what joining an ID to the session looks like in the timeline. The first ID of a session is no event.
func (s *Step) mark() string {
	switch s.Evidence {
	case seshat.EvidenceFirst, seshat.EvidencePresented:
		return ""
	case seshat.EvidenceRotation:
		return s.Name + " rotated"
	case seshat.EvidenceRefresh:
		return "new " + s.Kind
	case seshat.EvidenceIssued:
		return s.Name + " given out"
	case seshat.EvidenceSharedClaim:
		return "joined by a shared claim"
	case seshat.EvidenceDevice, seshat.EvidenceTakeover:
		return "joined by inference"
	default:
		return string(s.Evidence)
	}
}

func (m *Moment) markDevice(before *Moment) {
	for _, change := range []struct{ what, from, to string }{
		{"address", before.IP, m.IP},
		{"user agent", before.UserAgent, m.UserAgent},
		{"TLS fingerprint", before.JA4, m.JA4},
	} {
		if change.from != "" && change.to != "" && change.from != change.to {
			m.Marks = append(m.Marks, "other "+change.what+": "+change.to)
		}
	}
}
