package rules_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"testing"

	"github.com/seshat-project/seshat"
	"github.com/seshat-project/seshat/internal/api"
	"github.com/seshat-project/seshat/internal/api/wire"
	"github.com/seshat-project/seshat/internal/console/consoletest"
	"github.com/seshat-project/seshat/internal/console/rules"
	"github.com/seshat-project/seshat/internal/kv"
	"github.com/seshat-project/seshat/internal/preview"
	"github.com/seshat-project/seshat/internal/resource"
)

func site(t *testing.T) *consoletest.Site { return consoletest.New(t, rules.Register) }

const shop = `
apiVersion: seshat/v1
kind: SessionRule
metadata: {name: shop, description: The shop}
spec:
  scope: {services: [shop.example]}
  identifiers: [{cookie: SID}]
`

func named(name string) string { return strings.ReplaceAll(shop, "name: shop", "name: "+name) }

func TestEmpty(t *testing.T) {
	s := site(t)
	s.Get("/rules").Want(http.StatusOK, "No rules of your own", "Built-in set", "Keycloak", `href="/rules/new"`)
	s.Without(api.ResourcesWrite).Get("/rules").Want(http.StatusOK, "New rule") // it can be tried
	s.Without(api.ResourcesWrite, api.RulesTry).Get("/rules").Want(http.StatusOK).Lacks("New rule", `href="/rules/new"`)
	s.Apply("apiVersion: seshat/v1\nkind: Settings\nmetadata: {name: default}\nspec: {builtIn: false, autoIdentifier: false}")
	s.Get("/rules").Want(http.StatusOK, `>off</span>`, "Rules that are set by themselves are switched off")
}

// TestWriteWithoutScripts writes a rule by buttons of forms alone.
func TestWriteWithoutScripts(t *testing.T) {
	s := site(t)
	const form = "/rules/new"
	page := s.Get(form).Want(http.StatusOK, `name="metadata.name"`).
		Submit(form, "do", "step 2", "metadata.name", "till", "metadata.description", "Tills & more", "spec.scope.services", "a\r\n\r\n b ").
		Want(http.StatusOK, `data-step="2"`).
		Submit(form, "do", "add spec.identifiers form=header&obfuscate=on").Want(http.StatusOK, "Identifier 0").
		Submit(form, "do", "add spec.identifiers form=cookie&obfuscate=on", "spec.identifiers[0].header", "X-Till").
		Submit(form, "do", "up spec.identifiers[1]", "spec.identifiers[1].cookie", "TILL").
		Submit(form, "do", "add spec.identifiers[1].transformations kind=lowercase").
		Submit(form, "do", "add spec.identifiers[1].conditions location=status", "spec.identifiers[1].obfuscate", "").
		Submit(form, "do", "add spec.identifiers[1].conditions location=header").
		Submit(form, "do", "remove spec.identifiers[1].conditions[1]", "spec.identifiers[1].conditions[0].value.op", "in", "spec.identifiers[1].conditions[0].value.texts", "200\r\n201").
		Submit(form, "do", "step 3", "spec.identifiers[1].expiration.kind", "attribute", "spec.identifiers[1].expiration.attribute.location", "header",
			"spec.identifiers[1].expiration.attribute.key.op", "equals", "spec.identifiers[1].expiration.attribute.key.text", "X-Ends", "spec.identifiers[1].expiration.attribute.format", "epochSeconds",
			"spec.idleTimeout", "30m").
		Want(http.StatusOK, `data-step="3"`, "header: X-Till", "Sessions end", "after 30\u00a0min without an exchange").Lacks(`id="faults"`)
	page.Submit(form, "do", "save").Leads("/rules/till?saved=created").Want(http.StatusOK, "till is saved, and in force", "/sessions?filter=identified_by%3Atill", "Tills &amp; more")
	const want = `apiVersion: seshat/v1
kind: SessionRule
metadata:
  name: till
  description: "Tills & more"
spec:
  scope:
    services:
      - a
      - b
  identifiers:
    - cookie: TILL
    - header: X-Till
      conditions:
        - location: status
          value:
            in:
              - "200"
              - "201"
      transformations:
        - lowercase
      obfuscate: false
      expiration:
        attribute:
          location: header
          key: X-Ends
          format: epochSeconds
  idleTimeout: 30m
`
	if got := s.Stored(seshat.KindSessionRule, "till"); got != want {
		t.Errorf("stored is\n%s\nwant\n%s", got, want)
	}
	// Edited and saved without a change, it stays what it is.
	s.Get("/rules/till/edit").Want(http.StatusOK).Submit("/rules/till/edit", "do", "save").Leads("/rules/till?saved=unchanged").Want(http.StatusOK, "Nothing was different")
	if got := s.Stored(seshat.KindSessionRule, "till"); got != want {
		t.Errorf("after a form without a change:\n%s", got)
	}
}

func TestFaults(t *testing.T) {
	s := site(t)
	s.Apply(named("taken"))
	s.Apply("apiVersion: seshat/v1\nkind: MaskRule\nmetadata: {name: pin}\nspec: {location: cookie, key: PIN}")
	f := func(set []string, want ...string) {
		t.Helper()
		set = append([]string{"metadata.name", "shop"}, set...)
		page := s.Get("/rules/new?cookie=SID").Want(http.StatusOK).Submit("/rules/new", "do", "save", set...)
		page.Want(http.StatusUnprocessableEntity, want...)
		if s.Stored(seshat.KindSessionRule, "shop") != "" {
			t.Errorf("%v was saved", set)
		}
	}
	f([]string{"metadata.name", ""}, "it has no name", `href="#metadata-name"`, `aria-invalid="true"`)
	f([]string{"metadata.name", "Two Words"}, "is not a valid name")
	f([]string{"metadata.name", "new"}, "this name is the address of another page")
	f([]string{"metadata.name", "taken"}, "there is a session rule of this name already")
	f([]string{"metadata.uid", "1234"}, "not a UUID", `href="#metadata-uid"`)
	f([]string{"metadata.labels", "a"}, "not a label")
	f([]string{"spec.priority", "first"}, "not a whole number")
	f([]string{"spec.idleTimeout", "30"}, "not a duration")
	f([]string{"spec.scope.urls", "a\r\n("}, "line 2: ", `href="#spec-scope-urls"`)
	f([]string{"spec.identifiers[0].form", "header"}, "no text (name the header)", `href="#spec-identifiers-0-header"`, `data-step="2"`)
	f([]string{"spec.identifiers[0].form", "other"}, "needs one of", `href="#spec-identifiers-0"`)
	f([]string{"spec.identifiers[0].type", "other"}, "unknown type")
	f([]string{"spec.identifiers[0].form", "jwtClaim", "spec.identifiers[0].jwtClaim.name", ""}, "name the header or the cookie", "such as sid or sub")
	f([]string{"spec.identifiers[0].form", "extract", "spec.identifiers[0].extract.location", "body", "spec.identifiers[0].extract.jsonPath", "$["}, "broken JSONPath", `href="#spec-identifiers-0-extract-jsonPath"`)
	f([]string{"spec.identifiers[0].form", "extract", "spec.identifiers[0].extract.location", "pathSegment", "spec.identifiers[0].extract.segment", "x"}, "not a whole number")
	f([]string{"spec.identifiers[0].form", "extract", "spec.identifiers[0].extract.location", "cookie", "spec.identifiers[0].extract.key.op", "matches", "spec.identifiers[0].extract.key.text", "("},
		"missing closing )", `href="#spec-identifiers-0-extract-key-text"`)
	f([]string{"spec.identifiers[0].cookie", "PIN"}, "a masked parameter cannot be an identifier")
	// Everything at once, whatever it is.
	f([]string{"metadata.name", "", "spec.priority", "x", "spec.scope.urls", "("}, "3 things are wrong")
	s.Get("/rules/new").Submit("/rules/new", "do", "save", "metadata.name", "shop").Want(http.StatusUnprocessableEntity, "a session rule without identifiers finds nothing")
}

func TestYAML(t *testing.T) {
	s := site(t)
	s.Apply(shop)
	const form = "/rules/shop/edit"
	page := s.Get(form).Submit(form, "do", "yaml").Want(http.StatusOK, "cookie: SID", `name="yaml"`).Lacks(`name="spec.scope.services"`)
	text := strings.ReplaceAll(page.Form(form).Get("yaml"), "\r\n", "\n")
	f := func(old, replacement string, status int, want ...string) *consoletest.Page {
		t.Helper()
		if !strings.Contains(text, old) {
			t.Fatalf("the text lacks %q:\n%s", old, text)
		}
		return page.Submit(form, "do", "step 3", "yaml", strings.ReplaceAll(text, old, replacement)).Want(status, want...)
	}
	f("cookie: SID", "coookie: SID", http.StatusOK, `data-line="11"`, "unknown field", "did you mean cookie?")
	f("cookie: SID", "header: A\n      type: nope", http.StatusOK, "unknown type", `data-line="12"`)
	f("name: shop", "name: other", http.StatusOK, "the name cannot be changed", `data-line="4"`)
	f("kind: SessionRule", "kind: Flow", http.StatusOK, "wrong")
	f("apiVersion", "---\napiVersion: seshat/v1\nkind: Settings\nmetadata: {name: default}\nspec: {}\n---\napiVersion", http.StatusOK, "one session rule and nothing else")
	f("cookie: SID", "cookie: OTHER", http.StatusOK).Lacks("wrong").Submit(form, "do", "form").
		Want(http.StatusOK, `value="OTHER"`).Submit(form, "do", "save").Leads("/rules/shop?saved=updated")
	// What the form cannot show stays YAML, and says so.
	s.Get(form).Submit(form, "do", "yaml").Submit(form, "do", "form", "yaml", strings.ReplaceAll(text, "cookie: SID", "cookie: \"S\\nD\"")).
		Want(http.StatusOK, "The form cannot show spec.identifiers[0].cookie", `name="yaml"`)
	s.Apply(strings.ReplaceAll(named("odd"), "cookie: SID", `cookie: "S\nD"`))
	s.Get("/rules/odd/edit").Want(http.StatusOK, "The form cannot show spec.identifiers[0].cookie. It can be written as YAML.", `name="yaml"`).
		Submit("/rules/odd/edit", "do", "save").Leads("/rules/odd?saved=unchanged")
	// What is no rule yet stays a form.
	s.Get("/rules/new?cookie=A").Submit("/rules/new", "do", "yaml", "spec.priority", "x").Want(http.StatusOK, "has to be mended", `name="spec.priority"`)
}

func TestConflict(t *testing.T) {
	s := site(t)
	s.Apply(shop)
	const form = "/rules/shop/edit"
	open := s.Get(form)
	s.Apply(strings.ReplaceAll(shop, "SID", "THEIRS"))
	page := open.Submit(form, "do", "save", "spec.identifiers[0].cookie", "MINE").
		Want(http.StatusConflict, "It was changed meanwhile", "ben made revision", "cookie: THEIRS", "cookie: MINE", "Save in place of theirs")
	if got := s.Stored(seshat.KindSessionRule, "shop"); !strings.Contains(got, "THEIRS") {
		t.Errorf("a conflict was saved:\n%s", got)
	}
	page.Submit(form, "do", "save").Leads("/rules/shop?saved=updated")
	if got := s.Stored(seshat.KindSessionRule, "shop"); !strings.Contains(got, "MINE") {
		t.Errorf("stored is\n%s", got)
	}
	open = s.Get(form)
	if err := s.Registry.Delete(context.Background(), seshat.KindSessionRule, "shop", kv.Any, resource.Author{By: "ben"}); err != nil {
		t.Fatal(err)
	}
	open.Submit(form, "do", "save", "spec.identifiers[0].cookie", "AGAIN").Want(http.StatusConflict, "It was deleted meanwhile", "ben deleted it", "Make it anew").
		Submit(form, "do", "save").Leads("/rules/shop?saved=created")
}

// order is the order of the list.
func order(p *consoletest.Page) string {
	var out []string
	for _, found := range regexp.MustCompile(`<tr data-name="([^"]+)"`).FindAllStringSubmatch(p.Body, -1) {
		out = append(out, found[1])
	}
	return strings.Join(out, " ")
}

func TestOrder(t *testing.T) {
	s := site(t)
	for _, name := range []string{"a", "b", "c"} {
		s.Apply(named(name))
	}
	f := func(do, want string) {
		t.Helper()
		s.Post("/rules/-/order", url.Values{"do": {do}}).Leads("/rules").Want(http.StatusOK, "is at place")
		if got := order(s.Get("/rules")); got != want {
			t.Errorf("%s: the order is %s, want %s", do, got, want)
		}
	}
	f("up c", "a c b")
	f("put b before a", "b a c")
	f("down b", "a b c")
	for _, do := range []string{"", "up a", "up nothing", "put a before nothing"} {
		s.Post("/rules/-/order", url.Values{"do": {do}}).Want(http.StatusConflict, "That rule is not where it was any more")
	}
	part := s.Post("/rules/-/order", url.Values{"do": {"up c"}}, "HX-Request", "true").Want(http.StatusOK, `id="rules"`, "c is at place 2 of 3", "autofocus").Lacks("<html")
	if got := order(part); got != "a c b" {
		t.Errorf("the part shows %s", got)
	}
	if got := order(s.Get("/rules?q=" + url.QueryEscape("SHOP.example "+seshat.RuleIDFor("b").String()))); got != "b" {
		t.Errorf("a search finds %q", got)
	}
	s.Get("/rules?q=nothing").Want(http.StatusOK, "Nothing found")
	s.Without(api.ResourcesWrite).Get("/rules").Want(http.StatusOK).Lacks("data-handle", `value="up b"`)
	s.Post("/rules/-/order", url.Values{"do": {"up b"}}).Want(http.StatusForbidden)
}

func TestManyRules(t *testing.T) {
	s := site(t)
	var all []string
	for i := range 250 {
		all = append(all, named(fmt.Sprintf("rule-%03d", i)))
	}
	s.Apply(strings.Join(all, "\n---\n"))
	page := s.Get("/rules").Want(http.StatusOK, "50 more are not shown")
	if n := strings.Count(page.Body, "<tr data-name="); n != 200 {
		t.Errorf("%d rows", n)
	}
	s.Get("/rules?q=rule-249").Want(http.StatusOK, `data-name="rule-249"`)
}

func TestView(t *testing.T) {
	s := site(t)
	s.Apply(shop)
	id := seshat.RuleIDFor("shop").String()
	s.Get("/rules/shop").Want(http.StatusOK, "service shop.example", "cookie SID, in requests and where a response sets it", id, "seshat.session."+id+".0.id", "1 of 1", "created by ben").
		Lacks("is saved")
	s.Get("/rules/shop/lately", "HX-Request", "true").Want(http.StatusOK, "It gave no exchange its session", `id="found-0"`)
	s.Get("/rules/-/used?name=shop", "HX-Request", "true").Want(http.StatusOK, `id="used-rule-shop"`)
	s.Get("/rules/nothing").Want(http.StatusNotFound, "There is no such rule")
	s.Get("/rules/nothing/edit").Want(http.StatusNotFound)
	s.Get("/rules/shop/history").Want(http.StatusOK, "created", "ben")
	yaml := s.Get("/rules.yaml?name=shop").Want(http.StatusOK, "cookie: SID")
	if got := yaml.Header.Get("Content-Disposition"); got != `attachment; filename="shop.yaml"` {
		t.Errorf("it is kept as %s", got)
	}
	s.Apply("apiVersion: seshat/v1\nkind: Flow\nmetadata: {name: buy}\nspec: {type: billing}")
	s.Get("/rules.yaml").Want(http.StatusOK, "name: shop").Lacks("kind: Flow")
	s.Get("/rules.yaml?all").Want(http.StatusOK, "name: shop", "kind: Flow")
	s.Get("/rules/shop/delete").Submit("/rules/shop/delete", "", "").Leads("/rules").Want(http.StatusOK, "shop is deleted")
	s.Get("/rules/shop").Leads("/rules/shop/history").Want(http.StatusOK, "It is deleted")
	s.Get("/rules/new?from=shop").Want(http.StatusNotFound)
	s.Apply(shop)
	s.Get("/rules/new?from=shop").Want(http.StatusOK, `value="shop-copy"`)
	s.Get("/rules/new?header=X-A&service=shop.example").Want(http.StatusOK, `value="X-A"`, "shop.example")
}

func TestPresets(t *testing.T) {
	s := site(t)
	s.Get("/rules/-/presets/mcp").Want(http.StatusOK, "would be new", "Flow/mcp-end", "MCP-Session-Id", "Apply all of it")
	s.Get("/rules/-/presets/nothing").Want(http.StatusNotFound)
	s.Get("/rules/new?preset=mcp").Want(http.StatusOK, `value="mcp"`, "MCP-Session-Id")
	s.Get("/rules/-/presets/mcp").Submit("/rules/-/presets/mcp", "", "").Leads("/rules").Want(http.StatusOK, "is in force: 4 resources")
	s.Get("/rules/-/presets/mcp").Want(http.StatusOK, "is in force").Lacks("would be new")
	s.Apply("apiVersion: seshat/v1\nkind: SessionRule\nmetadata: {name: mcp}\nspec: {identifiers: [{cookie: A}]}")
	s.Get("/rules/-/presets/mcp").Want(http.StatusOK, "would replace the one that there is")
	s.Apply("apiVersion: seshat/v1\nkind: MaskRule\nmetadata: {name: cf}\nspec: {location: cookie, key: CF_Authorization}")
	s.Get("/rules/-/presets/cloudflare-access").Submit("/rules/-/presets/cloudflare-access", "", "").Want(http.StatusUnprocessableEntity, "a masked parameter cannot be an identifier")
	s.Without(api.ResourcesWrite).Get("/rules/-/presets/mcp").Want(http.StatusOK).Lacks("Apply all of it")
}

// report is what trying a draft came to.
func report(name, hostile string) *wire.Preview {
	zero := 0
	return &wire.Preview{Source: wire.PreviewSource{From: wire.PreviewRecent, Share: 0.5}, Report: preview.Report{
		Exchanges: 200, Successful: 180, Verdict: preview.TrialVerdict{Grade: preview.GradeWarning, Text: "It finds much. " + hostile},
		Warnings: []preview.TrialWarning{{Code: preview.WarnConstant, Grade: preview.GradeBad, Resource: "SessionRule/" + name, Index: &zero, Text: "All clients have the same value. " + hostile, Examples: []string{hostile}}},
		Rules: []preview.RuleTrial{{Name: name, Draft: true, InScope: 150, Found: 120, Decides: 110, Successful: 140, FoundSuccessful: 105, Identifiers: []preview.IdentifierTrial{
			{Where: "request cookie " + hostile, Found: 120, FoundSuccessful: 105, Decides: 110, Values: 12, Missed: []preview.MissedFor{{Reason: "absent", Count: 30}, {Reason: "condition", Detail: hostile, Count: 2}}},
		}}},
		IdentifiedBy: []preview.IdentifiedBy{{Name: hostile, Origin: "rule", Before: 3, After: 110}},
		Before:       preview.SessionCounts{Sessions: 40, Identified: 10}, After: preview.SessionCounts{Sessions: 12, Identified: 120, SeveralUsers: 1},
		Moves:    preview.SessionMoves{Regrouped: 7, Split: 1, Joined: 2, Same: 1},
		Found:    []preview.ExchangeExample{{Method: "GET", Host: hostile, Path: "/" + hostile, Status: 200, Rule: name, Masked: hostile, Session: "s1", Explains: []string{"because " + hostile}}},
		NotFound: []preview.ExchangeExample{{Method: "GET", Path: "/health", Status: 200, Rule: name, Explains: []string{"it was not there"}}},
		Sessions: []preview.SessionExample{{Name: "s1", IdentifiedBy: name, User: hostile, Exchanges: 9, Addresses: 2, Masked: []string{hostile}, Endpoints: []string{hostile}, Was: 3}},
	}}
}

func TestTry(t *testing.T) {
	s := site(t)
	var draft *api.Draft
	s.API.Preview = func(_ context.Context, d *api.Draft) (*wire.Preview, error) {
		draft = d
		return report(d.Add[0].Resource.Metadata.Name, ""), nil
	}
	const form = "/rules/new"
	open := s.Get("/rules/new?cookie=SID")
	page := open.Submit(form, "do", "try", "metadata.name", "shop", "sample", `{"exchange": 1}`).
		Want(http.StatusOK, "It finds much.", "75 %", "40 → 12", "−28", "All clients have the same value.", "it was not there", "Tried on 200 exchanges, of 50 % of the clients.", "because", "1 session the same, 1 split, 2 joined", `data-step="3"`)
	if draft == nil || string(draft.Exchanges) != `{"exchange": 1}` || draft.Add[0].Resource.Spec.(*seshat.SessionRuleSpec).Identifiers[0].Cookie != "SID" {
		t.Errorf("what was tried is %+v", draft)
	}
	values := page.Form(form)
	values.Set("do", "try")
	s.Post(form, values, "HX-Request", "true").Want(http.StatusOK, `id="brief"`, `hx-swap-oob="innerHTML:#trial"`, "110 of 200 exchanges").Lacks("<html", "<form")
	open.Submit(form, "do", "try", "metadata.name", "shop", "spec.enabled", "").Want(http.StatusOK, "of the clients, as if it were in force.")
	if e := draft.Add[0].Resource.Spec.(*seshat.SessionRuleSpec).Enabled; e != nil {
		t.Error("a rule that is switched off was tried as such")
	}
	open.Submit(form, "do", "try", "metadata.name", "").Want(http.StatusOK, "it has no name", "1 thing is missing or wrong")
	s.API.Preview = nil
	s2 := site(t)
	s2.API.Preview = func(context.Context, *api.Draft) (*wire.Preview, error) {
		return nil, &seshat.Error{Kind: seshat.ErrorUnavailable, Op: "try", Err: errors.New("busy"), Hint: "later"}
	}
	s2.Get("/rules/new?cookie=SID").Submit(form, "do", "try", "metadata.name", "shop").Want(http.StatusOK, "(later)")
	s2.Without(api.RulesTry).Get("/rules/new").Want(http.StatusOK).Lacks(`id="brief"`, `value="try"`)
}

func TestPermissions(t *testing.T) {
	s := site(t)
	s.Apply(shop)
	s.Without(api.ResourcesWrite)
	s.Get("/rules/shop").Want(http.StatusOK, "Try changes").Lacks("Delete", "Duplicate", `role="switch"`)
	page := s.Get("/rules/shop/edit").Want(http.StatusOK, "Saving it needs the permission resources:write").Lacks(`value="save"`)
	page.Submit("/rules/shop/edit", "do", "step 3").Want(http.StatusOK).Lacks("wrong")
	page.Submit("/rules/shop/edit", "do", "save", "metadata.description", "Mine").Want(http.StatusUnprocessableEntity, "The permission resources:write is missing.")
	if got := s.Stored(seshat.KindSessionRule, "shop"); strings.Contains(got, "Mine") {
		t.Error("it was saved")
	}
}

// TestHostile shows what tries to break out of pages on all of them.
func TestHostile(t *testing.T) {
	for _, text := range consoletest.Hostile() {
		s := site(t)
		s.Name = text
		s.API.Preview = func(_ context.Context, d *api.Draft) (*wire.Preview, error) {
			return report(d.Add[0].Resource.Metadata.Name, text), nil
		}
		quoted, err := json.Marshal(text)
		if err != nil {
			t.Fatal(err)
		}
		short, err := json.Marshal(text[:min(len(text), 500)])
		if err != nil {
			t.Fatal(err)
		}
		s.Apply(fmt.Sprintf(`{"apiVersion": "seshat/v1", "kind": "SessionRule", "metadata": {"name": "shop", "description": %[1]s, "labels": {"a": %[1]s}},
			"spec": {"scope": {"environments": [%[1]s], "services": [%[1]s]}, "identifiers": [{"cookie": %[1]s, "conditions": [{"location": "header", "key": {"equals": %[1]s}, "value": {"in": [%[1]s]}}],
			"transformations": [{"jwtClaim": %[2]s}]}]}}`, quoted, short))
		pages := []*consoletest.Page{
			s.Get("/rules"), s.Get("/rules?q=" + url.QueryEscape(text)), s.Get("/rules/shop"), s.Get("/rules/shop/edit"), s.Get("/rules/shop/history"), s.Get("/rules/shop/yaml"),
			s.Get("/rules/new?from=shop"), s.Get("/rules/new?cookie=" + url.QueryEscape(text)), s.Get("/rules/" + url.PathEscape(text)), s.Get("/rules/-/presets/" + url.PathEscape(text)),
		}
		edit := s.Get("/rules/shop/edit")
		for _, do := range []string{"try", "yaml", "step 3", "save", "add spec.identifiers form=" + url.QueryEscape(text), text} {
			pages = append(pages, edit.Submit("/rules/shop/edit", "do", do, "metadata.uid", text, "spec.priority", text, "sample", text, "spec.identifiers[0].type", text))
		}
		for _, p := range pages {
			p.Lacks(consoletest.Breaks()...)
		}
	}
}
