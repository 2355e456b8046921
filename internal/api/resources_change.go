package api

import (
	"context"
	"errors"
	"net/http"
	"strconv"
	"strings"

	"github.com/seshat-project/seshat"
	"github.com/seshat-project/seshat/internal/api/wire"
	"github.com/seshat-project/seshat/internal/kv"
	"github.com/seshat-project/seshat/internal/resource"
)

// Authored says who makes a change.
type Authored struct {
	Author string `header:"Seshat-Author" maxLength:"256" doc:"The person on whose behalf the owner of the data directory makes the change."`
}

func (s *server) author(ctx context.Context, in *Authored) resource.Author {
	return resource.Author{By: author(ctx, in.Author), At: s.Now().UTC()}
}

// ResourcesInput has resources in the body.
type ResourcesInput struct {
	ContentType string `header:"Content-Type"`
	RawBody     []byte
}

// bodyName is what faults call the body of a request.
const bodyName = "body"

// parse reads the resources in the body. What is not declared to be JSON is told by its beginning.
func (in *ResourcesInput) parse() ([]resource.Parsed, error) {
	parsed, faults := resource.Parse(bodyName, in.RawBody)
	if len(faults) > 0 {
		return nil, faults
	}
	if len(parsed) == 0 {
		return nil, &seshat.Error{Kind: seshat.ErrorInvalid, Op: "read the resources", Err: errors.New("there is none in the body")}
	}
	return parsed, nil
}

type applyInput struct {
	Authored
	ResourcesInput
	DryRun bool `query:"dry_run" doc:"Check, and say what would be done, without doing it."`
}

func (s *server) applyResources(ctx context.Context, in *applyInput) (*output[wire.Outcomes], error) {
	parsed, err := in.parse()
	if err != nil {
		return nil, err
	}
	outcomes, err := s.Registry.Apply(ctx, parsed, resource.ApplyOptions{Author: s.author(ctx, &in.Authored), DryRun: in.DryRun})
	if err != nil {
		return nil, resourceError("apply", err)
	}
	noteOutcomes(ctx, outcomes)
	return &output[wire.Outcomes]{wire.Outcomes{Items: newOutcomes(outcomes), DryRun: in.DryRun}}, nil
}

func newOutcomes(outcomes []resource.Outcome) []wire.Outcome {
	out := make([]wire.Outcome, len(outcomes))
	for i, o := range outcomes {
		out[i] = wire.Outcome{Kind: string(o.Kind), Name: o.Name, Action: string(o.Action), Revision: uint64(o.Revision)}
	}
	return out
}

type validated struct {
	Valid bool `json:"valid"`
	Count int  `json:"count" doc:"How many resources there are."`
}

func (s *server) validateResources(_ context.Context, in *ResourcesInput) (*output[validated], error) {
	parsed, err := in.parse()
	if err != nil {
		return nil, err
	}
	if faults := resource.Validate(parsed, compile); len(faults) > 0 {
		return nil, faults
	}
	return &output[validated]{validated{Valid: true, Count: len(parsed)}}, nil
}

// Conditions are what must be so for a change to be made.
type Conditions struct {
	IfMatch     string `header:"If-Match" doc:"The ETag that the resource must still have."`
	IfNoneMatch string `header:"If-None-Match" doc:"* asks that there is no such resource yet."`
}

// expected is the revision that a change expects to find.
func (c *Conditions) expected() (kv.Revision, error) {
	switch {
	case c.IfNoneMatch == "*" && c.IfMatch == "":
		return kv.None, nil
	case c.IfNoneMatch != "":
		return 0, usage("If-None-Match", "it can only be *, without If-Match", "")
	case c.IfMatch == "" || c.IfMatch == "*":
		return kv.Any, nil
	}
	revision, err := strconv.ParseUint(strings.Trim(c.IfMatch, `"`), 10, 64)
	if err != nil || revision == uint64(kv.None) || revision == uint64(kv.Any) {
		return 0, usage("If-Match", "it is no ETag of a resource", `such as "7"`)
	}
	return kv.Revision(revision), nil
}

// matches reports whether one of the tags in an If-None-Match field is that of a revision.
func matches(field string, revision kv.Revision) bool {
	if field == "" {
		return false
	}
	for tag := range strings.SplitSeq(field, ",") {
		if tag = strings.TrimPrefix(strings.TrimSpace(tag), "W/"); tag == "*" || tag == etag(revision) {
			return true
		}
	}
	return false
}

// changed gives a conflict the status that conditions have: 412 where there were some.
func (c *Conditions) changed(err error) error {
	if err == nil || c.IfMatch == "" && c.IfNoneMatch == "" || seshat.KindOfError(err) != seshat.ErrorConflict {
		return err
	}
	p := wire.NewProblem(err)
	p.Status, p.Title = http.StatusPreconditionFailed, http.StatusText(http.StatusPreconditionFailed)
	return p
}

type putResourceInput struct {
	Named
	Authored
	Conditions
	ResourcesInput
	DryRun bool `query:"dry_run" doc:"Check, and say what would be done, without doing it."`
}

type outcomeOutput struct {
	ETag string `header:"ETag"`
	Body wire.Outcome
}

func (s *server) putResource(ctx context.Context, in *putResourceInput) (*outcomeOutput, error) {
	kind, err := parseKind(in.Kind)
	if err != nil {
		return nil, err
	}
	expected, err := in.expected()
	if err != nil {
		return nil, err
	}
	parsed, err := in.parse()
	if err != nil {
		return nil, err
	}
	key := resource.Key(kind, in.Name)
	if r := &parsed[0].Resource; len(parsed) > 1 || resource.Key(r.Kind, r.Metadata.Name) != key {
		return nil, &seshat.Error{
			Kind: seshat.ErrorInvalid, Op: "put " + key, Err: errors.New("the body must hold this resource and no other"),
		}
	}
	s.noteResource(ctx, kind, in.Name)
	outcomes, err := s.Registry.Apply(ctx, parsed, resource.ApplyOptions{
		Author: s.author(ctx, &in.Authored), DryRun: in.DryRun, Expected: map[string]kv.Revision{key: expected},
	})
	if err != nil {
		return nil, in.changed(resourceError("put "+key, err))
	}
	noteOutcome(ctx, outcomes[0].Action, outcomes[0].Revision)
	return &outcomeOutput{ETag: etag(outcomes[0].Revision), Body: newOutcomes(outcomes)[0]}, nil
}

type deleteResourceInput struct {
	Named
	Authored
	Conditions
}

func (s *server) deleteResource(ctx context.Context, in *deleteResourceInput) (*struct{}, error) {
	kind, err := parseKind(in.Kind)
	if err != nil {
		return nil, err
	}
	expected, err := in.expected()
	if err != nil {
		return nil, err
	}
	s.noteResource(ctx, kind, in.Name)
	err = s.Registry.Delete(ctx, kind, in.Name, expected, s.author(ctx, &in.Authored))
	return nil, in.changed(resourceError("delete "+resource.Key(kind, in.Name), err))
}

type rollbackInput struct {
	Named
	Authored
	Conditions
	Body wire.Rollback
}

func (s *server) rollBackResource(ctx context.Context, in *rollbackInput) (*outcomeOutput, error) {
	kind, err := parseKind(in.Kind)
	if err != nil {
		return nil, err
	}
	expected, err := in.expected()
	if err != nil {
		return nil, err
	}
	s.noteResource(ctx, kind, in.Name)
	outcome, err := s.Registry.Rollback(ctx, kind, in.Name, kv.Revision(in.Body.Revision), expected, s.author(ctx, &in.Authored))
	if err != nil {
		return nil, in.changed(resourceError("roll back "+resource.Key(kind, in.Name), err))
	}
	noteOutcome(ctx, outcome.Action, outcome.Revision)
	noted(ctx).detail = "back to revision " + strconv.FormatUint(in.Body.Revision, 10)
	return &outcomeOutput{ETag: etag(outcome.Revision), Body: newOutcomes([]resource.Outcome{outcome})[0]}, nil
}
