package pipeline

import (
	"github.com/seshat-project/seshat"
	"github.com/seshat-project/seshat/internal/enforce"
)

// What follows stands in for parts that are on their way. Whoever adds one of them removes it here.

func appendFields(dst []seshat.Field, _ *enforce.Decision) []seshat.Field { return dst }
