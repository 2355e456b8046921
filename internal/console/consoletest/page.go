package consoletest

import (
	"encoding/xml"
	"errors"
	"io"
	"net/http"
	"net/url"
	"strings"
	"testing"
)

// Page is what a site answered.
type Page struct {
	t      testing.TB
	site   *Site
	what   string
	Status int
	Body   string
	Header http.Header
}

// Want fails the test unless the page has a status and holds texts, as HTML writes them.
func (p *Page) Want(status int, texts ...string) *Page {
	p.t.Helper()
	if p.Status != status {
		p.t.Fatalf("%s: %d, want %d; it is\n%s", p.what, p.Status, status, p.Text())
	}
	for _, text := range texts {
		if !strings.Contains(p.Body, text) {
			p.t.Errorf("%s lacks %q; it says\n%s", p.what, text, p.Text())
		}
	}
	return p
}

// Lacks fails the test if the page holds one of some texts.
func (p *Page) Lacks(texts ...string) *Page {
	p.t.Helper()
	for _, text := range texts {
		if strings.Contains(p.Body, text) {
			p.t.Errorf("%s holds %q; it says\n%s", p.what, text, p.Text())
		}
	}
	return p
}

// Leads fails the test unless the page leads to another one, and returns that.
func (p *Page) Leads(to string) *Page {
	p.t.Helper()
	p.Want(http.StatusSeeOther)
	if got := p.Header.Get("Location"); got != to {
		p.t.Fatalf("%s leads to %q, want %q", p.what, got, to)
	}
	fields := []string{}
	if c := p.Header.Get("Set-Cookie"); c != "" { // what the next page says once
		c, _, _ = strings.Cut(c, ";")
		fields = append(fields, "Cookie", c)
	}
	return p.site.Get(to, fields...)
}

// Submit sends the form of the page that is sent to action, as a browser does when the button of a name and value is used;
// set are names and values of controls that are filled in before, by turns.
func (p *Page) Submit(action, button, value string, set ...string) *Page {
	p.t.Helper()
	form := p.Form(action)
	for i := 0; i+1 < len(set); i += 2 {
		if set[i+1] == "" {
			form.Del(set[i])
		}
		form.Set(set[i], set[i+1])
	}
	if button != "" {
		form.Set(button, value)
	}
	return p.site.Post(action, form)
}

// Form is what a browser sends of the form of the page that is sent to action, when none of its buttons is used.
func (p *Page) Form(action string) url.Values {
	p.t.Helper()
	forms, err := Forms(p.Body)
	if err != nil {
		p.t.Fatalf("%s is not well formed: %v\n%s", p.what, err, p.Body)
	}
	form, ok := forms[action]
	if !ok {
		p.t.Fatalf("%s has no form that is sent to %s; it says\n%s", p.what, action, p.Text())
	}
	return form
}

// Text is the page without its tags, for those who read what a test says.
func (p *Page) Text() string {
	var out strings.Builder
	d := decoder(p.Body)
	for {
		token, err := d.Token()
		if err != nil {
			break
		}
		if text, ok := token.(xml.CharData); ok {
			if line := strings.TrimSpace(string(text)); line != "" {
				out.WriteString(line + "\n")
			}
		}
	}
	return out.String()
}

func decoder(html string) *xml.Decoder {
	d := xml.NewDecoder(strings.NewReader(html))
	d.Strict, d.AutoClose, d.Entity = false, xml.HTMLAutoClose, xml.HTMLEntity
	return d
}

// Forms are what a browser would send of the forms of a page, by their action. What is in no form is under "".
func Forms(html string) (map[string]url.Values, error) {
	r := &reader{forms: map[string]url.Values{"": {}}}
	d := decoder(html)
	for {
		token, err := d.Token()
		if errors.Is(err, io.EOF) {
			return r.forms, nil
		}
		if err != nil {
			return nil, err
		}
		switch token := token.(type) {
		case xml.StartElement:
			r.start(token)
		case xml.EndElement:
			r.end(token.Name.Local)
		case xml.CharData:
			if r.area != "" {
				r.text.Write(token)
			}
		}
	}
}

// reader reads forms.
type reader struct {
	forms    map[string]url.Values
	at       string // the action of the form that is read
	disabled int    // depth of fieldsets that are switched off
	depth    []bool // of fieldsets: whether each is
	area     string // the name of the textarea that is read
	text     strings.Builder
	choice   string // the name of the select element that is read
}

func attribute(e xml.StartElement, name string) (string, bool) {
	for _, a := range e.Attr {
		if a.Name.Local == name {
			return a.Value, true
		}
	}
	return "", false
}

func (r *reader) start(e xml.StartElement) {
	name, _ := attribute(e, "name")
	value, _ := attribute(e, "value")
	_, disabled := attribute(e, "disabled")
	switch e.Name.Local {
	case "form":
		r.at, _ = attribute(e, "action")
		if r.forms[r.at] == nil {
			r.forms[r.at] = url.Values{}
		}
	case "fieldset":
		r.depth = append(r.depth, disabled)
		if disabled {
			r.disabled++
		}
	case "input":
		kind, _ := attribute(e, "type")
		_, checked := attribute(e, "checked")
		if name == "" || disabled || r.disabled > 0 || (kind == "checkbox" || kind == "radio") && !checked {
			return
		}
		r.forms[r.at].Add(name, value)
	case "textarea":
		if name != "" && !disabled && r.disabled == 0 {
			r.area = name
			r.text.Reset()
		}
	case "select":
		if name != "" && !disabled && r.disabled == 0 {
			r.choice = name
		}
	case "option":
		_, selected := attribute(e, "selected")
		if r.choice != "" && (selected || !r.forms[r.at].Has(r.choice)) { // the first one is, unless another one is
			r.forms[r.at].Set(r.choice, value)
		}
	}
}

func (r *reader) end(name string) {
	switch name {
	case "form":
		r.at = ""
	case "fieldset":
		if n := len(r.depth); n > 0 {
			if r.depth[n-1] {
				r.disabled--
			}
			r.depth = r.depth[:n-1]
		}
	case "textarea":
		if r.area != "" {
			text := strings.TrimPrefix(r.text.String(), "\n") // as HTML says
			r.forms[r.at].Add(r.area, strings.ReplaceAll(text, "\n", "\r\n"))
			r.area = ""
		}
	case "select":
		r.choice = ""
	}
}
