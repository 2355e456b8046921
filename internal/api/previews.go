package api

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"

	"github.com/seshat-project/seshat"
	"github.com/seshat-project/seshat/internal/api/wire"
	"github.com/seshat-project/seshat/internal/resource"
)

// Draft is a draft of resources that is to be tried.
type Draft struct {
	// Add are put in place of those of their names.
	Add []resource.Parsed
	// Remove are the keys of resources that are left out.
	Remove []string
	// Exchanges are what it is to be tried on; the recent exchanges when it is empty. Format is theirs, if it was said.
	Exchanges []byte
	Format    string
	// Limit is how many exchanges it is tried on at most.
	Limit int
	// ShowValues says that whoever asks may see values that no secret is to be expected in.
	ShowValues bool
}

// maxTried is how many exchanges a draft is tried on when nothing else is said: as many as an instance keeps.
const maxTried = 5000

func (s *server) registerPreviews() {
	op := s.operation("POST", "/api/v1/previews", "preview", tagRules, "Try a draft of resources")
	op.Description += " On the exchanges that the instance saw last, or on those in the request. Nothing is stored, and nothing changes." +
		" In the answer values are masked; with the permission resources:write those of context parameters are shown unless they look like secrets."
	register(s, op, s.preview)

	register(s, s.operation("GET", "/api/v1/previews/source", "get-preview-source", tagRules, "Say what a draft would be tried on"),
		func(ctx context.Context, _ *struct{}) (*output[wire.PreviewSource], error) {
			if s.PreviewSource == nil {
				return &output[wire.PreviewSource]{wire.PreviewSource{From: wire.PreviewRecent}}, nil
			}
			source, err := s.PreviewSource(ctx)
			return &output[wire.PreviewSource]{source}, err
		})
}

type previewInput struct {
	Body wire.PreviewRequest
}

func (s *server) preview(ctx context.Context, in *previewInput) (*output[wire.Preview], error) {
	if s.Preview == nil {
		return nil, unavailable("try a draft")
	}
	draft, err := newDraft(&in.Body)
	if err != nil {
		return nil, err
	}
	p := principalOf(ctx)
	draft.ShowValues = p != nil && slices.Contains(p.Permissions, ResourcesWrite)
	out, err := s.Preview(ctx, draft)
	if err != nil {
		return nil, resourceError("try the draft", err)
	}
	return &output[wire.Preview]{*out}, nil
}

// newDraft reads a draft. Every fault is reported, with the place in the request.
func newDraft(r *wire.PreviewRequest) (*Draft, error) {
	out := &Draft{Exchanges: []byte(r.Exchanges), Format: r.Format, Limit: r.Limit}
	if out.Limit == 0 {
		out.Limit = maxTried
	}
	var faults seshat.Faults
	for i, text := range r.Resources {
		parsed, wrong := resource.Parse(fmt.Sprintf("resources[%d]", i), text)
		if len(parsed) > 1 {
			wrong = append(wrong, seshat.Fault{File: fmt.Sprintf("resources[%d]", i), Message: "there is more than one resource"})
		}
		out.Add, faults = append(out.Add, parsed...), append(faults, wrong...)
	}
	if strings.TrimSpace(r.YAML) != "" {
		parsed, wrong := resource.Parse("yaml", []byte(r.YAML))
		out.Add, faults = append(out.Add, parsed...), append(faults, wrong...)
	}
	if len(faults) > 0 {
		return nil, faults
	}
	for _, name := range r.Remove {
		kindName, one, found := strings.Cut(name, "/")
		kind, err := parseKind(kindName)
		if err != nil || !found || one == "" {
			return nil, usage("remove", "it is no name of a resource", "such as SessionRule/shop")
		}
		out.Remove = append(out.Remove, resource.Key(kind, one))
	}
	if len(out.Add)+len(out.Remove) == 0 {
		return nil, &wire.Problem{
			Status: http.StatusUnprocessableEntity, Title: http.StatusText(http.StatusUnprocessableEntity), Kind: "invalid", Op: "try the draft",
			Detail: errNoDraft.Error(), Hint: "put resources, yaml or remove in the body",
		}
	}
	return out, nil
}

var errNoDraft = errors.New("there is nothing in it")
