// Package preset holds complete sets of resources for well-known products, as they are written: to be listed, read,
// copied and applied.
package preset

import (
	"embed"
	"fmt"
	"io/fs"
	"strings"

	"github.com/seshat-project/seshat"
	"github.com/seshat-project/seshat/internal/resource"
)

//go:embed *.yaml
var files embed.FS

// Preset describes a preset.
type Preset struct {
	Name        string
	Title       string // the product
	Description string // one line
}

// List returns all presets, ordered by name. Their titles and descriptions are the first two lines of their texts.
func List() []Preset {
	entries, err := fs.ReadDir(files, ".")
	if err != nil {
		panic("preset: " + err.Error()) // the files are a part of the program
	}
	out := make([]Preset, 0, len(entries))
	for _, entry := range entries {
		name := strings.TrimSuffix(entry.Name(), ".yaml")
		text, err := Get(name)
		if err != nil {
			panic("preset: " + err.Error())
		}
		lines := strings.SplitN(string(text), "\n", 3)
		p := Preset{Name: name, Title: strings.TrimPrefix(lines[0], "# ")}
		if len(lines) > 1 {
			p.Description = strings.TrimPrefix(lines[1], "# ")
		}
		out = append(out, p)
	}
	return out
}

// Get returns the text of the preset called name: YAML, as it was written.
func Get(name string) ([]byte, error) {
	text, err := files.ReadFile(name + ".yaml")
	if err != nil {
		return nil, &seshat.Error{
			Kind: seshat.ErrorNotFound, Op: "preset " + name, Err: fs.ErrNotExist, Hint: "seshat presets lists them",
		}
	}
	return text, nil
}

// Parse returns the resources of the preset called name.
func Parse(name string) ([]resource.Parsed, error) {
	text, err := Get(name)
	if err != nil {
		return nil, err
	}
	parsed, faults := resource.Parse("preset "+name+".yaml", text)
	if len(faults) > 0 {
		return nil, fmt.Errorf("preset %s: %w", name, faults)
	}
	return parsed, nil
}
