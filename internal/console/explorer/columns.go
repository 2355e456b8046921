package explorer

import (
	"slices"
	"strings"
	"time"

	"github.com/seshat-project/seshat/internal/api/wire"
)

// column is a column of the table.
type column struct {
	id, name string
	number   bool
	// detailed columns need what light lists leave out.
	detailed bool
}

func columns() []column {
	return []column{
		{id: "time", name: "Time"},
		{id: "user", name: "User", detailed: true},
		{id: "role", name: "Roles", detailed: true},
		{id: "session", name: "Session ID"},
		{id: "ids", name: "Client session IDs", detailed: true},
		{id: "method", name: "Method"},
		{id: "path", name: "Path"},
		{id: "endpoint", name: "Endpoint"},
		{id: "host", name: "Host"},
		{id: "status", name: "Status"},
		{id: "duration", name: "Duration", number: true},
		{id: "request_bytes", name: "Request", number: true},
		{id: "response_bytes", name: "Response", number: true},
		{id: "verdict", name: "Verdict", detailed: true},
		{id: "identifier", name: "Identified by", detailed: true},
		{id: "origin", name: "Origin", detailed: true},
		{id: "flow", name: "Flows", detailed: true},
		{id: "service", name: "Service"},
		{id: "environment", name: "Environment"},
		{id: "ip", name: "Address"},
		{id: "user_agent", name: "User agent"},
		{id: "ja4", name: "JA4"},
		{id: "http_version", name: "HTTP"},
		{id: "trace_id", name: "Trace ID"},
		{id: "key", name: "Key"},
	}
}

// defaultColumns are shown when nobody has chosen.
const defaultColumns = "time,user,session,method,path,status,duration,verdict,ip"

// attributePrefix begins the IDs of columns of attributes.
const attributePrefix = "attr."

// mostAttributes is how many columns of attributes are shown.
const mostAttributes = 8

// chosen are the columns of a list of their IDs: those there are in the order of the table, then attributes.
func chosen(list string) []column {
	if list == "" {
		list = defaultColumns
	}
	ids := strings.Split(list, ",")
	out := slices.DeleteFunc(columns(), func(c column) bool { return c.id != "time" && !slices.Contains(ids, c.id) })
	n := 0
	for _, id := range ids {
		name, ok := strings.CutPrefix(id, attributePrefix)
		if ok && name != "" && n < mostAttributes && !has(out, id) {
			out = append(out, column{id: id, name: name, detailed: true})
			n++
		}
	}
	return out
}

func has(cols []column, id string) bool {
	return slices.ContainsFunc(cols, func(c column) bool { return c.id == id })
}

func light(cols []column) bool {
	return !slices.ContainsFunc(cols, func(c column) bool { return c.detailed })
}

// userOf is who an exchange itself says it is from.
func userOf(x *wire.Exchange) string {
	weak := ""
	for i := range x.Parameters {
		switch p := &x.Parameters[i]; {
		case p.Type != "user" || p.Value == "":
		case !p.Weak:
			return p.Value
		case weak == "":
			weak = p.Value
		}
	}
	return weak
}

func rolesOf(x *wire.Exchange) string {
	var out []string
	for i := range x.Parameters {
		if p := &x.Parameters[i]; p.Type == "role" && p.Value != "" && !slices.Contains(out, p.Value) {
			out = append(out, p.Value)
		}
	}
	return strings.Join(out, ", ")
}

// grouping is the client session ID that gave the exchange its session; nil when it is not known.
func grouping(x *wire.Exchange) *wire.ClientSessionID {
	if x.Grouping < 0 || x.Grouping >= len(x.ClientSessionIDs) {
		return nil
	}
	return &x.ClientSessionIDs[x.Grouping]
}

func identifierOf(x *wire.Exchange) string {
	if id := grouping(x); id != nil {
		return id.Name
	}
	return ""
}

func originOf(x *wire.Exchange) string {
	if id := grouping(x); id != nil {
		return id.Origin
	}
	return ""
}

func idsOf(x *wire.Exchange) []string {
	var out []string
	for i := range x.ClientSessionIDs {
		if id := &x.ClientSessionIDs[i]; id.Origin != "fallback" && id.Masked != "" && !slices.Contains(out, id.Masked) {
			out = append(out, id.Masked)
		}
	}
	return out
}

// attributeOf is the value of an attribute: a client session ID, or a context parameter by its name.
func attributeOf(x *wire.Exchange, name string) string {
	for i := range x.ClientSessionIDs {
		if id := &x.ClientSessionIDs[i]; id.Attribute == name {
			return id.Masked
		}
	}
	for i := range x.Parameters {
		if p := &x.Parameters[i]; p.Name == name {
			return p.Value
		}
	}
	return ""
}

func flowsOf(x *wire.Exchange) string {
	out := make([]string, len(x.Flows))
	for i, f := range x.Flows {
		out[i] = f.Name
	}
	return strings.Join(out, ", ")
}

func durationOf(x *wire.Exchange) time.Duration {
	return time.Duration(x.DurationMS * float64(time.Millisecond))
}

func verdictOf(x *wire.Exchange) (action, by string) {
	if x.Verdict == nil {
		return "", ""
	}
	if x.Verdict.By != "" {
		return x.Verdict.Action, x.Verdict.By
	}
	return x.Verdict.Action, strings.Join(x.Verdict.Tags, ", ")
}
