package api

import (
	"context"
	"errors"
	"net/http"
	"reflect"
	"strconv"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/seshat-project/seshat/internal/api/wire"
)

// The tags of operations: the parts of the API.
const (
	tagSessions  = "Sessions"
	tagExchanges = "Exchanges"
	tagResources = "Resources"
	tagDenylist  = "Denylist"
	tagImports   = "Imports"
	tagRules     = "Rules"
	tagInstance  = "Instance"
)

// bodyTime is how long a client may take to send a body that is read whole.
const bodyTime = 30 * time.Second

// operation begins the description of an operation.
func (s *server) operation(method, path, id, tag, summary string) huma.Operation {
	route := s.routes[method+" "+path]
	op := huma.Operation{
		Method: method, Path: path, OperationID: id, Tags: []string{tag}, Summary: summary,
		Description: "Needs the permission " + string(route.permission) + ".",
		Security:    []map[string][]string{{bearer: {string(route.permission)}}, {cookie: {string(route.permission)}}},
		Responses:   map[string]*huma.Response{"default": s.described("What went wrong.", wire.ProblemJSON, reflect.TypeFor[wire.Problem]())},
	}
	if route.permission == Public {
		op.Description, op.Security = "Needs no sign-in.", []map[string][]string{}
	}
	if route.body > 0 {
		op.MaxBodyBytes, op.BodyReadTimeout = route.body, bodyTime
	}
	return op
}

// register serves an operation whose input and output are values.
func register[I, O any](s *server, op huma.Operation, handler func(context.Context, *I) (*O, error)) {
	if op.Responses[strconv.Itoa(http.StatusOK)] == nil && op.DefaultStatus == 0 {
		op.Responses[strconv.Itoa(http.StatusOK)] = &huma.Response{Description: http.StatusText(http.StatusOK)}
	}
	huma.Register(s.api, op, func(ctx context.Context, in *I) (*O, error) {
		out, err := handler(ctx, in)
		if err != nil {
			problem := error(s.problem(ctx, err))
			var fields huma.HeadersError // such as Retry-After
			if errors.As(err, &fields) {
				problem = huma.ErrorWithHeaders(problem, fields.GetHeaders())
			}
			return nil, problem
		}
		return out, nil
	})
}

// described is the description of a response with one kind of content.
func (s *server) described(text, contentType string, t reflect.Type) *huma.Response {
	return &huma.Response{
		Description: text,
		Content:     map[string]*huma.MediaType{contentType: {Schema: s.schema(t)}},
	}
}

func (s *server) schema(t reflect.Type) *huma.Schema {
	return s.api.OpenAPI().Components.Schemas.Schema(t, true, t.Name())
}

// takes describes the body of a request that the operation reads by itself. It is said after the operation is registered:
// what is known before is read whole, and checked.
func (s *server) takes(method, path string, body *huma.RequestBody) {
	body.Required = true
	item := s.api.OpenAPI().Paths[path]
	for _, op := range []*huma.Operation{item.Post, item.Put} {
		if op != nil && op.Method == method {
			op.RequestBody = body
		}
	}
}

// listed describes the response of a list: a page of it as JSON, or all of it as NDJSON.
func listed[T any](s *server, op *huma.Operation) {
	response := s.described("A page of the list, or with Accept: "+wire.NDJSON+" all of it, one a line.", wire.JSON, reflect.TypeFor[wire.Page[T]]())
	response.Content[wire.NDJSON] = &huma.MediaType{Schema: s.schema(reflect.TypeFor[T]())}
	op.Responses[strconv.Itoa(http.StatusOK)] = response
}
