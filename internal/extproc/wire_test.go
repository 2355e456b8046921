package extproc

import (
	"bytes"
	"errors"
	"strings"
	"testing"
	"unicode/utf8"

	corev3 "github.com/envoyproxy/go-control-plane/envoy/config/core/v3"
	filterv3 "github.com/envoyproxy/go-control-plane/envoy/extensions/filters/http/ext_proc/v3"
	extprocv3 "github.com/envoyproxy/go-control-plane/envoy/service/ext_proc/v3"
	typev3 "github.com/envoyproxy/go-control-plane/envoy/type/v3"
	"github.com/google/go-cmp/cmp"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/testing/protocmp"
	"google.golang.org/protobuf/types/known/structpb"
	"google.golang.org/protobuf/types/known/wrapperspb"

	"github.com/seshat-project/seshat"
)

// fieldsOf are the fields of a header as the generated types have them.
func fieldsOf(headers *extprocv3.HttpHeaders) (out []seshat.Field) {
	for _, h := range headers.GetHeaders().GetHeaders() {
		value := string(h.GetRawValue())
		if value == "" {
			value = h.GetValue()
		}
		out = append(out, seshat.Field{Name: h.GetKey(), Value: strings.ToValidUTF8(value, "\uFFFD")})
	}
	return out
}

// compare holds what was read by hand to what the generated types read.
func compare(t *testing.T, b []byte) {
	t.Helper()
	var want extprocv3.ProcessingRequest
	wantErr := proto.Unmarshal(b, &want)
	m := incoming{keep: 1 << 20}
	err := m.read(b)
	if wantErr != nil || errors.Is(err, errFields) {
		return // what is damaged may be refused or not, as long as nothing breaks
	}
	if err != nil {
		if hasGroup(b) {
			return
		}
		t.Fatalf("refused: %v: %v", err, &want)
	}
	var p part
	var headers *extprocv3.HttpHeaders
	var body *extprocv3.HttpBody
	switch r := want.GetRequest().(type) {
	case *extprocv3.ProcessingRequest_RequestHeaders:
		p, headers = partRequestHeader, r.RequestHeaders
	case *extprocv3.ProcessingRequest_ResponseHeaders:
		p, headers = partResponseHeader, r.ResponseHeaders
	case *extprocv3.ProcessingRequest_RequestBody:
		p, body = partRequestBody, r.RequestBody
	case *extprocv3.ProcessingRequest_ResponseBody:
		p, body = partResponseBody, r.ResponseBody
	case *extprocv3.ProcessingRequest_RequestTrailers:
		p = partRequestTrailer
	case *extprocv3.ProcessingRequest_ResponseTrailers:
		p = partResponseTrailer
	}
	if m.part != p || m.end != (headers.GetEndOfStream() || body.GetEndOfStream()) || m.observing != want.GetObservabilityMode() {
		t.Errorf("part %d, end %v, observing %v of %v", m.part, m.end, m.observing, &want)
	}
	if diff := cmp.Diff(fieldsOf(headers), append([]seshat.Field(nil), m.fields...)); diff != "" {
		t.Errorf("fields (-want +got):\n%s", diff)
	}
	if !bytes.Equal(body.GetBody(), m.body) || m.size != len(body.GetBody()) {
		t.Errorf("body %q of %d bytes, want %q", m.body, m.size, body.GetBody())
	}
	if c := want.GetProtocolConfig(); c.GetRequestBodyMode() < 200 && c.GetRequestBodyMode() >= 0 &&
		c.GetResponseBodyMode() < 200 && c.GetResponseBodyMode() >= 0 {
		if int32(m.requestMode) != int32(c.GetRequestBodyMode()) || int32(m.answerMode) != int32(c.GetResponseBodyMode()) {
			t.Errorf("modes %d and %d of %v", m.requestMode, m.answerMode, c)
		}
	}
}

// hasGroup reports whether there may be a group, which no message of today has and the generated types skip.
func hasGroup(b []byte) bool {
	for _, c := range b {
		if c&7 == 3 || c&7 == 4 {
			return true
		}
	}
	return false
}

func header(fields ...string) *corev3.HeaderMap {
	m := &corev3.HeaderMap{}
	for i := 0; i+1 < len(fields); i += 2 {
		m.Headers = append(m.Headers, &corev3.HeaderValue{Key: fields[i], RawValue: []byte(fields[i+1])})
	}
	return m
}

func requestHeader(end bool, fields ...string) *extprocv3.ProcessingRequest {
	return &extprocv3.ProcessingRequest{Request: &extprocv3.ProcessingRequest_RequestHeaders{
		RequestHeaders: &extprocv3.HttpHeaders{Headers: header(fields...), EndOfStream: end},
	}}
}

func requestBody(end bool, body string) *extprocv3.ProcessingRequest {
	return &extprocv3.ProcessingRequest{Request: &extprocv3.ProcessingRequest_RequestBody{
		RequestBody: &extprocv3.HttpBody{Body: []byte(body), EndOfStream: end},
	}}
}

func responseHeader(end bool, fields ...string) *extprocv3.ProcessingRequest {
	return &extprocv3.ProcessingRequest{Request: &extprocv3.ProcessingRequest_ResponseHeaders{
		ResponseHeaders: &extprocv3.HttpHeaders{Headers: header(fields...), EndOfStream: end},
	}}
}

func responseBody(end bool, body string) *extprocv3.ProcessingRequest {
	return &extprocv3.ProcessingRequest{Request: &extprocv3.ProcessingRequest_ResponseBody{
		ResponseBody: &extprocv3.HttpBody{Body: []byte(body), EndOfStream: end},
	}}
}

func requestTrailer() *extprocv3.ProcessingRequest {
	return &extprocv3.ProcessingRequest{Request: &extprocv3.ProcessingRequest_RequestTrailers{RequestTrailers: &extprocv3.HttpTrailers{}}}
}

func responseTrailer() *extprocv3.ProcessingRequest {
	return &extprocv3.ProcessingRequest{Request: &extprocv3.ProcessingRequest_ResponseTrailers{ResponseTrailers: &extprocv3.HttpTrailers{}}}
}

// typical is the first message of a stream as an Envoy sends it.
func typical() *extprocv3.ProcessingRequest {
	m := requestHeader(true, ":method", "GET", ":scheme", "https", ":authority", "api.shop.example", ":path", "/orders/42?page=2",
		"user-agent", "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/120.0.0.0 Safari/537.36",
		"accept", "application/json", "accept-language", "de,en;q=0.9", "accept-encoding", "gzip, br", "cookie", "SESS=0123456789abcdef; theme=dark",
		"authorization", "Bearer eyJhbGciOiJSUzI1NiJ9.eyJzdWIiOiJhbGljZSIsInNpZCI6IjEyMyJ9.c2lnbmF0dXJl", "x-forwarded-for", "203.0.113.9",
		"x-forwarded-proto", "https", "x-request-id", "5cf4ba12-4ea7-4c43-8b1c-9a3b9e1d0f3a", "x-envoy-external-address", "203.0.113.9",
		"traceparent", "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01")
	attributes, err := structpb.NewStruct(map[string]any{"source.address": "203.0.113.9:40312", "request.protocol": "HTTP/2", "n": 1})
	if err != nil {
		panic(err)
	}
	m.Attributes = map[string]*structpb.Struct{"envoy.filters.http.ext_proc": attributes}
	m.MetadataContext = &corev3.Metadata{}
	m.ProtocolConfig = &extprocv3.ProtocolConfiguration{}
	return m
}

func wire(t testing.TB, m proto.Message) []byte {
	t.Helper()
	b, err := proto.Marshal(m)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func TestReadAsGeneratedTypesDo(t *testing.T) {
	m := typical()
	compare(t, wire(t, m))
	compare(t, wire(t, requestBody(true, "text")))
	compare(t, wire(t, responseBody(false, "")))
	compare(t, wire(t, responseHeader(false, ":status", "200", "a", "\xff\xfe")))
	compare(t, append(wire(t, requestHeader(false, "a", "b")), wire(t, requestHeader(true, "c", "d"))...))
	compare(t, append(wire(t, requestBody(true, "a")), wire(t, requestHeader(false, "c", "d"))...))
	compare(t, append(wire(t, m), wire(t, responseTrailer())...))
	m.ObservabilityMode = true
	m.ProtocolConfig = &extprocv3.ProtocolConfiguration{
		RequestBodyMode: filterv3.ProcessingMode_BUFFERED, ResponseBodyMode: filterv3.ProcessingMode_FULL_DUPLEX_STREAMED,
	}
	compare(t, wire(t, m))

	var read incoming
	if err := read.read(wire(t, m)); err != nil {
		t.Fatal(err)
	}
	if read.attribute("source.address") != "203.0.113.9:40312" || read.attribute("request.protocol") != "HTTP/2" || read.attribute("n") != "" {
		t.Errorf("attributes %v", read.attributes)
	}
}

func TestReadRefusesEndlessHeaders(t *testing.T) {
	m := requestHeader(true)
	for range maxFields + 1 {
		m.GetRequestHeaders().Headers.Headers = append(m.GetRequestHeaders().Headers.Headers, &corev3.HeaderValue{Key: "a"})
	}
	var read incoming
	if err := read.read(wire(t, m)); !errors.Is(err, errFields) {
		t.Errorf("%v", err)
	}
}

func FuzzReadAsGeneratedTypesDo(f *testing.F) {
	f.Add(wire(f, typical()))
	f.Add(wire(f, requestBody(true, "text")))
	f.Add(wire(f, responseHeader(false, ":status", "200")))
	f.Add(append(wire(f, requestTrailer()), wire(f, responseTrailer())...))
	f.Fuzz(func(t *testing.T, b []byte) { compare(t, b) })
}

func TestWriteAsGeneratedTypesRead(t *testing.T) {
	f := func(write func(w *outgoing), want *extprocv3.ProcessingResponse) {
		t.Helper()
		var w outgoing
		write(&w)
		var got extprocv3.ProcessingResponse
		if err := proto.Unmarshal(w.message(), &got); err != nil {
			t.Fatalf("%v: %x", err, w.message())
		}
		if diff := cmp.Diff(want, &got, protocmp.Transform()); diff != "" {
			t.Errorf("(-want +got):\n%s", diff)
		}
	}
	add := func(name, value string) *corev3.HeaderValueOption {
		return &corev3.HeaderValueOption{Header: &corev3.HeaderValue{Key: name, RawValue: []byte(value)}, Append: wrapperspb.Bool(true)} //nolint:staticcheck // see field
	}
	set := func(name, value string) *corev3.HeaderValueOption {
		return &corev3.HeaderValueOption{
			Header: &corev3.HeaderValue{Key: name, RawValue: []byte(value)}, AppendAction: corev3.HeaderValueOption_OVERWRITE_IF_EXISTS_OR_ADD,
		}
	}
	common := func(m *extprocv3.HeaderMutation) *extprocv3.CommonResponse {
		return &extprocv3.CommonResponse{HeaderMutation: m}
	}
	f(func(w *outgoing) { w.unchanged(partRequestHeader) },
		&extprocv3.ProcessingResponse{Response: &extprocv3.ProcessingResponse_RequestHeaders{RequestHeaders: &extprocv3.HeadersResponse{}}})
	f(func(w *outgoing) { w.unchanged(partResponseHeader) },
		&extprocv3.ProcessingResponse{Response: &extprocv3.ProcessingResponse_ResponseHeaders{ResponseHeaders: &extprocv3.HeadersResponse{}}})
	f(func(w *outgoing) { w.unchanged(partRequestBody) },
		&extprocv3.ProcessingResponse{Response: &extprocv3.ProcessingResponse_RequestBody{RequestBody: &extprocv3.BodyResponse{}}})
	f(func(w *outgoing) { w.unchanged(partResponseBody) },
		&extprocv3.ProcessingResponse{Response: &extprocv3.ProcessingResponse_ResponseBody{ResponseBody: &extprocv3.BodyResponse{}}})
	f(func(w *outgoing) { w.unchanged(partRequestTrailer) },
		&extprocv3.ProcessingResponse{Response: &extprocv3.ProcessingResponse_RequestTrailers{RequestTrailers: &extprocv3.TrailersResponse{}}})
	f(func(w *outgoing) { w.unchanged(partResponseTrailer) },
		&extprocv3.ProcessingResponse{Response: &extprocv3.ProcessingResponse_ResponseTrailers{ResponseTrailers: &extprocv3.TrailersResponse{}}})

	long := strings.Repeat("x", 300) // a length of two bytes
	f(func(w *outgoing) {
		w.header(partRequestHeader, &mutation{
			set: []seshat.Field{{Name: "a", Value: "1"}, {Name: "a", Value: "2"}, {Name: "b", Value: long}},
			add: []seshat.Field{{Name: "c", Value: "3"}}, remove: []string{"d", "e"},
		})
		m := w.dynamic("seshat")
		m.text("session.id", "s")
		m.text("user", "")
		m.list("tags", []string{"one", long})
		m.list("none", nil)
		m.shut()
		w.override(bodyBufferedPartial, bodyStreamed)
	}, &extprocv3.ProcessingResponse{
		Response: &extprocv3.ProcessingResponse_RequestHeaders{RequestHeaders: &extprocv3.HeadersResponse{Response: common(&extprocv3.HeaderMutation{
			SetHeaders: []*corev3.HeaderValueOption{set("a", "1"), add("a", "2"), set("b", long), add("c", "3")}, RemoveHeaders: []string{"d", "e"},
		})}},
		DynamicMetadata: &structpb.Struct{Fields: map[string]*structpb.Value{
			"seshat": structpb.NewStructValue(&structpb.Struct{Fields: map[string]*structpb.Value{
				"session.id": structpb.NewStringValue("s"),
				"tags":       structpb.NewListValue(&structpb.ListValue{Values: []*structpb.Value{structpb.NewStringValue("one"), structpb.NewStringValue(long)}}),
			}}),
		}},
		ModeOverride: &filterv3.ProcessingMode{RequestBodyMode: filterv3.ProcessingMode_BUFFERED_PARTIAL, ResponseBodyMode: filterv3.ProcessingMode_STREAMED},
	})
	f(func(w *outgoing) {
		w.immediate(&immediate{
			status: 429, set: []seshat.Field{{Name: "Retry-After", Value: "7"}}, body: []byte(long), grpc: grpcResourceExhausted, details: "seshat:x",
		})
	}, &extprocv3.ProcessingResponse{Response: &extprocv3.ProcessingResponse_ImmediateResponse{ImmediateResponse: &extprocv3.ImmediateResponse{
		Status:  &typev3.HttpStatus{Code: typev3.StatusCode_TooManyRequests},
		Headers: &extprocv3.HeaderMutation{SetHeaders: []*corev3.HeaderValueOption{set("Retry-After", "7")}},
		Body:    []byte(long), GrpcStatus: &extprocv3.GrpcStatus{Status: grpcResourceExhausted}, Details: "seshat:x",
	}}})
	f(func(w *outgoing) { w.echo(partResponseBody, []byte(long), true) },
		&extprocv3.ProcessingResponse{Response: &extprocv3.ProcessingResponse_ResponseBody{ResponseBody: &extprocv3.BodyResponse{
			Response: &extprocv3.CommonResponse{BodyMutation: &extprocv3.BodyMutation{Mutation: &extprocv3.BodyMutation_StreamedResponse{
				StreamedResponse: &extprocv3.StreamedBodyResponse{Body: []byte(long), EndOfStream: true},
			}}},
		}}})
}

func TestTextsAreValid(t *testing.T) {
	var read incoming
	if err := read.read(wire(t, requestHeader(true, "a", "x\xffy"))); err != nil {
		t.Fatal(err)
	}
	if v := read.fields[0].Value; !utf8.ValidString(v) || v != "x\uFFFDy" {
		t.Errorf("%q", v)
	}
}
