package web

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/a-h/templ"

	"github.com/seshat-project/seshat/internal/api/client"
	"github.com/seshat-project/seshat/internal/api/wire"
	"github.com/seshat-project/seshat/internal/console/assets"
	"github.com/seshat-project/seshat/internal/console/ui"
)

// answer is what a site answers whose one page is handled by h, for somebody whose CSRF token is "the token".
func answer(t *testing.T, h Handler) *httptest.ResponseRecorder {
	t.Helper()
	set, err := assets.Load()
	if err != nil {
		t.Fatal(err)
	}
	viewer := func(context.Context, *client.Client) (*ui.Viewer, error) {
		return &ui.Viewer{Name: "ana", CSRF: "the token"}, nil
	}
	site, err := New(Options{API: http.NotFoundHandler(), Viewer: viewer, Assets: set})
	if err != nil {
		t.Fatal(err)
	}
	site.Handle("GET /page", h)
	w := httptest.NewRecorder()
	site.ServeHTTP(w, httptest.NewRequest(http.MethodGet, "/page", nil))
	return w
}

func TestEvents(t *testing.T) {
	got := answer(t, func(q *Request) error {
		out := q.Events()
		if err := out.Send("7", "row", templ.Raw("<tr>\r\n<td>\nx")); err != nil {
			return err
		}
		if err := out.Send("", "alive", templ.NopComponent); err != nil {
			return err
		}
		return out.End(errors.New("the API went away"))
	})
	const want = "id: 7\nevent: row\ndata: <tr>\ndata: <td>\ndata: x\n\nevent: alive\ndata: \n\n"
	if got.Code != http.StatusOK || got.Header().Get("Content-Type") != wire.EventStream || got.Body.String() != want {
		t.Errorf("%d %s %q, want 200 and %q", got.Code, got.Header().Get("Content-Type"), got.Body, want)
	}
}

// TestEventsThatDoNotBegin: a stream without an event is answered like a page that fails, but for somebody who is not
// signed in: the browser would ask again for ever.
func TestEventsThatDoNotBegin(t *testing.T) {
	for _, c := range []struct {
		err  error
		want int
	}{
		{nil, http.StatusInternalServerError},
		{errors.New("the store is gone"), http.StatusInternalServerError},
		{errNoPage, http.StatusNotFound},
		{client.ErrSignedOut, http.StatusNoContent},
	} {
		got := answer(t, func(q *Request) error { return q.Events().End(c.err) })
		if got.Code != c.want || got.Header().Get("Content-Type") == wire.EventStream {
			t.Errorf("no event and %v: %d %s, want %d and no stream", c.err, got.Code, got.Header().Get("Content-Type"), c.want)
		}
	}
}

// TestHeadersOfScripts: what a script asks for carries the token in the field that the API compares.
func TestHeadersOfScripts(t *testing.T) {
	got := answer(t, func(q *Request) error { return q.Page(ui.Page{Title: "A page"}, templ.NopComponent) })
	if want := `hx-headers="{&#34;` + wire.CSRFHeader + `&#34;:&#34;the token&#34;}"`; !strings.Contains(got.Body.String(), want) {
		t.Errorf("the page does not have %s:\n%s", want, got.Body)
	}
}
