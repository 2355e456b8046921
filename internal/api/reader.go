package api

import (
	"context"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humago"

	"github.com/seshat-project/seshat/internal/api/wire"
	"github.com/seshat-project/seshat/internal/revoked"
)

// reader is the store with what the denylist says of its sessions.
func (s *server) reader(ctx context.Context) (*revoked.Reader, error) {
	if s.Denylist == nil {
		return revoked.NewReader(s.Store, nil, s.Now()), nil
	}
	denials, err := s.Denylist.List(ctx)
	if err != nil {
		if ctx.Err() != nil {
			return nil, ctx.Err()
		}
		// Entries that cannot be read are left out: that is no reason to show no sessions.
		s.Logger.WarnContext(ctx, "the denylist cannot be read whole", "error", err)
	}
	return revoked.NewReader(s.Store, denials, s.Now()), nil
}

// failed answers with a problem within an operation that writes its answer itself.
func (s *server) failed(c huma.Context, p *wire.Problem) {
	_, w := humago.Unwrap(c)
	if out, ok := w.(*answer); ok {
		s.fail(out, p)
	}
}
