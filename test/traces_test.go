package test

import (
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	collector "go.opentelemetry.io/proto/otlp/collector/trace/v1"
	tracepb "go.opentelemetry.io/proto/otlp/trace/v1"
	"google.golang.org/protobuf/proto"
)

// receiver takes spans by OTLP/HTTP.
type receiver struct {
	*httptest.Server
	mu     sync.Mutex
	spans  []*tracepb.Span
	bytes  []byte
	fields http.Header
}

func newReceiver(t testing.TB) *receiver {
	t.Helper()
	r := &receiver{}
	r.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, q *http.Request) {
		data, err := io.ReadAll(q.Body)
		var in collector.ExportTraceServiceRequest
		if err == nil {
			err = proto.Unmarshal(data, &in)
		}
		if err != nil || q.URL.Path != "/v1/traces" {
			t.Errorf("a request for %s that is none: %v", q.URL.Path, err)
			w.WriteHeader(http.StatusBadRequest)
			return
		}
		r.mu.Lock()
		defer r.mu.Unlock()
		r.bytes, r.fields = append(r.bytes, data...), q.Header
		for _, resource := range in.ResourceSpans {
			for _, scope := range resource.ScopeSpans {
				r.spans = append(r.spans, scope.Spans...)
			}
		}
	}))
	t.Cleanup(r.Close)
	return r
}

// find waits for the span of an exchange with a path.
func (r *receiver) find(t testing.TB, path string) *tracepb.Span {
	t.Helper()
	var found *tracepb.Span
	eventually(t, "the span of "+path+" has come", func() bool {
		r.mu.Lock()
		defer r.mu.Unlock()
		for _, span := range r.spans {
			if attribute(span, "url.path") == path {
				found = span
			}
		}
		return found != nil
	})
	return found
}

// attribute is the text of an attribute; empty when there is none.
func attribute(span *tracepb.Span, key string) string {
	for _, a := range span.Attributes {
		if a.Key == key {
			if text := a.Value.GetStringValue(); text != "" {
				return text
			}
			return fmt.Sprint(a.Value.GetIntValue())
		}
	}
	return ""
}

// traced is an origin that says what trace it was told of, and fails where asked to.
func traced(t testing.TB) *httptest.Server {
	t.Helper()
	origin := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("X-Traceparent", r.Header.Get("Traceparent"))
		w.Header().Set("X-Tracestate", r.Header.Get("Tracestate"))
		if r.URL.Path == "/broken" {
			w.WriteHeader(http.StatusInternalServerError)
		}
	}))
	t.Cleanup(origin.Close)
	return origin
}

const (
	traceOfClient = "4bf92f3577b34da6a3ce929d0e0e4736"
	spanOfClient  = "00f067aa0ba902b7"
)

// TestTraces follows traces from the client through the gateway to the origin and to the receiver of spans.
func TestTraces(t *testing.T) {
	origin, spans := traced(t), newReceiver(t)
	headers := file(t, "otlp.headers", "Authorization: Bearer of-the-receiver-0123\n")
	r := everything(t, origin.URL, fmt.Sprintf("environment: prod\ntracing: {endpoint: %q, headersFile: %q}\n", spans.URL, headers), "--verbose", "--log", "json")
	c := client(t)
	get := func(path string, fields ...string) answerOf {
		t.Helper()
		return ask(t, c, http.MethodGet, r.gateway+path, "", append(fields, "Cookie", "PHPSESSID=secret-cookie-0123456789", "Authorization",
			"Bearer secret-token-0123456789", "User-Agent", "test/1.0", "Host", "shop.example")...)
	}

	// A trace that comes in goes on, through this span.
	a := get("/orders/1?card=secret-card-0123456789", "Traceparent", "00-"+traceOfClient+"-"+spanOfClient+"-01", "Tracestate", "vendor=1")
	span := spans.find(t, "/orders/1")
	if got := fmt.Sprintf("%x %x", span.TraceId, span.ParentSpanId); got != traceOfClient+" "+spanOfClient {
		t.Errorf("the span belongs to %s", got)
	}
	if got, want := a.header.Get("X-Traceparent"), fmt.Sprintf("00-%s-%x-01", traceOfClient, span.SpanId); got != want {
		t.Errorf("the origin is told %q; want %q", got, want)
	}
	if got := a.header.Get("X-Tracestate"); got != "vendor=1" {
		t.Errorf("the origin is told the state %q", got)
	}
	if span.Kind != tracepb.Span_SPAN_KIND_SERVER || span.EndTimeUnixNano < span.StartTimeUnixNano {
		t.Errorf("the span is %v", span)
	}
	for key, want := range map[string]string{
		"http.request.method": "GET", "http.response.status_code": "200", "url.scheme": "http", "server.address": "shop.example",
		"http.route": "/orders/{var1}", "user_agent.original": "test/1.0", "client.address": "127.0.0.1", "network.protocol.version": "1.1",
		"seshat.verdict": "allow", "deployment.environment.name": "prod",
	} {
		if got := attribute(span, key); got != want {
			t.Errorf("%s is %q; want %q", key, got, want)
		}
	}
	if span.Name != "GET /orders/{var1}" {
		t.Errorf("the span is called %q", span.Name)
	}
	// The session is that of the store, and the exchange knows its trace.
	var session string
	eventually(t, "the exchange is stored", func() bool {
		rows := r.explore("session_id,trace_id", "path:/orders/1")
		if len(rows) == 1 {
			session = rows[0][0]
			if rows[0][1] != traceOfClient {
				t.Fatalf("the exchange is stored with the trace %q", rows[0][1])
			}
		}
		return session != ""
	})
	if got := attribute(span, "session.id"); got != session {
		t.Errorf("session.id is %q; the session is %q", got, session)
	}

	// A trace that is not kept elsewhere is not kept here, and goes on all the same.
	a = get("/unsampled", "Traceparent", "00-"+traceOfClient+"-"+spanOfClient+"-00")
	if got := a.header.Get("X-Traceparent"); !strings.HasPrefix(got, "00-"+traceOfClient+"-") || !strings.HasSuffix(got, "-00") {
		t.Errorf("the origin of a request that is not sampled is told %q", got)
	}
	// Without one, one begins here.
	a = get("/fresh")
	span = spans.find(t, "/fresh")
	if got, want := a.header.Get("X-Traceparent"), fmt.Sprintf("00-%x-%x-01", span.TraceId, span.SpanId); got != want || len(span.ParentSpanId) != 0 {
		t.Errorf("the origin is told %q; want %q; the parent is %x", got, want, span.ParentSpanId)
	}
	// Failures of the origin are errors; refusals are not, and say what refused.
	get("/broken")
	if span = spans.find(t, "/broken"); span.Status.GetCode() != tracepb.Status_STATUS_CODE_ERROR || attribute(span, "error.type") != "500" {
		t.Errorf("a failure of the origin is %v", span)
	}
	get("/limited")
	get("/limited")
	eventually(t, "the span of a refusal has come", func() bool {
		spans.mu.Lock()
		defer spans.mu.Unlock()
		for _, s := range spans.spans {
			if attribute(s, "seshat.verdict.by") == "Limit/hammer" {
				return attribute(s, "http.response.status_code") == "429" && s.Status.GetCode() != tracepb.Status_STATUS_CODE_ERROR
			}
		}
		return false
	})
	// Methods that a client makes up are no names of spans.
	ask(t, c, "MADEUP", r.gateway+"/odd", "")
	if span = spans.find(t, "/odd"); span.Name != "HTTP /odd" || attribute(span, "http.request.method") != "_OTHER" {
		t.Errorf("the span is called %q", span.Name)
	}

	metrics := ask(t, c, http.MethodGet, r.api+"/metrics", "").body
	r.stop()
	spans.mu.Lock()
	defer spans.mu.Unlock()
	if got := spans.fields.Get("Authorization"); got != "Bearer of-the-receiver-0123" {
		t.Errorf("the receiver gets Authorization %q", got)
	}
	for _, s := range spans.spans {
		if attribute(s, "url.path") == "/unsampled" {
			t.Error("a span came that was not sampled")
		}
	}
	for where, text := range map[string]string{"spans": string(spans.bytes), "logs": r.stderr.String(), "metrics": metrics} {
		for _, secret := range []string{"secret-cookie", "secret-token", "secret-card", "of-the-receiver"} {
			if strings.Contains(text, secret) {
				t.Errorf("the %s have %q", where, secret)
			}
		}
	}
}

// TestNoTraces passes everything through unchanged when no receiver is configured.
func TestNoTraces(t *testing.T) {
	r := fresh(t).serve("--upstream", traced(t).URL, "--listen", "127.0.0.1:0")
	c := client(t)
	const parent = "00-" + traceOfClient + "-" + spanOfClient + "-01"
	if a := ask(t, c, http.MethodGet, r.gateway+"/", "", "Traceparent", parent, "Tracestate", "a=b"); a.header.Get("X-Traceparent") != parent || a.header.Get("X-Tracestate") != "a=b" {
		t.Errorf("the origin is told %q", a.header.Get("X-Traceparent"))
	}
	if a := ask(t, c, http.MethodGet, r.gateway+"/", ""); a.header.Get("X-Traceparent") != "" {
		t.Errorf("the origin is told %q", a.header.Get("X-Traceparent"))
	}
}

// TestReceiverThatHangs lets the receiver of spans take connections and never answer: traffic and the end of the instance
// do not wait for it.
func TestReceiverThatHangs(t *testing.T) {
	hanging, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = hanging.Close() }()
	r := everything(t, traced(t).URL, fmt.Sprintf("tracing: {endpoint: \"http://%s\"}\n", hanging.Addr()))
	c := client(t)
	start := time.Now()
	const requests = 500
	for range requests {
		if a := ask(t, c, http.MethodGet, r.gateway+"/", ""); a.status != http.StatusOK {
			t.Fatalf("the answer has status %d", a.status)
		}
	}
	if took := time.Since(start); took > requests*20*time.Millisecond {
		t.Errorf("%d requests took %v", requests, took)
	}
	start = time.Now()
	r.stop()
	if took := time.Since(start); took > 15*time.Second {
		t.Errorf("it took %v to end", took)
	}
	if !strings.Contains(r.stderr.String(), "not all spans were sent") {
		t.Errorf("it does not say that spans were lost:\n%s", r.stderr)
	}
}
