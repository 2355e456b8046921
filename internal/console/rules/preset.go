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
	outcomes []resource.Outcome // of applying it, if somebody did
	faults   seshat.Faults      // why it cannot be applied
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
	if q.Viewer.Can(mayWrite) {
		if err := o.apply(q, true); err != nil {
			return err
		}
	}
	return o.show(q, http.StatusOK)
}

// apply applies the preset, or says what that would do.
func (o *offer) apply(q *web.Request, dry bool) error {
	parsed, faults := resource.Parse("preset "+o.Name, []byte(o.YAML))
	if len(faults) > 0 {
		return faults
	}
	outcomes, err := q.API.Registry().Apply(q.Context(), parsed, resource.ApplyOptions{DryRun: dry})
	if !errors.As(err, &o.faults) && err != nil {
		return err
	}
	o.outcomes = outcomes
	return nil
}

func applyPreset(q *web.Request) error {
	p, err := q.API.Preset(q.Context(), q.PathValue("name"))
	if err != nil {
		return err
	}
	o := &offer{Preset: p}
	if err := o.apply(q, false); err != nil {
		return err
	}
	if len(o.faults) > 0 {
		return o.show(q, http.StatusUnprocessableEntity)
	}
	return q.Done(pathList, "The preset "+p.Title+" is in force: "+counted(len(o.outcomes), "resource", "resources")+".")
}

func (o *offer) show(q *web.Request, status int) error {
	return q.PageStatus(status, ui.Page{
		Title: o.Title, Section: ui.SectionRules, Crumbs: []ui.Crumb{{Name: "Rules", URL: pathList}, {Name: "Presets", URL: pathList + "#presets"}}, Subtitle: o.Description,
	}, presetPage(o))
}
