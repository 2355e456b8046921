package declared

import (
	"net/url"

	"github.com/seshat-project/seshat"
	"github.com/seshat-project/seshat/internal/api/wire"
	"github.com/seshat-project/seshat/internal/console/editor"
	"github.com/seshat-project/seshat/internal/console/manage"
	"github.com/seshat-project/seshat/internal/preview"
	"github.com/seshat-project/seshat/internal/rule"
)

func maskPages() *manage.Pages {
	return &manage.Pages{
		Kind: seshat.KindMaskRule, Section: section, Group: group, Tabs: tabs,
		One: "mask rule", Many: "mask rules",
		Intro: "Values that are removed before anything else sees them. What is masked cannot identify a session.",
		Next:  "Remove what nobody should have: card numbers in bodies, passwords in query parameters.",
		List:  listMasks, New: "/context/masks/new", Item: "/context/mask",
		Columns: []manage.Column{{Name: "Of"}, {Name: "Where"}, {Name: "Scope"}},
		Cells:   maskCells,
		Begin:   beginMask, Put: putMask, Spec: readMask, Edit: editMask, Most: rule.MaxConditions,
		Trial: maskTrial,
	}
}

func beginMask(f *editor.Form, query url.Values) {
	s := &seshat.MaskRuleSpec{In: query.Get("in"), Location: query.Get("location")}
	if s.Location == "" {
		s.Location = "header"
	}
	if key := query.Get("key"); key != "" {
		s.Key = &seshat.Match{Equals: &key}
	}
	putMask(f, s)
}

// A mask rule has the fields of a place in an exchange in its spec itself.
func putMask(f *editor.Form, spec seshat.Spec) {
	s, ok := spec.(*seshat.MaskRuleSpec)
	if !ok {
		return
	}
	f.PutScope("spec.scope", &s.Scope)
	f.PutLine("spec.in", s.In)
	f.PutExtract("spec", &seshat.Extract{Location: s.Location, Key: s.Key, JSONPath: s.JSONPath})
}

func readMask(f *editor.Form) seshat.Spec {
	e := f.Extract("spec")
	return &seshat.MaskRuleSpec{Scope: f.Scope("spec.scope"), In: f.Get("spec.in"), Location: e.Location, Key: e.Key, JSONPath: e.JSONPath}
}

func trialOfMask(p *wire.Preview, name string) *preview.MaskTrial {
	for i := range p.Masks {
		if p.Masks[i].Name == name {
			return &p.Masks[i]
		}
	}
	return nil
}
