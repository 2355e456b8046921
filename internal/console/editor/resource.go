package editor

import (
	"slices"
	"strings"

	"github.com/seshat-project/seshat"
)

// PutScope fills in a scope.
func (f *Form) PutScope(path string, s *seshat.Scope) {
	f.PutLines(path+".environments", s.Environments)
	f.PutLines(path+".services", s.Services)
	f.PutLines(path+".urls", s.URLs)
}

// Scope reads a scope.
func (f *Form) Scope(path string) seshat.Scope {
	return seshat.Scope{
		Environments: f.Lines(path + ".environments"), Services: f.Lines(path + ".services"), URLs: f.Lines(path + ".urls"),
	}
}

// PutMetadata fills in the name of a resource, and what is said of it.
func (f *Form) PutMetadata(m *seshat.Metadata) {
	f.put("metadata.name", m.Name)
	f.put("metadata.uid", m.UID)
	f.PutText("metadata.description", m.Description)
	lines := make([]string, 0, len(m.Labels))
	for name, value := range m.Labels {
		if name == "" || strings.Contains(name, "=") || name != strings.TrimSpace(name) || value != strings.TrimSpace(value) {
			f.lose("metadata.labels")
		}
		lines = append(lines, name+"="+value)
	}
	slices.Sort(lines)
	f.PutLines("metadata.labels", lines)
}

// Metadata reads the name of a resource, and what is said of it.
func (f *Form) Metadata() seshat.Metadata {
	m := seshat.Metadata{
		Name: strings.TrimSpace(f.Get("metadata.name")), UID: strings.TrimSpace(f.Get("metadata.uid")), Description: f.Text("metadata.description"),
	}
	for _, line := range f.Lines("metadata.labels") {
		name, value, found := strings.Cut(line, "=")
		name = strings.TrimSpace(name)
		if !found || name == "" {
			f.fault("metadata.labels", "not a label", "write name=value")
			continue
		}
		if m.Labels == nil {
			m.Labels = map[string]string{}
		}
		m.Labels[name] = strings.TrimSpace(value)
	}
	return m
}
