package detect

import (
	"context"

	"github.com/seshat-project/seshat"
	"github.com/seshat-project/seshat/internal/ingest"
)

// labelled gives exchanges the labels that their input does not name. A service that is only what the host makes it
// by default was not named.
type labelled struct {
	ingest.Reader
	environment, service string
}

func (l *labelled) Read(ctx context.Context) (*seshat.Exchange, ingest.Position, error) {
	x, at, err := l.Reader.Read(ctx)
	if x != nil {
		if x.Environment == "" {
			x.Environment = l.environment
		}
		if l.service != "" && (x.Service == "" || x.Service == ingest.Service(x.Request.Scheme, x.Request.Host)) {
			x.Service = l.service
		}
	}
	return x, at, err
}
