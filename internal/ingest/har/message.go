package har

import (
	"encoding/base64"
	"net/http"
	"net/url"
	"strings"
	"time"
	"unsafe"

	"github.com/seshat-project/seshat"
	"github.com/seshat-project/seshat/internal/httpfield"
)

// headers reads the header fields. The pseudo fields of HTTP/2 are no fields; the host is taken from them. Chrome joins
// repeated Set-Cookie fields with line ends, which no field value can hold: they are taken apart again.
func (e *entry) headers(m *message) error {
	m.header = m.header[:0]
	return e.pairs("headers", func(f seshat.Field) {
		switch {
		case f.Name == "":
		case f.Name[0] == ':':
			if f.Name == ":authority" {
				m.host = f.Value
			}
		case httpfield.EqualFold(f.Name, "Set-Cookie") && strings.Contains(f.Value, "\n"):
			for line := range strings.SplitSeq(f.Value, "\n") {
				m.header = append(m.header, seshat.Field{Name: f.Name, Value: strings.TrimSuffix(line, "\r")})
			}
		default:
			m.header = append(m.header, f)
		}
	})
}

// cookie is a cookie as HAR describes it.
type cookie struct {
	name, value, path, domain, expires, sameSite string
	httpOnly, secure                             bool
}

func (e *entry) cookies(m *message) error {
	m.cookies = m.cookies[:0]
	var c cookie
	return e.objects("cookies", func(name string) (err error) {
		switch name {
		case "name":
			c.name, err = e.text()
		case "value":
			c.value, err = e.text()
		case "path":
			c.path, err = e.text()
		case "domain":
			c.domain, err = e.text()
		case "expires":
			c.expires, err = e.text()
		case "sameSite":
			c.sameSite, err = e.text()
		case "httpOnly":
			c.httpOnly = e.cursor.Kind() == 't'
			err = e.cursor.Skip()
		case "secure":
			c.secure = e.cursor.Kind() == 't'
			err = e.cursor.Skip()
		default:
			err = e.cursor.Skip()
		}
		return err
	}, func() {
		m.cookies = append(m.cookies, c)
		c = cookie{}
	})
}

// addCookie makes a Cookie field of the list of cookies when the tool kept the field back, as Chrome does with
// requests whose header it had not yet seen.
func (m *message) addCookie() {
	if len(m.cookies) == 0 || httpfield.Find(m.header, "Cookie", 0) >= 0 {
		return
	}
	var b strings.Builder
	for i := range m.cookies {
		if c := &m.cookies[i]; c.name != "" {
			if b.Len() > 0 {
				b.WriteString("; ")
			}
			b.WriteString(c.name + "=" + c.value)
		}
	}
	if b.Len() > 0 {
		m.header = append(m.header, seshat.Field{Name: "Cookie", Value: b.String()})
	}
}

// addSetCookies makes Set-Cookie fields of the list of cookies when the header has none.
func (m *message) addSetCookies() {
	if len(m.cookies) == 0 || httpfield.Find(m.header, "Set-Cookie", 0) >= 0 {
		return
	}
	for i := range m.cookies {
		if c := &m.cookies[i]; c.name != "" {
			m.header = append(m.header, seshat.Field{Name: "Set-Cookie", Value: c.String()})
		}
	}
}

// String is the cookie as the value of a Set-Cookie field.
func (c *cookie) String() string {
	var b strings.Builder
	b.WriteString(c.name + "=" + c.value)
	for _, attribute := range [...][2]string{{"Path", c.path}, {"Domain", c.domain}, {"SameSite", c.sameSite}} {
		if attribute[1] != "" {
			b.WriteString("; " + attribute[0] + "=" + attribute[1])
		}
	}
	if t, err := time.Parse(time.RFC3339, c.expires); err == nil {
		b.WriteString("; Expires=" + t.UTC().Format(http.TimeFormat))
	}
	if c.httpOnly {
		b.WriteString("; HttpOnly")
	}
	if c.secure {
		b.WriteString("; Secure")
	}
	return b.String()
}

func (e *entry) params(m *message) error {
	m.params = m.params[:0]
	return e.pairs("params", func(f seshat.Field) { m.params = append(m.params, f) })
}

// addContentType adds a Content-Type field when the entry names the type of the body and the header does not: whoever
// reads the body needs it.
func (m *message) addContentType() {
	if m.mime != "" && m.mime != "x-unknown" && httpfield.Find(m.header, "Content-Type", 0) < 0 {
		m.header = append(m.header, seshat.Field{Name: "Content-Type", Value: m.mime})
	}
}

// body makes the body of what the entry says.
func (m *message) body() seshat.Body {
	body := seshat.Body{Size: m.size, Truncated: m.cut}
	switch {
	case m.text != "" && httpfield.EqualFold(m.coding, "base64"):
		body.Bytes = m.decodeBase64()
	case m.text != "":
		body.Bytes = bytesOf(m.text)
	case len(m.params) > 0:
		body.Bytes = m.form()
	default:
		body.Truncated = m.size > 0 // the tool kept no content
	}
	body.Size = max(body.Size, int64(len(body.Bytes)))
	return body
}

// decodeBase64 decodes the text as far as it is Base64. A text that was cut may end within a group of four characters.
func (m *message) decodeBase64() []byte {
	text := strings.TrimRight(m.text, "=")
	if m.cut || len(text)%4 == 1 {
		text = text[:len(text)/4*4]
	}
	decoded, err := base64.RawStdEncoding.AppendDecode(m.memory[:0], bytesOf(text))
	if err != nil {
		return bytesOf(m.text) // it says what it is not
	}
	m.memory = decoded
	return decoded
}

// form makes a body of the parameters, for tools that take it apart and do not keep it.
func (m *message) form() []byte {
	b := m.memory[:0]
	mime := m.mime
	if named, ok := httpfield.Lookup(m.header, "Content-Type"); ok {
		mime = named
	}
	switch boundary, multipart := httpfield.Boundary(mime); {
	case multipart:
		for _, p := range m.params {
			b = append(b, "--"+boundary+"\r\nContent-Disposition: form-data; name=\""...)
			b = append(b, strings.NewReplacer(`"`, "%22", "\r", "%0D", "\n", "%0A").Replace(p.Name)...)
			b = append(b, "\"\r\n\r\n"+p.Value+"\r\n"...)
		}
		b = append(b, "--"+boundary+"--\r\n"...)
	case mime == "" || httpfield.IsForm(mime):
		for i, p := range m.params {
			if i > 0 {
				b = append(b, '&')
			}
			b = append(b, escaped(p.Name)+"="+escaped(p.Value)...)
		}
		m.mime = "application/x-www-form-urlencoded"
	default:
		return nil
	}
	m.memory = b
	return b
}

// escaped escapes s for a form, unless it holds nothing but what a form may hold: some tools write parameters as
// they were sent, and escaping them again would change them.
func escaped(s string) string {
	for i := range len(s) {
		if c := s[i]; c <= ' ' || c >= 0x7f || c == '&' || c == '=' {
			return url.QueryEscape(s)
		}
	}
	return s
}

// bytesOf is s without a copy. The bytes may not be changed.
func bytesOf(s string) []byte { return unsafe.Slice(unsafe.StringData(s), len(s)) } //nolint:gosec // see the comment
