package api

import (
	"context"

	"github.com/seshat-project/seshat/internal/api/wire"
	"github.com/seshat-project/seshat/internal/resource"
	"github.com/seshat-project/seshat/internal/resource/preset"
)

func (s *server) registerPresets() {
	register(s, s.operation("GET", "/api/v1/presets", "list-presets", tagRules, "List presets: resources for well-known products"), s.listPresets)
	op := s.operation("GET", "/api/v1/presets/{name}", "get-preset", tagRules, "Get a preset, with its text")
	op.Description += " The text can be applied as it is."
	register(s, op, s.getPreset)
}

type presetList struct {
	Items []wire.Preset `json:"items" nullable:"false"`
}

func newPreset(p *preset.Preset) (wire.Preset, error) {
	parsed, err := preset.Parse(p.Name)
	out := wire.Preset{Name: p.Name, Title: p.Title, Description: p.Description, Resources: make([]string, len(parsed))}
	for i := range parsed {
		out.Resources[i] = resource.Key(parsed[i].Resource.Kind, parsed[i].Resource.Metadata.Name)
	}
	return out, err
}

func (s *server) listPresets(context.Context, *struct{}) (*output[presetList], error) {
	list := preset.List()
	out := &output[presetList]{presetList{Items: make([]wire.Preset, len(list))}}
	for i := range list {
		var err error
		if out.Body.Items[i], err = newPreset(&list[i]); err != nil {
			return nil, err
		}
	}
	return out, nil
}

type presetInput struct {
	Name string `path:"name" maxLength:"63"`
}

func (s *server) getPreset(_ context.Context, in *presetInput) (*output[wire.Preset], error) {
	text, err := preset.Get(in.Name)
	if err != nil {
		return nil, err
	}
	for _, p := range preset.List() {
		if p.Name == in.Name {
			out, err := newPreset(&p)
			out.YAML = string(text)
			return &output[wire.Preset]{out}, err
		}
	}
	return nil, unavailable("read the preset")
}
