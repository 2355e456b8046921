package preview

import (
	"context"
	"fmt"
	"strings"

	"github.com/seshat-project/seshat"
	"github.com/seshat-project/seshat/internal/identify"
	"github.com/seshat-project/seshat/internal/rule"
)

// miss is why an identifier of the draft found nothing in an exchange.
type miss struct {
	key    identifierKey
	reason identify.Reason
	detail string
}

// ruleTally is what is counted of one rule.
type ruleTally struct {
	inScope, found, decides, successful, foundSuccessful int
	identifiers                                          []identifierTally
	draft                                                bool
	// bodiesUnread counts exchanges in scope whose body a rule of the draft looks at and nobody has read.
	bodiesUnread int
}

type identifierTally struct {
	found, foundSuccessful, decides int
	missed                          map[miss]int
}

// explain asks of every exchange in scope of a rule of the draft in which one of its identifiers found nothing, why.
func (t *trial) explain(ctx context.Context) error {
	rules := t.draft.own.Rules()
	if len(rules) == 0 {
		return nil
	}
	worker := identify.New(t.draft.own, t.Digester).NewWorker()
	t.misses = make([]miss, 0, len(t.Exchanges))
	for i, x := range t.Exchanges {
		if i%checkEvery == 0 && ctx.Err() != nil {
			return ctx.Err()
		}
		if !t.lacks(i, x, rules) {
			continue
		}
		e := worker.Explain(x)
		for j := range e.Rules {
			for k := range e.Rules[j].Identifiers {
				trace := &e.Rules[j].Identifiers[k]
				if reason := trace.Reason(); reason != identify.ReasonNone {
					t.misses = append(t.misses, miss{
						identifierKey{rules[j].ID, trace.Index}, reason, detailOf(trace, reason),
					})
				}
			}
		}
	}
	return nil
}

// lacks reports whether some identifier of rules, in whose scope the exchange is, found nothing in it.
func (t *trial) lacks(i int, x *seshat.Exchange, rules []*rule.Rule) bool {
	url := ""
	for _, r := range rules {
		if url == "" {
			url = string(rule.AppendURL(nil, x))
		}
		if r.Scope.Check(x.Environment, x.Service, url) != rule.InScope {
			continue
		}
		o, found := t.after.observations[i], 0
		seen := make([]bool, len(r.Identifiers))
		for j := range o.IDs {
			if id := &o.IDs[j]; id.Rule == r.ID && !id.Deleted && id.Index < len(seen) && !seen[id.Index] {
				seen[id.Index] = true
				found++
			}
		}
		if found < len(r.Identifiers) {
			return true
		}
	}
	return false
}

// detailOf names the condition or the transformation that is to blame.
func detailOf(trace *identify.IdentifierTrace, reason identify.Reason) string {
	if reason == identify.ReasonCondition {
		for _, c := range trace.Conditions {
			if !c.Held {
				return strings.TrimSpace(c.Where + " " + c.Asks)
			}
		}
	}
	if reason == identify.ReasonTransformation {
		for _, place := range trace.Places {
			for _, field := range place.Fields {
				for _, step := range field.Steps {
					if step.Failed != "" {
						return step.Transformation + ": " + step.Failed
					}
				}
			}
		}
	}
	return ""
}

// sentence is what became of an identifier in one exchange, in words. Values in it are masked.
func sentence(ruleName string, trace *identify.IdentifierTrace) string {
	name := fmt.Sprintf("%s, identifier %d: ", ruleName, trace.Index)
	switch trace.Reason() { //nolint:exhaustive // the others are about the field that was found
	case identify.ReasonNone:
		for _, place := range trace.Places {
			for _, field := range place.Fields {
				if field.Outcome == trace.Outcome {
					return name + "found in " + withKey(place.Where, field.Key) + steps(&field) + "."
				}
			}
		}
		return name + "found."
	case identify.ReasonCondition:
		for _, c := range trace.Conditions {
			if c.Held {
				continue
			}
			seen := "there is nothing"
			if len(c.Found) > 0 {
				seen = "it is " + strings.Join(c.Found, ", ")
			}
			return name + "its condition does not hold: " + strings.TrimSpace(c.Where+" "+c.Asks) + ", and " + seen + "."
		}
	case identify.ReasonAbsent:
		places := make([]string, 0, len(trace.Places))
		for _, place := range trace.Places {
			places = append(places, place.Where)
		}
		return name + "there is no " + strings.Join(places, ", and no ") + "."
	}
	for _, place := range trace.Places {
		for i := range place.Fields {
			field := &place.Fields[i]
			where := withKey(place.Where, field.Key)
			switch {
			case trace.Reason() == identify.ReasonValue:
				return name + "the value in " + where + " (" + field.Value + ") does not match."
			case trace.Reason() == identify.ReasonTransformation:
				return name + where + " (" + field.Value + ")" + steps(field) + "."
			default:
				return name + where + " (" + field.Value + "): " + field.Outcome + "."
			}
		}
	}
	return name + trace.Outcome + "."
}

// steps are the transformations of a field, in words.
func steps(field *identify.FieldTrace) string {
	var out strings.Builder
	for _, s := range field.Steps {
		if s.Failed != "" {
			out.WriteString("; " + s.Transformation + " does not apply: " + s.Failed)
			break
		}
		out.WriteString(", by " + s.Transformation + " " + s.Result)
	}
	return out.String()
}

// withKey is a place with the name of the field that was there, where the place does not say it.
func withKey(where, key string) string {
	if key == "" || strings.HasSuffix(where, " "+key) {
		return where
	}
	return where + " (" + clean(key) + ")"
}
