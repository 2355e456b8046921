package extproc

import (
	"crypto/tls"
	"log/slog"
	"time"

	"github.com/seshat-project/seshat/internal/accesslogservice"
	"github.com/seshat-project/seshat/internal/pipeline"
)

// Namespace is where the dynamic metadata is. Envoy takes it only when its filter says so
// (metadata_options.receiving_namespaces.untyped).
const Namespace = "seshat"

// The names of gRPC metadata by which an Envoy labels what it sends (grpc_service.initial_metadata, and
// grpc_initial_metadata of a route's override). They count more than [Options].
const (
	EnvironmentMetadata = "seshat-environment"
	ServiceMetadata     = "seshat-service"
)

// ServiceFrom says what the service of an exchange is.
type ServiceFrom string

// What the service of an exchange is taken from. Attributes are there only when Envoy's filter lists them in
// request_attributes.
const (
	ServiceFromHost    ServiceFrom = ""                 // the host, without a default port
	ServiceFromCluster ServiceFrom = "xds.cluster_name" // the name of the cluster that the request goes to
	ServiceFromRoute   ServiceFrom = "xds.route_name"   // the name of the route
)

const (
	// DefaultMaxStreams is how many requests may be under way at once. A stream takes some 10 KiB, and up to 200 KiB where
	// bodies are read.
	DefaultMaxStreams = 20_000
	// DefaultMaxMessage is the longest message. Envoy buffers 1 MiB of a body unless it is told otherwise
	// (per_connection_buffer_limit_bytes), and sends that as one message.
	DefaultMaxMessage = 4 << 20
	// DefaultStopTimeout is how long requests that are under way may take when the server stops.
	DefaultStopTimeout = 10 * time.Second
)

// Options are how a [Server] behaves. The zero value of all but Inline has a meaning.
type Options struct {
	// Inline is the way that exchanges go. It is required.
	Inline *pipeline.Inline
	// Environment labels exchanges when Envoy says none in [EnvironmentMetadata]; empty leaves it to Inline.
	Environment string
	// Service labels exchanges when Envoy says none in [ServiceMetadata]; empty leaves it to ServiceFrom.
	Service     string
	ServiceFrom ServiceFrom
	// JA4Header is the request header field that Envoy is configured to overwrite with the fingerprint of the client's TLS
	// (%TLS_JA4_FINGERPRINT%). Empty says that there is none. The field does not reach the origin.
	JA4Header string
	// NoMetadata leaves dynamic metadata out, for an Envoy whose configuration does not use it.
	NoMetadata bool
	// AccessLog observes what the access log service of Envoy sends to the same server. Nil serves no access log.
	AccessLog *accesslogservice.Service
	// TLS is the server's certificate and what it asks of its clients; nil is for loopback and Unix sockets.
	TLS *tls.Config
	// MaxStreams, MaxMessage (bytes) and StopTimeout bound the server; 0 is the default.
	MaxStreams  int
	MaxMessage  int
	StopTimeout time.Duration
	// Log is where faults of the configuration are said, once each; nil says nothing.
	Log *slog.Logger
	// Now is the clock; nil is that of the machine.
	Now func() time.Time
}

func (o Options) complete() Options {
	if o.MaxStreams <= 0 {
		o.MaxStreams = DefaultMaxStreams
	}
	if o.MaxMessage <= 0 {
		o.MaxMessage = DefaultMaxMessage
	}
	if o.StopTimeout <= 0 {
		o.StopTimeout = DefaultStopTimeout
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	return o
}
