package accesslog

import "strings"

// field is what a place in a log line means.
type field uint8

const (
	fieldIgnored field = iota
	fieldAddress
	fieldUser
	fieldTime        // any form that parseTime knows, of the start of the request
	fieldTimeCLF     // 02/Jan/2006:15:04:05 -0700
	fieldTimeEnd     // as fieldTime, of when the line was written
	fieldTimeLayout  // by the layout of the part
	fieldRequestLine // GET /path HTTP/1.1
	fieldMethod
	fieldTarget // path and query
	fieldPath
	fieldQuery
	fieldProtocol
	fieldStatus
	fieldResponseBody // bytes, without header
	fieldResponseSize // bytes, with header; only when fieldResponseBody is not there
	fieldRequestBody  // bytes
	fieldSeconds      // duration
	fieldMilliseconds
	fieldMicroseconds
	fieldNanoseconds
	fieldHost
	fieldServer // the server's own name; only when fieldHost is not there
	fieldScheme
	fieldID
	fieldTraceID
	fieldJA4
	fieldRequestHeader
	fieldResponseHeader
	fieldCookie
)

// place is a field with the name of its header field or cookie.
type place struct {
	field field
	name  string
}

// nginxVariable says what an NGINX variable means. See the documentation of NGINX, "Alphabetical index of variables".
func nginxVariable(name string) place {
	switch name {
	case "remote_addr":
		return place{field: fieldAddress}
	case "remote_user":
		return place{field: fieldUser}
	case "time_local":
		return place{field: fieldTimeCLF}
	case "time_iso8601":
		return place{field: fieldTime}
	case "msec":
		return place{field: fieldTimeEnd}
	case "request":
		return place{field: fieldRequestLine}
	case "request_method":
		return place{field: fieldMethod}
	case "request_uri":
		return place{field: fieldTarget}
	case "uri", "document_uri":
		return place{field: fieldPath}
	case "args", "query_string":
		return place{field: fieldQuery}
	case "server_protocol":
		return place{field: fieldProtocol}
	case "status":
		return place{field: fieldStatus}
	case "body_bytes_sent":
		return place{field: fieldResponseBody}
	case "bytes_sent":
		return place{field: fieldResponseSize}
	case "content_length":
		return place{field: fieldRequestBody}
	case "request_time":
		return place{field: fieldSeconds}
	case "host", "http_host":
		return place{field: fieldHost}
	case "server_name":
		return place{field: fieldServer}
	case "scheme":
		return place{field: fieldScheme}
	case "request_id":
		return place{field: fieldID}
	case "otel_trace_id", "opentelemetry_trace_id", "trace_id":
		return place{field: fieldTraceID}
	case "ja4", "ssl_ja4", "http_ssl_ja4":
		return place{field: fieldJA4}
	case "content_type":
		return place{fieldRequestHeader, "Content-Type"}
	case "seshat_exchange": // what deploy/nginx calls the ID that forward-auth answers with
		return place{fieldRequestHeader, "X-Seshat-Exchange"}
	}
	for _, prefix := range [...]struct {
		text  string
		field field
	}{
		{"sent_http_", fieldResponseHeader},
		{"upstream_http_", fieldResponseHeader},
		{"http_", fieldRequestHeader},
	} {
		if rest, ok := strings.CutPrefix(name, prefix.text); ok && rest != "" {
			return place{prefix.field, headerName(rest)}
		}
	}
	if rest, ok := strings.CutPrefix(name, "cookie_"); ok && rest != "" {
		return place{fieldCookie, rest}
	}
	return place{}
}

// headerName is the usual spelling of a header field whose name stands in a variable: "user_agent" is User-Agent.
func headerName(variable string) string {
	name := []byte(strings.ReplaceAll(variable, "_", "-"))
	for i, c := range name {
		if 'a' <= c && c <= 'z' && (i == 0 || name[i-1] == '-') {
			name[i] = c - 'a' + 'A'
		}
	}
	return string(name)
}

// apacheDirective says what a directive of Apache's LogFormat means: "%{name}verb". See the documentation of
// mod_log_config. The time is not among them: its form depends on its argument.
func apacheDirective(verb byte, name string) place {
	switch verb {
	case 'h', 'a':
		return place{field: fieldAddress}
	case 'u':
		return place{field: fieldUser}
	case 'r':
		return place{field: fieldRequestLine}
	case 'm':
		return place{field: fieldMethod}
	case 'U':
		return place{field: fieldPath}
	case 'q':
		return place{field: fieldQuery}
	case 'H':
		return place{field: fieldProtocol}
	case 's':
		return place{field: fieldStatus}
	case 'b', 'B':
		return place{field: fieldResponseBody}
	case 'O':
		return place{field: fieldResponseSize}
	case 'D':
		return place{field: fieldMicroseconds}
	case 'T':
		switch name {
		case "ms":
			return place{field: fieldMilliseconds}
		case "us":
			return place{field: fieldMicroseconds}
		}
		return place{field: fieldSeconds}
	case 'v', 'V':
		return place{field: fieldServer}
	case 'i':
		if strings.EqualFold(name, "Host") {
			return place{field: fieldHost}
		}
		return place{fieldRequestHeader, name}
	case 'o':
		return place{fieldResponseHeader, name}
	case 'C':
		return place{fieldCookie, name}
	}
	return place{}
}
