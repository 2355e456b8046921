package accesslog

import (
	"net/http"
	"strings"

	"github.com/seshat-project/seshat"
	"github.com/seshat-project/seshat/internal/ingest/jsonrecord"
)

// jsonFormat says what the members of a JSON log mean.
type jsonFormat func(r *record, c *jsonrecord.Cursor, name string) error

// readJSON reads a line of one JSON object into r.
func readJSON(c *jsonrecord.Cursor, line []byte, r *record, format jsonFormat) error {
	c.Reset(line)
	if err := c.Object("line", func(name string) error { return format(r, c, name) }); err != nil {
		return err
	}
	return c.End()
}

// take reads a scalar value for a place.
func take(r *record, c *jsonrecord.Cursor, p place) error {
	if p.field == fieldIgnored {
		return c.Skip()
	}
	value, err := c.Scalar()
	if err == nil {
		r.set(p, value)
	}
	return err
}

// nginxJSON reads what people make of NGINX's escape=json: members called like the variables, and by the names that are
// commonly used instead.
func nginxJSON(r *record, c *jsonrecord.Cursor, name string) error {
	return take(r, c, nginxMember(name))
}

func nginxMember(name string) place {
	switch name {
	case "time", "timestamp", "@timestamp", "time_local", "date":
		return place{field: fieldTime}
	case "client", "client_ip", "clientip", "remote_ip", "remote", "ip":
		return place{field: fieldAddress}
	case "user":
		return place{field: fieldUser}
	case "method":
		return place{field: fieldMethod}
	case "path":
		return place{field: fieldTarget}
	case "query":
		return place{field: fieldQuery}
	case "protocol":
		return place{field: fieldProtocol}
	case "bytes", "size":
		return place{field: fieldResponseBody}
	case "referer", "referrer", "http_referrer":
		return place{fieldRequestHeader, "Referer"}
	case "agent", "user_agent":
		return place{fieldRequestHeader, "User-Agent"}
	case "x_forwarded_for":
		return place{fieldRequestHeader, "X-Forwarded-For"}
	case "duration", "response_time":
		return place{field: fieldSeconds}
	case "vhost", "server":
		return place{field: fieldServer}
	}
	return nginxVariable(name)
}

// caddyJSON reads the access log of Caddy 2.
func caddyJSON(r *record, c *jsonrecord.Cursor, name string) error {
	switch name {
	case "request":
		if c.Kind() != '{' {
			return c.Skip()
		}
		return c.Object(name, func(name string) error { return caddyRequest(r, c, name) })
	case "resp_headers":
		return caddyHeader(c, &r.responseHeader)
	case "ts":
		return take(r, c, place{field: fieldTimeEnd})
	case "user_id":
		return take(r, c, place{field: fieldUser})
	case "duration":
		return take(r, c, place{field: fieldSeconds})
	case "status":
		return take(r, c, place{field: fieldStatus})
	case "size":
		return take(r, c, place{field: fieldResponseBody})
	case "bytes_read":
		return take(r, c, place{field: fieldRequestBody})
	case "traceID":
		return take(r, c, place{field: fieldTraceID})
	case "seshat_exchange": // what deploy/caddy appends
		return take(r, c, nginxVariable(name))
	}
	return c.Skip()
}

func caddyRequest(r *record, c *jsonrecord.Cursor, name string) error {
	switch name {
	case "remote_ip", "remote_addr": // remote_addr is of Caddy before 2.5
		return take(r, c, place{field: fieldAddress})
	case "client_ip": // behind trusted proxies
		return take(r, c, place{field: fieldAddress})
	case "proto":
		return take(r, c, place{field: fieldProtocol})
	case "method":
		return take(r, c, place{field: fieldMethod})
	case "host":
		return take(r, c, place{field: fieldHost})
	case "uri":
		return take(r, c, place{field: fieldTarget})
	case "headers":
		return caddyHeader(c, &r.requestHeader)
	case "tls":
		if c.Kind() == '{' {
			r.exchange.Request.Scheme = "https"
		}
	}
	return c.Skip()
}

// caddyHeader reads an object of lists of values. Values that Caddy hides are not values.
func caddyHeader(c *jsonrecord.Cursor, header *[]seshat.Field) error {
	if c.Kind() != '{' {
		return c.Skip()
	}
	return c.Object("headers", func(name string) error {
		if c.Kind() != '[' {
			return c.Skip()
		}
		return c.Array("headers", "", func(int) error {
			value, err := c.Scalar()
			if err == nil && value != "REDACTED" {
				*header = append(*header, seshat.Field{Name: name, Value: value})
			}
			return err
		})
	})
}

// envoyJSON reads a JSON access log of Envoy, with the names of its default format and of Istio. Names that NGINX logs
// have too are not among them: the two count durations in different units.
func envoyJSON(r *record, c *jsonrecord.Cursor, name string) error {
	return take(r, c, envoyMember(name))
}

func envoyMember(name string) place {
	switch name {
	case "start_time":
		return place{field: fieldTime}
	case "method":
		return place{field: fieldMethod}
	case "path", "x-envoy-original-path", "x_envoy_original_path":
		return place{field: fieldTarget}
	case "protocol":
		return place{field: fieldProtocol}
	case "response_code":
		return place{field: fieldStatus}
	case "bytes_received":
		return place{field: fieldRequestBody}
	case "bytes_sent":
		return place{field: fieldResponseBody}
	case "duration":
		return place{field: fieldMilliseconds}
	case "authority", ":authority":
		return place{field: fieldHost}
	case "requested_server_name":
		return place{field: fieldServer}
	case "scheme", "x-forwarded-proto", "x_forwarded_proto":
		return place{field: fieldScheme}
	case "downstream_remote_address", "downstream_remote_address_without_port":
		return place{field: fieldAddress}
	case "user_agent", "user-agent":
		return place{fieldRequestHeader, "User-Agent"}
	case "x_forwarded_for", "x-forwarded-for":
		return place{fieldRequestHeader, "X-Forwarded-For"}
	case "request_id", "x-request-id", "x_request_id": // the same in every proxy on the way, so it is not the exchange's own
		return place{fieldRequestHeader, "X-Request-Id"}
	case "referer", "cookie", "authorization", "set-cookie", "set_cookie":
		if strings.HasPrefix(name, "set") {
			return place{fieldResponseHeader, "Set-Cookie"}
		}
		return place{fieldRequestHeader, http.CanonicalHeaderKey(name)}
	case "trace_id":
		return place{field: fieldTraceID}
	case "ja4", "ja4_fingerprint":
		return place{field: fieldJA4}
	}
	return place{}
}

// traefikJSON reads the JSON access log of Traefik.
func traefikJSON(r *record, c *jsonrecord.Cursor, name string) error {
	return take(r, c, traefikMember(name))
}

func traefikMember(name string) place {
	switch name {
	case "StartUTC", "StartLocal":
		return place{field: fieldTime}
	case "ClientHost":
		return place{field: fieldAddress}
	case "ClientUsername":
		return place{field: fieldUser}
	case "RequestMethod":
		return place{field: fieldMethod}
	case "RequestPath":
		return place{field: fieldTarget}
	case "RequestProtocol":
		return place{field: fieldProtocol}
	case "RequestScheme":
		return place{field: fieldScheme}
	case "RequestAddr":
		return place{field: fieldHost}
	case "RequestHost":
		return place{field: fieldServer}
	case "RequestContentSize":
		return place{field: fieldRequestBody}
	case "DownstreamStatus":
		return place{field: fieldStatus}
	case "DownstreamContentSize":
		return place{field: fieldResponseBody}
	case "Duration":
		return place{field: fieldNanoseconds}
	case "TraceId":
		return place{field: fieldTraceID}
	}
	if rest, ok := strings.CutPrefix(name, "request_"); ok && rest != "" {
		return place{fieldRequestHeader, rest}
	}
	if rest, ok := strings.CutPrefix(name, "downstream_"); ok && rest != "" {
		return place{fieldResponseHeader, rest}
	}
	return place{}
}
