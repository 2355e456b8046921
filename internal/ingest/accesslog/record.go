package accesslog

import (
	"encoding/base64"
	"errors"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"
	"unsafe"

	"github.com/seshat-project/seshat"
	"github.com/seshat-project/seshat/internal/httpfield"
	"github.com/seshat-project/seshat/internal/ingest"
)

// record collects the values of one line, whatever the format, and makes an exchange of them. Its memory is used
// again and again.
type record struct {
	exchange       seshat.Exchange
	requestHeader  []seshat.Field
	responseHeader []seshat.Field
	memory         []byte // texts that had to be made
	clf            clf

	user, target, server, line string
	cookies                    []seshat.Field
	timeIsEnd                  bool
	hasLine, hasBody           bool
	bad                        error // of the first value that could not be read
}

// keepMemory is how much memory for texts is kept from line to line.
const keepMemory = 1 << 20

func (r *record) reset() {
	if r.memory = r.memory[:0]; cap(r.memory) > keepMemory {
		r.memory = nil
	}
	r.exchange = seshat.Exchange{}
	r.requestHeader, r.responseHeader, r.cookies = r.requestHeader[:0], r.responseHeader[:0], r.cookies[:0]
	r.user, r.target, r.server, r.line = "", "", "", ""
	r.timeIsEnd, r.hasLine, r.hasBody, r.bad = false, false, false, nil
}

// set takes one value. "-" and nothing mean that there is none.
func (r *record) set(p place, value string) {
	if value == "" || value == "-" {
		r.hasLine = r.hasLine || p.field == fieldRequestLine
		return
	}
	x := &r.exchange
	switch p.field {
	case fieldAddress:
		x.Client.IP = ingest.AddressPort(value)
	case fieldUser:
		r.user = value
	case fieldTimeCLF:
		t, ok := r.clf.parse(value)
		r.setTime(t, ok)
	case fieldTime:
		t, ok := parseTime(value)
		r.setTime(t, ok)
	case fieldTimeEnd:
		t, ok := parseTime(value)
		r.setTime(t, ok)
		r.timeIsEnd = true
	case fieldRequestLine:
		r.line, r.hasLine = value, true
	case fieldMethod:
		x.Request.Method = value
	case fieldTarget:
		r.target = value
	case fieldPath:
		x.Request.Path = value
	case fieldQuery:
		x.Request.Query = strings.TrimPrefix(value, "?")
	case fieldProtocol:
		x.Request.HTTPVersion = ingest.HTTPVersion(value)
	case fieldStatus:
		if n, err := strconv.Atoi(value); err == nil && n >= 100 && n <= 999 {
			x.Response.Status = n
		} else if err != nil {
			r.bad = errStatus
		}
	case fieldResponseBody, fieldResponseSize, fieldRequestBody:
		r.setSize(p.field, value)
	case fieldSeconds, fieldMilliseconds, fieldMicroseconds, fieldNanoseconds:
		r.setDuration(p.field, value)
	case fieldHost:
		x.Request.Host = value
	case fieldServer:
		r.server = value
	case fieldScheme:
		x.Request.Scheme = strings.ToLower(value)
	case fieldID:
		if len(value) <= seshat.MaxExchangeID {
			x.ID = value
		}
	case fieldTraceID:
		if len(value) == 32 && strings.Trim(value, "0123456789abcdef") == "" {
			x.TraceID = value
		}
	case fieldJA4:
		x.Client.JA4 = value
	case fieldRequestHeader:
		r.requestHeader = append(r.requestHeader, seshat.Field{Name: p.name, Value: value})
	case fieldResponseHeader:
		r.responseHeader = append(r.responseHeader, seshat.Field{Name: p.name, Value: value})
	case fieldCookie:
		r.cookies = append(r.cookies, seshat.Field{Name: p.name, Value: value})
	case fieldIgnored, fieldTimeLayout:
	}
}

var (
	errTime   = &ingest.FieldError{Field: "time", Reason: "not a time"}
	errNoTime = &ingest.FieldError{Field: "time", Reason: "missing"}
	errStatus = &ingest.FieldError{Field: "status", Reason: "not a number"}
	errEmpty  = errors.New("neither a request nor a client address")
)

func (r *record) setTime(t time.Time, ok bool) {
	if !ok {
		r.bad = errTime
		return
	}
	if r.exchange.Time.IsZero() || t.Nanosecond() > 0 { // the most exact of several
		r.exchange.Time = t
	}
}

func (r *record) setSize(f field, value string) {
	n, err := strconv.ParseInt(value, 10, 64)
	if err != nil || n < 0 {
		return
	}
	body := seshat.Body{Size: n, Truncated: n > 0}
	switch {
	case f == fieldRequestBody:
		r.exchange.Request.Body = body
	case f == fieldResponseBody || !r.hasBody:
		r.exchange.Response.Body = body
		r.hasBody = r.hasBody || f == fieldResponseBody
	}
}

func (r *record) setDuration(f field, value string) {
	n, err := strconv.ParseFloat(value, 64)
	if err != nil {
		if d, err := time.ParseDuration(value); err == nil { // Caddy can write "1.5ms"
			r.exchange.Duration = ingest.Duration(float64(d), 1)
		}
		return
	}
	unit := time.Second
	switch f {
	case fieldMilliseconds:
		unit = time.Millisecond
	case fieldMicroseconds:
		unit = time.Microsecond
	case fieldNanoseconds:
		unit = time.Nanosecond
	default:
	}
	if d := ingest.Duration(n, unit); r.exchange.Duration == 0 || d%time.Second != 0 {
		r.exchange.Duration = d
	}
}

// complete makes the exchange.
func (r *record) complete() error {
	x := &r.exchange
	switch {
	case r.bad != nil:
		return r.bad
	case x.Time.IsZero():
		return errNoTime
	}
	if r.timeIsEnd {
		x.Time = x.Time.Add(-x.Duration)
	}
	if r.line != "" && x.Request.Method == "" {
		r.requestLine()
	}
	if r.target != "" {
		r.requestTarget(r.target)
	}
	if x.Request.Path == "" && !x.Client.IP.IsValid() {
		return errEmpty
	}
	if x.Request.Host == "" {
		if x.Request.Host, _ = httpfield.Lookup(r.requestHeader, "Host"); x.Request.Host == "" {
			x.Request.Host = r.server
		}
	}
	x.Service = ingest.Service(x.Request.Scheme, x.Request.Host)
	r.addCookies()
	r.addUser()
	x.Request.Header, x.Response.Header = r.requestHeader, r.responseHeader
	return nil
}

// requestLine divides "GET /path?query HTTP/1.1". Of a line that is none, such as the beginning of a TLS handshake on
// a plain port, nothing is taken: method and path stay empty.
func (r *record) requestLine() {
	method, rest, ok := strings.Cut(r.line, " ")
	if !ok || !isMethod(method) {
		return
	}
	target := rest
	if i := strings.LastIndexByte(rest, ' '); i >= 0 && strings.HasPrefix(rest[i+1:], "HTTP/") {
		r.exchange.Request.HTTPVersion = ingest.HTTPVersion(rest[i+1:])
		target = rest[:i]
	}
	r.exchange.Request.Method = method
	if r.target == "" {
		r.target = target
	}
}

// longestMethod is longer than any registered method, and shorter than most rubbish.
const longestMethod = 32

func isMethod(s string) bool {
	if s == "" || len(s) > longestMethod {
		return false
	}
	for i := range len(s) {
		if c := s[i] | 0x20; (c < 'a' || c > 'z') && s[i] != '-' && s[i] != '_' {
			return false
		}
	}
	return true
}

// requestTarget divides the target of a request (RFC 9112, section 3.2). Requests to a proxy name the host too.
func (r *record) requestTarget(target string) {
	request := &r.exchange.Request
	if len(target) > len("http://") && (target[0]|0x20) == 'h' {
		scheme, rest, ok := strings.Cut(target, "://")
		if ok && (strings.EqualFold(scheme, "http") || strings.EqualFold(scheme, "https")) {
			end := strings.IndexAny(rest, "/?")
			if end < 0 {
				end = len(rest)
			}
			request.Scheme = strings.ToLower(scheme)
			if request.Host == "" {
				request.Host = rest[:end]
			}
			if target = rest[end:]; target == "" || target[0] == '?' {
				target = "/" + target
			}
		}
	}
	path, query, _ := strings.Cut(target, "?")
	request.Path = path
	if request.Query == "" {
		request.Query = query
	}
}

// addCookies puts cookies that were logged one by one into a Cookie field, unless the whole field was logged.
func (r *record) addCookies() {
	if len(r.cookies) == 0 || httpfield.Find(r.requestHeader, "Cookie", 0) >= 0 {
		return
	}
	start := len(r.memory)
	for i, c := range r.cookies {
		if i > 0 {
			r.memory = append(r.memory, "; "...)
		}
		r.memory = append(append(append(r.memory, c.Name...), '='), c.Value...)
	}
	r.requestHeader = append(r.requestHeader, seshat.Field{Name: "Cookie", Value: r.text(start)})
}

// addUser adds the Authorization field from which the server took the user that it logged, with an empty password: so
// the user is found where it is found in any other source. Servers log the user of HTTP Basic (RFC 7617) there.
func (r *record) addUser() {
	if r.user == "" || httpfield.Find(r.requestHeader, "Authorization", 0) >= 0 {
		return
	}
	start := len(r.memory)
	r.memory = append(append(r.memory, r.user...), ':')
	credentials := len(r.memory)
	r.memory = append(r.memory, "Basic "...)
	r.memory = base64.StdEncoding.AppendEncode(r.memory, r.memory[start:credentials])
	r.requestHeader = append(r.requestHeader, seshat.Field{Name: "Authorization", Value: r.text(credentials)})
}

// text is what was appended to the memory since start.
func (r *record) text(start int) string {
	b := r.memory[start:]
	return unsafe.String(unsafe.SliceData(b), len(b)) //nolint:gosec // see the comment
}

// clean is b as text: escape sequences are undone where the format has them, and bytes that are not UTF-8 replaced.
// The common case is the bytes themselves.
func (r *record) clean(b []byte, escaped bool) string {
	s := unsafe.String(unsafe.SliceData(b), len(b)) //nolint:gosec // see the comment
	if escaped {
		start := len(r.memory)
		r.memory = unescape(r.memory, b)
		s = r.text(start)
	}
	if !utf8.ValidString(s) {
		return ingest.Text(s)
	}
	return s
}
