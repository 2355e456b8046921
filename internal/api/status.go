package api

import (
	"context"
	"strings"

	"github.com/seshat-project/seshat"
	"github.com/seshat-project/seshat/internal/api/wire"
	"github.com/seshat-project/seshat/internal/filter"
)

func (s *server) registerStatus() {
	register(s, s.operation("GET", "/api/v1/status", "get-status", tagInstance, "Say how the instance is"), s.getStatus)
	register(s, s.operation("GET", "/api/v1/keys", "list-keys", tagInstance, "List the keys of digests, without what is secret of them"),
		func(context.Context, *struct{}) (*output[keyList], error) {
			if s.Keys == nil {
				return nil, unavailable("list the keys")
			}
			keys, err := s.Keys()
			return &output[keyList]{keyList{Items: keys}}, err
		})
	register(s, s.operation("GET", "/api/v1/filters/fields", "list-fields", tagInstance, "List the fields of the filter language"), listFields)
	register(s, s.operation("GET", "/api/v1/filters/check", "check-filter", tagInstance, "Say whether a filter can be read, and where it is wrong"), s.checkFilter)
	register(s, s.operation("GET", "/api/v1/filters/suggest", "suggest-filter", tagInstance, "Suggest how a filter could go on"), suggest)
}

type keyList struct {
	Items []wire.Key `json:"items" nullable:"false"`
}

func (s *server) getStatus(ctx context.Context, _ *struct{}) (*output[wire.Status], error) {
	return &output[wire.Status]{s.status(ctx)}, nil
}

func (s *server) status(ctx context.Context) wire.Status {
	status := wire.Status{State: wire.StateOK, Checks: []wire.Check{}}
	if s.Status != nil {
		status = s.Status(ctx)
	}
	if status.Version == "" {
		status.Version = s.Version
	}
	span, err := s.Store.Span(ctx)
	if err != nil && seshat.KindOfError(err) != seshat.ErrorUnsupported {
		status.State = wire.StateFailing
		status.Checks = append(status.Checks, wire.Check{Name: "store", State: wire.StateFailing, Detail: s.problem(ctx, err).Detail})
	}
	status.Store.Span = newSpan(span)
	if status.Checks == nil {
		status.Checks = []wire.Check{}
	}
	return status
}

// DatasetInput says what a filter is about.
type DatasetInput struct {
	Dataset string `query:"dataset" required:"true" enum:"sessions,exchanges"`
}

func (in *DatasetInput) fields() *filter.Fields {
	if in.Dataset == filter.Sessions().Dataset {
		return filter.Sessions()
	}
	return filter.Exchanges()
}

type fieldList struct {
	Items []filterField `json:"items" nullable:"false"`
}

type filterField struct {
	Name    string   `json:"name" doc:"Of a family, NAME stands for any name."`
	Aliases []string `json:"aliases,omitempty"`
	Type    string   `json:"type"`
	Many    bool     `json:"many,omitempty" doc:"There can be several values; a term holds when one of them passes."`
	Group   bool     `json:"group,omitempty" doc:"Aggregates and facets can be grouped by it; by stretches of time, written as NAME:5m, where it is a time."`
	Measure bool     `json:"measure,omitempty" doc:"It is a number that aggregates can measure."`
	Values  []string `json:"values,omitempty" doc:"All values that there are."`
	Doc     string   `json:"doc"`
	Example string   `json:"example"`
}

func listFields(_ context.Context, in *DatasetInput) (*output[fieldList], error) {
	out := &output[fieldList]{fieldList{Items: []filterField{}}}
	for _, f := range in.fields().All() {
		name := f.Name
		if f.Family {
			name += ".NAME"
		}
		out.Body.Items = append(out.Body.Items, filterField{
			Name: name, Aliases: f.Aliases, Type: f.Type.String(), Many: f.Many, Group: f.Groups, Measure: f.Measures, Values: f.Values, Doc: f.Doc, Example: f.Example,
		})
	}
	return out, nil
}

type filterInput struct {
	DatasetInput
	Filter string `query:"filter" maxLength:"8192"`
}

type checked struct {
	Valid   bool   `json:"valid"`
	Filter  string `json:"filter,omitempty" doc:"As it was understood."`
	Column  int    `json:"column,omitempty" doc:"Where it is wrong: the character, from 1."`
	Message string `json:"message,omitempty"`
	Hint    string `json:"hint,omitempty"`
}

func (s *server) checkFilter(_ context.Context, in *filterInput) (*output[checked], error) {
	expr, err := filter.Parse(in.Filter, in.fields(), s.Now())
	if err != nil {
		p := wire.NewProblem(err)
		return &output[checked]{checked{Column: p.Column, Message: p.Detail, Hint: p.Hint}}, nil
	}
	out := &output[checked]{checked{Valid: true}}
	if expr != nil {
		out.Body.Filter = expr.String()
	}
	return out, nil
}

type suggestions struct {
	From  int      `json:"from" doc:"Where the word begins that the suggestions replace, in bytes from 0."`
	Items []string `json:"items" nullable:"false"`
}

// suggest completes the last word of a filter: the name of a field, or one of its values where those are known.
func suggest(_ context.Context, in *filterInput) (*output[suggestions], error) {
	from := strings.LastIndexAny(in.Filter, " (,-") + 1
	word := in.Filter[from:]
	fields := in.fields()
	out := &output[suggestions]{suggestions{From: from, Items: []string{}}}
	add := func(text, beginning string) {
		if strings.HasPrefix(text, strings.ToLower(beginning)) {
			out.Body.Items = append(out.Body.Items, text)
		}
	}
	name, value, isValue := strings.Cut(word, ":")
	if open := strings.LastIndex(in.Filter[:from], ":("); !isValue && open >= 0 && !strings.Contains(in.Filter[open:from], ")") {
		name, value, isValue = in.Filter[strings.LastIndexAny(in.Filter[:open], " (-")+1:open], word, true
	} else if isValue {
		out.Body.From += len(name) + 1
	}
	if isValue {
		if f := fields.Lookup(name); f != nil {
			for _, v := range f.Values {
				add(v, value)
			}
		}
		return out, nil
	}
	for _, f := range fields.All() {
		if f.Family {
			add(f.Name+".", word)
		} else {
			add(f.Name+":", word)
		}
	}
	return out, nil
}
