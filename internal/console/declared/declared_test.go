package declared_test

import (
	"context"
	"encoding/json"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/seshat-project/seshat"
	"github.com/seshat-project/seshat/internal/api"
	"github.com/seshat-project/seshat/internal/api/wire"
	"github.com/seshat-project/seshat/internal/console/consoletest"
	"github.com/seshat-project/seshat/internal/console/declared"
	"github.com/seshat-project/seshat/internal/preview"
	"github.com/seshat-project/seshat/internal/resource"
	"github.com/seshat-project/seshat/internal/store"
)

func site(t *testing.T) *consoletest.Site { return consoletest.New(t, declared.Register) }

const parameter = `
apiVersion: seshat/v1
kind: ContextParameter
metadata: {name: user, description: Who it is, labels: {team: shop}}
spec:
  scope: {services: [shop.example]}
  conditions: [{location: status, in: response, value: "200"}]
  extract: {location: header, key: X-User}
  transformations: [lowercase, {regex: '(\w+)@'}]
  type: user
  hash: true
`

func TestEmpty(t *testing.T) {
	s := site(t)
	s.Get("/context").Want(http.StatusOK, "No context parameters", `href="/context/parameters/new"`, `aria-current="page"`)
	s.Get("/context/flows").Want(http.StatusOK, "No flows")
	s.Get("/context/masks").Want(http.StatusOK, "No mask rules")
	s.Without(api.ResourcesWrite).Get("/context").Want(http.StatusOK).Lacks("New context parameter")
}

// TestCreate makes one of each kind by its form, and looks at what is stored.
func TestCreate(t *testing.T) {
	s := site(t)
	f := func(kind seshat.Kind, path, to, want string, set ...string) {
		t.Helper()
		s.Get(path).Want(http.StatusOK).Submit(path, "do", "save", set...).Leads(to).Want(http.StatusOK, "is there, and in force")
		name := to[strings.LastIndexByte(to, '/')+1:]
		if got := s.Stored(kind, name); got != strings.TrimPrefix(want, "\n") {
			t.Errorf("%s is stored as\n%s\nwant\n%s", to, got, want)
		}
	}
	f(seshat.KindContextParameter, "/context/parameters/new", "/context/parameter/user", `
apiVersion: seshat/v1
kind: ContextParameter
metadata:
  name: user
  description: Who it is
spec:
  scope:
    services:
      - a.example
      - b.example
  in: response
  extract:
    location: header
    key: X-User
  type: user
  hash: true
`, "metadata.name", "user", "metadata.description", "Who it is", "spec.scope.services", "a.example\r\nb.example\r\n", "spec.in", "response",
		"spec.extract.location", "header", "spec.extract.key.op", "equals", "spec.extract.key.text", "X-User", "spec.type", "user", "spec.hash", "on")
	f(seshat.KindFlow, "/context/flows/new", "/context/flow/checkout", `
apiVersion: seshat/v1
kind: Flow
metadata:
  name: checkout
spec:
  enabled: false
  type: billing
  endpoints:
    - "POST */orders"
`, "metadata.name", "checkout", "spec.type", "billing", "spec.endpoints", "POST */orders", "spec.enabled", "")
	f(seshat.KindMaskRule, "/context/masks/new", "/context/mask/cards", `
apiVersion: seshat/v1
kind: MaskRule
metadata:
  name: cards
spec:
  in: request
  location: body
  jsonPath: $.card
`, "metadata.name", "cards", "spec.in", "request", "spec.location", "body", "spec.key.op", "", "spec.jsonPath", "$.card")
	s.Get("/context").Want(http.StatusOK, "/context/parameter/user", "X-User", ">user</span>", "digest", "ann")
	s.Get("/context/flows").Want(http.StatusOK, "/context/flow/checkout", "POST */orders")
	s.Get("/context/masks").Want(http.StatusOK, "/context/mask/cards", "body $.card")
}

func TestFaults(t *testing.T) {
	s := site(t)
	page := s.Get("/context/flows/new").Submit("/context/flows/new", "do", "save", "metadata.name", "Check Out", "spec.type", "billing")
	page.Want(http.StatusUnprocessableEntity, "is not a valid name", `value="Check Out"`, `href="#metadata-name"`, `aria-invalid="true"`)
	page = s.Get("/context/flows/new").Submit("/context/flows/new", "do", "save", "metadata.name", "a", "spec.type", "billing", "spec.endpoints", "POST /{id}")
	page.Want(http.StatusUnprocessableEntity, `id="spec-endpoints-error" data-error>line 1: `, "POST /{id}")
	page = s.Get("/context/parameters/new").Submit("/context/parameters/new", "do", "save", "metadata.name", "a", "spec.extract.key.op", "matches", "spec.extract.key.text", "((")
	page.Want(http.StatusUnprocessableEntity, `id="spec-extract-key-text-error"`, "missing closing )")
	if s.Stored(seshat.KindFlow, "a") != "" {
		t.Error("something was stored")
	}
	s.Get("/context/parameters/new").Submit("/context/parameters/new", "do", "save").Want(http.StatusUnprocessableEntity, "it has no name")
}

// TestNameIsTaken makes a resource of a name that there is.
func TestNameIsTaken(t *testing.T) {
	s := site(t)
	s.Apply(parameter)
	s.Get("/context/parameters/new").Submit("/context/parameters/new", "do", "save", "metadata.name", "user", "spec.extract.key.text", "Y").
		Want(http.StatusConflict, "there is one of this name already")
	if !strings.Contains(s.Stored(seshat.KindContextParameter, "user"), "X-User") {
		t.Error("it was replaced")
	}
}

// TestMaskThatHidesAnIdentifier is refused, with the reason and a link to the rule.
func TestMaskThatHidesAnIdentifier(t *testing.T) {
	s := site(t)
	s.Apply("apiVersion: seshat/v1\nkind: SessionRule\nmetadata: {name: shop}\nspec: {identifiers: [{cookie: SID}]}\n")
	s.Get("/context/masks/new").Submit("/context/masks/new", "do", "save", "metadata.name", "cookies", "spec.location", "cookie", "spec.key.op", "equals", "spec.key.text", "SID").
		Want(http.StatusUnprocessableEntity, "a masked parameter cannot be an identifier: MaskRule/cookies removes request cookie SID",
			`href="/rules/shop"`, "spec.identifiers[0]", `value="SID"`)
	if s.Stored(seshat.KindMaskRule, "cookies") != "" {
		t.Error("it was stored")
	}
	s.Apply("apiVersion: seshat/v1\nkind: MaskRule\nmetadata: {name: off}\nspec: {enabled: false, location: cookie, key: SID}\n")
	list := s.Get("/context/masks")
	list.Submit("/context/mask/off/enabled", "enabled", "true").Want(http.StatusUnprocessableEntity, "Nothing was changed", "cannot be an identifier")
}

func TestEdit(t *testing.T) {
	s := site(t)
	s.Apply(parameter)
	before := s.Stored(seshat.KindContextParameter, "user")
	page := s.Get("/context/parameter/user").Want(http.StatusOK, "by ben", "X-User", "team=shop")
	page.Submit("/context/parameter/user", "do", "save").Leads("/context/parameter/user").Want(http.StatusOK, "Nothing was different")
	if after := s.Stored(seshat.KindContextParameter, "user"); after != before {
		t.Errorf("the form alone changed\n%s\nto\n%s", before, after)
	}
	page.Submit("/context/parameter/user", "do", "save", "spec.extract.key.text", "X-Name", "spec.type", "").Leads("/context/parameter/user").Want(http.StatusOK, "is saved")
	want := strings.ReplaceAll(strings.ReplaceAll(before, "X-User", "X-Name"), "  type: user\n", "")
	if after := s.Stored(seshat.KindContextParameter, "user"); after != want {
		t.Errorf("it is\n%s\nwant\n%s", after, want)
	}
	s.Get("/context/parameter/nobody").Want(http.StatusNotFound, "There is no such resource")
	// A form that does not say what it was made of replaces nothing.
	s.Post("/context/parameter/user", url.Values{"do": {"save"}}).Want(http.StatusBadRequest)
}

// TestListsOfTheForm adds, moves and removes lines without scripts.
func TestListsOfTheForm(t *testing.T) {
	s := site(t)
	s.Apply(parameter)
	const at = "/context/parameter/user"
	page := s.Get(at).Submit(at, "do", "add spec.conditions location=header&key.op=equals").Want(http.StatusOK, "Condition 2", "autofocus")
	page = page.Submit(at, "do", "remove spec.conditions[0]").Want(http.StatusOK).Lacks("Condition 2")
	page = page.Submit(at, "do", "down spec.transformations[0]").Want(http.StatusOK)
	page.Submit(at, "do", "save", "spec.conditions[0].key.text", "X-Kind").Leads(at)
	if got := s.Stored(seshat.KindContextParameter, "user"); !strings.Contains(got, "key: X-Kind") || strings.Contains(got, "status") || strings.Index(got, "regex") > strings.Index(got, "lowercase") {
		t.Errorf("it is stored as\n%s", got)
	}
}

// TestConflict saves a form that somebody else was faster than: it says so and shows what they changed.
func TestConflict(t *testing.T) {
	s := site(t)
	s.Apply(parameter)
	const at = "/context/parameter/user"
	form := s.Get(at)
	s.Apply(strings.ReplaceAll(parameter, "X-User", "X-Theirs"))
	page := form.Submit(at, "do", "save", "spec.extract.key.text", "X-Mine").
		Want(http.StatusConflict, "It has changed since this form was opened", "ben made revision", "<ins>+    key: X-Theirs</ins>", `value="X-Mine"`, "Replace it with this")
	if !strings.Contains(s.Stored(seshat.KindContextParameter, "user"), "X-Theirs") {
		t.Error("theirs is gone")
	}
	page.Submit(at, "do", "save").Leads(at)
	if !strings.Contains(s.Stored(seshat.KindContextParameter, "user"), "X-Mine") {
		t.Error("mine was not saved the second time")
	}
	// Deleted meanwhile: saving once more makes it anew.
	form = s.Get(at)
	s.Get(at+"/delete").Submit(at+"/delete", "", "").Leads("/context").Want(http.StatusOK, "user is deleted")
	form.Submit(at, "do", "save").Want(http.StatusConflict, "It was deleted meanwhile").Submit("/context/parameters/new", "do", "save").Leads(at)
	// A delete and a switch of what has changed meanwhile do nothing, and say so.
	list, question := s.Get("/context"), s.Get(at+"/delete")
	s.Apply(parameter)
	question.Submit(at+"/delete", "", "").Leads(at).Want(http.StatusOK, "Not deleted")
	list.Submit(at+"/enabled", "enabled", "").Leads("/context").Want(http.StatusOK, "Not switched")
}

func TestSwitch(t *testing.T) {
	s := site(t)
	s.Apply(parameter)
	s.Get("/context").Submit("/context/parameter/user/enabled", "enabled", "").Leads("/context").Want(http.StatusOK, "user is switched off")
	if !strings.Contains(s.Stored(seshat.KindContextParameter, "user"), "enabled: false") {
		t.Error("it is still in force")
	}
	s.Get("/context").Submit("/context/parameter/user/enabled", "enabled", "true").Leads("/context").Want(http.StatusOK, "user is in force")
}

func TestHistory(t *testing.T) {
	s := site(t)
	s.Apply(parameter)
	s.Apply(strings.ReplaceAll(parameter, "X-User", "X-Name"))
	s.Apply(strings.ReplaceAll(parameter, "X-User", "X-Third"))
	const at = "/context/parameter/user"
	history, err := s.Registry.History(context.Background(), seshat.KindContextParameter, "user")
	if err != nil || len(history) != 3 {
		t.Fatal(history, err)
	}
	text := func(i int) string { return strings.TrimSpace(jsonText(t, history[i].Revision)) }
	page := s.Get(at+"/history").Want(http.StatusOK, "<del>-    key: X-Name</del>", "<ins>+    key: X-Third</ins>", "created", "updated", "ben")
	s.Get(at+"/history?from="+text(2)+"&to="+text(0)).Want(http.StatusOK, "<del>-    key: X-User</del>", "<ins>+    key: X-Third</ins>")
	s.Get(at+"/history?to="+text(0)).Want(http.StatusOK, "<ins>+    key: X-User</ins>")
	s.Get(at + "/history?to=999").Want(http.StatusNotFound)
	page.Submit(at+"/rollback", "revision", text(0), "newest", "999").Leads(at+"/history").Want(http.StatusOK, "Not brought back", "has changed meanwhile")
	page.Submit(at+"/rollback", "revision", text(0)).Leads(at).Want(http.StatusOK, "is back, and in force")
	if !strings.Contains(s.Stored(seshat.KindContextParameter, "user"), "X-User") {
		t.Error("it is not rolled back")
	}
	// A deleted one comes back by its history.
	s.Get(at+"/delete").Submit(at+"/delete", "", "").Leads("/context")
	s.Get(at+"/history").Want(http.StatusOK, "It is deleted").Submit(at+"/rollback", "revision", text(1)).Leads(at)
	s.Get("/context/parameter/never/history").Want(http.StatusNotFound)
	// What does not go together with what is there now does not come back.
	s.Apply("apiVersion: seshat/v1\nkind: MaskRule\nmetadata: {name: sid}\nspec: {location: cookie, key: SID}\n")
	s.Apply("apiVersion: seshat/v1\nkind: MaskRule\nmetadata: {name: sid}\nspec: {location: cookie, key: OTHER}\n")
	s.Apply("apiVersion: seshat/v1\nkind: SessionRule\nmetadata: {name: shop}\nspec: {identifiers: [{cookie: SID}]}\n")
	s.Get("/context/mask/sid/history").Submit("/context/mask/sid/rollback", "", "").Want(http.StatusUnprocessableEntity, "cannot be brought back", "/rules/shop")
}

func jsonText(t *testing.T, v any) string {
	t.Helper()
	text, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

func TestYAML(t *testing.T) {
	s := site(t)
	s.Apply(parameter)
	const at = "/context/parameter/user/yaml"
	text := s.Stored(seshat.KindContextParameter, "user")
	page := s.Get(at).Want(http.StatusOK, "key: X-User")
	page.Submit(at, "", "").Leads(at).Want(http.StatusOK, "Nothing was different")
	page.Submit(at, "", "", "text", strings.ReplaceAll(text, "X-User", "X-Name")).Leads(at).Want(http.StatusOK, "is saved", "key: X-Name")
	page.Submit(at, "", "", "text", strings.ReplaceAll(text, "X-User", "X-Late")).Want(http.StatusConflict, "It has changed meanwhile", "X-Late").
		Submit(at, "", "").Leads(at).Want(http.StatusOK, "key: X-Late")
	page = s.Get(at)
	page.Submit(at, "", "", "text", "kind: [").Want(http.StatusUnprocessableEntity, "line 1")
	page.Submit(at, "", "", "text", text+"  colour: red\n").Want(http.StatusUnprocessableEntity, "colour", "line ")
	page.Submit(at, "", "", "text", strings.ReplaceAll(text, "name: user", "name: other")).Want(http.StatusUnprocessableEntity, "and nothing else")
	page.Submit(at, "", "", "text", strings.ReplaceAll(text, `(\w+)@`, `((`)).Want(http.StatusUnprocessableEntity, "spec.transformations[1]")
}

// TestOnlyYAML opens a resource that says what no form can hold: it is changed as YAML, and nothing of it is lost.
func TestOnlyYAML(t *testing.T) {
	s := site(t)
	s.Apply("apiVersion: seshat/v1\nkind: Flow\nmetadata: {name: odd, description: \"a\\r\\nb\"}\nspec: {type: billing}\n")
	s.Get("/context/flow/odd").Leads("/context/flow/odd/yaml?only").Want(http.StatusOK, "The form cannot show all")
}

func TestReadOnly(t *testing.T) {
	s := site(t)
	s.Apply(parameter)
	form := s.Get("/context/parameter/user")
	s.Without(api.ResourcesWrite, api.RulesTry)
	s.Get("/context/parameter/user").Want(http.StatusOK, "<fieldset class=\"plain\" disabled", "resources:write").Lacks(`value="try"`, "Delete")
	s.Get("/context/parameter/user/yaml").Want(http.StatusOK, "X-User").Lacks("<textarea")
	s.Get("/context/parameter/user/history").Want(http.StatusOK).Lacks("Bring back</button>")
	form.Submit("/context/parameter/user", "do", "save", "spec.type", "role").Want(http.StatusForbidden, "resources:write")
	if !strings.Contains(s.Stored(seshat.KindContextParameter, "user"), "type: user") {
		t.Error("it was changed")
	}
}

func TestSearch(t *testing.T) {
	s := site(t)
	s.Apply(parameter)
	s.Apply("apiVersion: seshat/v1\nkind: ContextParameter\nmetadata: {name: tenant}\nspec: {extract: {location: query, key: t}}\n")
	s.Get("/context?q=x-USER+lowercase").Want(http.StatusOK, "/context/parameter/user").Lacks("/context/parameter/tenant")
	s.Get("/context?q=nothing").Want(http.StatusOK, "Nothing found")
}

func TestTry(t *testing.T) {
	s := site(t)
	var draft *api.Draft
	s.API.Preview = func(_ context.Context, d *api.Draft) (*wire.Preview, error) {
		draft = d
		return &wire.Preview{Report: preview.Report{
			Exchanges: 1234, First: s.Now(), Last: s.Now().Add(time.Minute), Verdict: preview.TrialVerdict{Grade: preview.GradeGood, Text: "It finds users."},
			Warnings: []preview.TrialWarning{{Code: "x", Grade: preview.GradeWarning, Text: "Mind this.", Examples: []string{"<b>"}}},
			Parameters: []preview.ParameterTrial{{
				Name: "user", InScope: 1000, Found: 400, Distinct: 7, Values: []preview.CountedValue{{Value: "<i>alice", Count: 9}},
				Missed: []preview.MissedFor{{Reason: "absent", Count: 600}},
			}},
			Flows: []preview.FlowTrial{{Name: "draft", Matched: 5, Share: 0.25, Endpoints: []preview.CountedValue{{Value: "POST /x", Count: 5}}}},
			Masks: []preview.MaskTrial{{Name: "m", InScope: 10, Removed: 3, Places: []preview.CountedValue{{Value: "request header X", Count: 3}}}},
		}}, nil
	}
	s.Apply(parameter)
	const at = "/context/parameter/user"
	// Without scripts the form comes again with what came of it; with htmx only that comes.
	s.Get(at).Submit(at, "do", "try", "spec.type", "role", "spec.enabled", "").
		Want(http.StatusOK, "It finds users.", "1,234 exchanges", "&lt;i&gt;alice", "it was not there", "Mind this.", "40 % of them", "type: role").Lacks("<i>")
	if draft == nil || len(draft.Add) != 1 {
		t.Fatal("nothing was tried")
	}
	if spec, ok := draft.Add[0].Resource.Spec.(*seshat.ContextParameterSpec); !ok || spec.Type != "role" || spec.Enabled != nil {
		t.Errorf("%+v was tried", draft.Add[0].Resource.Spec)
	}
	if !strings.Contains(s.Stored(seshat.KindContextParameter, "user"), "type: user") {
		t.Error("trying has stored something")
	}
	form := s.Get("/context/flows/new").Form("/context/flows/new")
	form.Set("do", "try")
	form.Set("spec.type", "billing")
	part := s.Post("/context/flows/new", form, "HX-Request", "true").Want(http.StatusOK, "POST /x", "25 % of all").Lacks("<html")
	if !strings.HasPrefix(part.Body, "<section") {
		t.Errorf("the part is %s", part.Body)
	}
	s.Get("/context/masks/new").Submit("/context/masks/new", "do", "try", "metadata.name", "m", "spec.key.text", "X").Want(http.StatusOK, "request header X")
	s.Get("/context/masks/new").Submit("/context/masks/new", "do", "try", "spec.key.op", "matches", "spec.key.text", "").Want(http.StatusOK, "no text")
}

// TestLately counts what is asked for.
func TestLately(t *testing.T) {
	s := site(t)
	s.Apply(parameter)
	batch := &store.Batch{StoredAt: s.Now()}
	for i := range 4 {
		o := &seshat.Observation{Key: seshat.ExchangeKey(i + 1), Time: s.Now().Add(-time.Minute), Method: "GET", Path: "/"}
		if i > 0 {
			o.Parameters = []seshat.Parameter{{Name: "user", Type: seshat.ParameterUser, Value: "<b>alice"}}
			o.Flows = []seshat.FlowMatch{{Name: "checkout", Type: seshat.FlowBilling}}
		}
		batch.Exchanges = append(batch.Exchanges, seshat.Assigned{Observation: o, Session: seshat.SessionID{1}})
	}
	if err := s.Store.Commit(context.Background(), batch); err != nil {
		t.Fatal(err)
	}
	s.Get("/context/parameters/lately?name=user&name=none").Want(http.StatusOK, `id="lately-user" hx-swap-oob="true"><a href="/explorer?filter=attr.user%3A%2A&amp;since=1h">3</a>`, "&lt;b&gt;alice",
		`id="lately-none" hx-swap-oob="true"><span class="muted">not seen`).Lacks("<b>")
	s.Get("/context/flows/lately?name=checkout").Want(http.StatusOK, "75 %")
	s.Get("/context").Want(http.StatusOK, `hx-get="/context/parameters/lately?name=user"`)
	s.Get("/context/flows/lately").Want(http.StatusOK)
}

// TestHostileTexts puts what would break out of a page wherever a text is shown.
func TestHostileTexts(t *testing.T) {
	for _, text := range consoletest.Hostile() {
		s := site(t)
		spec := &seshat.ContextParameterSpec{
			Scope: seshat.Scope{Services: []string{text}}, Extract: seshat.Extract{Location: "header", Key: &seshat.Match{Contains: &text}},
			Conditions: []seshat.Condition{{Extract: seshat.Extract{Location: "query", Key: &seshat.Match{In: []string{text}}}}},
		}
		if len(text) > 4000 { // more than a match may have
			spec.Extract.Key = &seshat.Match{Contains: &[]string{text[:2000]}[0]}
			spec.Conditions = nil
		}
		s.Name = text
		r := seshat.Resource{
			APIVersion: seshat.APIVersion, Kind: seshat.KindContextParameter, Spec: spec,
			Metadata: seshat.Metadata{Name: "a", Description: text, Labels: map[string]string{"l": text}},
		}
		_, err := s.Registry.Apply(context.Background(), []resource.Parsed{{Resource: r}}, resource.ApplyOptions{Author: resource.Author{By: text, At: s.Now()}})
		if err != nil {
			t.Fatal(err)
		}
		const at = "/context/parameter/a"
		for _, page := range []*consoletest.Page{
			s.Get("/context"), s.Get(at), s.Get(at + "/history"), s.Get(at + "/yaml"), s.Get(at + "/delete"), s.Get("/context?q=" + url.QueryEscape(text)),
			s.Get("/context/parameters/new?name=" + url.QueryEscape(text) + "&key=" + url.QueryEscape(text) + "&location=" + url.QueryEscape(text)),
			s.Get(at).Submit(at, "do", "try"), s.Get("/context/flows/new").Submit("/context/flows/new", "do", "save", "metadata.name", text, "spec.endpoints", text),
			s.Post("/context/parameters/new", url.Values{"do": {text}}), s.Get("/context/parameters/lately?name=" + url.QueryEscape(text)),
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
