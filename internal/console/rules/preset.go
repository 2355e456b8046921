package rules

import (
	"errors"
	"net/http"

	"github.com/seshat-project/seshat"
	"github.com/seshat-project/seshat/internal/api/wire"
	"github.com/seshat-project/seshat/internal/console/ui"
	"github.com/seshat-project/seshat/internal/console/web"
	"github.com/seshat-project/seshat/internal/resource"
)

// offer is a preset as it is shown.
type offer struct {
	*wire.Preset
	actions []resource.Action // what applying it would do to each resource
	faults  seshat.Faults     // why it cannot be applied
}

func (o *offer) hasRule() bool { return ruleOf(o.Preset) != nil }

// ruleOf is the session rule of a preset; nil when it has none.
func ruleOf(p *wire.Preset) *seshat.Resource {
	parsed, _ := resource.Parse("preset "+p.Name, []byte(p.YAML))
	for i := range parsed {
		if parsed[i].Resource.Kind == seshat.KindSessionRule {
			return &parsed[i].Resource
		}
	}
	return nil
}

func showPreset(q *web.Request) error {
	p, err := q.API.Preset(q.Context(), q.PathValue("name"))
	if err != nil {
		return err
	}
	o := &offer{Preset: p}
	if err := o.compare(q); err != nil {
		return err
	}
	return o.show(q, http.StatusOK)
}

// compare says what applying the preset would do.
func (o *offer) compare(q *web.Request) error {
	stored, err := q.API.Registry().List(q.Context(), "")
	if err != nil {
		return err
	}
	there := make(map[string]*seshat.Resource, len(stored))
	for i := range stored {
		there[resource.Key(stored[i].Kind, stored[i].Name)] = stored[i].Resource
	}
	parsed, faults := resource.Parse("preset "+o.Name, []byte(o.YAML))
	if len(faults) > 0 {
		return faults
	}
	for i := range parsed {
		r := &parsed[i].Resource
		action := resource.ActionCreated
		if now := there[resource.Key(r.Kind, r.Metadata.Name)]; now != nil {
			action = resource.ActionUpdated
			if same(now, r) {
				action = resource.ActionUnchanged
			}
		}
		o.actions = append(o.actions, action)
	}
	return nil
}

func applyPreset(q *web.Request) error {
	p, err := q.API.Preset(q.Context(), q.PathValue("name"))
	if err != nil {
		return err
	}
	parsed, faults := resource.Parse("preset "+p.Name, []byte(p.YAML))
	if len(faults) > 0 {
		return faults
	}
	outcomes, err := q.API.Registry().Apply(q.Context(), parsed, resource.ApplyOptions{})
	o := &offer{Preset: p}
	switch {
	case errors.As(err, &o.faults):
		return o.show(q, http.StatusUnprocessableEntity)
	case err != nil:
		return err
	}
	return q.Done(pathList, "The preset "+p.Title+" is in force: "+counted(len(outcomes), "resource", "resources")+".")
}

func (o *offer) show(q *web.Request, status int) error {
	return q.PageStatus(status, ui.Page{
		Title: o.Title, Section: ui.SectionRules, Crumbs: []ui.Crumb{{Name: "Rules", URL: pathList}, {Name: "Presets", URL: pathList + "#presets"}}, Subtitle: o.Description,
	}, presetPage(o))
}
