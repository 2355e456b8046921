package web

import (
	"bytes"
	"context"
	"crypto/subtle"
	"encoding/base64"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/a-h/templ"

	"github.com/seshat-project/seshat/internal/api/client"
	"github.com/seshat-project/seshat/internal/api/wire"
	"github.com/seshat-project/seshat/internal/console/ui"
)

// Request is a request for a page.
type Request struct {
	*http.Request
	W http.ResponseWriter
	// API asks the API on behalf of the viewer.
	API *client.Client
	// Viewer is who asks; nil on pages that are open to all, when nobody is signed in.
	Viewer *ui.Viewer
	Now    time.Time
	site   *Site
	frame  *ui.Frame
}

func (s *Site) request(w http.ResponseWriter, r *http.Request) (*Request, error) {
	header := client.From(r)
	if token := csrfOf(r); token != "" {
		header.Set(wire.CSRFHeader, token)
	}
	q := &Request{Request: r, W: w, API: client.Within(s.API, header), Now: s.Now(), site: s}
	q.frame = &ui.Frame{Asset: s.Assets.URL, Version: s.Version, Headers: map[string]string{}}
	var err error
	q.Viewer, err = s.Viewer(r.Context(), q.API)
	q.frame.Viewer = q.Viewer
	if q.Viewer != nil {
		q.frame.Headers[wire.CSRFHeader] = q.Viewer.CSRF
	}
	return q, err
}

// csrfOf is the CSRF token of a request that changes something. The API compares it.
func csrfOf(r *http.Request) string {
	if r.Method == http.MethodGet || r.Method == http.MethodHead {
		return ""
	}
	if token := r.Header.Get(wire.CSRFHeader); token != "" {
		return token
	}
	return r.PostFormValue(ui.CSRFField)
}

// forged reports whether a request that may change something lacks the token of the session that it comes with.
func (q *Request) forged() bool {
	if q.Method == http.MethodGet || q.Method == http.MethodHead || q.Viewer == nil || q.Viewer.CSRF == "" {
		return false
	}
	return subtle.ConstantTimeCompare([]byte(csrfOf(q.Request)), []byte(q.Viewer.CSRF)) != 1
}

// Fragment reports whether htmx asks for a part of a page, and not for the whole one.
func (q *Request) Fragment() bool {
	return q.Header.Get("HX-Request") == "true" && q.Header.Get("HX-History-Restore-Request") != "true"
}

// Param is a parameter of the query.
func (q *Request) Param(name string) string { return q.URL.Query().Get(name) }

// Page answers with a whole page.
func (q *Request) Page(p ui.Page, body templ.Component) error {
	return q.PageStatus(http.StatusOK, p, body)
}

// PageStatus answers with a whole page of another status, such as a form that is wrong (422).
func (q *Request) PageStatus(status int, p ui.Page, body templ.Component) error {
	q.takeFlash()
	if q.Viewer == nil {
		return q.render(status, ui.Centered(p, body))
	}
	return q.render(status, ui.Document(p, body))
}

// Render answers with parts of a page, for htmx to put where they belong.
func (q *Request) Render(parts ...templ.Component) error {
	return q.render(http.StatusOK, templ.Join(parts...))
}

// render writes nothing before everything is there, so that what goes wrong is not half a page.
func (q *Request) render(status int, c templ.Component) error {
	var out bytes.Buffer
	if err := c.Render(ui.WithFrame(q.Context(), q.frame), &out); err != nil {
		return err
	}
	q.W.Header().Set("Content-Type", "text/html; charset=utf-8")
	q.W.Header().Add("Vary", "HX-Request")
	q.W.WriteHeader(status)
	_, _ = q.W.Write(out.Bytes()) // the client may be gone
	return nil
}

// Frame is the context of the request, with the frame for components.
func (q *Request) Frame() context.Context { return ui.WithFrame(q.Context(), q.frame) }

// Done answers a form that did what it was for: it leads to a page, which says so once.
func (q *Request) Done(to, text string) error {
	if text != "" {
		q.setFlash(ui.Flash{Text: text, Kind: "good"})
	}
	return q.Redirect(to)
}

// Refused answers a form that did not do what it was for: it leads to a page, which says why once.
func (q *Request) Refused(to, text string) error {
	q.setFlash(ui.Flash{Text: text, Kind: "warn"})
	return q.Redirect(to)
}

// Redirect leads to another page of the console.
func (q *Request) Redirect(to string) error {
	if !strings.HasPrefix(to, "/") || strings.HasPrefix(to, "//") || strings.HasPrefix(to, "/\\") {
		to = "/"
	}
	if q.Fragment() {
		q.W.Header().Set("HX-Redirect", to)
		q.W.WriteHeader(http.StatusNoContent)
		return nil
	}
	http.Redirect(q.W, q.Request, to, http.StatusSeeOther) //nolint:gosec // to a path of this site: see above
	return nil
}

// Toast makes the page say something that goes away by itself, when htmx has put the answer in its place. It is called
// before Render.
func (q *Request) Toast(text, kind string) {
	q.W.Header().Set("HX-Trigger", `{"toast":{"text":`+quote(text)+`,"kind":`+quote(kind)+`}}`)
}

// flashCookie carries a line to the next page. It holds no secret, and pages show it as text.
const (
	flashCookie = "__Host-seshat-flash"
	maxFlash    = 512
	flashAge    = 30 // seconds
)

func (q *Request) setFlash(f ui.Flash) {
	text := f.Kind + " " + f.Text
	http.SetCookie(q.W, &http.Cookie{
		Name: flashCookie, Value: base64.RawURLEncoding.EncodeToString([]byte(text[:min(len(text), maxFlash)])), Path: "/", MaxAge: flashAge,
		Secure: true, HttpOnly: true, SameSite: http.SameSiteLaxMode,
	})
}

func (q *Request) takeFlash() {
	c, err := q.Cookie(flashCookie)
	if err != nil {
		return
	}
	http.SetCookie(q.W, &http.Cookie{
		Name: flashCookie, Path: "/", MaxAge: -1, Secure: true, HttpOnly: true, SameSite: http.SameSiteLaxMode,
	})
	text, err := base64.RawURLEncoding.DecodeString(c.Value)
	if err != nil || len(text) > maxFlash {
		return
	}
	kind, words, _ := strings.Cut(strings.ToValidUTF8(string(text), ""), " ")
	switch kind {
	case "good", "warn", "bad":
		q.frame.Flash = ui.Flash{Text: words, Kind: kind}
	}
}

// Here is the address of the page with some parameters changed; a value that is empty removes its parameter. Names and
// values come by turns.
func (q *Request) Here(pairs ...string) string {
	query := q.URL.Query()
	for i := 0; i+1 < len(pairs); i += 2 {
		if pairs[i+1] == "" {
			query.Del(pairs[i])
		} else {
			query.Set(pairs[i], pairs[i+1])
		}
	}
	return Address(q.URL.Path, query)
}

// Address is the address of a page of the console with a query.
func Address(path string, query url.Values) string {
	u := url.URL{Path: path, RawQuery: query.Encode()}
	return u.String()
}
