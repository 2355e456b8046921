package api_test

import (
	"net/http"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/seshat-project/seshat/internal/api"
	"github.com/seshat-project/seshat/internal/api/wire"
	kvmemory "github.com/seshat-project/seshat/internal/kv/memory"
	"github.com/seshat-project/seshat/internal/view"
)

// people are those whose token is their name.
type people map[string][]api.Permission

func (p people) Authenticate(r *http.Request) (*api.Principal, error) {
	name := strings.TrimPrefix(r.Header.Get("Authorization"), "Bearer ")
	permissions, known := p[name]
	if !known {
		return nil, api.ErrUnauthenticated
	}
	return &api.Principal{Name: name, Permissions: permissions}, nil
}

func TestViews(t *testing.T) {
	o := options(t, 1)
	kv := kvmemory.New(time.Now)
	t.Cleanup(func() { _ = kv.Close() })
	o.Views = view.NewKeeper(kv, o.Now)
	o.Authenticator = people{
		"ann": {api.ViewsOwn}, "bob": {api.ViewsOwn}, "carol": {api.ViewsOwn, api.ViewsShare}, "dave": {api.SessionsRead},
	}
	s := serve(t, o)
	as := func(name, method, path, body string, fields ...string) *answered {
		t.Helper()
		return s.ask(method, path, body, append(fields, "Authorization: Bearer "+name, "Content-Type: application/json")...)
	}
	const views = "/api/v1/views"
	errors5xx := `{"name":"errors","page":"sessions","query":"filter=status%3A%3E%3D500&since=24h"}`
	mine := decode[wire.SavedView](as("ann", "POST", views, errors5xx).is(http.StatusCreated))
	if mine.Owner != "ann" || !mine.Own || mine.Query != "filter=status%3A%3E%3D500&since=24h" || mine.Revision == 0 || mine.Created.IsZero() {
		t.Errorf("kept: %+v", mine)
	}
	one := views + "/" + mine.ID
	as("ann", "POST", views, errors5xx).problem(409)
	as("bob", "POST", views, errors5xx).is(http.StatusCreated) // a name is one's own
	as("ann", "GET", one, "").is(200).has(`"own":true`)
	as("bob", "GET", one, "").problem(404)
	as("bob", "PUT", one, errors5xx).problem(404)
	as("carol", "DELETE", one, "").problem(404) // not shared, so not there for anybody else
	as("dave", "GET", views, "").problem(403)
	as("nobody", "GET", views, "").problem(401)

	shared := `{"name":"errors","page":"explorer","query":"","shared":true}`
	as("ann", "PUT", one, shared).problem(403)
	as("ann", "POST", views, shared).problem(403)
	theirs := decode[wire.SavedView](as("carol", "POST", views, shared).is(http.StatusCreated))
	as("ann", "GET", views, "").is(200).has(mine.ID, theirs.ID, `"own":false`)
	as("ann", "DELETE", views+"/"+theirs.ID, "").problem(403)
	as("ann", "PUT", views+"/"+theirs.ID, errors5xx).problem(403)

	changed := as("ann", "PUT", one, `{"name":"bad","page":"sessions","query":"?a=1"}`, `If-Match: "`+tagOf(mine.Revision)+`"`).is(200)
	changed.has(`"query":"a=1"`, `"created":"`+mine.Created.Format(time.RFC3339)+`"`)
	as("ann", "PUT", one, `{"name":"bad","page":"sessions","query":""}`, `If-Match: "`+tagOf(mine.Revision)+`"`).problem(412)
	as("ann", "PUT", one, `{"name":"bad","page":"nowhere","query":""}`).problem(422)
	as("ann", "PUT", one, `{"name":"  ","page":"sessions","query":""}`).problem(422)
	as("ann", "PUT", one, `{"name":"x","page":"sessions","query":"`+strings.Repeat("a", 9000)+`"}`).problem(422)
	as("ann", "DELETE", one, "").is(http.StatusNoContent)
	as("ann", "DELETE", one, "").problem(404)
	as("ann", "GET", views+"/x", "").problem(404)
	as("carol", "DELETE", views+"/"+theirs.ID, "").is(http.StatusNoContent)
	as("ann", "GET", views, "").is(200).has(`{"items":[]}`)
}

func tagOf(revision uint64) string { return strconv.FormatUint(revision, 10) }
