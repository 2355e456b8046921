package ruletest_test

import (
	"fmt"
	"io/fs"
	"os"
	"strings"
	"testing"

	"github.com/seshat-project/seshat"
	"github.com/seshat-project/seshat/internal/resource/ruletest"
	"github.com/seshat-project/seshat/internal/rule"
)

// files is a ReadFile over texts by name.
func files(texts map[string]string) func(string) ([]byte, error) {
	return func(name string) ([]byte, error) {
		text, ok := texts[name]
		if !ok {
			return nil, &fs.PathError{Op: "open", Path: name, Err: fs.ErrNotExist}
		}
		return []byte(text), nil
	}
}

// byCookie gives equal sessions to equal Cookie headers, for want of real correlation.
func byCookie(_ *rule.Ruleset, exchanges []seshat.Exchange) ([]seshat.SessionID, error) {
	var out []seshat.SessionID
	for i := range exchanges {
		var id seshat.SessionID
		for _, field := range exchanges[i].Request.Header {
			if field.Name == "Cookie" {
				copy(id[:], field.Value)
			}
		}
		out = append(out, id)
	}
	return out, nil
}

// TestDocumentation runs the example of docs/rule-tests.md.
func TestDocumentation(t *testing.T) {
	page, err := os.ReadFile("../../../docs/rule-tests.md")
	if err != nil {
		t.Fatal(err)
	}
	var blocks []string
	for i, part := range strings.Split(string(page), "```") {
		if yaml, ok := strings.CutPrefix(part, "yaml\n"); ok && i%2 == 1 {
			blocks = append(blocks, yaml)
		}
	}
	if len(blocks) != 2 {
		t.Fatalf("%d blocks of YAML, want the rules and the tests", len(blocks))
	}
	report := ruletest.Run("shop_test.yaml", ruletest.Options{
		ReadFile: files(map[string]string{"shop.yaml": blocks[0], "shop_test.yaml": blocks[1]}), Correlate: byCookie,
	})
	var text strings.Builder
	if err := report.WriteText(&text); err != nil {
		t.Fatal(err)
	}
	if !report.OK() || !strings.HasSuffix(text.String(), "shop_test.yaml: 5 passed, 0 failed, 0 skipped\n") {
		t.Errorf("the example:\n%s", &text)
	}
}

const rules = `
resources:
  - apiVersion: seshat/v1
    kind: SessionRule
    metadata: {name: shop}
    spec:
      identifiers:
        - cookie: SESSID
        - header: X-Session
  - {apiVersion: seshat/v1, kind: ContextParameter, metadata: {name: u}, spec: {type: user, extract: {location: header, key: X-User}}}
  - {apiVersion: seshat/v1, kind: ContextParameter, metadata: {name: r}, spec: {type: role, extract: {location: header, key: X-Role}}}
  - {apiVersion: seshat/v1, kind: Flow, metadata: {name: pay}, spec: {type: billing, endpoints: ['POST */pay']}}
tests:
`

// TestFailures breaks every kind of expectation and compares what is said about it.
func TestFailures(t *testing.T) {
	const exchange = `{request: {url: POST https://a.example/pay, headers: {X-User: ann, X-Role: admin}, cookies: {SESSID: s1}}}`
	f := func(expectation string, want ...string) {
		t.Helper()
		text := rules + "  - name: t\n    exchange: " + exchange + "\n    " + expectation + "\n"
		report := ruletest.Run("t.yaml", ruletest.Options{ReadFile: files(map[string]string{"t.yaml": text})})
		if len(report.Faults) > 0 {
			t.Fatalf("%s: faults %v", expectation, report.Faults)
		}
		var got []string
		for _, failure := range report.Results[0].Failures {
			got = append(got, failure.String())
			if !strings.Contains(failure.Because, "Session rules") {
				t.Errorf("%s: without an explanation: %q", expectation, failure.Because)
			}
		}
		if fmt.Sprint(got) != fmt.Sprint(want) || report.OK() != (len(want) == 0) {
			t.Errorf("%s\n got %q\nwant %q", expectation, got, want)
		}
	}
	f("want: {session_id_from: {rule: shop, index: 0, value: s1}, ids: [{value: s1}], user: ann, roles: [admin], flows: [pay, billing]}")
	f("forbid: {session_id_from: {rule: other}, ids: [{index: 1, rule: shop}], user: bob, roles: [guest], flows: [login]}")
	f("want: {session_id_from: {rule: shop, index: 1}}",
		`t.yaml:16:12: want.session_id_from: want shop, identifier 1, got shop, identifier 0, in the request, value "s1"`)
	f("want: {ids: [{rule: shop, value: s2, side: response}]}",
		`t.yaml:16:18: want.ids[0]: want shop, in the response, value "s2", got shop, identifier 0, in the request, value "s1"; `+
			`cookie:SESSID, in the request, value "s1"; ip, in the request, value "192.0.2.1"`)
	f("want: {user: bob, roles: [guest], flows: [login]}",
		"t.yaml:16:18: want.user: want bob, got ann", "t.yaml:16:31: want.roles[0]: want guest, got admin",
		"t.yaml:16:47: want.flows[0]: want login, got pay; billing")
	f("forbid: {session_id_from: {}, ids: [{rule: shop}], user: ann, roles: [admin], flows: [billing]}",
		`t.yaml:16:14: forbid.session_id_from: want not any ID, got shop, identifier 0, in the request, value "s1"`,
		`t.yaml:16:41: forbid.ids[0]: want not shop, got shop, identifier 0, in the request, value "s1"`,
		"t.yaml:16:62: forbid.user: want not ann, got ann", "t.yaml:16:75: forbid.roles[0]: want not admin, got admin",
		"t.yaml:16:91: forbid.flows[0]: want not billing, got pay; billing")
}

func TestSequences(t *testing.T) {
	text := rules + `  - name: groups
    exchanges:
      - request: {url: 'https://a.example/', cookies: {SESSID: a}}
      - request: {url: 'https://a.example/', cookies: {SESSID: b}}
      - request: {url: 'https://a.example/', cookies: {SESSID: a}}
    sessions: [[0, 1], [2]]
`
	o := ruletest.Options{ReadFile: files(map[string]string{"t.yaml": text})}
	report := ruletest.Run("t.yaml", o)
	if !report.OK() || report.Results[0].Skipped == "" || report.Results[0].Passed() {
		t.Errorf("without correlation: %+v, want it skipped", report)
	}
	o.Correlate = byCookie
	report = ruletest.Run("t.yaml", o)
	if report.OK() || len(report.Results[0].Failures) != 1 {
		t.Fatalf("wrong groups: %+v, want one failure", report)
	}
	const want = "t.yaml:19:5: sessions: want [[0, 1], [2]], got [[0, 2], [1]]"
	if got := report.Results[0].Failures[0]; got.String() != want || !strings.Contains(got.Because, `exchange 1: shop, identifier 0, in the request, value "b"`) {
		t.Errorf("got  %s because %s\nwant %s", got, got.Because, want)
	}
}

// TestFaults gives files that are wrong in themselves.
func TestFaults(t *testing.T) {
	f := func(text, want string) {
		t.Helper()
		report := ruletest.Run("d/t.yaml", ruletest.Options{ReadFile: files(map[string]string{"d/t.yaml": text, "d/bad.yaml": "kind: Flow\n"})})
		if report.OK() || !strings.Contains(report.Faults.Error(), want) {
			t.Errorf("%s\n got %v\nwant %s", text, report.Faults, want)
		}
	}
	f("", "d/t.yaml:1:1: 0 documents; one is expected")
	f("tests: [", "not YAML")
	f("test: []", "d/t.yaml:1:1: test: unknown field (did you mean tests?)")
	f("tests: []", "d/t.yaml:1:8: tests: the list is empty")
	f("tests: [{exchange: {request: GET https://a.example/}}]", "tests[0].name: missing")
	f("tests: [{name: a, exchange: {request: nonsense}}]", "d/t.yaml:1:39: tests[0].exchange.request: not a URL")
	f("tests: [{name: a, exchange: {request: {url: /x}}}]", "d/t.yaml:1:45: tests[0].exchange.request.url: not a URL")
	f("tests: [{name: a, exchange: {request: {url: 'https://a.example/'}, response: ok}}]", "tests[0].exchange.response: not a status")
	f("tests: [{name: a, exchange: {request: {url: 'https://a.example/', body_base64: '*'}}}]", "request.body_base64: not Base64")
	f("tests: [{name: a, exchange: {request: {url: 'https://a.example/'}, client: {ip: x}}}]", "tests[0].exchange.client.ip: ")
	f("tests: [{name: a}]", "tests[0]: has nothing to test")
	f("tests: [{name: a, exchanges: [{request: GET https://a.example/}], sessions: [[0, 1]]}]", "sessions[0][1]: there is no exchange 1")
	f("tests: [{name: a, exchanges: [{request: GET https://a.example/}], sessions: [[0], [0]]}]", "exchange 0 is in two sessions")
	f("tests: [{name: a, exchanges: [{request: GET https://a.example/}], sessions: []}]", "has nothing to test")
	f("presets: [nothing]\ntests: [{name: a, exchange: {request: GET https://a.example/}}]", `d/t.yaml:1:11: presets[0]: there is no preset "nothing"`)
	f("rules: [bad.yaml, gone.yaml]\ntests: [{name: a, exchange: {request: GET https://a.example/}}]", "d/bad.yaml:1:1: apiVersion: missing")
	f("rules: [gone.yaml]\ntests: [{name: a, exchange: {request: GET https://a.example/}}]", "rules[0]: d/gone.yaml cannot be read: file does not exist")
	f("resources: [{apiVersion: seshat/v1, kind: SessionRule, metadata: {name: X}, spec: {identifiers: [{cookie: a}]}}]\n"+
		"tests: [{name: a, exchange: {request: GET https://a.example/}}]", `d/t.yaml:1:73: resources[0].metadata.name: "X" is not a valid name`)
	f("resources: [{apiVersion: seshat/v1, kind: SessionRule, metadata: {name: x}, spec: {identifiers: [{extract: {location: cookie, key: {matches: '('}}}]}}]\n"+
		"tests: [{name: a, exchange: {request: GET https://a.example/}}]", `d/t.yaml:1:142: spec.identifiers[0].extract.key.matches: broken regular expression`)
}

// TestPastedLine tests a line of an export, unchanged.
func TestPastedLine(t *testing.T) {
	text := rules + `  - name: pasted
    exchange: {"id":"e1","time":"2026-01-02T03:04:05.678901Z","duration_ms":12.3,"environment":"prod","service":"shop","client":{"ip":"203.0.113.9","ja4":"t13d1516h2_8daaf6152771_e5627efa2ab1"},"request":{"method":"POST","scheme":"https","host":"api.shop.example","path":"/orders/42","query":"a=1","http_version":"1.1","headers":[["Cookie","SESSID=abc"],["User-Agent","curl/8.9"]],"body":"{}","body_bytes":2,"body_truncated":false},"response":{"status":200,"headers":[["Set-Cookie","SESS=def; HttpOnly"]],"body":"{}","body_bytes":2},"trace_id":"4bf92f3577b34da6a3ce929d0e0e4736"}
    want: {session_id_from: {rule: shop, value: abc}}
`
	report := ruletest.Run("t.yaml", ruletest.Options{ReadFile: files(map[string]string{"t.yaml": text})})
	if !report.OK() {
		t.Errorf("%+v", report)
	}
}
