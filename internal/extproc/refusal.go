package extproc

import (
	"net/http"

	"github.com/seshat-project/seshat"
	"github.com/seshat-project/seshat/internal/httpfield"
)

// The names of the members of the dynamic metadata.
const (
	metadataSession = "session.id" // after the OpenTelemetry session conventions
	metadataUser    = "user"
	metadataVerdict = "verdict"
	metadataBy      = "by"
	metadataTags    = "tags"
)

// metadata says the verdict to the filters after this one and to the access log.
func (c *conversation) metadata() {
	if c.server.options.NoMetadata {
		return
	}
	v := c.passage.Verdict()
	m := c.out.dynamic(Namespace)
	if session := c.passage.Session(); !session.IsZero() {
		m.text(metadataSession, session.String())
	}
	m.text(metadataUser, c.passage.User())
	m.text(metadataVerdict, v.Action.String())
	m.text(metadataBy, v.By)
	m.list(metadataTags, v.Tags)
	m.shut()
}

// details is what Envoy's access log says of a refusal. It must be one word.
func details(v *seshat.Verdict) string {
	const prefix = "seshat:"
	out := []byte(prefix + v.By)
	for i, b := range out {
		if b <= ' ' || b >= 0x7f {
			out[i] = '_'
		}
	}
	return string(out)
}

// The statuses of gRPC (grpc.io, status codes) that refusals have. Envoy's own translation makes 429 UNAVAILABLE, which
// clients try again at once.
const (
	grpcPermissionDenied  = 7
	grpcResourceExhausted = 8
	grpcUnavailable       = 14
	grpcUnauthenticated   = 16
)

func grpcStatus(status int) uint32 {
	switch status {
	case http.StatusTooManyRequests:
		return grpcResourceExhausted
	case http.StatusUnauthorized:
		return grpcUnauthenticated
	case http.StatusServiceUnavailable:
		return grpcUnavailable
	default:
		return grpcPermissionDenied
	}
}

// withoutContentType leaves the content type to Envoy, which makes the answer one of gRPC.
func withoutContentType(fields []seshat.Field) []seshat.Field {
	out := make([]seshat.Field, 0, len(fields))
	for _, f := range fields {
		if !httpfield.EqualFold(f.Name, "content-type") {
			out = append(out, f)
		}
	}
	return out
}
