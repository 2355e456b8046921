package extproc

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"slices"
	"strings"
	"sync"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/encoding"
	_ "google.golang.org/grpc/encoding/gzip" // an Envoy may be set to compress what it sends
	"google.golang.org/grpc/encoding/proto"
	"google.golang.org/grpc/health"
	"google.golang.org/grpc/health/grpc_health_v1"
	"google.golang.org/grpc/keepalive"
	"google.golang.org/grpc/status"
)

// ServiceName is the name of the service, which health checks may ask for.
const ServiceName = "envoy.service.ext_proc.v3.ExternalProcessor"

const (
	// keepaliveTime is after how much silence an Envoy is asked whether it is still there, so that streams of one that
	// vanished without a word end.
	keepaliveTime    = 30 * time.Second
	keepaliveTimeout = 10 * time.Second
	// keepaliveLeast is how often an Envoy may ask the same. Its default in connection_keepalive is rarer.
	keepaliveLeast = 5 * time.Second
	// streamWindow and connectionWindow are the flow control of HTTP/2. That they are set turns off the probing for better
	// ones, which costs a ping for each burst of data. A connection's window is what one Envoy worker may have on its way.
	streamWindow     = 1 << 20
	connectionWindow = 16 << 20
	// maxMetadata bounds the gRPC metadata of a stream. Envoy sends a few fields.
	maxMetadata = 16 << 10
)

// Server is an external processor of Envoys, and their access log service. It is safe for concurrent use.
type Server struct {
	options   Options
	flow      flow
	own       []string // the names of fields that must not reach the origin from outside
	ja4       string   // the name of the field with the fingerprint, in lower case
	overrides overrides
	counts    counters
	pool      sync.Pool
}

// New returns a server.
func New(options Options) *Server { return newServer(live{options.Inline}, options) }

func newServer(f flow, options Options) *Server {
	s := &Server{options: options.complete(), flow: f, own: f.OwnFields(), ja4: strings.ToLower(options.JA4Header)}
	if s.ja4 != "" {
		s.own = append(slices.Clone(s.own), s.ja4)
	}
	s.pool.New = func() any {
		c := &conversation{server: s}
		c.reset()
		return c
	}
	return s
}

// Stats returns the counts.
func (s *Server) Stats() Stats { return s.counts.stats() }

// Serve serves on listener until ctx is done, and then lets requests that are under way finish for Options.StopTimeout.
// It closes listener.
func (s *Server) Serve(ctx context.Context, listener net.Listener) error {
	server := grpc.NewServer(s.grpcOptions()...)
	server.RegisterService(s.description(), nil)
	checks := health.NewServer()
	grpc_health_v1.RegisterHealthServer(server, checks)
	checks.SetServingStatus(ServiceName, grpc_health_v1.HealthCheckResponse_SERVING)
	if s.options.AccessLog != nil {
		s.options.AccessLog.Register(server)
	}

	stopped := make(chan struct{})
	stop := context.AfterFunc(ctx, func() {
		defer close(stopped)
		checks.Shutdown()
		late := time.AfterFunc(s.options.StopTimeout, server.Stop)
		defer late.Stop()
		server.GracefulStop()
	})
	err := server.Serve(listener)
	if stop() { // it failed by itself
		server.Stop()
		return fmt.Errorf("serve Envoy on %v: %w", listener.Addr(), err)
	}
	<-stopped
	if err != nil && !errors.Is(err, grpc.ErrServerStopped) {
		return fmt.Errorf("serve Envoy on %v: %w", listener.Addr(), err)
	}
	return nil
}

func (s *Server) grpcOptions() []grpc.ServerOption {
	options := []grpc.ServerOption{
		grpc.ForceServerCodecV2(codec{encoding.GetCodecV2(proto.Name)}),
		grpc.MaxRecvMsgSize(s.options.MaxMessage),
		grpc.MaxConcurrentStreams(uint32(s.options.MaxStreams)),
		grpc.MaxHeaderListSize(maxMetadata),
		grpc.StaticStreamWindowSize(streamWindow),
		grpc.StaticConnWindowSize(connectionWindow),
		grpc.WaitForHandlers(true), // so that every passage was ended when Serve returns
		grpc.KeepaliveParams(keepalive.ServerParameters{Time: keepaliveTime, Timeout: keepaliveTimeout}),
		grpc.KeepaliveEnforcementPolicy(keepalive.EnforcementPolicy{MinTime: keepaliveLeast, PermitWithoutStream: true}),
	}
	if s.options.TLS != nil {
		options = append(options, grpc.Creds(credentials.NewTLS(s.options.TLS)))
	}
	return options
}

// description is the service as protoc-gen-go-grpc would describe it, but for the types of the messages.
func (s *Server) description() *grpc.ServiceDesc {
	return &grpc.ServiceDesc{
		ServiceName: ServiceName,
		HandlerType: (*any)(nil),
		Streams: []grpc.StreamDesc{{
			StreamName: "Process", ServerStreams: true, ClientStreams: true,
			Handler: func(_ any, stream grpc.ServerStream) error { return s.process(stream) },
		}},
		Metadata: "envoy/service/ext_proc/v3/external_processor.proto",
	}
}

var errOverload = status.Error(codes.ResourceExhausted, "too many requests are under way")

// process serves one stream.
func (s *Server) process(stream grpc.ServerStream) error {
	defer s.counts.open.Add(-1)
	if s.counts.open.Add(1) > int64(s.options.MaxStreams) {
		s.counts.overload.Add(1)
		return errOverload
	}
	s.counts.streams.Add(1)
	c := s.pool.Get().(*conversation)
	err := c.converse(stream)
	c.finish(stream.Context())
	c.reset()
	s.pool.Put(c)
	return err
}

func (c *conversation) converse(stream grpc.ServerStream) error {
	ctx := stream.Context()
	for {
		if err := stream.RecvMsg(&c.in); err != nil {
			if errors.Is(err, io.EOF) {
				return nil // Envoy is done with the request
			}
			if ctx.Err() == nil {
				c.server.counts.malformed.Add(1)
			}
			return err
		}
		done, err := c.step(ctx)
		if err != nil {
			c.server.counts.malformed.Add(1)
			return err
		}
		if !c.out.isEmpty() {
			if err := stream.SendMsg(&c.out); err != nil {
				return err
			}
		}
		if done {
			return nil
		}
	}
}
