package extproc

import (
	"context"
	"net"
	"testing"

	extprocv3 "github.com/envoyproxy/go-control-plane/envoy/service/ext_proc/v3"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"

	"github.com/seshat-project/seshat"
	"github.com/seshat-project/seshat/internal/pipeline"
)

// idle is a flow that does nothing, so that what is measured is this package.
type idle struct{ passage idlePassage }

func (*idle) NeedsRequestBody(*seshat.Exchange) bool          { return false }
func (*idle) NeedsResponseBody(*seshat.Exchange) bool         { return false }
func (i *idle) Begin(*seshat.Exchange) passage                { return &i.passage }
func (*idle) Observe(context.Context, *seshat.Exchange) error { return nil }
func (*idle) OwnFields() []string                             { return []string{"x-seshat-session"} }

type idlePassage struct{ verdict seshat.Verdict }

func (p *idlePassage) Verdict() *seshat.Verdict                  { return &p.verdict }
func (*idlePassage) Session() seshat.SessionID                   { return seshat.SessionID{1} }
func (*idlePassage) User() string                                { return "alice" }
func (*idlePassage) Answer() *pipeline.Answer                    { return nil }
func (*idlePassage) ResponseFields() []seshat.Field              { return nil }
func (*idlePassage) RequestFields() []seshat.Field               { return nil }
func (*idlePassage) End(context.Context, *seshat.Exchange) error { return nil }

// One request with its response, without gRPC.
func BenchmarkConversation(b *testing.B) {
	f := func(name string, options Options) {
		b.Run(name, func(b *testing.B) {
			s := newServer(&idle{}, options)
			request, response := wire(b, typical()), wire(b, responseHeader(false, ":status", "200", "content-type", "application/json", "content-length", "350"))
			c := s.pool.Get().(*conversation)
			ctx := context.Background()
			b.ReportAllocs()
			for b.Loop() {
				for _, message := range [...][]byte{request, response} {
					if err := c.in.read(message); err != nil {
						b.Fatal(err)
					}
					if _, err := c.step(ctx); err != nil {
						b.Fatal(err)
					}
				}
				c.finish(ctx)
				c.reset()
			}
		})
	}
	f("metadata", Options{})
	f("plain", Options{NoMetadata: true})
}

// hollow is the least that an external processor of the generated types can do.
type hollow struct {
	extprocv3.UnimplementedExternalProcessorServer
}

func (hollow) Process(stream extprocv3.ExternalProcessor_ProcessServer) error {
	for {
		m, err := stream.Recv()
		if err != nil {
			return nil
		}
		answer := &extprocv3.ProcessingResponse{}
		switch m.GetRequest().(type) {
		case *extprocv3.ProcessingRequest_RequestHeaders:
			answer.Response = &extprocv3.ProcessingResponse_RequestHeaders{RequestHeaders: &extprocv3.HeadersResponse{}}
		default:
			answer.Response = &extprocv3.ProcessingResponse_ResponseHeaders{ResponseHeaders: &extprocv3.HeadersResponse{}}
		}
		if err := stream.Send(answer); err != nil {
			return err
		}
	}
}

// One request with its response over a connection. The client's share is in it, and equal in both.
func BenchmarkStream(b *testing.B) {
	f := func(name string, register func(s *grpc.Server), options ...grpc.ServerOption) {
		b.Run(name, func(b *testing.B) {
			listener, err := net.Listen("tcp", "127.0.0.1:0")
			if err != nil {
				b.Fatal(err)
			}
			server := grpc.NewServer(options...)
			register(server)
			go func() { _ = server.Serve(listener) }()
			defer server.Stop()
			conn, err := grpc.NewClient(listener.Addr().String(), grpc.WithTransportCredentials(insecure.NewCredentials()))
			if err != nil {
				b.Fatal(err)
			}
			defer func() { _ = conn.Close() }()
			client := extprocv3.NewExternalProcessorClient(conn)
			messages := []*extprocv3.ProcessingRequest{typical(), responseHeader(false, ":status", "200", "content-type", "application/json")}
			b.ReportAllocs()
			for b.Loop() {
				stream, err := client.Process(context.Background())
				if err != nil {
					b.Fatal(err)
				}
				for _, m := range messages {
					if err := stream.Send(m); err != nil {
						b.Fatal(err)
					}
					if _, err := stream.Recv(); err != nil {
						b.Fatal(err)
					}
				}
				_ = stream.CloseSend()
				_, _ = stream.Recv()
			}
		})
	}
	s := newServer(&idle{}, Options{})
	f("seshat", func(server *grpc.Server) { server.RegisterService(s.description(), nil) }, s.grpcOptions()...)
	f("hollow", func(server *grpc.Server) { extprocv3.RegisterExternalProcessorServer(server, hollow{}) })
}
