package store

import (
	"net/netip"
	"strings"
	"time"

	"github.com/seshat-project/seshat"
	"github.com/seshat-project/seshat/internal/filter"
)

// ExchangeRow is an exchange as a filter sees it: what the fields of [filter.Exchanges] mean.
type ExchangeRow struct{ *seshat.Assigned }

// Values implements [filter.Row].
func (r ExchangeRow) Values(field *filter.Field, yield func(string, filter.Value) bool) {
	x := r.Assigned
	text := func(s string) bool { return s == "" || yield("", filter.Value{Text: Text(s)}) }
	switch field.Name {
	case "id":
		text(x.ID)
	case "session_id":
		text(x.Session.String())
	case "time":
		yield("", filter.Value{Time: Time(x.Time)})
	case "duration":
		if x.Duration != 0 {
			yield("", filter.Value{Duration: x.Duration.Truncate(time.Microsecond)})
		}
	case "method":
		text(x.Method)
	case "host":
		text(x.Host)
	case "path":
		text(x.Path)
	case "endpoint":
		text(EndpointName(x.Observation))
	case "status":
		if x.Status != 0 {
			yield("", filter.Value{Number: float64(x.Status)})
		}
	case "service":
		text(x.Service)
	case "environment":
		text(x.Environment)
	case "ip":
		if ip := x.ClientIP; ip.IsValid() {
			ip = ip.Unmap().WithZone("")
			yield("", filter.Value{Text: ip.String(), IP: netip.PrefixFrom(ip, ip.BitLen())})
		}
	case "user_agent":
		text(x.UserAgent)
	case "ja4":
		text(x.JA4)
	case "trace_id":
		text(x.TraceID)
	case "request_bytes":
		yield("", filter.Value{Number: float64(x.RequestBytes)})
	case "response_bytes":
		yield("", filter.Value{Number: float64(x.ResponseBytes)})
	case "user":
		r.parameters(seshat.ParameterUser, text)
	case "role":
		r.parameters(seshat.ParameterRole, text)
	case "flow":
		for _, f := range x.Flows {
			if !text(f.Name) || !text(string(f.Type)) {
				return
			}
		}
	case "origin":
		if x.Grouping < len(x.IDs) {
			text(x.IDs[x.Grouping].Origin.String())
		}
	case "identifier":
		if x.Grouping < len(x.IDs) {
			text(x.IDs[x.Grouping].Name)
		}
	case "rule":
		for i := range x.IDs {
			if !text(x.IDs[i].Name) {
				return
			}
		}
	case "attr":
		r.attributes(yield)
	case "verdict":
		text(x.Verdict.Action.String())
	case "verdict.by":
		text(x.Verdict.By)
	case "tag":
		for _, tag := range x.Verdict.Tags {
			if !text(tag) {
				return
			}
		}
	}
}

func (r ExchangeRow) parameters(t seshat.ParameterType, text func(string) bool) {
	for i := range r.Parameters {
		if p := &r.Parameters[i]; p.Type == t && !text(p.Value) {
			return
		}
	}
}

// attributes yields the client session IDs that somebody gave out, masked, and the context parameters.
func (r ExchangeRow) attributes(yield func(string, filter.Value) bool) {
	for i := range r.IDs {
		id := &r.IDs[i]
		if id.Origin == seshat.OriginFallback || id.Masked == "" {
			continue
		}
		if !yield(seshat.AttributeName(id.Rule, id.Index), filter.Value{Text: Text(id.Masked)}) {
			return
		}
	}
	for i := range r.Parameters {
		if p := &r.Parameters[i]; p.Value != "" && !yield(Text(p.Name), filter.Value{Text: Text(p.Value)}) {
			return
		}
	}
}

// SessionRow is a session with all its exchanges as a filter sees it: what the fields of [filter.Sessions] mean.
// A field that is one of exchanges has the values of every exchange; each term is about some exchange of its own.
type SessionRow struct {
	*seshat.Session
	All []seshat.Assigned
	// ClientIDs are the masked client session IDs, all of them.
	ClientIDs []string
}

// Values implements [filter.Row].
func (r SessionRow) Values(field *filter.Field, yield func(string, filter.Value) bool) {
	s := r.Session
	text := func(v string) bool { return v == "" || yield("", filter.Value{Text: Text(v)}) }
	switch field.Name {
	case "session_id":
		text(s.ID.String())
	case "previous_session_id":
		if !s.Previous.IsZero() {
			text(s.Previous.String())
		}
	case "state":
		text(string(s.State))
	case "user":
		text(s.User)
	case "role":
		for _, role := range s.Roles {
			if !text(role) {
				return
			}
		}
	case "environment":
		text(s.Environment)
	case "first_seen":
		yield("", filter.Value{Time: s.FirstSeen})
	case "last_seen":
		yield("", filter.Value{Time: s.LastSeen})
	case "exchanges":
		yield("", filter.Value{Number: float64(s.Exchanges)})
	case "errors":
		yield("", filter.Value{Number: float64(s.Errors)})
	case "refused":
		yield("", filter.Value{Number: float64(s.Refused)})
	case "addresses", "networks", "user_agents", "users":
		yield("", filter.Value{Number: float64(r.different(field.Name))})
	case "duration":
		yield("", filter.Value{Duration: s.LastSeen.Sub(s.FirstSeen)})
	case "identified_by":
		text(s.IdentifiedBy)
	case "confidence":
		yield("", filter.Value{Number: s.Confidence})
	case "ended_by":
		text(string(s.EndedBy))
	case "client_session_id":
		for _, masked := range r.ClientIDs {
			if !text(masked) {
				return
			}
		}
	default:
		r.exchanges(field, yield)
	}
}

// different is how many different values the exchanges have of what a field counts.
func (r SessionRow) different(field string) int {
	seen := make(map[any]bool)
	for i := range r.All {
		x := ExchangeRow{&r.All[i]}
		switch ip := x.ClientIP.Unmap().WithZone(""); {
		case field == "addresses" && ip.IsValid():
			seen[ip] = true
		case field == "networks" && ip.IsValid():
			seen[NetworkOf(ip)] = true
		case field == "user_agents" && x.UserAgent != "":
			seen[Text(x.UserAgent)] = true
		case field == "users":
			x.parameters(seshat.ParameterUser, func(user string) bool {
				if user != "" {
					seen[strings.ToLower(Text(user))] = true
				}
				return true
			})
		}
	}
	return len(seen)
}

func (r SessionRow) exchanges(field *filter.Field, yield func(string, filter.Value) bool) {
	more := true
	for i := range r.All {
		ExchangeRow{&r.All[i]}.Values(field, func(name string, v filter.Value) bool {
			more = yield(name, v)
			return more
		})
		if !more {
			return
		}
	}
}
