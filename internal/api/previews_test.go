package api_test

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/seshat-project/seshat/internal/api"
	"github.com/seshat-project/seshat/internal/api/wire"
	"github.com/seshat-project/seshat/internal/preview"
)

func TestPreviewReadsTheDraft(t *testing.T) {
	o := options(t, 1)
	var got *api.Draft
	o.Preview = func(_ context.Context, d *api.Draft) (*wire.Preview, error) {
		got = d
		return &wire.Preview{Source: wire.PreviewSource{From: wire.PreviewGiven}, Report: preview.Report{Exchanges: 7}}, nil
	}
	s := serve(t, o)
	post := func(body string) *answered {
		return s.ask("POST", "/api/v1/previews", body, "Content-Type: application/json")
	}
	post(`{"resources":[`+fmt.Sprintf(shopRule, "A")+`],"yaml":`+quoted(masks)+`,"remove":["sessionrules/old"],"exchanges":"{}","limit":3}`).
		is(200).has(`"from":"given"`, `"exchanges":7`)
	if len(got.Add) != 3 || !slices.Equal(got.Remove, []string{"SessionRule/old"}) || string(got.Exchanges) != "{}" || got.Limit != 3 || !got.ShowValues {
		t.Errorf("the draft is read as %+v", got)
	}
	broken := strings.Replace(masks, "key: pin", `key: {matches: "("}`, 1) // compiling finds that, not parsing
	post(`{"yaml":` + quoted(broken) + `}`).is(200)
	p := post(`{"resources":[{"apiVersion":"seshat/v1","kind":"SessionRule","metadata":{"name":"a"},"spec":{"identifiers":[{"cokie":"A"}]}}],"yaml":"kind: ["}`).problem(422)
	if len(p.Faults) < 2 || p.Faults[0].File != "resources[0]" || !strings.Contains(p.Faults[0].Field, "spec.identifiers[0]") {
		t.Errorf("faults %+v", p.Faults)
	}
	post(`{}`).problem(422)
	post(`{"remove":["nothing"]}`).problem(400)
	post(`{"limit":-1}`).problem(422)

	o = options(t, 1)
	o.Preview = nil
	s = serve(t, o)
	post(`{"remove":["SessionRule/a"]}`).problem(501)
	s.get("/api/v1/previews/source").is(200).has(`"from":"recent"`, `"enabled":false`)
}

func quoted(text string) string {
	out, _ := json.Marshal(text)
	return string(out)
}

func TestRuleOrder(t *testing.T) {
	s := serve(t, options(t, 1))
	const path = "/api/v1/session-rules/order"
	for i, name := range []string{"a", "b", "c"} {
		text := strings.Replace(fmt.Sprintf(shopRule, name), `"name": "shop"`, fmt.Sprintf(`"name": %q`, name), 1)
		s.ask("POST", "/api/v1/resources", strings.Replace(text, `"spec": {`, fmt.Sprintf(`"spec": {"priority": %d, `, 10*(i+1)), 1)).is(200)
	}
	order := func(body string) *answered { return s.ask("POST", path, body, "Content-Type: application/json") }
	list := func(want string) wire.RulesOrdered {
		t.Helper()
		var out wire.RulesOrdered
		if err := json.Unmarshal([]byte(s.get(path).is(200).body), &out); err != nil {
			t.Fatal(err)
		}
		var words []string
		for _, r := range out.Items {
			words = append(words, fmt.Sprintf("%s=%d", r.Name, r.Priority))
		}
		if got := strings.Join(words, " "); got != want {
			t.Fatalf("the order is %s; want %s", got, want)
		}
		return out
	}
	before := list("a=10 b=20 c=30")
	order(`{"names":["c","a","b"]}`).is(200).has(`{"name":"c","priority":4,"revision":`, `"changed":true`)
	after := list("c=4 a=10 b=20")
	if after.Items[1].Revision != before.Items[0].Revision || after.Items[0].Revision == before.Items[2].Revision {
		t.Errorf("revisions before %+v, after %+v", before.Items, after.Items)
	}
	order(`{"names":["c","a","b"]}`).is(200).lacks(`"changed"`)
	order(fmt.Sprintf(`{"names":["b","c","a"],"revisions":{"c":%d}}`, before.Items[2].Revision)).problem(412)
	order(fmt.Sprintf(`{"names":["b","c","a"],"revisions":{"c":%d}}`, after.Items[0].Revision)).is(200)
	list("b=1 c=4 a=10")
	order(`{"names":["b","c"]}`).problem(409)
	order(`{"names":["b","c","a","d"]}`).problem(409)
	order(`{"names":["b","c","a","a"]}`).problem(400)
	order(`{"names":[]}`).problem(422)
	s.get("/api/v1/resources/SessionRule/c").is(200).has(`"cookie"`, `"c"`)
}

func TestEnable(t *testing.T) {
	s := serve(t, options(t, 1))
	const one = "/api/v1/resources/SessionRule/shop"
	s.ask("POST", "/api/v1/resources", fmt.Sprintf(shopRule, "A")).is(200)
	enable := func(to string, fields ...string) *answered {
		return s.ask("POST", one+"/enabled", `{"enabled":`+to+`}`, append(fields, "Content-Type: application/json")...)
	}
	tag := s.get(one).is(200).lacks("enabled").header.Get("ETag")
	enable("true").is(200).has(`"unchanged"`)
	off := enable("false", "If-Match: "+tag, "Seshat-Author: ann").is(200).has(`"updated"`)
	s.get(one).is(200).has(`"enabled":false`)
	enable("true", "If-Match: "+tag).problem(412)
	enable("true", "If-Match: "+off.header.Get("ETag")).is(200).has(`"updated"`)
	s.get(one).is(200).lacks("enabled")
	s.ask("POST", "/api/v1/resources/SessionRule/none/enabled", `{"enabled":true}`, "Content-Type: application/json").problem(404)
	s.ask("POST", "/api/v1/resources", `{"apiVersion":"seshat/v1","kind":"Settings","metadata":{"name":"default"},"spec":{"builtIn":true}}`).is(200)
	s.ask("POST", "/api/v1/resources/Settings/default/enabled", `{"enabled":false}`, "Content-Type: application/json").problem(422)
}

func TestDiff(t *testing.T) {
	s := serve(t, options(t, 1))
	const one = "/api/v1/resources/SessionRule/shop"
	var revisions []string
	for i, cookie := range []string{"A", "B", "C"} {
		answer := s.ask("PUT", one, fmt.Sprintf(shopRule, cookie), fmt.Sprintf("Seshat-Author: person%d", i)).is(200)
		revisions = append(revisions, strings.Trim(answer.header.Get("ETag"), `"`))
	}
	diff := func(query string) wire.ResourceDiff {
		t.Helper()
		var out wire.ResourceDiff
		if err := json.Unmarshal([]byte(s.get(one+"/diff"+query).is(200).body), &out); err != nil {
			t.Fatal(err)
		}
		return out
	}
	newest := diff("")
	if !strings.Contains(newest.Unified, "-    - cookie: B\n+    - cookie: C\n") || newest.From.By != "person1" || newest.To.By != "person2" || newest.To.At.IsZero() {
		t.Errorf("the newest change: %+v", newest)
	}
	if len(newest.Changes) != 1 || newest.Changes[0] != (wire.FieldChange{Field: "spec.identifiers[0].cookie", Change: "changed", Before: `"B"`, After: `"C"`}) {
		t.Errorf("changes %+v", newest.Changes)
	}
	if both := diff("?from=" + revisions[0] + "&to=" + revisions[2]); !strings.Contains(both.Unified, "-    - cookie: A\n+    - cookie: C\n") {
		t.Errorf("from the first to the last: %s", both.Unified)
	}
	if first := diff("?to=" + revisions[0]); first.From.Revision != 0 || !strings.HasPrefix(first.Unified, "--- /dev/null\n+++ SessionRule/shop@") || first.Changes[0].Change != "added" {
		t.Errorf("the first revision: %+v", first)
	}
	if none := diff("?from=" + revisions[1] + "&to=" + revisions[1]); none.Unified != "" || len(none.Changes) != 0 {
		t.Errorf("a revision differs from itself: %+v", none)
	}
	s.ask("DELETE", one, "", "Seshat-Author: ann").is(204)
	if gone := diff(""); gone.To.Action != "deleted" || gone.To.By != "ann" || !strings.Contains(gone.Unified, "\n+++ /dev/null\n") {
		t.Errorf("the deletion: %+v", gone)
	}
	s.get(one + "/diff?from=99999").problem(404)
	s.get("/api/v1/resources/SessionRule/none/diff").problem(404)
}

func (a *answered) lacks(parts ...string) *answered {
	a.t.Helper()
	for _, part := range parts {
		if strings.Contains(a.body, part) {
			a.t.Errorf("%s: the answer has %q:\n%s", a.request, part, a.body)
		}
	}
	return a
}

// tried is what an API of the tests says of any draft.
func tried(*api.Draft) *wire.Preview {
	return &wire.Preview{
		Source: wire.PreviewSource{From: wire.PreviewRecent, Enabled: true, Exchanges: 1310, Max: 5000, Share: 1, Whole: true, Nodes: 1},
		Report: preview.Report{
			Exchanges: 1310, Successful: 1204,
			Verdict:  preview.TrialVerdict{Grade: preview.GradeGood, Text: "shop would identify 1190 of 1204 successful exchanges."},
			Warnings: []preview.TrialWarning{}, Rules: []preview.RuleTrial{}, IdentifiedBy: []preview.IdentifiedBy{},
			Found: []preview.ExchangeExample{}, NotFound: []preview.ExchangeExample{}, Sessions: []preview.SessionExample{},
		},
	}
}
