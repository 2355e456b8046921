package client

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strconv"

	"github.com/seshat-project/seshat"
	"github.com/seshat-project/seshat/internal/api/wire"
	"github.com/seshat-project/seshat/internal/kv"
	"github.com/seshat-project/seshat/internal/resource"
)

// Registry is the resources of an instance. Its methods mean what those of [resource.Registry] mean; who makes a change
// is who the client was made for.
type Registry struct{ *Client }

// Registry returns the resources of the instance.
func (c *Client) Registry() *Registry { return &Registry{c} }

func resourcePath(kind seshat.Kind, name string) string {
	return "/resources/" + segment(string(kind)) + "/" + segment(name)
}

// List returns the resources of kind, or of all kinds when it is empty.
func (r *Registry) List(ctx context.Context, kind seshat.Kind) ([]resource.Stored, error) {
	query := url.Values{}
	if kind != "" {
		query.Set("kind", string(kind))
	}
	return r.list(ctx, "/resources", query)
}

// History returns the revisions of a resource, oldest first.
func (r *Registry) History(ctx context.Context, kind seshat.Kind, name string) ([]resource.Stored, error) {
	return r.list(ctx, resourcePath(kind, name)+"/history", nil)
}

func (r *Registry) list(ctx context.Context, path string, query url.Values) ([]resource.Stored, error) {
	var out struct {
		Items []wire.Stored `json:"items"`
	}
	if err := r.json(ctx, request{method: http.MethodGet, path: path, query: query}, nil, &out); err != nil {
		return nil, registryError(err)
	}
	list := make([]resource.Stored, len(out.Items))
	for i := range out.Items {
		var err error
		if list[i], err = stored(&out.Items[i]); err != nil {
			return nil, err
		}
	}
	return list, nil
}

// Get returns one resource.
func (r *Registry) Get(ctx context.Context, kind seshat.Kind, name string) (resource.Stored, error) {
	var out wire.Stored
	if err := r.json(ctx, request{method: http.MethodGet, path: resourcePath(kind, name)}, nil, &out); err != nil {
		return resource.Stored{}, registryError(err)
	}
	return stored(&out)
}

// stored is the revision that goes over the wire as in.
func stored(in *wire.Stored) (resource.Stored, error) {
	out := resource.Stored{
		Kind: seshat.Kind(in.Kind), Name: in.Name, Revision: kv.Revision(in.Revision), Action: resource.Action(in.Action),
		Author: resource.Author{By: in.By, At: in.At},
	}
	if len(in.Resource) > 0 {
		parsed, faults := resource.Parse(bodyName, in.Resource)
		if len(faults) > 0 || len(parsed) != 1 {
			return out, fmt.Errorf("read %s of the instance: %w", resource.Key(out.Kind, out.Name), faults)
		}
		out.Resource = &parsed[0].Resource
	}
	return out, nil
}

// bodyName is what the instance calls the body of a request in faults.
const bodyName = "body"

// Apply creates or updates resources. Faults name the files and lines that the resources were read from. Of several
// resources none may be expected to have a revision.
func (r *Registry) Apply(ctx context.Context, parsed []resource.Parsed, o resource.ApplyOptions) ([]resource.Outcome, error) {
	// That a resource is there twice is known from the files alone; what is sent would not say which.
	if faults := resource.Validate(parsed, func([]seshat.Resource) seshat.Faults { return nil }); len(faults) > 0 {
		return nil, faults
	}
	text, err := resource.Marshal(resource.Resources(parsed), resource.FormatJSON)
	if err != nil {
		return nil, err
	}
	req := request{
		method: http.MethodPost, path: "/resources", query: url.Values{}, body: bytes.NewReader(text), contentType: wire.JSON,
		header: http.Header{},
	}
	if o.DryRun {
		req.query.Set("dry_run", "true")
	}
	if len(o.Expected) > 0 {
		if len(parsed) != 1 {
			return nil, errors.New("apply: only one resource can be expected to have a revision")
		}
		one := &parsed[0].Resource
		req.method, req.path = http.MethodPut, resourcePath(one.Kind, one.Metadata.Name)
		if expected, ok := o.Expected[resource.Key(one.Kind, one.Metadata.Name)]; ok {
			setExpected(req.header, expected)
		}
		var out wire.Outcome
		if err := r.json(ctx, req, nil, &out); err != nil {
			return nil, locate(registryError(err), text, parsed)
		}
		return []resource.Outcome{outcome(&out)}, nil
	}
	var out wire.Outcomes
	if err := r.json(ctx, req, nil, &out); err != nil {
		return nil, locate(registryError(err), text, parsed)
	}
	outcomes := make([]resource.Outcome, len(out.Items))
	for i := range out.Items {
		outcomes[i] = outcome(&out.Items[i])
	}
	return outcomes, nil
}

func outcome(o *wire.Outcome) resource.Outcome {
	return resource.Outcome{
		Kind: seshat.Kind(o.Kind), Name: o.Name, Action: resource.Action(o.Action), Revision: kv.Revision(o.Revision),
	}
}

// setExpected asks that a resource still has a revision.
func setExpected(header http.Header, expected kv.Revision) {
	switch expected {
	case kv.Any:
	case kv.None:
		header.Set("If-None-Match", "*")
	default:
		header.Set("If-Match", strconv.Quote(strconv.FormatUint(uint64(expected), 10)))
	}
}

// locate moves faults from the text that was sent to the files that its resources were read from.
func locate(err error, sent []byte, parsed []resource.Parsed) error {
	var faults seshat.Faults
	if !errors.As(err, &faults) {
		return err
	}
	own, _ := resource.Parse(bodyName, sent)
	if len(own) != len(parsed) {
		return err
	}
	out := make(seshat.Faults, len(faults))
	for i, fault := range faults {
		for j := len(own) - 1; j >= 0 && fault.File == bodyName; j-- {
			if own[j].Line < fault.Line || own[j].Line == fault.Line && own[j].Column <= fault.Column {
				fault.File = parsed[j].File
				fault.Line, fault.Column = parsed[j].Place(fault.Field)
				break
			}
		}
		out[i] = fault
	}
	return out
}

// Delete deletes a resource if it has the expected revision.
func (r *Registry) Delete(ctx context.Context, kind seshat.Kind, name string, expected kv.Revision, _ resource.Author) error {
	req := request{method: http.MethodDelete, path: resourcePath(kind, name), header: http.Header{}}
	setExpected(req.header, expected)
	return registryError(r.json(ctx, req, nil, nil))
}

// Rollback brings back an older revision of a resource if it has the expected one.
func (r *Registry) Rollback(ctx context.Context, kind seshat.Kind, name string, to, expected kv.Revision, _ resource.Author) (resource.Outcome, error) {
	var out wire.Outcome
	req := request{method: http.MethodPost, path: resourcePath(kind, name) + "/rollback", header: http.Header{}}
	setExpected(req.header, expected)
	if err := r.json(ctx, req, &wire.Rollback{Revision: uint64(to)}, &out); err != nil {
		return resource.Outcome{}, registryError(err)
	}
	return outcome(&out), nil
}

// registryError gives errors the meaning that those of a registry have.
func registryError(err error) error {
	switch seshat.KindOfError(err) {
	case seshat.ErrorNotFound:
		return &meaning{err, kv.ErrNotFound}
	case seshat.ErrorConflict:
		return &meaning{err, kv.ErrConflict}
	default:
		return err
	}
}

// meaning is an error that is known by another one, and says what it says.
type meaning struct{ says, is error }

func (m *meaning) Error() string {
	var e *seshat.Error
	if errors.As(m.says, &e) && e.Err != nil {
		return e.Err.Error() // operation and hint are for the caller to say
	}
	return m.says.Error()
}

func (m *meaning) Unwrap() error { return m.is }
