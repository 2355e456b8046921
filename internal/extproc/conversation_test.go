package extproc

import (
	"bytes"
	"compress/gzip"
	"context"
	"strings"
	"testing"
	"time"

	filterv3 "github.com/envoyproxy/go-control-plane/envoy/extensions/filters/http/ext_proc/v3"
	extprocv3 "github.com/envoyproxy/go-control-plane/envoy/service/ext_proc/v3"
	"google.golang.org/grpc/metadata"
	"google.golang.org/protobuf/proto"
)

// talk is a conversation without a network.
type talk struct {
	t    testing.TB
	twin *twin
	c    *conversation
	ctx  context.Context
	over bool
	err  error
}

func newTalk(t testing.TB, options Options) *talk {
	w := newTwin()
	now := time.Unix(1_800_000_000, 0)
	options.Now = func() time.Time { now = now.Add(time.Millisecond); return now }
	s := newServer(w, options)
	return &talk{t: t, twin: w, c: s.pool.Get().(*conversation), ctx: context.Background()}
}

// say sends a message and returns the answer, nil when there is none.
func (k *talk) say(m *extprocv3.ProcessingRequest) *extprocv3.ProcessingResponse {
	k.t.Helper()
	if err := k.c.in.read(wire(k.t, m)); err != nil {
		k.t.Fatal(err)
	}
	k.over, k.err = k.c.step(k.ctx)
	if k.err != nil || k.c.out.isEmpty() {
		return nil
	}
	var answer extprocv3.ProcessingResponse
	if err := proto.Unmarshal(k.c.out.message(), &answer); err != nil {
		k.t.Fatal(err)
	}
	return &answer
}

// close ends the stream as the server does.
func (k *talk) close() {
	k.t.Helper()
	k.c.finish(k.ctx)
	k.c.reset()
	k.twin.settled(k.t)
}

func (k *talk) recorded() int {
	k.twin.mu.Lock()
	defer k.twin.mu.Unlock()
	return len(k.twin.ended)
}

func TestConversationWithoutBody(t *testing.T) {
	k := newTalk(t, Options{Environment: "test", NoMetadata: true})
	answer := k.say(requestHeader(true, ":method", "GET", ":path", "/", ":authority", "Shop.example:80", ":scheme", "http", "x-forwarded-for", "1.1.1.1, 203.0.113.9"))
	if !proto.Equal(answer, &extprocv3.ProcessingResponse{Response: &extprocv3.ProcessingResponse_RequestHeaders{RequestHeaders: &extprocv3.HeadersResponse{}}}) {
		t.Errorf("%v", answer)
	}
	if answer = k.say(responseHeader(true, ":status", "204")); len(answer.GetResponseHeaders().GetResponse().GetHeaderMutation().GetSetHeaders()) != 1 || !k.over {
		t.Errorf("%v, over %v", answer, k.over)
	}
	k.close()
	x := k.twin.take(t, "/")
	if x.Client.IP.String() != "203.0.113.9" || x.Service != "shop.example" || x.Environment != "test" || x.Response.Status != 204 || x.Duration != time.Millisecond {
		t.Errorf("%+v", x)
	}
	if k.recorded() != 0 {
		t.Error("it was recorded twice")
	}
}

func TestConversationLabels(t *testing.T) {
	k := newTalk(t, Options{Environment: "test", Service: "fixed", ServiceFrom: ServiceFromCluster})
	k.ctx = metadata.NewIncomingContext(k.ctx, metadata.Pairs(EnvironmentMetadata, "staging", ServiceMetadata, "shop"))
	k.say(requestHeader(true, ":method", "GET", ":path", "/", "x-request-id", strings.Repeat("x", 129)))
	k.close()
	if x := k.twin.take(t, "/"); x.Environment != "staging" || x.Service != "shop" || x.ID != "" {
		t.Errorf("%+v", x)
	}
}

func TestConversationEndsWhenTheStreamIsCut(t *testing.T) {
	f := func(messages ...*extprocv3.ProcessingRequest) {
		t.Helper()
		k := newTalk(t, Options{})
		for _, m := range messages {
			k.say(m)
		}
		k.close()
		if n := k.recorded(); n != 1 {
			t.Errorf("%d exchanges after %d messages", n, len(messages))
		}
	}
	login := requestHeader(false, ":method", "POST", ":path", "/login")
	f(login)
	f(login, requestBody(false, "a"))
	f(login, requestBody(true, "a"), responseHeader(false, ":status", "200"))
	f(login, requestBody(true, "a"), responseHeader(false, ":status", "200"), responseBody(false, "b"))
	f(login, requestTrailer())
	f(requestHeader(false, ":method", "POST", ":path", "/"), responseTrailer())
	f(typical())
}

func TestConversationRefusesWhatEnvoyNeverSays(t *testing.T) {
	f := func(recorded int, messages ...*extprocv3.ProcessingRequest) {
		t.Helper()
		k := newTalk(t, Options{})
		for _, m := range messages {
			if k.say(m); k.err != nil {
				break
			}
		}
		if k.err == nil {
			t.Errorf("taken: %v", messages)
		}
		k.close()
		if n := k.recorded(); n != recorded {
			t.Errorf("%d exchanges, want %d", n, recorded)
		}
	}
	f(0, responseHeader(true, ":status", "200"))
	f(0, requestBody(true, ""))
	f(1, typical(), typical())
	f(1, requestHeader(true, ":path", "/token"), responseHeader(false, ":status", "200"), responseHeader(false, ":status", "200"))
	rpc := typical()
	rpc.ProtocolConfig = &extprocv3.ProtocolConfiguration{RequestBodyMode: filterv3.ProcessingMode_GRPC}
	f(0, rpc)
}

func TestConversationRemovesContentCodings(t *testing.T) {
	var packed bytes.Buffer
	w := gzip.NewWriter(&packed)
	_, _ = w.Write([]byte(`{"user":"evil"}`))
	_ = w.Close()
	k := newTalk(t, Options{})
	k.say(requestHeader(false, ":method", "POST", ":path", "/login", "content-encoding", "gzip"))
	if answer := k.say(requestBody(true, packed.String())); answer.GetImmediateResponse() == nil {
		t.Errorf("%v", answer)
	}
	k.close()
	if x := k.twin.take(t, "/login"); string(x.Request.Body.Bytes) != `{"user":"evil"}` || x.Request.Body.Truncated || x.Request.Body.Size != int64(packed.Len()) {
		t.Errorf("%+v", x.Request.Body)
	}
}

// A body that packs gigabytes is cut.
func TestConversationBoundsUnpackedBodies(t *testing.T) {
	var packed bytes.Buffer
	w := gzip.NewWriter(&packed)
	_, _ = w.Write(make([]byte, 10<<20))
	_ = w.Close()
	k := newTalk(t, Options{})
	k.say(requestHeader(false, ":method", "POST", ":path", "/login", "content-encoding", "gzip"))
	k.say(requestBody(true, packed.String()))
	k.close()
	if x := k.twin.take(t, "/login"); len(x.Request.Body.Bytes) != 64<<10 || !x.Request.Body.Truncated {
		t.Errorf("%d bytes, truncated %v", len(x.Request.Body.Bytes), x.Request.Body.Truncated)
	}
}

func TestOverridesAreJudgedOnce(t *testing.T) {
	login := requestHeader(false, ":method", "POST", ":path", "/login")
	answered := responseHeader(true, ":status", "200")
	k := newTalk(t, Options{})
	s := k.c.server
	exchange := func(body bool) (waited bool) {
		k.c = s.pool.Get().(*conversation)
		k.say(login)
		waited = k.c.stage == stageAsked
		if body {
			k.say(requestBody(true, "text"))
		}
		k.say(answered)
		k.close()
		return waited
	}
	if !exchange(false) {
		t.Error("the first request did not wait for its body")
	}
	if exchange(false) {
		t.Error("a request waits for a body although the last did not come")
	}
	if exchange(true) {
		t.Error("a request waits for a body although none came so far")
	}
	for range 2 {
		if !exchange(false) {
			t.Error("a body that does not come changes what is known already")
		}
	}
}

// Whatever is said, each passage is ended once, and each answer can be read.
func FuzzConversation(f *testing.F) {
	f.Add([]byte{0, 2, 1}, false)
	f.Add([]byte{1, 4, 2, 9}, true)
	f.Add([]byte{1, 3, 4, 5, 6, 7, 8, 9}, false)
	f.Add([]byte{11, 3, 5, 7}, false)
	f.Add([]byte{12, 4, 5, 7, 8}, true)
	f.Add([]byte{13, 4, 6, 8, 9}, false)
	path := func(mode filterv3.ProcessingMode_BodySendMode, fields ...string) *extprocv3.ProcessingRequest {
		m := requestHeader(false, append([]string{":method", "POST", ":path", "/login"}, fields...)...)
		m.ProtocolConfig = &extprocv3.ProtocolConfiguration{RequestBodyMode: mode, ResponseBodyMode: mode}
		return m
	}
	observed := path(filterv3.ProcessingMode_STREAMED)
	observed.ObservabilityMode = true
	messages := []*extprocv3.ProcessingRequest{
		typical(), path(0), responseHeader(true, ":status", "200"), requestBody(false, "a"), requestBody(true, "evil"),
		responseHeader(false, ":status", "200"), responseHeader(false, ":status", "x"), responseBody(false, strings.Repeat("b", 40_000)), responseBody(true, "b"),
		requestTrailer(), responseTrailer(), path(filterv3.ProcessingMode_BUFFERED), path(filterv3.ProcessingMode_FULL_DUPLEX_STREAMED),
		path(filterv3.ProcessingMode_STREAMED), path(filterv3.ProcessingMode_BUFFERED_PARTIAL, "content-encoding", "gzip, br"),
		path(0, "x-over", "1"), path(0, "upgrade", "websocket"), path(0, "content-type", "application/grpc"), observed,
		{},
		path(filterv3.ProcessingMode_GRPC), requestHeader(true),
	}
	f.Fuzz(func(t *testing.T, steps []byte, failing bool) {
		k := newTalk(t, Options{})
		k.twin.failing = failing
		began := false
		for _, step := range steps {
			m := messages[int(step)%len(messages)]
			asks := m.GetRequest() != nil && !k.c.observing && !m.GetObservabilityMode()
			answer := k.say(m)
			if k.err == nil && (answer != nil) != asks {
				t.Fatalf("the answer to %v is %v", m, answer)
			}
			began = began || k.c.stage != stageNew
			if k.over || k.err != nil {
				break
			}
		}
		k.close()
		want := 0
		if began {
			want = 1
		}
		if n := k.recorded(); n != want {
			t.Fatalf("%d exchanges, want %d", n, want)
		}
	})
}
