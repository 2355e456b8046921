package limits_test

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/seshat-project/seshat"
	"github.com/seshat-project/seshat/internal/api"
	"github.com/seshat-project/seshat/internal/api/wire"
	"github.com/seshat-project/seshat/internal/console/consoletest"
	"github.com/seshat-project/seshat/internal/console/limits"
	"github.com/seshat-project/seshat/internal/enforce"
	"github.com/seshat-project/seshat/internal/live"
	"github.com/seshat-project/seshat/internal/preview"
	"github.com/seshat-project/seshat/internal/resource"
)

func site(t *testing.T) *consoletest.Site { return consoletest.New(t, limits.Register) }

const login = `
apiVersion: seshat/v1
kind: Limit
metadata: {name: login}
spec:
  endpoints: ["POST */login"]
  key: [ip, "parameter:account"]
  count: 10
  window: 1m
  action: tag
  for: 15m
`

const tokens = `
apiVersion: seshat/v1
kind: JWTValidation
metadata: {name: shop}
spec:
  jwksURL: https://id.example/keys
  issuers: ["https://id.example"]
  token: {location: cookie, key: TOKEN}
  required: true
  status: 403
`

// acted is an API whose feed saw the limit act on some requests, by minutes before now.
func acted(s *consoletest.Site, by string, action seshat.Action, minutes ...int) {
	feed := live.NewFeed(s.Now)
	var batch []seshat.Assigned
	for i, m := range minutes {
		o := &seshat.Observation{
			Key: seshat.ExchangeKey(i + 1), Time: s.Now().Add(-time.Duration(m) * time.Minute), Method: "POST", Path: "/login", Status: 429,
			Verdict: seshat.ObservedVerdict{Action: action, By: by},
		}
		if action == seshat.ActionTag {
			o.Verdict = seshat.ObservedVerdict{Action: action, Tags: []string{by}}
		}
		batch = append(batch, seshat.Assigned{Observation: o, Session: seshat.SessionID{byte(i + 1)}})
	}
	feed.Publish(batch, nil)
	for deadline := time.Now().Add(10 * time.Second); len(feed.Acting()) == 0 && time.Now().Before(deadline); {
		runtime.Gosched() // the feed takes it in by itself
	}
	s.API.Feed = feed
}

func TestEmpty(t *testing.T) {
	s := site(t)
	s.Get("/limits").Want(http.StatusOK, "No limits", `href="/limits/new"`)
	s.Get("/limits/jwt").Want(http.StatusOK, "No JWT validations")
	s.Get("/limits/denylist").Want(http.StatusOK, "Nothing is refused", `href="/limits/denylist/new"`)
	s.Without(api.ResourcesWrite, api.DenylistWrite)
	s.Get("/limits").Want(http.StatusOK).Lacks("/limits/new")
	s.Get("/limits/denylist").Want(http.StatusOK).Lacks("/limits/denylist/new")
	s.Without(api.DenylistRead).Get("/limits/denylist").Want(http.StatusForbidden, "denylist:read")
}

func TestCreateLimit(t *testing.T) {
	s := site(t)
	page := s.Get("/limits/new?key=user&key=parameter:account&endpoint="+url.QueryEscape("POST */login")+"&count=5&window=10m&for=1h&service=shop&name=guess").
		Want(http.StatusOK, `value="guess"`, `value="10m"`)
	page = page.Submit("/limits/new", "do", "add spec.key kind=ip").Want(http.StatusOK, "Key 3")
	page.Submit("/limits/new", "do", "save").Leads("/limits/limit/guess").Want(http.StatusOK, "is there")
	want := `apiVersion: seshat/v1
kind: Limit
metadata:
  name: guess
spec:
  scope:
    services:
      - shop
  endpoints:
    - "POST */login"
  key:
    - user
    - "parameter:account"
    - ip
  count: 5
  window: 10m
  action: tag
  for: 1h
`
	if got := s.Stored(seshat.KindLimit, "guess"); got != want {
		t.Errorf("it is stored as\n%s\nwant\n%s", got, want)
	}
	s.Get("/limits").Want(http.StatusOK, "5 in 10\u00a0min by user and account and address, then refused for 1\u00a0h", "POST */login", "/limits/limit/guess")
	page = s.Get("/limits/new").Submit("/limits/new", "do", "save", "metadata.name", "b", "spec.count", "0", "spec.window", "1ms")
	page.Want(http.StatusUnprocessableEntity, `id="spec-count-error" data-error>0 is not between 1 and`, `id="spec-window-error" data-error>1ms is not between`)
	s.Get("/limits/new").Submit("/limits/new", "do", "save", "metadata.name", "b", "spec.count", "many", "spec.window", "soon").
		Want(http.StatusUnprocessableEntity, "not a whole number", "not a duration")
	s.Get("/limits/new").Submit("/limits/new", "do", "save", "metadata.name", "b", "spec.key[0].kind", "parameter").
		Want(http.StatusUnprocessableEntity, "the parameter has no name")
	// What an address says that is nothing does not matter.
	s.Get("/limits/new?count=x&window=x&for=x&action=x").Want(http.StatusOK, `value="100"`)
	s.Get("/limits/new?action=limit").Submit("/limits/new", "do", "save", "metadata.name", "c").Leads("/limits/limit/c")
	if got := s.Stored(seshat.KindLimit, "c"); strings.Contains(got, "action") {
		t.Errorf("it is stored as\n%s", got)
	}
}

func TestCreateValidation(t *testing.T) {
	s := site(t)
	s.Get("/limits/jwt/new").Submit("/limits/jwt/new", "do", "save", "metadata.name", "shop", "spec.jwksURL", "https://id.example/keys", "spec.issuers", "https://id.example",
		"spec.token.form", "elsewhere", "spec.token.location", "cookie", "spec.token.key.op", "equals", "spec.token.key.text", "TOKEN", "spec.required", "on",
		"spec.action", "", "spec.status", "403").Leads("/limits/validation/shop")
	want := s.Stored(seshat.KindJWTValidation, "shop")
	s.Apply(tokens)
	if got := s.Stored(seshat.KindJWTValidation, "shop"); got != want {
		t.Errorf("it is stored as\n%s\nwant\n%s", want, got)
	}
	s.Get("/limits/jwt").Want(http.StatusOK, "https://id.example/keys", "/limits/validation/shop")
	s.Get("/limits/jwt/new").Submit("/limits/jwt/new", "do", "save", "metadata.name", "b").
		Want(http.StatusUnprocessableEntity, `id="spec-jwksURL-error" data-error>neither an address nor keys`)
	s.Get("/limits/jwt/new").Submit("/limits/jwt/new", "do", "save", "metadata.name", "b", "spec.jwksURL", "http://id.example/").
		Want(http.StatusUnprocessableEntity, "keys are fetched by https")
	s.Get("/limits/jwt/new").Submit("/limits/jwt/new", "do", "save", "metadata.name", "b", "spec.jwks", "{}").
		Want(http.StatusUnprocessableEntity, `id="spec-jwks-error" data-error>no keys`)
	s.Get("/limits/jwt/new").Submit("/limits/jwt/new", "do", "save", "metadata.name", "b", "spec.jwks", "x", "spec.jwksURL", "https://x.example").
		Want(http.StatusUnprocessableEntity, "both an address and keys")
}

func TestActions(t *testing.T) {
	s := site(t)
	s.Apply(login + "---" + tokens)
	f := func(list, at, action, want string) {
		t.Helper()
		s.Get(list).Submit(at+"/action", "action", action).Leads(list).Want(http.StatusOK, want)
	}
	f("/limits", "/limits/limit/login", "limit", "login answers 429 now")
	if got := s.Stored(seshat.KindLimit, "login"); strings.Contains(got, "action") || !strings.Contains(got, "for: 15m") {
		t.Errorf("it is\n%s", got)
	}
	s.Get("/limits").Want(http.StatusOK, `value="limit" title="Refuse requests that are too many, until there is room" aria-pressed="true"`)
	f("/limits", "/limits/limit/login", "block", "login refuses now")
	f("/limits", "/limits/limit/login", "tag", "login only tags now")
	f("/limits/jwt", "/limits/validation/shop", "tag", "shop only tags now")
	if got := s.Stored(seshat.KindJWTValidation, "shop"); strings.Contains(got, "status") {
		t.Errorf("what passes is answered with a status:\n%s", got)
	}
	f("/limits/jwt", "/limits/validation/shop", "block", "shop refuses now")
	s.Get("/limits/limit/login").Submit("/limits/limit/login/action", "action", "limit").Leads("/limits/limit/login")

	list := s.Get("/limits")
	s.Apply(login)
	list.Submit("/limits/limit/login/action", "action", "block").Leads("/limits").Want(http.StatusOK, "Not changed: login has changed meanwhile")
	s.Get("/limits").Submit("/limits/limit/login/action", "action", "explode").Want(http.StatusBadRequest)
	form := s.Get("/limits")
	s.Without(api.ResourcesWrite)
	form.Submit("/limits/limit/login/action", "action", "block").Want(http.StatusForbidden)
	s.Get("/limits").Want(http.StatusOK, ">tag</span>").Lacks("/action")
}

func TestCounters(t *testing.T) {
	s := site(t)
	s.Apply(login)
	acted(s, "Limit/login", seshat.ActionTag, 0, 0, 1, 30)
	s.API.LimitStats = func() []enforce.RuleStats { return []enforce.RuleStats{{By: "Limit/login", Hits: 54, Tagged: 4}} }
	s.Get("/limits").Want(http.StatusOK, `<span id="tagged-login">4</span>`, `<span id="passed-login">50</span>`, `<polyline class="line l-1"`, "verdict.by%3ALimit%2Flogin")
	s.Get("/limits/counters?kind=Limit").Want(http.StatusOK, `<span id="tagged-login" hx-swap-oob="true">4</span>`, `id="hour-login" hx-swap-oob="true"`).Lacks("<html")
	s.Get("/limits/counters?kind=JWTValidation").Want(http.StatusOK).Lacks("login")
	s.Get("/limits/limit/login").Want(http.StatusOK, "What it did", "On whom, lately", "/sessions/01000000-0000-0000-0000-000000000000", "4 requests from")
	// That nothing is known of what they did is no reason not to show them.
	s.Without(api.ResourcesRead)
	s.Get("/limits").Want(http.StatusForbidden)
}

func TestBacktest(t *testing.T) {
	s := site(t)
	s.API.Preview = func(_ context.Context, d *api.Draft) (*wire.Preview, error) {
		return &wire.Preview{Report: preview.Report{Exchanges: 500, Limits: []preview.LimitTrial{{
			Name: d.Add[0].Resource.Metadata.Name, Action: "limit", Counted: 100, Limited: 25, Sessions: 3, Users: 2,
			Hit: []preview.LimitedOne{{Session: "s1", User: "<b>eve", Address: "203.0.113.9", Exchanges: 40, Limited: 20}},
		}}}}, nil
	}
	s.Get("/limits/new").Submit("/limits/new", "do", "try", "spec.count", "3").
		Want(http.StatusOK, "25 % of them", "&lt;b&gt;eve", "203.0.113.9", "count: 3").Lacks("<b>eve")
	s.Get("/limits/jwt/new").Want(http.StatusOK).Lacks(`value="try"`)
}

func TestDeny(t *testing.T) {
	s := site(t)
	id := "0195f3c0-0000-8000-8000-000000000001"
	f := func(want seshat.Denial, set ...string) {
		t.Helper()
		s.Get("/limits/denylist/new").Submit("/limits/denylist/new", "", "", set...).Leads("/limits/denylist").Want(http.StatusOK, "within a second")
		list, err := s.Denylist.List(context.Background())
		if err != nil {
			t.Fatal(err)
		}
		got := list[len(list)-1]
		want.Name, want.At, want.By = got.Name, s.Now(), "ann"
		if got != want {
			t.Errorf("the entry is\n%+v, want\n%+v", got, want)
		}
	}
	session, err := seshat.ParseSessionID(id)
	if err != nil {
		t.Fatal(err)
	}
	f(seshat.Denial{User: "alice", Status: 401, Reason: "stolen", Until: s.Now().Add(time.Hour)}, "user", " alice ", "reason", "stolen", "for", "1h")
	f(seshat.Denial{Session: session, Status: 403}, "about", "session", "session", id+"\r\n", "status", "403")
	f(seshat.Denial{ClientSessionID: seshat.Digest{0xd1, 6}, Status: 401}, "about", "clientID", "client_session_id", "secret")
	f(seshat.Denial{IssuedBefore: time.Date(2026, 2, 1, 10, 0, 0, 0, time.UTC), Issuer: "https://id.example", Status: 401},
		"about", "before", "issued_before", "2026-02-01 10:00", "issuer", "https://id.example", "user", "is of another choice")
	f(seshat.Denial{IssuedBefore: time.Date(2026, 2, 1, 9, 0, 0, 0, time.UTC), User: "bob", Status: 401}, "about", "before", "issued_before", "2026-02-01T10:00:00+01:00", "of", "bob")

	page := s.Get("/limits/denylist").Want(http.StatusOK, "/sessions?filter=user%3Aalice", "/sessions/"+id, "digest d106", "stolen", "2026-03-01 13:00:00", "2026-02-01 10:00:00 UTC, by https://id.example").
		Lacks("secret")
	page.Want(http.StatusOK, `data-refresh="10"`)
	s.Get("/limits/denylist?q=STOLEN").Want(http.StatusOK, "alice").Lacks(id)
	s.Get("/limits/denylist?q="+id).Want(http.StatusOK, id).Lacks("alice")
	s.Get("/limits/denylist?q=nobody").Want(http.StatusOK, "Nothing found")

	// Those whose time is over are not there any more.
	s.SetNow(s.Now().Add(2 * time.Hour))
	s.Get("/limits/denylist").Want(http.StatusOK, "bob").Lacks("alice")
}

func TestDenyFaults(t *testing.T) {
	s := site(t)
	f := func(want string, set ...string) {
		t.Helper()
		page := s.Get("/limits/denylist/new").Submit("/limits/denylist/new", "", "", set...)
		if page.Status != http.StatusUnprocessableEntity && page.Status != http.StatusBadRequest {
			t.Errorf("%v: %d", set, page.Status)
		}
		page.Want(page.Status, want).Lacks("very secret")
		if list, _ := s.Denylist.List(context.Background()); len(list) > 0 {
			t.Errorf("%v made %v", set, list)
		}
	}
	f("no name", "user", "  ")
	f("no session", "about", "session")
	f("a session ID is not one", "about", "session", "session", "1234")
	f("no client session ID", "about", "clientID")
	f("not a duration", "user", "a", "for", "soon", "client_session_id", "very secret")
	f("it ends as soon as it begins", "user", "a", "for", "0s")
	f("not a time", "about", "before", "issued_before", "yesterday")
	f("exclude each other", "about", "before", "issued_before", "2026-01-01", "issuer", "x", "of", "y")
	f("it is not said what is refused", "about", "everything")
	f("expected length &lt;= 1024", "user", "a", "reason", strings.Repeat("long", 400))
	s.Get("/limits/denylist/new?user=alice&for=2h").Want(http.StatusOK, `value="alice"`, `value="2h"`)
	s.Get("/limits/denylist/new?session=x").Want(http.StatusOK, `<option value="session" selected>`)
	s.Without(api.DenylistWrite)
	s.Get("/limits/denylist/new").Want(http.StatusOK, "denylist:write", "disabled")
	s.Post("/limits/denylist/new", url.Values{"about": {"user"}, "user": {"alice"}}).Want(http.StatusForbidden)
}

func TestRemove(t *testing.T) {
	s := site(t)
	s.Get("/limits/denylist/new").Submit("/limits/denylist/new", "", "", "user", "alice", "reason", "stolen").Leads("/limits/denylist")
	list, err := s.Denylist.List(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	at := "/limits/denied/" + list[0].Name + "/remove"
	question := s.Get(at).Want(http.StatusOK, "stolen", "user alice")
	question.Submit(at, "", "").Leads("/limits/denylist").Want(http.StatusOK, "is taken back")
	question.Submit(at, "", "").Leads("/limits/denylist").Want(http.StatusOK, "is not on the list any more")
	s.Get(at).Want(http.StatusNotFound, "There is no such entry")
}

func TestLongDenylist(t *testing.T) {
	s := site(t)
	for i := range 1200 {
		if _, err := s.Denylist.Add(context.Background(), seshat.Denial{Name: fmt.Sprintf("u%d", i), User: fmt.Sprintf("user-%d", i), Status: 401, At: s.Now()}); err != nil {
			t.Fatal(err)
		}
	}
	s.Get("/limits/denylist").Want(http.StatusOK, "1,000 more are not shown").Lacks("data-refresh")
	s.Get("/limits/denylist?q=user-1199").Want(http.StatusOK, "user-1199").Lacks("more are not shown")
}

// TestHostileTexts puts what would break out of a page wherever a text is shown.
func TestHostileTexts(t *testing.T) {
	for _, text := range consoletest.Hostile() {
		s := site(t)
		s.Name = text
		spec := &seshat.LimitSpec{Scope: seshat.Scope{Services: []string{text}}, Key: []string{"parameter:" + text}, Count: 1, Window: seshat.Duration(time.Minute)}
		r := seshat.Resource{APIVersion: seshat.APIVersion, Kind: seshat.KindLimit, Spec: spec, Metadata: seshat.Metadata{Name: "a", Description: text}}
		if _, err := s.Registry.Apply(context.Background(), []resource.Parsed{{Resource: r}}, resource.ApplyOptions{Author: resource.Author{By: text, At: s.Now()}}); err != nil {
			t.Fatal(err)
		}
		if _, err := s.Denylist.Add(context.Background(), seshat.Denial{Name: "d", User: text, Status: 401, Reason: text, By: text, At: s.Now()}); err != nil {
			t.Fatal(err)
		}
		quoted := url.QueryEscape(text)
		acted(s, "Limit/a", seshat.ActionLimit, 0)
		for _, page := range []*consoletest.Page{
			s.Get("/limits"), s.Get("/limits/limit/a"), s.Get("/limits/limit/a/history"), s.Get("/limits/limit/a/yaml"), s.Get("/limits/denylist"),
			s.Get("/limits/denied/d/remove"), s.Get("/limits/denylist?q=" + quoted),
			s.Get("/limits/denylist/new?user=" + quoted + "&session=" + quoted + "&issued_before=" + quoted + "&issuer=" + quoted + "&for=" + quoted),
			s.Get("/limits/new?key=" + quoted + "&endpoint=" + quoted + "&name=" + quoted + "&service=" + quoted + "&description=" + quoted),
			s.Get("/limits/jwt/new?jwks_url=" + quoted + "&issuer=" + quoted),
			s.Get("/limits/new").Submit("/limits/new", "do", "save", "metadata.name", text, "spec.endpoints", text, "spec.count", text),
			s.Get("/limits/denylist/new").Submit("/limits/denylist/new", "", "", "about", text, "for", text),
		} {
			if page.Status >= http.StatusInternalServerError {
				t.Errorf("%q: %d", text, page.Status)
			}
			page.Lacks(consoletest.Breaks()...)
			if _, err := consoletest.Forms(page.Body); err != nil {
				t.Errorf("%q: the page is not well formed: %v", text, err)
			}
		}
	}
}
