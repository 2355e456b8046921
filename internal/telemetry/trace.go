package telemetry

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"time"

	"go.opentelemetry.io/otel"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/exporters/otlp/otlptrace/otlptracehttp"
	"go.opentelemetry.io/otel/propagation"
	"go.opentelemetry.io/otel/sdk/resource"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/trace"

	"github.com/seshat-project/seshat"
	"github.com/seshat-project/seshat/internal/pipeline"
)

// TraceOptions say where spans go.
type TraceOptions struct {
	// Endpoint is an OTLP/HTTP URL such as http://127.0.0.1:4318; spans go to /v1/traces there unless it has a path.
	Endpoint string
	// SampleRatio is the share of traces that begin here and are kept, from 0 to 1. A trace that began elsewhere is
	// kept if it is kept there.
	SampleRatio float64
	// Fields are header fields for the receiver, such as its token.
	Fields  map[string]string
	Version string
	// Failed is told when spans could not be sent. It is nil where nobody wants to know. The library has one such
	// function for the whole process: that of the newest tracer.
	Failed func(error)
}

// Tracer makes a span of each exchange, after OpenTelemetry's conventions for HTTP servers.
type Tracer struct {
	provider   *sdktrace.TracerProvider
	tracer     trace.Tracer
	propagator propagation.TraceContext
}

// NewTracer returns a tracer that sends spans in the background. What the receiver does not take is dropped.
func NewTracer(ctx context.Context, o TraceOptions) (*Tracer, error) {
	address, err := url.Parse(o.Endpoint)
	if err != nil {
		return nil, fmt.Errorf("read the address of the receiver of traces: %w", err)
	}
	if address.Path == "" || address.Path == "/" {
		address.Path = "/v1/traces"
	}
	exporter, err := otlptracehttp.New(ctx, otlptracehttp.WithEndpointURL(address.String()), otlptracehttp.WithHeaders(o.Fields))
	if err != nil {
		return nil, fmt.Errorf("set up traces: %w", err)
	}
	if o.Failed != nil {
		otel.SetErrorHandler(otel.ErrorHandlerFunc(o.Failed)) // what would else be printed
	}
	about := resource.NewSchemaless(attribute.String("service.name", "seshat"), attribute.String("service.version", o.Version))
	provider := sdktrace.NewTracerProvider(
		sdktrace.WithBatcher(exporter, sdktrace.WithMaxQueueSize(maxSpans)),
		sdktrace.WithResource(about),
		sdktrace.WithSampler(sdktrace.ParentBased(sdktrace.TraceIDRatioBased(o.SampleRatio))),
	)
	return &Tracer{provider: provider, tracer: provider.Tracer("github.com/seshat-project/seshat")}, nil
}

// maxSpans is how many spans wait for the receiver, at about a kilobyte each.
const maxSpans = 8192

// Close sends what is waiting.
func (t *Tracer) Close(ctx context.Context) error { return t.provider.Shutdown(ctx) }

// Trace begins the span of an exchange; see [pipeline.InlineConfig].
func (t *Tracer) Trace(x *seshat.Exchange) pipeline.Span {
	ctx := t.propagator.Extract(context.Background(), carrier{x})
	ctx, span := t.tracer.Start(ctx, x.Request.Method, trace.WithSpanKind(trace.SpanKindServer), trace.WithTimestamp(x.Time))
	if x.TraceID == "" && span.SpanContext().IsSampled() {
		x.TraceID = span.SpanContext().TraceID().String()
	}
	s := &exchangeSpan{span: span}
	out := propagation.MapCarrier{}
	t.propagator.Inject(ctx, out)
	for name, value := range out {
		s.fields = append(s.fields, seshat.Field{Name: name, Value: value})
	}
	return s
}

// carrier reads the fields of a request.
type carrier struct{ x *seshat.Exchange }

// Get implements [propagation.TextMapCarrier].
func (c carrier) Get(name string) string {
	name = http.CanonicalHeaderKey(name)
	for i := range c.x.Request.Header {
		if f := &c.x.Request.Header[i]; http.CanonicalHeaderKey(f.Name) == name {
			return f.Value
		}
	}
	return ""
}

// Set implements [propagation.TextMapCarrier]; nothing is written here.
func (carrier) Set(string, string) {}

// Keys implements [propagation.TextMapCarrier].
func (carrier) Keys() []string { return nil }

type exchangeSpan struct {
	span   trace.Span
	fields []seshat.Field
}

// Fields implements [pipeline.Span].
func (s *exchangeSpan) Fields() []seshat.Field { return s.fields }

// End implements [pipeline.Span]. The path may hold identifiers, so the span has the endpoint's template in its place.
func (s *exchangeSpan) End(x *seshat.Exchange, o *seshat.Observation, g *pipeline.Passage) {
	if s.span.IsRecording() {
		s.describe(x.Response.Status, o, g)
	}
	end := x.Time.Add(x.Duration)
	if x.Duration <= 0 {
		end = time.Now()
	}
	s.span.End(trace.WithTimestamp(end))
}

// describe names the span and sets its attributes (OpenTelemetry, semantic conventions for HTTP spans, 1.27).
func (s *exchangeSpan) describe(status int, o *seshat.Observation, g *pipeline.Passage) {
	method, name := o.Method, o.Method
	if !known(method) {
		method, name = "_OTHER", "HTTP"
		s.span.SetAttributes(attribute.String("http.request.method_original", o.Method))
	}
	s.span.SetName(name + " " + o.Endpoint)
	s.span.SetAttributes(
		attribute.String("http.request.method", method),
		attribute.String("url.scheme", o.Scheme),
		attribute.String("url.path", o.Path), // masked
		attribute.String("http.route", o.Endpoint),
		attribute.String("seshat.verdict", g.Verdict().Action.String()),
	)
	for _, a := range [...]struct{ key, value string }{
		{"server.address", o.Host},
		{"user_agent.original", o.UserAgent},
		{"network.protocol.version", o.HTTPVersion},
		{"user.name", g.User()},
		{"deployment.environment.name", o.Environment},
	} {
		if a.value != "" {
			s.span.SetAttributes(attribute.String(a.key, a.value))
		}
	}
	if o.ClientIP.IsValid() {
		s.span.SetAttributes(attribute.String("client.address", o.ClientIP.String()))
	}
	if id := g.Session(); !id.IsZero() {
		s.span.SetAttributes(attribute.String("session.id", id.String()))
	}
	if by := g.Verdict().By; by != "" {
		s.span.SetAttributes(attribute.String("seshat.verdict.by", by))
	}
	if status != 0 {
		s.span.SetAttributes(attribute.Int("http.response.status_code", status))
	}
	if status >= http.StatusInternalServerError { // what a client did wrong is no error of a server's span
		s.span.SetAttributes(attribute.String("error.type", strconv.Itoa(status)))
		s.span.SetStatus(codes.Error, "")
	}
}

// known reports whether a method is one of those that the conventions know (RFC 9110, section 9, and RFC 5789): clients
// could else make up any number of span names.
func known(method string) bool {
	switch method {
	case http.MethodGet, http.MethodHead, http.MethodPost, http.MethodPut, http.MethodDelete, http.MethodConnect,
		http.MethodOptions, http.MethodTrace, http.MethodPatch:
		return true
	default:
		return false
	}
}
