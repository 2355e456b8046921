package api

import (
	"context"
	"errors"

	"github.com/danielgtaylor/huma/v2"

	"github.com/seshat-project/seshat"
	"github.com/seshat-project/seshat/internal/api/wire"
)

type explainInput struct {
	RawBody []byte
}

type explanations struct {
	Items []any `json:"items" nullable:"false"`
}

type ruleTestsInput struct {
	Body wire.RuleTests
}

func (s *server) registerRules() {
	op := s.operation("POST", "/api/v1/explain", "explain", tagRules, "Say how exchanges would get their sessions")
	op.Description += " By the rules in force. The body has exchanges as in docs/formats/ndjson.md, one after the other. They are not stored; in the answer values are masked."
	register(s, op, func(ctx context.Context, in *explainInput) (*output[explanations], error) {
		if s.Explain == nil {
			return nil, unavailable("explain")
		}
		out := &output[explanations]{explanations{Items: []any{}}}
		err := s.Explain(ctx, in.RawBody, func(one any) error {
			if len(out.Body.Items) == maxExplained {
				return &seshat.Error{
					Kind: seshat.ErrorInvalid, Op: "explain", Err: errors.New("there are more exchanges than are explained at once"), Hint: "send at most 1000",
				}
			}
			out.Body.Items = append(out.Body.Items, one)
			return ctx.Err()
		})
		return out, err
	})
	s.takes("POST", "/api/v1/explain", &huma.RequestBody{Content: map[string]*huma.MediaType{wire.NDJSON: {}, wire.JSON: {}}})

	op = s.operation("POST", "/api/v1/rule-tests", "test-rules", tagRules, "Run tests of rules")
	register(s, op, func(ctx context.Context, in *ruleTestsInput) (*output[wire.RuleTestReport], error) {
		if s.RuleTests == nil {
			return nil, unavailable("run tests of rules")
		}
		report, err := s.RuleTests(ctx, in.Body.Run, in.Body.Files)
		return &output[wire.RuleTestReport]{report}, err
	})
}

// maxExplained is how many exchanges are explained at once: an explanation has some kilobytes, and people read them.
const maxExplained = 1000
