package pipeline

import (
	"context"
	"time"

	"github.com/seshat-project/seshat"
	"github.com/seshat-project/seshat/internal/enforce"
)

// What follows stands in for parts that are on their way. Whoever adds one of them removes it here.

// Publisher puts observations into the journal.
type Publisher struct{}

// Ticket is an exchange that has begun.
type Ticket struct{}

// Begin stands in.
func (*Publisher) Begin(time.Time) Ticket { return Ticket{} }

// Append stands in.
func (*Publisher) Append(context.Context, Ticket, *seshat.Observation) error { return nil }

// Healthy stands in.
func (*Publisher) Healthy() error { return nil }

func appendFields(dst []seshat.Field, _ *enforce.Decision) []seshat.Field { return dst }
