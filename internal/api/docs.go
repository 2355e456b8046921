package api

import (
	"bytes"
	"crypto/sha256"
	_ "embed" // the page
	"encoding/base64"
	"encoding/json"
	"html/template"
	"maps"
	"net/http"
	"slices"
	"strings"

	"github.com/danielgtaylor/huma/v2"
)

//go:embed docs.html
var docsPage string

//go:embed docs.css
var docsStyle string

// documented is a part of the API, as the page shows it.
type documented struct {
	Tag        string
	Operations []documentedOperation
}

type documentedOperation struct {
	ID, Method, Path, Summary, Description string
	Parameters                             []documentedParameter
	Body                                   string // media types
	Answers                                []documentedAnswer
}

type documentedParameter struct {
	Name, In, Type, Doc string
	Required            bool
}

type documentedAnswer struct{ Status, Doc, Content string }

type documentedSchema struct{ Name, JSON string }

// serveDocs serves the description of the API as a page: without scripts, and without anything from elsewhere.
func (s *server) serveDocs(w http.ResponseWriter, _ *http.Request) {
	page, err := template.New("docs").Parse(docsPage)
	if err != nil {
		http.Error(w, "the page has a fault", http.StatusInternalServerError)
		return
	}
	var out bytes.Buffer
	err = page.Execute(&out, map[string]any{
		"Info": s.api.OpenAPI().Info, "Style": template.CSS(docsStyle), //nolint:gosec // it is part of the program
		"Parts": s.documentation(), "Schemas": s.documentedSchemas(),
	})
	if err != nil {
		http.Error(w, "the page has a fault", http.StatusInternalServerError)
		return
	}
	digest := sha256.Sum256([]byte(docsStyle))
	w.Header().Set("Content-Security-Policy", "default-src 'none'; style-src 'sha256-"+
		base64.StdEncoding.EncodeToString(digest[:])+"'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'")
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	_, _ = w.Write(out.Bytes()) // the client may be gone
}

func (s *server) documentation() []documented {
	tags := []string{tagSessions, tagExchanges, tagResources, tagDenylist, tagImports, tagRules, tagInstance}
	parts := make([]documented, len(tags))
	paths := s.api.OpenAPI().Paths
	for i, tag := range tags {
		parts[i].Tag = tag
		for _, path := range slices.Sorted(maps.Keys(paths)) {
			item := paths[path]
			for _, op := range []*huma.Operation{item.Get, item.Post, item.Put, item.Delete} {
				if op != nil && slices.Contains(op.Tags, tag) {
					parts[i].Operations = append(parts[i].Operations, documentOperation(op))
				}
			}
		}
	}
	return parts
}

func documentOperation(op *huma.Operation) documentedOperation {
	out := documentedOperation{ID: op.OperationID, Method: op.Method, Path: op.Path, Summary: op.Summary, Description: op.Description}
	for _, p := range op.Parameters {
		out.Parameters = append(out.Parameters, documentedParameter{
			Name: p.Name, In: p.In, Type: typeName(p.Schema), Doc: p.Description, Required: p.Required,
		})
	}
	if op.RequestBody != nil {
		out.Body = contents(op.RequestBody.Content)
	}
	for _, status := range slices.Sorted(maps.Keys(op.Responses)) {
		r := op.Responses[status]
		out.Answers = append(out.Answers, documentedAnswer{Status: status, Doc: r.Description, Content: contents(r.Content)})
	}
	return out
}

func contents(content map[string]*huma.MediaType) string {
	var out []string
	for _, name := range slices.Sorted(maps.Keys(content)) {
		text := name
		if media := content[name]; media != nil && media.Schema != nil && media.Schema.Ref != "" {
			text += " (" + refName(media.Schema.Ref) + ")"
		}
		out = append(out, text)
	}
	return strings.Join(out, ", ")
}

func refName(ref string) string { return ref[strings.LastIndexByte(ref, '/')+1:] }

func typeName(s *huma.Schema) string {
	switch {
	case s == nil:
		return ""
	case s.Ref != "":
		return refName(s.Ref)
	case len(s.Enum) > 0:
		var values []string
		for _, v := range s.Enum {
			if text, ok := v.(string); ok {
				values = append(values, text)
			}
		}
		return strings.Join(values, " | ")
	default:
		return s.Type
	}
}

func (s *server) documentedSchemas() []documentedSchema {
	schemas := s.api.OpenAPI().Components.Schemas.Map()
	var out []documentedSchema
	for _, name := range slices.Sorted(maps.Keys(schemas)) {
		text, err := json.MarshalIndent(schemas[name], "", "  ")
		if err == nil {
			out = append(out, documentedSchema{name, string(text)})
		}
	}
	return out
}
