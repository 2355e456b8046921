package accesslogservice

import (
	"cmp"
	"net/netip"
	"slices"
	"strings"
	"time"

	corev3 "github.com/envoyproxy/go-control-plane/envoy/config/core/v3"
	accesslogv3 "github.com/envoyproxy/go-control-plane/envoy/data/accesslog/v3"
	"google.golang.org/protobuf/types/known/durationpb"

	"github.com/seshat-project/seshat"
	"github.com/seshat-project/seshat/internal/httpfield"
	"github.com/seshat-project/seshat/internal/ingest"
)

// reader turns entries into exchanges. It belongs to one stream, and its exchange is used again for the next entry.
type reader struct {
	environment, service, ja4 string
	x                         seshat.Exchange
}

// read reads an entry into r.x. It returns false when it has not what an exchange needs.
func (r *reader) read(entry *accesslogv3.HTTPAccessLogEntry) bool {
	x := &r.x
	*x = seshat.Exchange{
		Environment: r.environment, Service: r.service,
		Request:  seshat.Request{Header: x.Request.Header[:0]},
		Response: seshat.Response{Header: x.Response.Header[:0]},
	}
	common, request, response := entry.GetCommonProperties(), entry.GetRequest(), entry.GetResponse()
	if !r.times(common) || !r.request(request) {
		return false
	}
	x.Request.HTTPVersion = version(entry.GetProtocolVersion())
	if id := request.GetRequestId(); len(id) <= seshat.MaxExchangeID {
		x.ID = ingest.Text(id)
	}
	x.Client.IP = address(common.GetDownstreamRemoteAddress())
	if x.Service == "" {
		x.Service = ingest.Service(x.Request.Scheme, x.Request.Host)
	}
	r.response(response)
	return true
}

func (r *reader) times(common *accesslogv3.AccessLogCommon) bool {
	start := common.GetStartTime()
	if start == nil || !start.IsValid() {
		return false
	}
	r.x.Time = start.AsTime()
	if ingest.CheckTime(r.x.Time) != nil {
		return false
	}
	d := cmp.Or(duration(common.GetDuration()), duration(common.GetTimeToLastDownstreamTxByte()))
	r.x.Duration = d
	return true
}

func duration(d *durationpb.Duration) time.Duration {
	if d == nil || !d.IsValid() {
		return 0
	}
	return ingest.Duration(float64(d.AsDuration()), time.Nanosecond)
}

// request reads the request. What Envoy logs of it without being asked is made fields again.
func (r *reader) request(p *accesslogv3.HTTPRequestProperties) bool {
	x := &r.x.Request
	x.Method = method(p)
	x.Scheme = strings.ToLower(ingest.Text(p.GetScheme()))
	x.Host = ingest.Text(p.GetAuthority())
	x.Path, x.Query, _ = strings.Cut(ingest.Text(cmp.Or(p.GetOriginalPath(), p.GetPath())), "?")
	if x.Method == "" || x.Path == "" {
		return false
	}
	for _, name := range slices.Sorted(mapKeys(p.GetRequestHeaders())) {
		value := ingest.Text(p.GetRequestHeaders()[name])
		switch {
		case strings.HasPrefix(name, ":"):
			continue
		case r.ja4 != "" && httpfield.EqualFold(name, r.ja4):
			r.x.Client.JA4 = value
			continue
		}
		x.Header = append(x.Header, seshat.Field{Name: ingest.Text(name), Value: value})
	}
	r.known("user-agent", p.GetUserAgent())
	r.known("referer", p.GetReferer())
	r.known("x-forwarded-for", p.GetForwardedFor())
	x.Body.Size = int64(p.GetRequestBodyBytes())
	return true
}

// known adds a field that Envoy logs as a property, unless it is there.
func (r *reader) known(name, value string) {
	if value == "" || httpfield.Find(r.x.Request.Header, name, 0) >= 0 {
		return
	}
	r.x.Request.Header = append(r.x.Request.Header, seshat.Field{Name: name, Value: ingest.Text(value)})
}

func (r *reader) response(p *accesslogv3.HTTPResponseProperties) {
	x := &r.x.Response
	if status := p.GetResponseCode().GetValue(); status >= 100 && status <= 999 {
		x.Status = int(status)
	}
	x.Body.Size = int64(p.GetResponseBodyBytes())
	for _, name := range slices.Sorted(mapKeys(p.GetResponseHeaders())) {
		value := ingest.Text(p.GetResponseHeaders()[name])
		switch {
		case strings.HasPrefix(name, ":"):
		case httpfield.EqualFold(name, "set-cookie"):
			for cookie := range cookies(value) {
				x.Header = append(x.Header, seshat.Field{Name: ingest.Text(name), Value: cookie})
			}
		default:
			x.Header = append(x.Header, seshat.Field{Name: ingest.Text(name), Value: value})
		}
	}
}

func mapKeys(m map[string]string) func(yield func(string) bool) {
	return func(yield func(string) bool) {
		for name := range m {
			if !yield(name) {
				return
			}
		}
	}
}

// method is the method of a request. Methods that Envoy has no name for are in the header where it was told to log
// ":method".
func method(p *accesslogv3.HTTPRequestProperties) string {
	if m := p.GetRequestMethod(); m != corev3.RequestMethod_METHOD_UNSPECIFIED {
		return m.String()
	}
	return ingest.Text(p.GetRequestHeaders()[":method"])
}

func version(v accesslogv3.HTTPAccessLogEntry_HTTPVersion) string {
	switch v {
	case accesslogv3.HTTPAccessLogEntry_HTTP10:
		return "1.0"
	case accesslogv3.HTTPAccessLogEntry_HTTP11:
		return "1.1"
	case accesslogv3.HTTPAccessLogEntry_HTTP2:
		return "2"
	case accesslogv3.HTTPAccessLogEntry_HTTP3:
		return "3"
	default:
		return ""
	}
}

// address is the address of the client, as Envoy understands x-forwarded-for.
func address(a *corev3.Address) netip.Addr {
	return ingest.Address(a.GetSocketAddress().GetAddress())
}
