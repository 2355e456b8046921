package har

import (
	"strconv"
	"strings"
	"time"

	"github.com/seshat-project/seshat"
	"github.com/seshat-project/seshat/internal/httpfield"
	"github.com/seshat-project/seshat/internal/ingest"
	"github.com/seshat-project/seshat/internal/ingest/jsonrecord"
)

// maxList is how many header fields, cookies or parameters a message may have; see the same bound of NDJSON.
const maxList = 10_000

// entry decodes entries into one exchange, whose memory it uses again and again.
type entry struct {
	cursor   jsonrecord.Cursor
	cuts     []int
	codings  ingest.Codings
	exchange seshat.Exchange
	url      string
	timings  float64
	request  message
	response message
}

// message is what an entry says of a request or a response.
type message struct {
	header  []seshat.Field
	host    string // ":authority"
	cookies []cookie
	params  []seshat.Field
	mime    string
	text    string
	coding  string // of text: "base64" or none
	hasText bool
	cut     bool
	size    int64
	memory  []byte // for a body that is made or decoded
}

func (m *message) reset() {
	clear(m.header)
	memory := m.memory[:0]
	if cap(memory) > maxText {
		memory = nil
	}
	*m = message{header: m.header[:0], cookies: m.cookies[:0], params: m.params[:0], memory: memory}
}

func (e *entry) decode(text []byte, cuts []int) error {
	e.cursor.Reset(text)
	e.cuts = cuts
	e.exchange = seshat.Exchange{}
	e.url, e.timings = "", 0
	e.request.reset()
	e.response.reset()
	if err := e.cursor.Object("entry", e.member); err != nil {
		return err
	}
	return e.complete()
}

func (e *entry) member(name string) (err error) {
	c := &e.cursor
	switch name {
	case "startedDateTime":
		e.exchange.Time, err = e.time()
	case "time":
		var milliseconds float64
		milliseconds, err = e.number()
		e.exchange.Duration = ingest.Duration(milliseconds, time.Millisecond)
	case "timings":
		err = e.object(func(name string) error {
			milliseconds, err := e.number()
			if name != "ssl" && milliseconds > 0 && name[:min(1, len(name))] != "_" { // ssl is part of connect
				e.timings += milliseconds
			}
			return err
		})
	case "request":
		err = c.Object("request", e.requestMember)
	case "response":
		err = e.object(e.responseMember)
	default:
		err = c.Skip()
	}
	return err
}

const timeHint = "such as 2026-01-02T03:04:05.678+01:00"

// time reads the start. The standard asks for RFC 3339; some tools leave out the colon of the zone, or the zone.
func (e *entry) time() (time.Time, error) {
	text, err := e.cursor.Text("startedDateTime")
	if err != nil || text == "" {
		return time.Time{}, err
	}
	for _, layout := range [...]string{time.RFC3339, "2006-01-02T15:04:05.999999999Z0700", "2006-01-02T15:04:05.999999999"} {
		t, err := time.Parse(layout, text)
		if err != nil {
			continue
		}
		if ingest.CheckTime(t) != nil {
			return time.Time{}, fault("startedDateTime", ingest.ErrTimeRange.Error(), "")
		}
		return t.UTC(), nil
	}
	return time.Time{}, fault("startedDateTime", "not an ISO 8601 time", timeHint)
}

func (e *entry) requestMember(name string) (err error) {
	request, c := &e.exchange.Request, &e.cursor
	switch name {
	case "method":
		request.Method, err = c.Text("request.method")
	case "url":
		e.url, err = c.Text("request.url")
	case "httpVersion":
		request.HTTPVersion, err = e.version()
	case "headers":
		err = e.headers(&e.request)
	case "cookies":
		err = e.cookies(&e.request)
	case "bodySize":
		e.request.size, err = e.size()
	case "postData":
		err = e.object(func(name string) error { return e.content(name, &e.request) })
	default:
		err = c.Skip()
	}
	return err
}

func (e *entry) responseMember(name string) (err error) {
	switch name {
	case "status":
		var status float64
		if status, err = e.number(); status >= 100 && status <= 999 {
			e.exchange.Response.Status = int(status)
		}
	case "httpVersion":
		var version string
		if version, err = e.version(); e.exchange.Request.HTTPVersion == "" {
			e.exchange.Request.HTTPVersion = version
		}
	case "headers":
		err = e.headers(&e.response)
	case "cookies":
		err = e.cookies(&e.response)
	case "content":
		err = e.object(func(name string) error { return e.content(name, &e.response) })
	default:
		err = e.cursor.Skip()
	}
	return err
}

// content reads a member of request.postData or of response.content.
func (e *entry) content(name string, m *message) (err error) {
	switch name {
	case "mimeType":
		m.mime, err = e.text()
	case "text":
		m.hasText = e.cursor.Kind() == '"'
		m.text, err = e.text()
		m.cut = e.wasCut()
	case "encoding":
		m.coding, err = e.text()
	case "size":
		m.size, err = e.size()
	case "params":
		err = e.params(m)
	default:
		err = e.cursor.Skip()
	}
	return err
}

// wasCut reports whether the string that was read last is only the beginning of the one in the file.
func (e *entry) wasCut() bool {
	for _, end := range e.cuts {
		if int64(end)+1 == e.cursor.Offset() {
			return true
		}
	}
	return false
}

func (e *entry) version() (string, error) {
	text, err := e.text()
	return ingest.HTTPVersion(text), err
}

// complete checks what must be there and puts the parts together.
func (e *entry) complete() error {
	x := &e.exchange
	switch {
	case x.Time.IsZero():
		return fault("startedDateTime", "missing", timeHint)
	case x.Request.Method == "":
		return fault("request.method", "missing", "")
	case e.url == "":
		return fault("request.url", "missing", "")
	}
	authority, err := e.splitURL()
	if err != nil {
		return err
	}
	if x.Duration == 0 {
		x.Duration = ingest.Duration(e.timings, time.Millisecond)
	}
	e.request.addCookie()
	e.response.addSetCookies()
	x.Request.Body = e.request.body()
	x.Response.Body = e.response.body()
	e.request.addContentType()
	e.response.addContentType()
	x.Request.Header, x.Response.Header = e.request.header, e.response.header
	e.codings.Remove(x.Request.Header, &x.Request.Body)
	e.codings.Remove(x.Response.Header, &x.Response.Body)
	host, _ := httpfield.Lookup(x.Request.Header, "Host")
	for _, name := range [...]string{host, e.request.host, authority} {
		if name != "" {
			x.Request.Host = name
			break
		}
	}
	x.Service = ingest.Service(x.Request.Scheme, x.Request.Host)
	return nil
}

// splitURL divides the URL as it was sent, decoding nothing, and returns its authority.
func (e *entry) splitURL() (authority string, err error) {
	request := &e.exchange.Request
	scheme, rest, ok := strings.Cut(e.url, ":")
	scheme = strings.ToLower(scheme)
	switch scheme {
	case "http", "https":
		request.Scheme = scheme
	case "ws", "wss": // the handshake of a WebSocket is an HTTP exchange (RFC 6455, section 4)
		request.Scheme = strings.Replace(scheme, "ws", "http", 1)
	default:
		if !ok || !isScheme(scheme) {
			return "", fault("request.url", "not a URL", "such as https://api.example/path?query")
		}
		return "", &notHTTPError{scheme}
	}
	rest, ok = strings.CutPrefix(rest, "//")
	if !ok {
		return "", fault("request.url", "not a URL", "such as https://api.example/path?query")
	}
	rest, _, _ = strings.Cut(rest, "#")
	end := strings.IndexAny(rest, "/?")
	if end < 0 {
		end = len(rest)
	}
	authority = rest[strings.LastIndexByte(rest[:end], '@')+1 : end]
	request.Path, request.Query, _ = strings.Cut(rest[end:], "?")
	if request.Path == "" {
		request.Path = "/"
	}
	return authority, nil
}

// isScheme reports whether s looks like the scheme of a URL (RFC 3986, section 3.1), in lower case. Nothing else is
// ever quoted from a URL.
func isScheme(s string) bool {
	const longest = 32
	if s == "" || len(s) > longest || s[0] < 'a' || s[0] > 'z' {
		return false
	}
	return strings.Trim(s, "abcdefghijklmnopqrstuvwxyz0123456789+-.") == ""
}

func fault(field, reason, hint string) error {
	return &ingest.FieldError{Field: field, Reason: reason, Hint: hint}
}

func faultList(field string) error {
	return fault(field, "more than "+strconv.Itoa(maxList)+" elements", "")
}
