package api

import (
	"context"
	"errors"
	"net/http"
	"strconv"
	"strings"

	"github.com/danielgtaylor/huma/v2"

	"github.com/seshat-project/seshat"
	"github.com/seshat-project/seshat/internal/api/wire"
	"github.com/seshat-project/seshat/internal/kv"
	"github.com/seshat-project/seshat/internal/resource"
	"github.com/seshat-project/seshat/internal/rule"
)

// Named names a resource.
type Named struct {
	Kind string `path:"kind" maxLength:"64" doc:"Such as SessionRule; also in lower case or plural."`
	Name string `path:"name" maxLength:"63"`
}

func (s *server) registerResources() {
	const one = "/api/v1/resources/{kind}/{name}"
	register(s, s.operation("GET", "/api/v1/resources", "list-resources", tagResources, "List resources"), s.listResources)

	op := s.operation("POST", "/api/v1/resources", "apply-resources", tagResources, "Create or update resources")
	op.Description += " All of them, or none when one has a fault. They are checked together with those that are stored."
	register(s, op, s.applyResources)
	s.takes("POST", "/api/v1/resources", resourceBody("Resources: YAML with any number of documents, or JSON with one object or an array of them."))

	op = s.operation("POST", "/api/v1/resources/validate", "validate-resources", tagResources, "Check resources")
	op.Description += " Together with each other, not with what is stored: for that there is dry_run."
	register(s, op, s.validateResources)
	s.takes("POST", "/api/v1/resources/validate", resourceBody("Resources, as they can be applied."))

	op = s.operation("GET", "/api/v1/resources/schema", "get-resource-schema", tagResources, "Get the JSON Schema of resources")
	op.Responses[strconv.Itoa(http.StatusOK)] = &huma.Response{
		Description: "The schema, of the draft 2020-12.", Content: map[string]*huma.MediaType{jsonSchema: {Schema: &huma.Schema{Type: huma.TypeObject}}},
	}
	register(s, op, func(context.Context, *struct{}) (*rawOutput, error) {
		return &rawOutput{ContentType: jsonSchema, Body: resource.Schema()}, nil
	})

	register(s, s.operation("GET", one, "get-resource", tagResources, "Get a resource"), s.getResource)

	op = s.operation("PUT", one, "put-resource", tagResources, "Create or replace one resource")
	op.Description += " With If-Match only when it still has that revision, with If-None-Match: * only when there is none."
	register(s, op, s.putResource)
	s.takes("PUT", one, resourceBody("One resource of this kind and name, as YAML or JSON."))

	op = s.operation("DELETE", one, "delete-resource", tagResources, "Delete a resource")
	op.Description += " Its history stays."
	op.DefaultStatus = http.StatusNoContent
	register(s, op, s.deleteResource)

	register(s, s.operation("GET", one+"/history", "get-resource-history", tagResources, "List the revisions of a resource, oldest first"), s.historyOfResource)

	op = s.operation("POST", one+"/rollback", "roll-back-resource", tagResources, "Bring back an older revision of a resource")
	register(s, op, s.rollBackResource)
}

// jsonSchema is the media type of JSON Schemas.
const jsonSchema = "application/schema+json"

type rawOutput struct {
	ContentType string `header:"Content-Type"`
	Body        []byte
}

func resourceBody(text string) *huma.RequestBody {
	anything := &huma.MediaType{Schema: &huma.Schema{Description: "See docs/resources.md, and GET /api/v1/resources/schema."}}
	return &huma.RequestBody{Description: text, Content: map[string]*huma.MediaType{wire.YAML: anything, wire.JSON: anything}}
}

// parseKind reads the name of a kind as people write it: in any case, in singular or plural.
func parseKind(text string) (seshat.Kind, error) {
	for _, kind := range resource.Kinds() {
		if strings.EqualFold(text, string(kind)) || strings.EqualFold(text, string(kind)+"s") {
			return kind, nil
		}
	}
	return "", &seshat.Error{Kind: seshat.ErrorNotFound, Op: "kind", Err: errors.New("there is no such kind of resource")}
}

// resourceError gives the errors of a registry their kind.
func resourceError(op string, err error) error {
	switch {
	case err == nil:
		return nil
	case errors.Is(err, kv.ErrNotFound):
		return &seshat.Error{Kind: seshat.ErrorNotFound, Op: op, Err: errors.New("there is no such resource")}
	case errors.Is(err, kv.ErrConflict):
		return &seshat.Error{Kind: seshat.ErrorConflict, Op: op, Err: err, Hint: "look at what changed, and try again"}
	case errors.Is(err, context.DeadlineExceeded):
		return &seshat.Error{Kind: seshat.ErrorUnavailable, Op: op, Err: errors.New("the store of resources did not answer in time")}
	default:
		return err
	}
}

// newStored is a revision as it goes over the wire.
func newStored(in *resource.Stored) (wire.Stored, error) {
	out := wire.Stored{
		Kind: string(in.Kind), Name: in.Name, Revision: uint64(in.Revision), Action: string(in.Action), By: in.By, At: in.At,
	}
	if in.Resource != nil {
		text, err := resource.Marshal([]seshat.Resource{*in.Resource}, resource.FormatJSON)
		if err != nil {
			return out, err
		}
		out.Resource = text
	}
	return out, nil
}

type storedList struct {
	Items []wire.Stored `json:"items" nullable:"false"`
}

func newStoredList(list []resource.Stored) (*output[storedList], error) {
	out := &output[storedList]{storedList{Items: make([]wire.Stored, len(list))}}
	for i := range list {
		var err error
		if out.Body.Items[i], err = newStored(&list[i]); err != nil {
			return nil, err
		}
	}
	return out, nil
}

type listResourcesInput struct {
	Kind string `query:"kind" maxLength:"64" doc:"Only resources of this kind."`
}

func (s *server) listResources(ctx context.Context, in *listResourcesInput) (*output[storedList], error) {
	var kind seshat.Kind
	if in.Kind != "" {
		var err error
		if kind, err = parseKind(in.Kind); err != nil {
			return nil, err
		}
	}
	list, err := s.Registry.List(ctx, kind)
	if err != nil {
		return nil, resourceError("list resources", err)
	}
	return newStoredList(list)
}

type storedOutput struct {
	ETag string `header:"ETag" doc:"The revision."`
	Body wire.Stored
}

func etag(revision kv.Revision) string {
	return strconv.Quote(strconv.FormatUint(uint64(revision), 10))
}

type getResourceInput struct {
	Named
	Revision    uint64 `query:"revision" doc:"An older revision."`
	IfNoneMatch string `header:"If-None-Match"`
}

func (s *server) getResource(ctx context.Context, in *getResourceInput) (*storedOutput, error) {
	kind, err := parseKind(in.Kind)
	if err != nil {
		return nil, err
	}
	var one resource.Stored
	if in.Revision == 0 {
		one, err = s.Registry.Get(ctx, kind, in.Name)
	} else {
		one, err = s.revision(ctx, kind, in.Name, kv.Revision(in.Revision))
	}
	if err != nil {
		return nil, resourceError("get "+resource.Key(kind, in.Name), err)
	}
	if matches(in.IfNoneMatch, one.Revision) {
		return nil, &wire.Problem{Status: http.StatusNotModified, Title: http.StatusText(http.StatusNotModified)}
	}
	out, err := newStored(&one)
	return &storedOutput{ETag: etag(one.Revision), Body: out}, err
}

func (s *server) revision(ctx context.Context, kind seshat.Kind, name string, revision kv.Revision) (resource.Stored, error) {
	history, err := s.Registry.History(ctx, kind, name)
	if err != nil {
		return resource.Stored{}, err
	}
	for _, one := range history {
		if one.Revision == revision && one.Resource != nil {
			return one, nil
		}
	}
	return resource.Stored{}, kv.ErrNotFound
}

func (s *server) historyOfResource(ctx context.Context, in *Named) (*output[storedList], error) {
	kind, err := parseKind(in.Kind)
	if err != nil {
		return nil, err
	}
	history, err := s.Registry.History(ctx, kind, in.Name)
	if err != nil {
		return nil, resourceError("history of "+resource.Key(kind, in.Name), err)
	}
	return newStoredList(history)
}

// compile finds the faults of resources that only show when they are put together.
func compile(resources []seshat.Resource) seshat.Faults {
	_, faults := rule.Compile(resources)
	return faults
}
