package extproc

import (
	"context"

	"google.golang.org/grpc/metadata"

	"github.com/seshat-project/seshat/internal/ingest"
)

// label sets the environment and the service of the exchange.
func (c *conversation) label(ctx context.Context) {
	o := &c.server.options
	x := &c.x
	x.Environment, x.Service = o.Environment, o.Service
	if values := metadata.ValueFromIncomingContext(ctx, EnvironmentMetadata); len(values) > 0 {
		x.Environment = ingest.Text(values[0])
	}
	if values := metadata.ValueFromIncomingContext(ctx, ServiceMetadata); len(values) > 0 {
		x.Service = ingest.Text(values[0])
	}
	if x.Service == "" && o.ServiceFrom != ServiceFromHost {
		x.Service = c.in.attribute(string(o.ServiceFrom))
	}
	if x.Service == "" {
		x.Service = ingest.Service(x.Request.Scheme, x.Request.Host)
	}
}
