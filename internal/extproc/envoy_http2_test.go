package extproc

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"io"
	"math/big"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/interop/grpc_testing"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"
)

// certificate writes a certificate for 127.0.0.1 and its key into a folder.
func certificate(t testing.TB, folder string) (certificate, key string) {
	t.Helper()
	private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := x509.Certificate{
		SerialNumber: big.NewInt(1), NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)},
	}
	der, err := x509.CreateCertificate(rand.Reader, &template, &template, private.Public(), private)
	if err != nil {
		t.Fatal(err)
	}
	pkcs8, err := x509.MarshalPKCS8PrivateKey(private)
	if err != nil {
		t.Fatal(err)
	}
	write := func(name, kind string, bytes []byte) string {
		path := filepath.Join(folder, name)
		if err := os.WriteFile(path, pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: bytes}), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	return write("tls.crt", "CERTIFICATE", der), write("tls.key", "PRIVATE KEY", pkcs8)
}

// startEdge runs Envoy with TLS.
func startEdge(t testing.TB, origin, seshat string, changes ...string) *envoy {
	t.Helper()
	crt, key := certificate(t, t.TempDir())
	return startEnvoy(t, "ext-proc-tls.yaml", origin, seshat, append([]string{
		"0.0.0.0, port_value: 8443", "0.0.0.0, port_value: 8080", "/etc/envoy/tls/tls.crt", crt, "/etc/envoy/tls/tls.key", key,
	}, changes...)...)
}

func TestEnvoyWithHTTP2AndJA4(t *testing.T) {
	w, origin := newTwin(), newOrigin(t)
	_, address := serve(t, w, Options{JA4Header: "X-JA4"})
	e := startEdge(t, origin.URL, address)
	client := &http.Client{Transport: &http.Transport{
		ForceAttemptHTTP2: true, TLSClientConfig: &tls.Config{InsecureSkipVerify: true},
	}}
	request, err := http.NewRequest("POST", "https://"+e.host+"/login", strings.NewReader("text"))
	if err != nil {
		t.Fatal(err)
	}
	request.Header.Set("X-JA4", "forged")
	request.Header.Set("Cookie", "SESS=two")
	response, err := client.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	_, _ = io.Copy(io.Discard, response.Body)
	_ = response.Body.Close()
	x := w.take(t, "/login")
	if x.Request.HTTPVersion != "2" || x.Request.Scheme != "https" || string(x.Request.Body.Bytes) != "text" ||
		!strings.HasPrefix(x.Client.JA4, "t13") || len(x.Client.JA4) != 36 {
		t.Errorf("%+v", x)
	}
	if response.Proto != "HTTP/2.0" || response.Header.Get("Seen-JA4") != "" || response.Header.Get("Seen-Session") != sessionOf("two").String() {
		t.Errorf("%s %v", response.Proto, response.Header)
	}
	w.settled(t)
}

// turns is a service whose calls take turns: an answer for each message, before the next is sent.
type turns struct {
	grpc_testing.UnimplementedTestServiceServer
}

func (turns) FullDuplexCall(stream grpc_testing.TestService_FullDuplexCallServer) error {
	header, _ := metadata.FromIncomingContext(stream.Context())
	stream.SetTrailer(metadata.Pairs("seen-session", strings.Join(header.Get("x-seshat-session"), ",")))
	for {
		in, err := stream.Recv()
		if err != nil {
			return nil
		}
		if err := stream.Send(&grpc_testing.StreamingOutputCallResponse{Payload: in.GetPayload()}); err != nil {
			return err
		}
	}
}

func TestEnvoyWithGRPC(t *testing.T) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	origin := grpc.NewServer()
	grpc_testing.RegisterTestServiceServer(origin, turns{})
	go func() { _ = origin.Serve(listener) }()
	t.Cleanup(origin.Stop)

	w := newTwin()
	_, address := serve(t, w, Options{JA4Header: "x-ja4"})
	e := startEdge(t, listener.Addr().String(), address, "    - name: origin\n", `    - name: origin
      typed_extension_protocol_options:
        envoy.extensions.upstreams.http.v3.HttpProtocolOptions:
          "@type": type.googleapis.com/envoy.extensions.upstreams.http.v3.HttpProtocolOptions
          explicit_http_config: {http2_protocol_options: {}}
`)
	conn, err := grpc.NewClient(e.host, grpc.WithTransportCredentials(credentials.NewTLS(&tls.Config{InsecureSkipVerify: true})))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	client := grpc_testing.NewTestServiceClient(conn)
	call := func(fields ...string) (grpc_testing.TestService_FullDuplexCallClient, error) {
		ctx, cancel := context.WithTimeout(metadata.AppendToOutgoingContext(t.Context(), fields...), 10*time.Second)
		t.Cleanup(cancel)
		return client.FullDuplexCall(ctx)
	}

	stream, err := call("cookie", "SESS=rpc")
	if err != nil {
		t.Fatal(err)
	}
	for _, text := range []string{"one", "two", "three"} {
		if err := stream.Send(&grpc_testing.StreamingOutputCallRequest{Payload: &grpc_testing.Payload{Body: []byte(text)}}); err != nil {
			t.Fatal(err)
		}
		got, err := stream.Recv()
		if err != nil || string(got.GetPayload().GetBody()) != text {
			t.Fatalf("%v, %v", got, err)
		}
	}
	_ = stream.CloseSend()
	if _, err := stream.Recv(); !errors.Is(err, io.EOF) {
		t.Errorf("%v at the end", err)
	}
	if got := stream.Trailer().Get("seen-session"); len(got) != 1 || got[0] != sessionOf("rpc").String() {
		t.Errorf("the origin saw the session %v", got)
	}
	const path = "/grpc.testing.TestService/FullDuplexCall"
	if x := w.take(t, path); x.Response.Status != 200 || x.Request.HTTPVersion != "2" {
		t.Errorf("%+v", x)
	}

	f := func(field string, want codes.Code, reason string) {
		t.Helper()
		stream, err := call(field, "1")
		if err == nil {
			_, err = stream.Recv()
		}
		if s := status.Convert(err); s.Code() != want || s.Message() != reason {
			t.Errorf("%s: %v %q, want %v %q", field, s.Code(), s.Message(), want, reason)
		}
		w.take(t, path)
	}
	f("x-over", codes.ResourceExhausted, "over 1 in 1m")
	f("x-bad", codes.PermissionDenied, "the session was revoked")
	w.settled(t)
}
