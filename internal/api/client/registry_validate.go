package client

import (
	"bytes"
	"context"
	"net/http"

	"github.com/seshat-project/seshat/internal/api/wire"
)

// Validate checks resources, as JSON, together with each other and not with what is stored: that is what a dry run of
// [Registry.Apply] is for, which needs more permissions. The error is a [seshat.Faults] when something is wrong.
func (r *Registry) Validate(ctx context.Context, resources []byte) error {
	return r.json(ctx, request{method: http.MethodPost, path: "/resources/validate", body: bytes.NewReader(resources), contentType: wire.JSON}, nil, nil)
}
