package gateway

import (
	"bytes"
	"context"
	"crypto/tls"
	"errors"
	"io"
	"net"
	"testing"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/credentials/insecure"
	testpb "google.golang.org/grpc/interop/grpc_testing"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"
)

// callee is gRPC's own service for tests of what lies between client and server.
type callee struct {
	testpb.UnimplementedTestServiceServer
	canceled chan struct{}
}

func (callee) UnaryCall(ctx context.Context, in *testpb.SimpleRequest) (*testpb.SimpleResponse, error) {
	md, _ := metadata.FromIncomingContext(ctx)
	_ = grpc.SetHeader(ctx, metadata.Pairs("x-header", "h", "x-bin", "\x00\xff"))
	_ = grpc.SetTrailer(ctx, metadata.Pairs("x-trailer", "t"))
	if s := in.GetResponseStatus(); s != nil {
		return nil, status.Error(codes.Code(s.GetCode()), s.GetMessage())
	}
	user := ""
	if v := md.Get("authorization"); len(v) > 0 {
		user = v[0]
	}
	return &testpb.SimpleResponse{Payload: in.GetPayload(), Username: user}, nil
}

func (callee) StreamingOutputCall(in *testpb.StreamingOutputCallRequest, stream grpc.ServerStreamingServer[testpb.StreamingOutputCallResponse]) error {
	for _, p := range in.GetResponseParameters() {
		if err := stream.Send(&testpb.StreamingOutputCallResponse{Payload: &testpb.Payload{Body: make([]byte, p.GetSize())}}); err != nil {
			return err
		}
	}
	return nil
}

func (callee) StreamingInputCall(stream grpc.ClientStreamingServer[testpb.StreamingInputCallRequest, testpb.StreamingInputCallResponse]) error {
	sum := 0
	for {
		in, err := stream.Recv()
		if errors.Is(err, io.EOF) {
			return stream.SendAndClose(&testpb.StreamingInputCallResponse{AggregatedPayloadSize: int32(sum)})
		}
		if err != nil {
			return err
		}
		sum += len(in.GetPayload().GetBody())
	}
}

func (c callee) FullDuplexCall(stream grpc.BidiStreamingServer[testpb.StreamingOutputCallRequest, testpb.StreamingOutputCallResponse]) error {
	for {
		in, err := stream.Recv()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			if c.canceled != nil {
				close(c.canceled)
			}
			return err
		}
		if err := stream.Send(&testpb.StreamingOutputCallResponse{Payload: in.GetPayload()}); err != nil {
			return err
		}
	}
}

// newCallee starts a gRPC server behind a gateway and connects a client to that.
func newCallee(t *testing.T, secure bool, c callee) (*edge, testpb.TestServiceClient) {
	t.Helper()
	socket, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	server := grpc.NewServer()
	testpb.RegisterTestServiceServer(server, c)
	go func() { _ = server.Serve(socket) }()
	t.Cleanup(server.Stop)
	e := newEdge(t, nil, edgeOptions{
		servers: []string{socket.Addr().String()}, http2: true, tls: secure, guard: &twinGuard{bodies: true},
		config: HTTP2Config{BodyTimeout: 50 * time.Millisecond}, // does not hold for gRPC
	})
	security := insecure.NewCredentials()
	if secure {
		security = credentials.NewTLS(&tls.Config{InsecureSkipVerify: true, ServerName: "shop.example"})
	}
	conn, err := grpc.NewClient("passthrough:///"+e.address, grpc.WithTransportCredentials(security), grpc.WithAuthority("shop.example"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	return e, testpb.NewTestServiceClient(conn)
}

func TestGRPC(t *testing.T) {
	for _, secure := range []bool{false, true} {
		t.Run(map[bool]string{false: "plain", true: "TLS"}[secure], func(t *testing.T) {
			e, client := newCallee(t, secure, callee{})
			ctx, cancel := context.WithTimeout(t.Context(), patience)
			defer cancel()

			payload := &testpb.Payload{Body: bytes.Repeat([]byte("x"), 100_000)}
			var header, trailer metadata.MD
			out, err := client.UnaryCall(metadata.AppendToOutgoingContext(ctx, "authorization", "Bearer t"),
				&testpb.SimpleRequest{Payload: payload}, grpc.Header(&header), grpc.Trailer(&trailer))
			if err != nil {
				t.Fatal(err)
			}
			if len(out.GetPayload().GetBody()) != 100_000 || out.GetUsername() != "Bearer t" || header.Get("x-header")[0] != "h" ||
				header.Get("x-bin")[0] != "\x00\xff" || trailer.Get("x-trailer")[0] != "t" {
				t.Errorf("%v, %v, %v", out.GetUsername(), header, trailer)
			}

			_, err = client.UnaryCall(ctx, &testpb.SimpleRequest{ResponseStatus: &testpb.EchoStatus{Code: 7, Message: "nicht du, 50%"}})
			if s := status.Convert(err); s.Code() != codes.PermissionDenied || s.Message() != "nicht du, 50%" {
				t.Errorf("%v", err)
			}
			_, err = client.UnimplementedCall(ctx, &testpb.Empty{})
			if status.Code(err) != codes.Unimplemented {
				t.Errorf("%v", err)
			}

			down, err := client.StreamingOutputCall(ctx, &testpb.StreamingOutputCallRequest{
				ResponseParameters: []*testpb.ResponseParameters{{Size: 1}, {Size: 70_000}, {Size: 3}},
			})
			if err != nil {
				t.Fatal(err)
			}
			sizes := 0
			for {
				message, err := down.Recv()
				if errors.Is(err, io.EOF) {
					break
				}
				if err != nil {
					t.Fatal(err)
				}
				sizes += len(message.GetPayload().GetBody())
			}
			if sizes != 70_004 {
				t.Errorf("%d bytes came down", sizes)
			}

			up, err := client.StreamingInputCall(ctx)
			if err != nil {
				t.Fatal(err)
			}
			for range 5 {
				if err := up.Send(&testpb.StreamingInputCallRequest{Payload: payload}); err != nil {
					t.Fatal(err)
				}
			}
			sum, err := up.CloseAndRecv()
			if err != nil || sum.GetAggregatedPayloadSize() != 500_000 {
				t.Errorf("%v, %v", sum, err)
			}

			duplex, err := client.FullDuplexCall(ctx)
			if err != nil {
				t.Fatal(err)
			}
			for i := range 3 {
				if err := duplex.Send(&testpb.StreamingOutputCallRequest{Payload: &testpb.Payload{Body: []byte{byte(i)}}}); err != nil {
					t.Fatal(err)
				}
				if message, err := duplex.Recv(); err != nil || message.GetPayload().GetBody()[0] != byte(i) {
					t.Fatalf("%v, %v", message, err)
				}
				if i == 1 { // the stream rests for longer than bodies may
					<-time.After(120 * time.Millisecond)
				}
			}
			_ = duplex.CloseSend()
			if _, err := duplex.Recv(); !errors.Is(err, io.EOF) {
				t.Errorf("%v", err)
			}
			xs := e.exchanges(t, 6)
			if got := field(xs[0].Response.Header, "grpc-status"); got != "0" || xs[0].Request.Path != "/grpc.testing.TestService/UnaryCall" {
				t.Errorf("status %q of %s", got, xs[0].Request.Path)
			}
			if got := field(xs[1].Response.Header, "grpc-status"); got != "7" {
				t.Errorf("status %q", got)
			}
		})
	}
}

func TestGRPCDeadlines(t *testing.T) {
	canceled := make(chan struct{})
	e, client := newCallee(t, false, callee{canceled: canceled})
	ctx, cancel := context.WithTimeout(t.Context(), 200*time.Millisecond)
	defer cancel()
	stream, err := client.FullDuplexCall(ctx)
	if err != nil {
		t.Fatal(err)
	}
	if err := stream.Send(&testpb.StreamingOutputCallRequest{}); err != nil {
		t.Fatal(err)
	}
	if _, err := stream.Recv(); err != nil {
		t.Fatal(err)
	}
	if _, err := stream.Recv(); status.Code(err) != codes.DeadlineExceeded {
		t.Errorf("%v", err)
	}
	select {
	case <-canceled:
	case <-time.After(patience):
		t.Error("the server does not hear of it")
	}
	e.exchanges(t, 1)
}

func TestGRPCWithoutAServer(t *testing.T) {
	e := newEdge(t, nil, edgeOptions{servers: []string{closedPort(t)}, http2: true})
	conn, err := grpc.NewClient("passthrough:///"+e.address, grpc.WithTransportCredentials(insecure.NewCredentials()), grpc.WithAuthority("shop.example"))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = conn.Close() }()
	_, err = testpb.NewTestServiceClient(conn).EmptyCall(t.Context(), &testpb.Empty{})
	if status.Code(err) != codes.Unavailable {
		t.Errorf("%v", err)
	}
}
