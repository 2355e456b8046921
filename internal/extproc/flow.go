package extproc

import (
	"context"

	"github.com/seshat-project/seshat"
	"github.com/seshat-project/seshat/internal/pipeline"
)

// flow is what a server uses of [pipeline.Inline].
type flow interface {
	NeedsRequestBody(x *seshat.Exchange) bool
	NeedsResponseBody(x *seshat.Exchange) bool
	Begin(x *seshat.Exchange) passage
	Observe(ctx context.Context, x *seshat.Exchange) error
	OwnFields() []string
}

// passage is what a server uses of [pipeline.Passage].
type passage interface {
	Verdict() *seshat.Verdict
	Session() seshat.SessionID
	User() string
	Answer() *pipeline.Answer
	ResponseFields() []seshat.Field
	RequestFields() []seshat.Field
	End(ctx context.Context, x *seshat.Exchange) error
}

// live is the flow of the program.
type live struct{ *pipeline.Inline }

// Begin judges the request of x.
func (l live) Begin(x *seshat.Exchange) passage { return l.Inline.Begin(x) }
