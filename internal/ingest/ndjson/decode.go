package ndjson

import (
	"encoding/base64"
	"strconv"
	"strings"
	"time"
	"unsafe"

	"github.com/seshat-project/seshat"
	"github.com/seshat-project/seshat/internal/ingest"
	"github.com/seshat-project/seshat/internal/ingest/jsonrecord"
)

// maxFields is how many header fields a message may have. Servers refuse more than some hundred; the bound keeps a
// hostile line from filling the memory with empty fields.
const maxFields = 10_000

// decoder decodes records into one exchange, whose memory it uses again and again.
type decoder struct {
	cursor          jsonrecord.Cursor
	codings         ingest.Codings
	exchange        seshat.Exchange
	requestHeader   []seshat.Field
	responseHeader  []seshat.Field
	requestContent  content
	responseContent content
	hasService      bool
	hasQuery        bool
}

func (d *decoder) decode(text []byte) error {
	d.cursor.Reset(text)
	d.exchange = seshat.Exchange{}
	d.hasService = false
	d.resetRequest()
	d.resetResponse()
	if k := d.cursor.Kind(); k != '{' && k != 0 {
		return errNoObject
	}
	if err := d.cursor.Object("", d.member); err != nil {
		return err
	}
	if err := d.cursor.End(); err != nil {
		return err
	}
	return d.complete()
}

func (d *decoder) resetRequest() {
	d.exchange.Request = seshat.Request{}
	d.requestHeader = d.requestHeader[:0]
	d.requestContent.reset()
	d.hasQuery = false
}

func (d *decoder) resetResponse() {
	d.exchange.Response = seshat.Response{}
	d.responseHeader = d.responseHeader[:0]
	d.responseContent.reset()
}

// member reads one member of the record.
func (d *decoder) member(name string) (err error) {
	x, c := &d.exchange, &d.cursor
	switch name {
	case "id":
		if x.ID, err = c.Text("id"); err == nil && len(x.ID) > seshat.MaxExchangeID {
			return fault("id", "longer than "+strconv.Itoa(seshat.MaxExchangeID)+" bytes", "")
		}
	case "time":
		x.Time, err = d.time()
	case "duration_ms":
		var n float64
		n, _, err = c.Number("duration_ms")
		x.Duration = ingest.Duration(n, time.Millisecond)
	case "environment":
		x.Environment, err = c.Text("environment")
	case "service":
		x.Service, err = c.Text("service")
		d.hasService = x.Service != ""
	case "client":
		x.Client = seshat.Client{}
		err = c.Object("client", d.client)
	case "request":
		d.resetRequest()
		err = c.Object("request", d.request)
	case "response":
		d.resetResponse()
		err = c.Object("response", d.response)
	case "trace_id":
		x.TraceID, err = d.traceID()
	default:
		err = c.Skip()
	}
	return err
}

const timeHint = "such as 2026-01-02T03:04:05.678901Z"

func (d *decoder) time() (time.Time, error) {
	if d.cursor.Kind() == '0' {
		return time.Time{}, fault("time", "a number where RFC 3339 text is expected", timeHint)
	}
	text, err := d.cursor.Text("time")
	if err != nil || text == "" {
		return time.Time{}, err
	}
	t, err := time.Parse(time.RFC3339, text)
	if err != nil {
		return time.Time{}, fault("time", "not RFC 3339", timeHint)
	}
	if ingest.CheckTime(t) != nil {
		return time.Time{}, fault("time", ingest.ErrTimeRange.Error(), "")
	}
	return t.UTC(), nil
}

func (d *decoder) traceID() (string, error) {
	id, err := d.cursor.Text("trace_id")
	if err != nil || id == "" {
		return "", err
	}
	if len(id) != 32 {
		return "", fault("trace_id", "not 32 hexadecimal digits", "")
	}
	for i := range len(id) {
		if c := id[i] | 0x20; (c < '0' || c > '9') && (c < 'a' || c > 'f') {
			return "", fault("trace_id", "not 32 hexadecimal digits", "")
		}
	}
	return strings.ToLower(id), nil
}

// maxJA4 is more than any JA4 fingerprint has (36 characters), to leave room for its successors.
const maxJA4 = 128

func (d *decoder) client(name string) error {
	client, c := &d.exchange.Client, &d.cursor
	switch name {
	case "ip":
		text, err := c.Text("client.ip")
		if err != nil || text == "" {
			return err
		}
		if client.IP = ingest.Address(text); !client.IP.IsValid() {
			return fault("client.ip", "not an IP address", "such as 203.0.113.9, without port")
		}
		return nil
	case "ja4":
		text, err := c.Text("client.ja4")
		if client.JA4 = text; err == nil && len(text) > maxJA4 {
			return fault("client.ja4", "longer than "+strconv.Itoa(maxJA4)+" bytes", "")
		}
		return err
	default:
		return c.Skip()
	}
}

func (d *decoder) request(name string) (err error) {
	request, c := &d.exchange.Request, &d.cursor
	switch name {
	case "method":
		request.Method, err = c.Text("request.method")
	case "scheme":
		request.Scheme, err = c.Text("request.scheme")
	case "host":
		request.Host, err = c.Text("request.host")
	case "path":
		request.Path, err = c.Text("request.path")
	case "query":
		d.hasQuery = c.Kind() != 'n'
		request.Query, err = c.Text("request.query")
	case "http_version":
		var text string
		text, err = c.Text("request.http_version")
		request.HTTPVersion = ingest.HTTPVersion(text)
	case "headers":
		d.requestHeader, err = d.fields("request.headers", d.requestHeader[:0])
	default:
		return d.body(name, "request.", &d.requestContent)
	}
	return err
}

func (d *decoder) response(name string) (err error) {
	switch name {
	case "status":
		var n int64
		if n, _, err = d.cursor.Integer("response.status"); err != nil {
			return err
		}
		if n != 0 && (n < 100 || n > 999) {
			return fault("response.status", "not between 100 and 999", "0, or no field, when no response was seen")
		}
		d.exchange.Response.Status = int(n)
	case "headers":
		d.responseHeader, err = d.fields("response.headers", d.responseHeader[:0])
	default:
		return d.body(name, "response.", &d.responseContent)
	}
	return err
}

const fieldsWanted = "a list of [name, value]"

// fields reads a list of header fields into fields.
func (d *decoder) fields(name string, fields []seshat.Field) ([]seshat.Field, error) {
	c := &d.cursor
	err := c.Array(name, fieldsWanted, func(i int) error {
		if i == maxFields {
			return fault(name, "more than "+strconv.Itoa(maxFields)+" fields", "")
		}
		var field seshat.Field
		var n int
		if k := c.Kind(); k != '[' && k != 0 {
			return faultAt(name, i, "not a list of name and value")
		}
		err := c.Array(name, fieldsWanted, func(part int) (err error) {
			if k := c.Kind(); k != '"' && k != 0 {
				return faultAt(name, i, "name and value must be strings")
			}
			switch n++; part {
			case 0:
				field.Name, err = c.Text(name)
			case 1:
				field.Value, err = c.Text(name)
			default:
				err = faultAt(name, i, "more than a name and a value")
			}
			return err
		})
		if err == nil && n != 2 {
			return faultAt(name, i, "not a list of name and value")
		}
		fields = append(fields, field)
		return err
	})
	return fields, err
}

// content is what a record says of a body.
type content struct {
	text      string
	base64    string
	isText    bool
	isBase64  bool
	size      int64
	truncated bool
	decoded   []byte // memory for the decoded body
}

// keepBody is how much memory for a decoded body is kept from one record to the next.
const keepBody = 1 << 20

func (b *content) reset() {
	memory := b.decoded[:0]
	if cap(memory) > keepBody {
		memory = nil
	}
	*b = content{decoded: memory}
}

// body reads what is common to both messages, and skips what is unknown.
func (d *decoder) body(name, message string, b *content) (err error) {
	c := &d.cursor
	switch name {
	case "body":
		b.isText = c.Kind() != 'n'
		b.text, err = c.Text(field(message, "body"))
	case "body_base64":
		b.isBase64 = c.Kind() != 'n'
		b.base64, err = c.Text(field(message, "body_base64"))
	case "body_bytes":
		if b.size, _, err = c.Integer(field(message, "body_bytes")); err == nil && b.size < 0 {
			return fault(message+"body_bytes", "negative", "")
		}
	case "body_truncated":
		b.truncated, err = c.Bool(field(message, "body_truncated"))
	default:
		err = c.Skip()
	}
	return err
}

// field names a field of a message. It allocates nothing for the names there are: errors are rare, fields are not.
func field(message, name string) string {
	if message == "request." {
		switch name {
		case "body":
			return "request.body"
		case "body_base64":
			return "request.body_base64"
		case "body_bytes":
			return "request.body_bytes"
		case "body_truncated":
			return "request.body_truncated"
		}
	}
	switch name {
	case "body":
		return "response.body"
	case "body_base64":
		return "response.body_base64"
	case "body_bytes":
		return "response.body_bytes"
	}
	return "response.body_truncated"
}

// body makes the body of an exchange of what the record says.
func (b *content) body(message string) (seshat.Body, error) {
	body := seshat.Body{Size: b.size, Truncated: b.truncated}
	switch {
	case b.isText && b.isBase64:
		return body, fault(message+"body_base64", "given together with body", "body_base64 replaces body when it is not UTF-8")
	case b.isBase64:
		var err error
		if b.decoded, err = base64.StdEncoding.AppendDecode(b.decoded, bytesOf(b.base64)); err != nil {
			return body, fault(message+"body_base64", "not Base64", "the standard alphabet with padding, RFC 4648 section 4")
		}
		body.Bytes = b.decoded
	case b.text != "":
		body.Bytes = bytesOf(b.text)
	}
	if have := int64(len(body.Bytes)); body.Size < have {
		body.Size = have
	}
	return body, nil
}

// bytesOf is s without a copy. The bytes may not be changed.
func bytesOf(s string) []byte { return unsafe.Slice(unsafe.StringData(s), len(s)) } //nolint:gosec // see the comment

func fault(field, reason, hint string) error {
	return &ingest.FieldError{Field: field, Reason: reason, Hint: hint}
}

func faultAt(field string, i int, reason string) error {
	return fault(field+"["+strconv.Itoa(i)+"]", reason, fieldsWanted+" is expected")
}
