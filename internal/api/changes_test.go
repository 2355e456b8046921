package api_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/seshat-project/seshat"
	"github.com/seshat-project/seshat/internal/api"
	"github.com/seshat-project/seshat/internal/api/wire"
	"github.com/seshat-project/seshat/internal/store"
)

const shopRule = `{"apiVersion": "seshat/v1", "kind": "SessionRule", "metadata": {"name": "shop"}, "spec": {"identifiers": [{"cookie": "%s"}]}}`

const masks = `apiVersion: seshat/v1
kind: MaskRule
metadata: {name: card}
spec: {location: query, key: card}
---
apiVersion: seshat/v1
kind: MaskRule
metadata: {name: pin}
spec: {location: query, key: pin}
`

func TestResources(t *testing.T) {
	s := serve(t, options(t, 1))
	const one = "/api/v1/resources/SessionRule/shop"
	put := func(cookie string, fields ...string) *answered {
		return s.ask("PUT", one, fmt.Sprintf(shopRule, cookie), fields...)
	}
	s.get(one).problem(404)
	put("A", "If-Match: \"7\"").problem(412)
	created := put("A", "If-None-Match: *").is(200).has(`"created"`)
	put("B", "If-None-Match: *").problem(412)
	tag := created.header.Get("ETag")
	if got := s.get(one).is(200).header.Get("ETag"); got != tag || tag == "" {
		t.Errorf("ETag %q; the change said %q", got, tag)
	}
	s.get(one, "If-None-Match: "+tag).is(http.StatusNotModified)
	s.get(one, `If-None-Match: "1234", W/`+tag).is(http.StatusNotModified)
	put("A", "If-Match: "+tag).is(200).has(`"unchanged"`)
	updated := put("B", "If-Match: "+tag, "Seshat-Author: ann").is(200).has(`"updated"`)
	put("C", "If-Match: "+tag).problem(412)
	put("C", "If-Match: x").problem(400)
	put("C", "If-None-Match: "+tag).problem(400)
	s.ask("DELETE", one, "", "If-Match: "+tag).problem(412)
	s.ask("PUT", "/api/v1/resources/SessionRule/other", fmt.Sprintf(shopRule, "A")).problem(422)
	s.ask("PUT", "/api/v1/resources/Nothing/shop", fmt.Sprintf(shopRule, "A")).problem(404)
	s.get(one+"/history").is(200).has(`"by":"instance"`, `"by":"ann"`)
	s.get(one + "?revision=" + strings.Trim(tag, `"`)).is(200).has(`"A"`)
	s.ask("POST", one+"/rollback", `{"revision":`+strings.Trim(tag, `"`)+`}`, "Content-Type: application/json", `If-Match: "999"`).problem(412)
	s.ask("POST", one+"/rollback", `{"revision":`+strings.Trim(tag, `"`)+`}`, "Content-Type: application/json", "If-None-Match: *").problem(412)
	s.ask("POST", one+"/rollback", `{"revision":`+strings.Trim(tag, `"`)+`}`, "Content-Type: application/json").is(200).has(`"rolled back"`)
	s.ask("POST", one+"/rollback", `{"revision":0}`, "Content-Type: application/json").problem(422)
	s.get(one).is(200).has(`"A"`)
	s.ask("DELETE", one, "").is(http.StatusNoContent)
	s.ask("DELETE", one, "").problem(404)
	if updated.header.Get("ETag") == tag {
		t.Error("an update left the ETag as it was")
	}

	s.ask("POST", "/api/v1/resources?dry_run=true", masks, "Content-Type: application/yaml").is(200).has(`"dry_run":true`, `"created"`)
	s.get("/api/v1/resources").is(200).has(`{"items":[]}`)
	s.ask("POST", "/api/v1/resources", masks, "Content-Type: application/yaml").is(200).has("card", "pin")
	s.get("/api/v1/resources?kind=maskrules").is(200).has("card", "pin")
	s.ask("POST", "/api/v1/resources/validate", masks).is(200).has(`{"valid":true,"count":2}`)
	broken := strings.Replace(masks, "key: pin", `key: {matches: "("}`, 1)
	for _, path := range []string{"/api/v1/resources", "/api/v1/resources/validate"} {
		if p := s.ask("POST", path, broken).problem(422); len(p.Faults) != 1 || p.Faults[0].Line != 9 || p.Faults[0].Field != "spec.key.matches" {
			t.Errorf("%s: faults %+v", path, p.Faults)
		}
		s.ask("POST", path, "kind: [").problem(422)
		s.ask("POST", path, "").problem(400)
		s.ask("POST", path, "# nothing").problem(422)
	}
	s.ask("POST", "/api/v1/resources", strings.Repeat("#", 64<<20)).problem(413)
	s.get("/api/v1/resources/schema").is(200).has("https://json-schema.org/draft/2020-12/schema")
}

func TestDenylist(t *testing.T) {
	o := options(t, 6)
	s := serve(t, o)
	revoke := func(body string) *answered {
		return s.ask("POST", "/api/v1/revocations", body, "Content-Type: application/json", "Seshat-Author: ann")
	}
	id := sessionID(1).String()
	s.get("/api/v1/sessions/" + id).is(200).has(`"state":"idle"`)
	revoke(`{"session_ids":["`+id+`"],"reason":"stolen"}`).is(200).has(`"session_id":"`+id+`"`, `"status":401`, `"by":"ann"`, `"reason":"stolen"`)
	s.get("/api/v1/sessions/"+id).is(200).has(`"state":"revoked"`, `"ended_by":"revoked"`, `"denials":[`, "stolen")
	s.get("/api/v1/sessions?filter=state:revoked").is(200).has(id)
	if a := s.get("/api/v1/sessions?filter=" + url.QueryEscape("-state:revoked")).is(200); strings.Contains(a.body, id) {
		t.Errorf("-state:revoked has the session: %s", a.body)
	}
	s.get("/api/v1/overview?since=all").is(200).has(`{"name":"revoked","count":1}`)
	revoke(`{"session_ids":["` + sessionID(999).String() + `"]}`).is(200) // it may be about to be stored
	revoke(`{"user":"user1","for":"1h","status":403}`).is(200).has(`"until":"2026-01-02T12:00:00Z"`)
	revoke(`{"issued_before":"2026-01-02T10:00:00Z","issuer":"https://id.example"}`).is(200)
	revoke(`{"client_session_ids":["abc"]}`).is(200).has(`"client_session_id":"d103`)
	for _, bad := range []string{`{}`, `{"user":"a","status":500}`, `{"session_ids":["x"]}`, `{"client_session_ids":[""]}`, `{"user":"a","for":"0s"}`, `{"user":"a","issuer":"b"}`} {
		if a := revoke(bad); a.status != 400 {
			t.Errorf("%s: %d %s", bad, a.status, a.body)
		}
	}
	revoke(`{"usr":"a"}`).problem(422)
	s.ask("PUT", "/api/v1/denylist/guests", `{"user":"guest"}`, "Content-Type: application/json").is(200).has(`"name":"guests"`)
	s.ask("PUT", "/api/v1/denylist/guests", `{"user":"guest","session_ids":["`+id+`"]}`, "Content-Type: application/json").problem(400)
	s.ask("PUT", "/api/v1/denylist/Not_a_name", `{"user":"guest"}`, "Content-Type: application/json").problem(422)
	s.get("/api/v1/denylist").is(200).has("guests", "user1")
	s.ask("DELETE", "/api/v1/denylist/guests", "").is(http.StatusNoContent)
	s.ask("DELETE", "/api/v1/denylist/guests", "").problem(404)

	o.Denylist = nil
	s = serve(t, o)
	s.get("/api/v1/denylist").problem(501)
	s.get("/api/v1/sessions/" + id).is(200).has(`"state":"idle"`)
}

// exporting is a store that writes files.
type exporting struct{ store.Reader }

func (exporting) Export(_ context.Context, what store.Dataset, format string, q store.Query, path string) (int64, error) {
	if q.Limit == 13 {
		return 0, &seshat.Error{Kind: seshat.ErrorUnavailable, Op: "export", Err: errors.New("disk full")}
	}
	return 42, writeFile(path, fmt.Sprintf("%s as %s", what, format))
}

func TestExports(t *testing.T) {
	o := options(t, 1)
	o.Store = exporting{o.Store}
	s := serve(t, o)
	a := s.get("/api/v1/exports/exchanges?format=parquet").is(200).has("exchanges as parquet")
	if a.header.Get("Seshat-Rows") != "42" || !strings.Contains(a.header.Get("Content-Disposition"), `"exchanges.parquet"`) || a.header.Get("Content-Type") != wire.Parquet {
		t.Errorf("fields %v", a.header)
	}
	s.get("/api/v1/exports/sessions?format=ndjson").is(200).has("sessions as ndjson")
	s.get("/api/v1/exports/exchanges?format=har&since=24h&session=" + sessionID(1).String()).is(200).has("exchanges as har")
	s.get("/api/v1/exports/sessions?format=har").problem(400)
	s.get("/api/v1/exports/sessions?format=exe").problem(422)
	s.get("/api/v1/exports/nothing?format=csv").problem(422)
	s.get("/api/v1/exports/sessions").problem(422)
	if a := s.get("/api/v1/exports/sessions?format=csv&limit=13"); a.problem(503).Detail != "disk full" || a.header.Get("Content-Disposition") != "" || a.header.Get("Retry-After") == "" {
		t.Errorf("fields %v", a.header)
	}
	if left := names(t, o.TempDir); len(left) > 0 {
		t.Errorf("left behind: %v", left)
	}
	o.Archive = func(_ context.Context, _ store.Reader, _ store.Dataset, _ string, _ store.Query, w io.Writer) (int64, error) {
		_, _ = io.WriteString(w, "half")
		return 0, errors.New("broken")
	}
	// What has begun must not be taken for whole.
	r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, serve(t, o).URL+"/api/v1/exports/exchanges?format=har", nil)
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Authorization", "Bearer "+token)
	res, err := http.DefaultClient.Do(r)
	if err == nil {
		_, err = io.ReadAll(res.Body)
		_ = res.Body.Close()
	}
	if err == nil {
		t.Error("half of an archive is taken for whole")
	}
}

func TestImports(t *testing.T) {
	s := serve(t, options(t, 1))
	const kind = "Content-Type: multipart/form-data; boundary=x"
	part := func(name, text string) string {
		return "--x\r\nContent-Disposition: form-data; name=\"" + name + "\"\r\n\r\n" + text + "\r\n"
	}
	good := part("options", `{"inputs":["a","b"]}`) + part("file", "12345") + part("file", "678") + "--x--\r\n"
	s.ask("POST", "/api/v1/imports", good, kind).is(200).has(`"event":"progress"`, `"done":8`, `"event":"summary"`, `"read":8`)
	for _, bad := range []string{"", "nothing", part("file", "x") + "--x--\r\n", part("options", "{") + "--x--\r\n", part("options", `{"inputs":[]}`) + "--x--\r\n"} {
		s.ask("POST", "/api/v1/imports", bad, kind).problem(422)
	}
	s.ask("POST", "/api/v1/imports", good).problem(422)
	s.ask("POST", "/api/v1/imports", part("options", `{"inputs":["a","b"]}`)+part("file", "1")+"--x--\r\n", kind).is(200).has(`"event":"failed"`, "the body ended before it")
	s.ask("POST", "/api/v1/imports", part("options", `{"inputs":["a"]}`)+part("fil", "1")+"--x--\r\n", kind).is(200).has("there is a part")
}

func TestMore(t *testing.T) {
	o := options(t, 2)
	o.Status = func(context.Context) wire.Status {
		return wire.Status{State: wire.StateDegraded, Checks: []wire.Check{{Name: "journal", State: wire.StateDegraded, Detail: "slow"}}}
	}
	s := serve(t, o)
	s.get("/api/v1/status").is(200).has(`"state":"degraded"`, `"version":"v1.2.3"`, `"exchanges":4`, "slow")
	s.get("/api/v1/keys").is(200).has(`"id":"k1"`)
	s.ask("POST", "/api/v1/explain", `{"a":1}`).is(200).has(`{"items":[7]}`)
	s.ask("POST", "/api/v1/rule-tests", `{"run":"a.yaml","files":{}}`, "Content-Type: application/json").is(200).has(`"text":"a.yaml"`)
	s.get("/api/v1/filters/fields?dataset=exchanges").is(200).has(`"name":"attr.NAME"`, `"name":"status"`)
	s.get("/api/v1/filters/check?dataset=sessions&filter=STATE:active").is(200).has(`{"valid":true,"filter":"state:active"}`)
	s.get("/api/v1/filters/check?dataset=sessions&filter=a:b").is(200).has(`"valid":false`, `"column":1`)
	f := func(filter, want string) {
		t.Helper()
		s.get("/api/v1/filters/suggest?dataset=sessions&filter=" + url.QueryEscape(filter)).is(200).has(want)
	}
	f("stat", `{"from":0,"items":["state:","status:"]}`)
	f("user:a -state", `{"from":8,"items":["state:"]}`)
	f("state:", `{"from":6,"items":["active","idle","ended","expired","revoked"]}`)
	f("state:(active,re", `{"from":14,"items":["revoked"]}`)
	f("user:al", `{"from":5,"items":[]}`)
	f("zzz", `"items":[]`)

	bare := api.Options{Registry: o.Registry, Authenticator: o.Authenticator}
	s = serve(t, bare)
	s.get("/api/v1/status").is(200).has(`"state":"ok"`, `"version":"unknown"`)
	for _, path := range []string{"/api/v1/keys", "/api/v1/sessions", "/api/v1/exchanges", "/api/v1/span", "/api/v1/overview"} {
		s.get(path).problem(501)
	}
	if _, err := api.New(api.Options{}); err == nil {
		t.Error("an API without anything")
	}
}
