package terminal

import (
	"fmt"
	"strings"
	"time"

	"github.com/seshat-project/seshat"
	"github.com/seshat-project/seshat/internal/store"
)

// Kept is what can be said of how a stored exchange got its session. Its field names in JSON are stable.
type Kept struct {
	ID          string          `json:"id"`
	Key         string          `json:"key"`
	Time        time.Time       `json:"time"`
	Method      string          `json:"method"`
	Host        string          `json:"host"`
	Path        string          `json:"path"`
	Endpoint    string          `json:"endpoint"`
	Status      int             `json:"status"`
	Environment string          `json:"environment"`
	Service     string          `json:"service"`
	IP          string          `json:"ip"`
	UserAgent   string          `json:"user_agent"`
	SessionID   string          `json:"session_id"`
	SessionUser string          `json:"session_user"`
	Confidence  float64         `json:"session_confidence"`
	IDs         []KeptID        `json:"ids"`
	Grouping    int             `json:"grouping"` // index in IDs
	Parameters  []KeptParameter `json:"parameters"`
	Flows       []string        `json:"flows"`
	Links       []Step          `json:"links"`
	// NotKept says what cannot be said.
	NotKept string `json:"not_kept"`
}

// KeptID is a client session ID that was found.
type KeptID struct {
	Attribute string     `json:"attribute,omitempty"`
	Name      string     `json:"name"`
	Index     int        `json:"index"`
	Origin    string     `json:"origin"`
	Kind      string     `json:"kind"`
	Side      string     `json:"side"`
	Key       string     `json:"key,omitempty"`
	Value     string     `json:"value"` // masked
	Deleted   bool       `json:"deleted,omitempty"`
	ExpiresAt *time.Time `json:"expires_at,omitempty"`
}

// KeptParameter is a context parameter that was found.
type KeptParameter struct {
	Name  string `json:"name"`
	Type  string `json:"type"`
	Value string `json:"value"`
	Weak  bool   `json:"weak,omitempty"`
}

const notKept = "Only what was found is kept, without the exchange itself. To see what was looked for and not found, explain " +
	"the exchange from its file."

// NewKept collects what is kept of an exchange; links are those that concern it.
func NewKept(x *seshat.Assigned, session *seshat.Session, links []seshat.Link) *Kept {
	k := &Kept{
		ID: x.ID, Key: fmt.Sprintf("%016x", uint64(x.Key)), Time: x.Time, Method: x.Method, Host: x.Host, Path: x.Path,
		Endpoint: store.EndpointName(x.Observation), Status: x.Status, Environment: x.Environment, Service: x.Service,
		UserAgent: x.UserAgent, SessionID: session.ID.String(), SessionUser: session.User, Confidence: Fraction(session.Confidence),
		IDs: []KeptID{}, Grouping: x.Grouping, Parameters: []KeptParameter{}, Flows: []string{},
		Links: NewStory(session, links).Lineage, NotKept: notKept,
	}
	if x.ClientIP.IsValid() {
		k.IP = x.ClientIP.Unmap().String()
	}
	for i := range x.IDs {
		k.IDs = append(k.IDs, newKeptID(&x.IDs[i], x))
	}
	for i := range x.Parameters {
		p := &x.Parameters[i]
		k.Parameters = append(k.Parameters, KeptParameter{Name: p.Name, Type: parameterType(p.Type), Value: p.Value, Weak: p.Weak})
	}
	for _, f := range x.Flows {
		k.Flows = append(k.Flows, f.Name)
	}
	return k
}

func newKeptID(id *seshat.ObservedID, x *seshat.Assigned) KeptID {
	out := KeptID{
		Name: id.Name, Index: id.Index, Origin: id.Origin.String(), Kind: id.Kind.String(), Side: id.Side.String(),
		Key: id.Key, Value: id.Masked, Deleted: id.Deleted,
	}
	if !id.Rule.IsZero() {
		out.Attribute = seshat.AttributeName(id.Rule, id.Index)
	}
	if id.Origin == seshat.OriginFallback {
		out.Value = store.FallbackMasked(id.Kind, x.ClientIP, x.UserAgent)
	}
	if !id.ExpiresAt.IsZero() {
		at := id.ExpiresAt
		out.ExpiresAt = &at
	}
	return out
}

func parameterType(t seshat.ParameterType) string {
	switch t {
	case seshat.ParameterUser:
		return "user"
	case seshat.ParameterRole:
		return "role"
	case seshat.ParameterPlain:
		return "plain"
	default:
		return "unknown"
	}
}

// Kept writes what is kept of an exchange for a person.
func (s *Screen) Kept(k *Kept) error {
	p := &page{screen: s}
	p.line(s.Paint(StyleBold, Escape(k.Method+" "+CutValue(k.Host+k.Path))))
	p.fact("time", Time(k.Time))
	status := "no response was seen"
	if k.Status > 0 {
		status = s.Paint(StatusStyle(k.Status), fmt.Sprint(k.Status))
	}
	p.fact("status", status)
	p.fact("endpoint", Escape(k.Endpoint))
	p.fact("id", Escape(k.ID))
	p.fact("key", k.Key)
	p.fact("environment", Escape(k.Environment))
	p.fact("service", Escape(k.Service))
	p.fact("from", Escape(k.IP))
	p.fact("device", Escape(CutValue(k.UserAgent)))
	p.fact("flows", Escape(strings.Join(k.Flows, ", ")))
	p.fact("session", k.SessionID)
	p.fact("user", Escape(k.SessionUser))

	p.heading("Client session IDs that were found, in the order in which they are tried")
	for i := range k.IDs {
		p.id(&k.IDs[i], i == k.Grouping)
	}
	if k.Grouping >= 0 && k.Grouping < len(k.IDs) {
		id := &k.IDs[k.Grouping]
		p.line("  * gave the exchange its session, by " + Escape(id.Name) + " (" + id.Origin + ").")
	}
	if len(k.Parameters) > 0 {
		p.heading("Context")
	}
	for _, v := range k.Parameters {
		weak := ""
		if v.Weak {
			weak = " (stated by the client; counts if the exchange succeeds)"
		}
		p.line("  " + v.Type + " " + Escape(v.Name) + " = " + Escape(CutValue(v.Value)) + weak)
	}
	p.lineage(k.Links)
	p.WriteString("\n" + notKept + "\n")
	_, err := s.Write([]byte(p.String()))
	return err
}

func (p *page) id(id *KeptID, grouping bool) {
	sign := " "
	if grouping {
		sign = "*"
	}
	where := id.Side
	if id.Key != "" {
		where += " " + id.Key
	}
	notes := id.Kind + ", " + id.Origin
	if id.Deleted {
		notes += ", deleted"
	}
	if id.ExpiresAt != nil {
		notes += ", lapses " + Time(*id.ExpiresAt)
	}
	p.line(fmt.Sprintf("  %s %s[%d] %s in %s (%s)", sign, Escape(id.Name), id.Index,
		p.screen.Paint(StyleCyan, Escape(CutValue(id.Value))), Escape(CutValue(where)), notes))
}
