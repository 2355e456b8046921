package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/seshat-project/seshat"
	"github.com/seshat-project/seshat/internal/filter"
	"github.com/seshat-project/seshat/internal/identify"
	"github.com/seshat-project/seshat/internal/store"
	"github.com/seshat-project/seshat/internal/terminal"
)

// explained is an explanation, and which exchange it is about.
type explained struct {
	ID   string    `json:"id,omitempty"`
	Time time.Time `json:"time"`
	*identify.Explanation
}

// writeExplanation writes the nth explanation of a run.
func (a *app) writeExplanation(x *seshat.Exchange, e *identify.Explanation, n int, format string) error {
	if format == "json" {
		return a.writeJSON(explained{ID: x.ID, Time: x.Time.UTC(), Explanation: e})
	}
	var text strings.Builder
	if n > 0 {
		text.WriteString("\n")
	}
	cutValues(e)
	if err := e.WriteText(&text); err != nil {
		return err
	}
	_, err := io.WriteString(a.stdout, terminal.EscapeLines(text.String()))
	return err
}

// cutValues shortens what was found in an exchange: values in the clear can be of any length.
func cutValues(e *identify.Explanation) {
	for i := range e.Rules {
		cutTraces(e.Rules[i].Identifiers)
	}
	cutTraces(e.BuiltIn)
	for i := range e.IDs {
		cut(&e.IDs[i].Value, &e.IDs[i].Key)
	}
	for i := range e.Parameters {
		cut(&e.Parameters[i].Value)
	}
}

func cutTraces(identifiers []identify.IdentifierTrace) {
	for i := range identifiers {
		for j := range identifiers[i].Conditions {
			found := identifiers[i].Conditions[j].Found
			for k := range found {
				cut(&found[k])
			}
		}
		for j := range identifiers[i].Places {
			fields := identifiers[i].Places[j].Fields
			for k := range fields {
				cut(&fields[k].Key, &fields[k].Value)
				for l := range fields[k].Steps {
					cut(&fields[k].Steps[l].Result)
				}
			}
		}
	}
}

func cut(values ...*string) {
	for _, value := range values {
		*value = terminal.CutValue(*value)
	}
}

func (a *app) writeJSON(v any) error {
	out := json.NewEncoder(a.stdout)
	out.SetEscapeHTML(false)
	out.SetIndent("", "  ")
	return out.Encode(v)
}

// noteNamesakes says so when other exchanges have the ID that one was asked for by: which one is meant is a guess then.
func (a *app) noteNamesakes(ctx context.Context, s store.Reader, x *seshat.Assigned, id string) error {
	if a.quiet || x.ID != id {
		return nil // a key is of one exchange
	}
	expr := &filter.Term{
		Field: filter.Exchanges().Lookup("id"), Tests: []filter.Test{{Op: filter.OpEqual, Value: filter.Value{Text: id}}},
	}
	more := false
	q := store.Query{Filter: expr, Now: a.now(), Limit: 2, Light: true}
	err := s.Exchanges(ctx, q, func(other *seshat.Assigned) bool {
		more = more || other.Key != x.Key
		return !more
	})
	if more {
		a.note("Several exchanges have the ID %s; this is the newest. The others, by their keys: %s", id,
			fmt.Sprintf("seshat explore 'id:%q' --columns time,key,session_id --since all", id))
	}
	return err
}
