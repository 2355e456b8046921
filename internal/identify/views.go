package identify

import (
	"strings"

	"github.com/seshat-project/seshat"
	"github.com/seshat-project/seshat/internal/httpfield"
	"github.com/seshat-project/seshat/internal/rule"
)

// viewID names a view: the fields of one location on one side, as they may be seen.
type viewID uint8

const (
	viewRequestHeader viewID = iota
	viewResponseHeader
	viewRequestCookie
	viewResponseCookie
	viewQuery
	viewPathParameter
	viewSegment
	viewRequestForm
	viewResponseForm
	viewRequestMembers // of a JSON body
	viewResponseMembers
	viewNone // single values: status, address, user agent, JA4, JSONPath
	viewCount
)

// eager reports whether the view is made for every exchange. The others are made when somebody asks for them.
func (v viewID) eager() bool { return v <= viewQuery }

// viewOf returns the view that s looks at.
func viewOf(s *rule.Selector) viewID {
	response := s.Side == seshat.InResponse
	side := func(request, answer viewID) viewID {
		if response {
			return answer
		}
		return request
	}
	switch s.Location {
	case seshat.LocationHeader:
		return side(viewRequestHeader, viewResponseHeader)
	case seshat.LocationCookie:
		return side(viewRequestCookie, viewResponseCookie)
	case seshat.LocationQuery:
		return viewQuery
	case seshat.LocationPathParameter:
		return viewPathParameter
	case seshat.LocationPathSegment:
		return viewSegment
	case seshat.LocationBody:
		if s.Path == nil {
			return side(viewRequestForm, viewResponseForm)
		}
		return viewNone
	default:
		return viewNone
	}
}

// view is a list of fields, and the memory for it.
type view struct {
	fields []seshat.Field
	memory []seshat.Field
	made   bool
}

// maxFields is how many fields of one view are looked at. Servers refuse requests with more header lines or
// parameters long before; a body with more would only cost time.
const maxFields = 1000

func (v *view) add(name, value string) bool {
	if len(v.fields) == maxFields {
		return false
	}
	v.fields = append(v.fields, seshat.Field{Name: name, Value: value})
	return true
}

// start empties the view and marks it as made.
func (v *view) start() { v.fields, v.made = v.memory[:0], true }

// finish keeps the memory that the view has grown to.
func (v *view) finish() { v.memory = v.fields[:0] }

// makeHeaders makes the views of headers. Without masks they are the exchange's own lists.
func (w *Worker) makeHeaders() {
	w.header(viewRequestHeader, seshat.InRequest, w.x.Request.Header)
	w.header(viewResponseHeader, seshat.InResponse, w.x.Response.Header)
}

func (w *Worker) header(id viewID, side seshat.Side, all []seshat.Field) {
	v := &w.views[id]
	v.made = true
	if len(w.masks) == 0 {
		v.fields = all[:min(len(all), maxFields)]
		return
	}
	v.start()
	for i := range all {
		if !w.hidden(side, seshat.LocationHeader, all[i].Name) && !v.add(all[i].Name, all[i].Value) {
			break
		}
	}
	v.finish()
}

// hidden reports whether a mask rule in scope hides a field.
func (w *Worker) hidden(side seshat.Side, l seshat.Location, name string) bool {
	for _, m := range w.masks {
		if m.Hides(side, l, name) {
			return true
		}
	}
	return false
}

func (w *Worker) makeCookies() {
	v := &w.views[viewRequestCookie]
	v.start()
	if w.cookie < 0 {
		return
	}
	c := httpfield.RequestCookies(w.views[viewRequestHeader].fields[w.cookie:])
	for name, value, ok := c.Next(); ok; name, value, ok = c.Next() {
		if !w.hidden(seshat.InRequest, seshat.LocationCookie, name) && !v.add(name, value) {
			break
		}
	}
	v.finish()
}

func (w *Worker) makeSetCookies() {
	v := &w.views[viewResponseCookie]
	v.start()
	w.setCookies = w.setCookies[:0]
	if !w.hasSetCookie {
		return
	}
	c := httpfield.ResponseCookies(w.views[viewResponseHeader].fields)
	for cookie, ok := c.Next(); ok; cookie, ok = c.Next() {
		if w.hidden(seshat.InResponse, seshat.LocationCookie, cookie.Name) {
			continue
		}
		if !v.add(cookie.Name, cookie.Value) {
			break
		}
		w.setCookies = append(w.setCookies, cookie)
	}
	if len(v.fields) > 1 {
		w.settleCookies()
	}
	v.finish()
}

func (w *Worker) makeQuery() {
	v := &w.views[viewQuery]
	v.start()
	if w.x.Request.Query == "" {
		return
	}
	c := httpfield.Parameters(w.x.Request.Query)
	for name, value, ok := c.Next(&w.text); ok; name, value, ok = c.Next(&w.text) {
		if !w.hidden(seshat.InRequest, seshat.LocationQuery, name) && !v.add(name, value) {
			break
		}
	}
	v.finish()
}

func (w *Worker) makePathParameters() {
	v := &w.views[viewPathParameter]
	v.start()
	if strings.IndexByte(w.x.Request.Path, ';') < 0 {
		return
	}
	c := httpfield.PathParameters(w.x.Request.Path)
	for name, value, ok := c.Next(&w.text); ok; name, value, ok = c.Next(&w.text) {
		if !w.hidden(seshat.InRequest, seshat.LocationPathParameter, name) && !v.add(name, value) {
			break
		}
	}
	v.finish()
}

// makeSegments lists the segments of the path, decoded, as [httpfield.PathSegment] counts them.
func (w *Worker) makeSegments() {
	v := &w.views[viewSegment]
	v.start()
	for rest := w.x.Request.Path; rest != ""; {
		segment := rest
		if i := strings.IndexByte(rest, '/'); i >= 0 {
			segment, rest = rest[:i], rest[i+1:]
		} else {
			rest = ""
		}
		if i := strings.IndexByte(segment, ';'); i >= 0 {
			segment = segment[:i]
		}
		if segment == "" {
			continue
		}
		text, _ := httpfield.UnescapePath(segment, &w.text)
		if !v.add("", text) {
			break
		}
	}
	v.finish()
}

// makeForm makes the view of the fields of a form or multipart body.
func (w *Worker) makeForm(side seshat.Side) {
	id := viewRequestForm
	if side == seshat.InResponse {
		id = viewResponseForm
	}
	v := &w.views[id]
	v.start()
	body := w.body(side)
	if len(body.Bytes) == 0 {
		return
	}
	switch contentType := w.contentType(side); {
	case httpfield.IsForm(contentType):
		c := httpfield.FormParameters(body.Bytes)
		for name, value, ok := c.Next(&w.text); ok; name, value, ok = c.Next(&w.text) {
			if body.Truncated && c.Last() {
				break // half a value is not a value
			}
			if !w.hidden(side, seshat.LocationBody, name) && !v.add(name, value) {
				break
			}
		}
	case httpfield.IsMultipartForm(contentType):
		boundary, ok := httpfield.Boundary(contentType)
		if !ok {
			return
		}
		c := httpfield.MultipartFields(body.Bytes, boundary)
		for name, value, ok := c.Next(&w.text); ok; name, value, ok = c.Next(&w.text) {
			if !w.hidden(side, seshat.LocationBody, name) && !v.add(name, value) {
				break
			}
		}
	}
	v.finish()
}

func (w *Worker) body(side seshat.Side) *seshat.Body {
	if side == seshat.InResponse {
		return &w.x.Response.Body
	}
	return &w.x.Request.Body
}

func (w *Worker) contentType(side seshat.Side) string {
	v := viewRequestHeader
	if side == seshat.InResponse {
		v = viewResponseHeader
	}
	value, _ := httpfield.Lookup(w.views[v].fields, "Content-Type")
	return value
}

// byteOrderMark is what some servers write before JSON in UTF-8; whoever reads it may ignore it (RFC 8259, section 8.1).
const byteOrderMark = "\ufeff"

// json returns the JSON body of side with the masked nodes taken out; nil when there is no JSON. A body without a
// content type counts as JSON when it starts like an object or an array.
func (w *Worker) json(side seshat.Side) []byte {
	j := &w.documents[side]
	if j.made {
		return j.data
	}
	j.made, j.data = true, nil
	data := w.body(side).Bytes
	if len(data) > len(byteOrderMark) && stringOf(data[:len(byteOrderMark)]) == byteOrderMark {
		data = data[len(byteOrderMark):]
	}
	if len(data) == 0 {
		return nil
	}
	if t := w.contentType(side); t != "" && !httpfield.IsJSON(t) || t == "" && data[0] != '{' && data[0] != '[' {
		return nil
	}
	j.data = w.maskJSON(side, data)
	return j.data
}
