package main

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/seshat-project/seshat"
	"github.com/seshat-project/seshat/internal/store"
	"github.com/seshat-project/seshat/internal/terminal"
)

// exchangeColumn is one column that exchanges can be shown with.
type exchangeColumn struct {
	name string
	doc  string
	// value is what machines read: a string, an int64, a float64, a []string, or nil when there is none.
	value func(*seshat.Assigned) any
	// cell is what people read, where that is not the value.
	cell func(x *seshat.Assigned, short bool) terminal.Cell
	// details says that the column needs the part of an exchange that is dear to read.
	details bool
	right   bool
	least   int
}

// defaultColumns are shown when none are asked for.
const defaultColumns = "time,session_id,user,status,endpoint,duration,ip"

const leastText = 8 // how narrow a column of text may become

func exchangeColumns() []exchangeColumn {
	text := func(name, doc string, value func(*seshat.Assigned) string) exchangeColumn {
		return exchangeColumn{name: name, doc: doc, least: leastText, value: func(x *seshat.Assigned) any { return value(x) }}
	}
	list := func(name, doc string, value func(*seshat.Assigned) []string) exchangeColumn {
		return exchangeColumn{
			name: name, doc: doc, least: leastText, details: true, value: func(x *seshat.Assigned) any { return value(x) },
		}
	}
	number := func(name, doc string, value func(*seshat.Assigned) int64) exchangeColumn {
		return exchangeColumn{name: name, doc: doc, right: true, value: func(x *seshat.Assigned) any { return value(x) }}
	}
	return []exchangeColumn{
		{
			name: "time", doc: "when the request started",
			value: func(x *seshat.Assigned) any { return rfc3339(x.Time) },
			cell: func(x *seshat.Assigned, _ bool) terminal.Cell {
				return terminal.Cell{Text: x.Time.UTC().Format("2006-01-02 15:04:05.000Z")}
			},
		},
		text("id", "the exchange's own ID as the input had it, else its key", exchangeID),
		text("key", "the key under which the exchange is stored", exchangeKey),
		{
			name: "session_id", doc: "Seshat's ID of the session",
			value: func(x *seshat.Assigned) any { return x.Session.String() },
			cell: func(x *seshat.Assigned, short bool) terminal.Cell {
				return terminal.Cell{Text: shownID(x.Session, short), Style: terminal.StyleCyan}
			},
		},
		detailed(text("user", "the user that the exchange itself names", exchangeUser)),
		list("roles", "the roles that the exchange itself names", func(x *seshat.Assigned) []string {
			return parametersOf(x, seshat.ParameterRole)
		}),
		{
			name: "status", doc: "the response's status", right: true,
			value: func(x *seshat.Assigned) any {
				if x.Status == 0 {
					return nil
				}
				return int64(x.Status)
			},
			cell: func(x *seshat.Assigned, _ bool) terminal.Cell {
				if x.Status == 0 {
					return terminal.Cell{Text: "-", Style: terminal.StyleFaint}
				}
				return terminal.Cell{Text: strconv.Itoa(x.Status), Style: terminal.StatusStyle(x.Status)}
			},
		},
		text("method", "the request's method", func(x *seshat.Assigned) string { return x.Method }),
		text("scheme", "http or https", func(x *seshat.Assigned) string { return x.Scheme }),
		text("host", "the host that the request was sent to", func(x *seshat.Assigned) string { return x.Host }),
		text("path", "the path, with the identifiers in it masked", func(x *seshat.Assigned) string { return x.Path }),
		text("endpoint", "method, host and path template", func(x *seshat.Assigned) string {
			return store.EndpointName(x.Observation)
		}),
		text("service", "where the request was going", func(x *seshat.Assigned) string { return x.Service }),
		text("environment", "the environment that it was seen in", func(x *seshat.Assigned) string { return x.Environment }),
		text("ip", "the client's address", exchangeIP),
		text("user_agent", "the request's User-Agent", func(x *seshat.Assigned) string { return x.UserAgent }),
		text("ja4", "the client's TLS fingerprint", func(x *seshat.Assigned) string { return x.JA4 }),
		{
			name: "duration", doc: "how long it took; milliseconds in ndjson and csv", right: true,
			value: func(x *seshat.Assigned) any {
				if x.Duration == 0 {
					return nil
				}
				return milliseconds(x)
			},
			cell: func(x *seshat.Assigned, _ bool) terminal.Cell {
				if x.Duration == 0 {
					return terminal.Cell{Text: "-", Style: terminal.StyleFaint}
				}
				return terminal.Cell{Text: terminal.Span(x.Duration)}
			},
		},
		number("request_bytes", "the size of the request's body", func(x *seshat.Assigned) int64 { return x.RequestBytes }),
		number("response_bytes", "the size of the response's body", func(x *seshat.Assigned) int64 { return x.ResponseBytes }),
		text("http_version", "the version of HTTP", func(x *seshat.Assigned) string { return x.HTTPVersion }),
		detailed(text("identifier", "the rule or built-in identifier that gave the session", func(x *seshat.Assigned) string {
			if id := groupingID(x); id != nil {
				return id.Name
			}
			return ""
		})),
		detailed(text("origin", "rule, built-in or fallback: where that identifier is from", func(x *seshat.Assigned) string {
			if id := groupingID(x); id != nil {
				return id.Origin.String()
			}
			return ""
		})),
		list("client_session_ids", "all client session IDs that were found, masked", clientSessionIDs),
		list("flows", "the flows that the exchange is part of", exchangeFlows),
		detailed(text("verdict", "allow, tag, limit or block: what Seshat did", func(x *seshat.Assigned) string { return x.Verdict.Action.String() })),
		detailed(text("verdict.by", "what decided that, such as Limit/login", func(x *seshat.Assigned) string { return x.Verdict.By })),
		list("tags", "what would have acted if it were not set to tag only", func(x *seshat.Assigned) []string { return x.Verdict.Tags }),
		text("trace_id", "the W3C trace ID", func(x *seshat.Assigned) string { return x.TraceID }),
	}
}

func detailed(c exchangeColumn) exchangeColumn {
	c.details = true
	return c
}

// attributePrefix begins the names of columns that show one attribute.
const attributePrefix = "attr."

// parseColumns reads a list of columns.
func parseColumns(list string) ([]exchangeColumn, error) {
	all := exchangeColumns()
	var out []exchangeColumn
	for name := range strings.SplitSeq(list, ",") {
		name = strings.TrimSpace(name)
		i := slices.IndexFunc(all, func(c exchangeColumn) bool { return strings.EqualFold(c.name, name) })
		attribute, isAttribute := strings.CutPrefix(name, attributePrefix)
		switch {
		case i >= 0:
			out = append(out, all[i])
		case isAttribute && attribute != "":
			out = append(out, attributeColumn(attribute))
		default:
			return nil, usageError("--columns", fmt.Sprintf("there is no column %q", name), "--columns help lists them")
		}
	}
	return out, nil
}

// attributeColumn shows one attribute: a context parameter, or the client session ID that one identifier found.
func attributeColumn(name string) exchangeColumn {
	return exchangeColumn{
		name: attributePrefix + name, details: true, least: leastText,
		value: func(x *seshat.Assigned) any {
			var values []string
			for i := range x.IDs {
				id := &x.IDs[i]
				if id.Origin != seshat.OriginFallback && id.Masked != "" && seshat.AttributeName(id.Rule, id.Index) == name {
					values = append(values, id.Masked)
				}
			}
			for i := range x.Parameters {
				if x.Parameters[i].Name == name {
					values = append(values, x.Parameters[i].Value)
				}
			}
			return strings.Join(slices.Compact(values), listSeparator)
		},
	}
}

func exchangeKey(x *seshat.Assigned) string { return fmt.Sprintf("%016x", uint64(x.Key)) }

func exchangeID(x *seshat.Assigned) string {
	if x.ID != "" {
		return x.ID
	}
	return exchangeKey(x)
}

func exchangeIP(x *seshat.Assigned) string {
	if !x.ClientIP.IsValid() {
		return ""
	}
	return x.ClientIP.Unmap().String()
}

// exchangeUser prefers what was proved to what the client only says.
func exchangeUser(x *seshat.Assigned) string {
	weak := ""
	for i := range x.Parameters {
		switch p := &x.Parameters[i]; {
		case p.Type != seshat.ParameterUser || p.Value == "":
		case !p.Weak:
			return p.Value
		case weak == "":
			weak = p.Value
		}
	}
	return weak
}

func parametersOf(x *seshat.Assigned, t seshat.ParameterType) []string {
	var out []string
	for i := range x.Parameters {
		if p := &x.Parameters[i]; p.Type == t && p.Value != "" && !slices.Contains(out, p.Value) {
			out = append(out, p.Value)
		}
	}
	return out
}

func exchangeFlows(x *seshat.Assigned) []string {
	var out []string
	for _, f := range x.Flows {
		out = append(out, f.Name)
	}
	return out
}

func milliseconds(x *seshat.Assigned) float64 { return float64(x.Duration) / float64(time.Millisecond) }

func clientSessionIDs(x *seshat.Assigned) []string {
	var out []string
	for i := range x.IDs {
		if id := &x.IDs[i]; id.Origin != seshat.OriginFallback && id.Masked != "" && !slices.Contains(out, id.Masked) {
			out = append(out, id.Masked)
		}
	}
	return out
}

// groupingID is the client session ID that gave the exchange its session.
func groupingID(x *seshat.Assigned) *seshat.ObservedID {
	if x.Grouping < 0 || x.Grouping >= len(x.IDs) {
		return nil
	}
	return &x.IDs[x.Grouping]
}
