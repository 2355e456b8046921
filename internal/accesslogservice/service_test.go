package accesslogservice

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	corev3 "github.com/envoyproxy/go-control-plane/envoy/config/core/v3"
	accesslogv3 "github.com/envoyproxy/go-control-plane/envoy/data/accesslog/v3"
	servicev3 "github.com/envoyproxy/go-control-plane/envoy/service/accesslog/v3"
	"github.com/google/go-cmp/cmp"
	"google.golang.org/grpc/metadata"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/durationpb"
	"google.golang.org/protobuf/types/known/timestamppb"
	"google.golang.org/protobuf/types/known/wrapperspb"

	"github.com/seshat-project/seshat"
)

func TestCookies(t *testing.T) {
	f := func(joined string, want ...string) {
		t.Helper()
		if got := slices.Collect(cookies(joined)); !slices.Equal(got, want) {
			t.Errorf("%q: %q, want %q", joined, got, want)
		}
	}
	f("")
	f("a=1", "a=1")
	f("a=1,b=2", "a=1", "b=2")
	f("a=1; Path=/, b=2", "a=1; Path=/", "b=2")
	f("a=1; Expires=Wed, 21 Oct 2037 07:28:00 GMT,b=2; Expires=Wed, 21-Oct-37 07:28:00 GMT", "a=1; Expires=Wed, 21 Oct 2037 07:28:00 GMT", "b=2; Expires=Wed, 21-Oct-37 07:28:00 GMT")
	f("a=x,y; Path=/", "a=x,y; Path=/")
	f("a=1,,b=2,", "a=1,", "b=2,")
}

func FuzzCookies(f *testing.F) {
	f.Add("a=1; Expires=Wed, 21 Oct 2037 07:28:00 GMT,b=2")
	f.Add(",=,a=")
	f.Fuzz(func(t *testing.T, joined string) {
		var parts []string
		for c := range cookies(joined) {
			parts = append(parts, c)
		}
		strip := func(s string) string { return strings.Join(strings.Fields(strings.ReplaceAll(s, ",", "")), "") }
		if got := strip(strings.Join(parts, "")); got != strip(joined) {
			t.Errorf("%q became %q", joined, parts)
		}
	})
}

// recorder keeps copies of what it gets.
type recorder struct {
	got []seshat.Exchange
	err error
}

func (r *recorder) Observe(_ context.Context, x *seshat.Exchange) error {
	y := *x
	y.Request.Header, y.Response.Header = slices.Clone(x.Request.Header), slices.Clone(x.Response.Header)
	r.got = append(r.got, y)
	return r.err
}

func entry() *accesslogv3.HTTPAccessLogEntry {
	return &accesslogv3.HTTPAccessLogEntry{
		ProtocolVersion: accesslogv3.HTTPAccessLogEntry_HTTP2,
		CommonProperties: &accesslogv3.AccessLogCommon{
			StartTime: timestamppb.New(time.Unix(1_800_000_000, 5)), Duration: durationpb.New(7 * time.Millisecond),
			DownstreamRemoteAddress: &corev3.Address{Address: &corev3.Address_SocketAddress{SocketAddress: &corev3.SocketAddress{Address: "2001:db8::1"}}},
		},
		Request: &accesslogv3.HTTPRequestProperties{
			RequestMethod: corev3.RequestMethod_POST, Scheme: "https", Authority: "Shop.example:443", Path: "/rewritten", OriginalPath: "/a?b=c",
			UserAgent: "agent", RequestBodyBytes: 9, RequestId: "r1",
			RequestHeaders: map[string]string{"cookie": "SESS=a", "x-ja4": "t13d", ":path": "/a", "user-agent": "agent", "b": "\xff"},
		},
		Response: &accesslogv3.HTTPResponseProperties{
			ResponseCode: wrapperspb.UInt32(200), ResponseBodyBytes: 3, ResponseHeaders: map[string]string{"set-cookie": "a=1,b=2", "x": "y", ":status": "200"},
		},
	}
}

func TestEntries(t *testing.T) {
	to := &recorder{}
	s := New(Options{Observer: to, Environment: "test", JA4Header: "X-JA4"})
	whole := entry()
	f := func(change func(e *accesslogv3.HTTPAccessLogEntry)) *accesslogv3.HTTPAccessLogEntry {
		e := proto.Clone(whole).(*accesslogv3.HTTPAccessLogEntry)
		change(e)
		return e
	}
	message := &servicev3.StreamAccessLogsMessage{LogEntries: &servicev3.StreamAccessLogsMessage_HttpLogs{
		HttpLogs: &servicev3.StreamAccessLogsMessage_HTTPAccessLogEntries{LogEntry: []*accesslogv3.HTTPAccessLogEntry{
			whole,
			f(func(e *accesslogv3.HTTPAccessLogEntry) { e.CommonProperties = nil }),
			f(func(e *accesslogv3.HTTPAccessLogEntry) {
				e.CommonProperties.StartTime = timestamppb.New(time.Unix(0, 0))
			}),
			f(func(e *accesslogv3.HTTPAccessLogEntry) { e.Request.Path, e.Request.OriginalPath = "", "" }),
			f(func(e *accesslogv3.HTTPAccessLogEntry) {
				e.CommonProperties.AccessLogType = accesslogv3.AccessLogType_DownstreamPeriodic
			}),
			f(func(e *accesslogv3.HTTPAccessLogEntry) {
				e.CommonProperties.AccessLogType = accesslogv3.AccessLogType_UpstreamEnd
			}),
			f(func(e *accesslogv3.HTTPAccessLogEntry) { e.Response = nil }),
		}},
	}}
	r := s.reader(t.Context())
	s.take(t.Context(), r, message)
	s.take(t.Context(), r, &servicev3.StreamAccessLogsMessage{LogEntries: &servicev3.StreamAccessLogsMessage_TcpLogs{
		TcpLogs: &servicev3.StreamAccessLogsMessage_TCPAccessLogEntries{LogEntry: make([]*accesslogv3.TCPAccessLogEntry, 3)},
	}})
	if got, want := s.Stats(), (Stats{Entries: 2, Skipped: 5, Bad: 3}); got != want {
		t.Errorf("%+v, want %+v", got, want)
	}
	x := to.got[0]
	want := []seshat.Field{{Name: "b", Value: "\uFFFD"}, {Name: "cookie", Value: "SESS=a"}, {Name: "user-agent", Value: "agent"}}
	if diff := cmp.Diff(want, x.Request.Header); diff != "" {
		t.Error(diff)
	}
	want = []seshat.Field{{Name: "set-cookie", Value: "a=1"}, {Name: "set-cookie", Value: "b=2"}, {Name: "x", Value: "y"}}
	if diff := cmp.Diff(want, x.Response.Header); diff != "" {
		t.Error(diff)
	}
	if x.Client.JA4 != "t13d" || x.Client.IP.String() != "2001:db8::1" || x.Request.Path != "/a" || x.Request.Query != "b=c" || x.Service != "shop.example" ||
		x.Environment != "test" || x.Time.UnixNano() != 1_800_000_000_000_000_005 || x.Duration != 7*time.Millisecond || x.ID != "r1" ||
		x.Request.HTTPVersion != "2" || x.Request.Body.Size != 9 || x.Response.Status != 200 || x.Response.Body.Size != 3 {
		t.Errorf("%+v", x)
	}
	if x := to.got[1]; x.Response.Status != 0 || len(x.Response.Header) != 0 {
		t.Errorf("%+v", x)
	}
}

func TestLabelsAndFailures(t *testing.T) {
	to := &recorder{err: errors.New("the journal takes nothing")}
	s := New(Options{Observer: to, Environment: "test", Service: "fixed"})
	r := s.reader(metadata.NewIncomingContext(t.Context(), metadata.Pairs(EnvironmentMetadata, "staging", ServiceMetadata, "shop")))
	s.take(t.Context(), r, &servicev3.StreamAccessLogsMessage{LogEntries: &servicev3.StreamAccessLogsMessage_HttpLogs{
		HttpLogs: &servicev3.StreamAccessLogsMessage_HTTPAccessLogEntries{LogEntry: []*accesslogv3.HTTPAccessLogEntry{entry()}},
	}})
	if x := to.got[0]; x.Environment != "staging" || x.Service != "shop" {
		t.Errorf("%+v", x)
	}
	if s.Stats().Failed != 1 {
		t.Errorf("%+v", s.Stats())
	}
}
