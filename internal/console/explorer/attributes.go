package explorer

import (
	"strconv"
	"time"

	"github.com/seshat-project/seshat"
	"github.com/seshat-project/seshat/internal/console/web"
)

// attribute is something that exchanges may have: a client session ID that an identifier finds, or a context parameter.
type attribute struct {
	name string
	// from is the resource that makes it, and url where that is shown.
	from, url string
	detail    string
}

// attributeNames are the attributes that the rules and context parameters in force make.
func attributeNames(q *web.Request) ([]attribute, error) {
	registry := q.API.Registry()
	rules, err := registry.List(q.Context(), seshat.KindSessionRule)
	if err != nil {
		return nil, err
	}
	var out []attribute
	for i := range rules {
		r := rules[i].Resource
		spec, ok := r.Spec.(*seshat.SessionRuleSpec)
		if !ok {
			continue
		}
		id, err := seshat.ParseRuleID(r.Metadata.UID)
		if err != nil { // it has none of its own
			id = seshat.RuleIDFor(r.Metadata.Name)
		}
		for n := range spec.Identifiers {
			out = append(out, attribute{
				name: seshat.AttributeName(id, n), from: r.Metadata.Name, url: "/rules/" + r.Metadata.Name, detail: "identifier " + strconv.Itoa(n),
			})
		}
	}
	parameters, err := registry.List(q.Context(), seshat.KindContextParameter)
	if err != nil {
		return nil, err
	}
	for i := range parameters {
		r := parameters[i].Resource
		detail := "plain"
		if spec, ok := r.Spec.(*seshat.ContextParameterSpec); ok && spec.Type != "" {
			detail = spec.Type
		}
		out = append(out, attribute{name: r.Metadata.Name, from: r.Metadata.Name, url: "/context", detail: "context parameter, " + detail})
	}
	return out, nil
}

func milliseconds(n float64) time.Duration { return time.Duration(n * float64(time.Millisecond)) }
