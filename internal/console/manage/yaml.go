package manage

import (
	"errors"
	"net/http"
	"strings"

	"github.com/seshat-project/seshat"
	"github.com/seshat-project/seshat/internal/api/wire"
	"github.com/seshat-project/seshat/internal/console/web"
	"github.com/seshat-project/seshat/internal/kv"
	"github.com/seshat-project/seshat/internal/resource"
)

// source is the YAML of a resource as it is shown.
type source struct {
	name     string
	text     string
	revision kv.Revision
	faults   seshat.Faults
	readOnly bool
	problem  *wire.Problem
	only     bool // the form cannot say it
}

// yamlName is what faults call the text.
const yamlName = "yaml"

func (p *Pages) yaml(q *web.Request) error {
	one, err := q.API.Registry().Get(q.Context(), p.Kind, q.PathValue("name"))
	if err != nil {
		return missing(err)
	}
	text, err := resource.Marshal([]seshat.Resource{*one.Resource}, resource.FormatYAML)
	if err != nil {
		return err
	}
	return p.showYAML(q, http.StatusOK, &source{name: one.Name, text: string(text), revision: one.Revision, only: q.URL.Query().Has("only")})
}

func (p *Pages) showYAML(q *web.Request, status int, s *source) error {
	page := p.page(s.name)
	page.Title, page.Heading = s.name+", YAML", s.name
	s.readOnly = !q.Viewer.Can(mayWrite)
	return q.PageStatus(status, page, yamlPage(p, s))
}

func (p *Pages) saveYAML(q *web.Request) error {
	s := &source{name: q.PathValue("name"), text: strings.ReplaceAll(q.PostFormValue("text"), "\r\n", "\n"), revision: RevisionOf(q)}
	parsed, faults := resource.Parse(yamlName, []byte(s.text))
	switch {
	case len(faults) > 0:
	case len(parsed) != 1 || parsed[0].Resource.Kind != p.Kind || parsed[0].Resource.Metadata.Name != s.name:
		faults = seshat.Faults{{Message: "the text must hold " + resource.Key(p.Kind, s.name) + " and nothing else", Hint: "a new name makes a new resource: apply it as a file"}}
	}
	if len(faults) > 0 {
		s.faults = faults
		return p.showYAML(q, http.StatusUnprocessableEntity, s)
	}
	outcome, err := q.API.Registry().Apply(q.Context(), parsed, resource.ApplyOptions{
		Expected: map[string]kv.Revision{resource.Key(p.Kind, s.name): s.revision},
	})
	switch {
	case err == nil:
		return q.Done(p.At(s.name, "yaml"), said(&outcome[0]))
	case errors.As(err, &faults):
		s.faults = faults
		return p.showYAML(q, http.StatusUnprocessableEntity, s)
	case errors.Is(err, kv.ErrConflict):
		s.problem = &wire.Problem{
			Title: "It has changed meanwhile", Status: http.StatusConflict, Detail: "Somebody changed it since this text was opened. Nothing was saved.",
			Hint: "look at the history, and save once more to replace what is there now",
		}
		if now, errNow := q.API.Registry().Get(q.Context(), p.Kind, s.name); errNow == nil {
			s.revision = now.Revision
		}
		return p.showYAML(q, http.StatusConflict, s)
	}
	return err
}
