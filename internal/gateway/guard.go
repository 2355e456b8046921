package gateway

import (
	"context"

	"github.com/seshat-project/seshat"
	"github.com/seshat-project/seshat/internal/pipeline"
)

// Guard judges exchanges and records them. It is what the gateway needs of [pipeline.Inline]; see there.
type Guard interface {
	NeedsRequestBody(x *seshat.Exchange) bool
	NeedsResponseBody(x *seshat.Exchange) bool
	Begin(x *seshat.Exchange) Passage
	OwnFields() []string
}

// Passage is one exchange that was judged. It is ended once, whatever happens.
type Passage interface {
	Answer() *pipeline.Answer
	RequestFields() []seshat.Field
	ResponseFields() []seshat.Field
	End(ctx context.Context, x *seshat.Exchange) error
}

// Guarded has exchanges judged and recorded by p.
func Guarded(p *pipeline.Inline) Guard { return inlineGuard{p} }

type inlineGuard struct{ *pipeline.Inline }

func (g inlineGuard) Begin(x *seshat.Exchange) Passage { return g.Inline.Begin(x) }

// Unguarded lets everything pass and records nothing: the gateway is a plain proxy. It is for measuring.
func Unguarded() Guard { return unguarded{} }

type unguarded struct{}

func (unguarded) NeedsRequestBody(*seshat.Exchange) bool      { return false }
func (unguarded) NeedsResponseBody(*seshat.Exchange) bool     { return false }
func (unguarded) Begin(*seshat.Exchange) Passage              { return unguarded{} }
func (unguarded) OwnFields() []string                         { return nil }
func (unguarded) Answer() *pipeline.Answer                    { return nil }
func (unguarded) RequestFields() []seshat.Field               { return nil }
func (unguarded) ResponseFields() []seshat.Field              { return nil }
func (unguarded) End(context.Context, *seshat.Exchange) error { return nil }
