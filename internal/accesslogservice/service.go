// Package accesslogservice is a source that only watches: Envoys send their access log to it
// (envoy.service.accesslog.v3), and each entry of HTTP becomes an exchange that is recorded and not judged.
package accesslogservice

import (
	"context"
	"errors"
	"io"
	"sync/atomic"

	accesslogv3 "github.com/envoyproxy/go-control-plane/envoy/data/accesslog/v3"
	servicev3 "github.com/envoyproxy/go-control-plane/envoy/service/accesslog/v3"
	"google.golang.org/grpc"
	"google.golang.org/grpc/metadata"

	"github.com/seshat-project/seshat"
	"github.com/seshat-project/seshat/internal/ingest"
)

// The names of gRPC metadata by which an Envoy labels what it sends (grpc_service.initial_metadata). They count more than
// [Options].
const (
	EnvironmentMetadata = "seshat-environment"
	ServiceMetadata     = "seshat-service"
)

// Observer is what records exchanges: pipeline.Inline.
type Observer interface {
	// Observe records an exchange that is over.
	Observe(ctx context.Context, x *seshat.Exchange) error
}

// Options are how a [Service] behaves.
type Options struct {
	Observer Observer
	// Environment and Service label exchanges when Envoy says nothing; an empty Service is the host.
	Environment string
	Service     string
	// JA4Header is the request header field that Envoy is configured to overwrite with the fingerprint of the client's TLS
	// (%TLS_JA4_FINGERPRINT%), and to log. Empty says that there is none.
	JA4Header string
}

// Stats count what a [Service] got since it started.
type Stats struct {
	Entries int64 // of HTTP
	Skipped int64 // entries of TCP, and of requests that were still under way
	Bad     int64 // entries without what an exchange needs: a time in range, a method, a path
	Failed  int64 // exchanges that the journal did not take where the configuration forbids that
}

// Service is the access log service. It is safe for concurrent use.
type Service struct {
	servicev3.UnimplementedAccessLogServiceServer
	options                       Options
	entries, skipped, bad, failed atomic.Int64
}

// New returns a service.
func New(options Options) *Service { return &Service{options: options} }

// Register makes server serve s.
func (s *Service) Register(server grpc.ServiceRegistrar) {
	servicev3.RegisterAccessLogServiceServer(server, s)
}

// Stats returns the counts.
func (s *Service) Stats() Stats {
	return Stats{Entries: s.entries.Load(), Skipped: s.skipped.Load(), Bad: s.bad.Load(), Failed: s.failed.Load()}
}

// StreamAccessLogs takes the entries of one Envoy worker until it closes the stream. It answers with nothing, as the
// protocol wants.
func (s *Service) StreamAccessLogs(stream servicev3.AccessLogService_StreamAccessLogsServer) error {
	r := s.reader(stream.Context())
	for {
		message, err := stream.Recv()
		if errors.Is(err, io.EOF) {
			return stream.SendAndClose(&servicev3.StreamAccessLogsResponse{})
		}
		if err != nil {
			return err
		}
		s.take(stream.Context(), r, message)
	}
}

// reader returns a reader with the labels that the stream has.
func (s *Service) reader(ctx context.Context) *reader {
	r := &reader{environment: s.options.Environment, service: s.options.Service, ja4: s.options.JA4Header}
	if values := metadata.ValueFromIncomingContext(ctx, EnvironmentMetadata); len(values) > 0 {
		r.environment = ingest.Text(values[0])
	}
	if values := metadata.ValueFromIncomingContext(ctx, ServiceMetadata); len(values) > 0 {
		r.service = ingest.Text(values[0])
	}
	return r
}

// take records the entries of a message.
func (s *Service) take(ctx context.Context, r *reader, message *servicev3.StreamAccessLogsMessage) {
	s.skipped.Add(int64(len(message.GetTcpLogs().GetLogEntry())))
	for _, entry := range message.GetHttpLogs().GetLogEntry() {
		if underWay(entry) {
			s.skipped.Add(1)
			continue
		}
		if !r.read(entry) {
			s.bad.Add(1)
			continue
		}
		s.entries.Add(1)
		if err := s.options.Observer.Observe(ctx, &r.x); err != nil {
			s.failed.Add(1)
		}
	}
}

// underWay reports whether an entry is of a request that is not over: Envoy can be set to log those every so often.
func underWay(entry *accesslogv3.HTTPAccessLogEntry) bool {
	switch entry.GetCommonProperties().GetAccessLogType() {
	case accesslogv3.AccessLogType_NotSet, accesslogv3.AccessLogType_DownstreamEnd:
		return false
	default: // starts, intervals, and the half between Envoy and the origin
		return true
	}
}
