package test

import (
	"fmt"
	"path/filepath"
	"strings"
	"testing"
)

// ticketID is the UUID that the rule of the test names itself by.
const ticketID = "0b9f1c52-6f0e-4a3e-8d2b-5a1d3c7e9f04"

const ticketRules = `apiVersion: seshat/v1
kind: SessionRule
metadata:
  name: tickets
  uid: ` + ticketID + `
  description: A desk's tickets.
spec:
  scope:
    services: [desk]
  identifiers:
    - header: X-Ticket
    - extract: {location: header, key: X-Wrapped}
      transformations:
        - base64Decode
        - jsonPath: $.ticket
---
apiVersion: seshat/v1
kind: ContextParameter
metadata: {name: desk-number}
spec:
  scope:
    services: [desk]
  extract: {location: query, key: desk}
---
apiVersion: seshat/v1
kind: ContextParameter
metadata: {name: clerk}
spec:
  type: user
  extract: {location: header, key: X-Clerk}
---
apiVersion: seshat/v1
kind: Flow
metadata: {name: refunds}
spec:
  type: billing
  endpoints: ["POST */refunds"]
`

// ticketLine is an exchange at the desk. Address and user agent are those of all others.
func ticketLine(n int, method, path, query, headers string) string {
	return fmt.Sprintf(`{"id":"t%d","time":"2026-01-02T03:04:%02dZ","service":"desk","client":{"ip":"192.0.2.1"},`+
		`"request":{"method":%q,"scheme":"https","host":"desk.example","path":%q,"query":%q,"headers":[["User-Agent","till"]%s]},`+
		`"response":{"status":200}}`+"\n", n, n, method, path, query, headers)
}

// TestRules applies rules, explains an exchange by them, imports, and finds what they say: attributes, parameters,
// users, flows and sessions. Then the rule is changed, brought back and deleted.
func TestRules(t *testing.T) {
	s := fresh(t)
	folder := t.TempDir()
	rules := write(t, folder, "rules.yaml", ticketRules)
	lines := ticketLine(1, "GET", "/queue", "desk=4", `,["X-Ticket","tkt-0001-aaaa-bbbb"]`) +
		ticketLine(2, "POST", "/refunds", "", `,["X-Wrapped","eyJ0aWNrZXQiOiJ0a3QtMDAwMS1hYWFhLWJiYmIifQ=="],["X-Clerk","zoe"]`) + // the same ticket
		ticketLine(3, "GET", "/queue", "desk=5", `,["X-Ticket","tkt-0002-cccc-dddd"]`) +
		ticketLine(4, "GET", "/queue", "", "")
	capture := write(t, folder, "desk.ndjson", lines)
	attribute := func(index int) string { return fmt.Sprintf("attr.seshat.session.%s.%d.id", ticketID, index) }

	// Without rules these are all one client.
	plain := fresh(t)
	plain.importing(capture)
	if got := plain.sessions(); len(got) != 1 || got[0].IdentifiedBy != "ip+user-agent" {
		t.Errorf("without rules: %+v", got)
	}

	s.ok("validate", "-f", rules).prints("sessionrule/tickets valid", "flow/refunds valid")
	s.ok("apply", "--dry-run", "-f", rules).prints("sessionrule/tickets created (dry run)")
	if r := s.run("get", "sessionrule", "tickets"); r.code == 0 {
		t.Errorf("the dry run was none: %v", r)
	}
	s.ok("apply", "-f", rules).prints("sessionrule/tickets created", "contextparameter/clerk created", "flow/refunds created")
	s.ok("apply", "-f", rules).prints("sessionrule/tickets unchanged")

	one := write(t, folder, "one.ndjson", strings.SplitAfter(lines, "\n")[1])
	s.ok("explain", one).prints("tickets", "base64Decode", "$.ticket", "X-Ticket: not there")
	if explained := decodeLines[any](t, s.ok("explain", "--format", "json", one).stdout); len(explained) != 1 {
		t.Errorf("%d explanations of one exchange", len(explained))
	}
	s.run("sessions").want(1).says("nothing was imported") // explaining stores nothing

	s.importing(capture)
	got := s.explore("id,session_id," + attribute(0) + "," + attribute(1) + ",attr.desk-number,user,flows,identifier,origin")
	if len(got) != 4 {
		t.Fatalf("%d exchanges", len(got))
	}
	if got[0][1] != got[1][1] || got[0][1] == got[2][1] || got[2][1] == got[3][1] || got[0][1] == got[3][1] {
		t.Errorf("the sessions do not follow the tickets: %v", got)
	}
	for i, want := range [][]string{
		{"4", "", "", "tickets", "rule"}, {"", "zoe", "refunds; billing", "tickets", "rule"}, {"5", "", "", "tickets", "rule"}, {"", "", "", "ip+user-agent", "fallback"},
	} {
		if strings.Join(got[i][4:], "|") != strings.Join(want, "|") {
			t.Errorf("exchange %s: %v, want %v", got[i][0], got[i][4:], want)
		}
		if (got[i][2] != "") != (i == 0 || i == 2) || (got[i][3] != "") != (i == 1) {
			t.Errorf("exchange %s: the attributes of the identifiers are %q and %q", got[i][0], got[i][2], got[i][3])
		}
		if strings.Contains(got[i][2]+got[i][3], "aaaa") {
			t.Errorf("exchange %s: a ticket is shown: %v", got[i][0], got[i])
		}
	}
	if found := s.explore("id", attribute(1)+":*"); len(found) != 1 || found[0][0] != "t2" {
		t.Errorf("by attribute: %v", found)
	}
	if found := s.explore("id", "attr.seshat.session.*.0.id:*"); len(found) != 2 {
		t.Errorf("by attribute of any rule: %v", found)
	}
	zoe := s.sessions("user:zoe")
	if len(zoe) != 1 || zoe[0].ID != got[0][1] || zoe[0].IdentifiedBy != "tickets" || zoe[0].Exchanges != 2 {
		t.Errorf("zoe's session: %+v", zoe)
	}
	s.ok("session", zoe[0].ID[:13]).prints("zoe", "tickets", "/refunds", "refunds", "ineage")
	s.ok("session", "t2").prints(zoe[0].ID) // by an exchange
	s.ok("explain", "--id", "t1").prints("tickets[0]")

	// A change counts for what is imported from then on.
	changed := write(t, folder, "changed.yaml", strings.Replace(strings.Split(ticketRules, "---")[0], "header: X-Ticket", "header: X-Other", 1))
	s.ok("apply", "-f", changed).prints("sessionrule/tickets updated")
	s.ok("import", write(t, folder, "more.ndjson", ticketLine(5, "GET", "/queue", "", `,["X-Ticket","tkt-0003-eeee-ffff"]`)))
	if by := s.explore("identifier", "id:t5"); len(by) != 1 || by[0][0] == "tickets" {
		t.Errorf("the changed rule still finds tickets: %v", by)
	}
	s.ok("get", "sessionrule", "tickets", "--revision", revision(t, s, "created"), "-o", "yaml").prints("X-Ticket")
	s.ok("rollback", "sessionrule", "tickets", "--revision", revision(t, s, "created"))
	s.ok("get", "sessionrule", "tickets", "-o", "yaml").prints("X-Ticket")

	s.ok("delete", "sessionrule", "tickets").prints("sessionrule/tickets deleted")
	s.run("get", "sessionrule", "tickets").want(1)
	s.ok("import", write(t, folder, "last.ndjson", ticketLine(6, "GET", "/queue", "", `,["X-Ticket","tkt-0004-aaaa-aaaa"]`)))
	if by := s.explore("identifier", "id:t6"); len(by) != 1 || by[0][0] == "tickets" {
		t.Errorf("the deleted rule still finds tickets: %v", by)
	}
	s.ok("rollback", "sessionrule", "tickets", "--revision", revision(t, s, "created"))
	history := s.ok("history", "sessionrule", "tickets").stdout
	if n := strings.Count(history, "\n"); n != 6 { // a heading, and created, updated, brought back, deleted, brought back
		t.Errorf("the history has %d lines:\n%s", n, history)
	}

	// What get prints can be applied, elsewhere too.
	for _, format := range []string{"yaml", "json"} {
		printed := s.ok("get", "-o", format).stdout
		elsewhere := fresh(t)
		elsewhere.runWith(printed, "apply", "-f", "-").want(0)
		if again := elsewhere.ok("get", "-o", format).stdout; again != printed {
			t.Errorf("what was printed as %s and applied is not the same:\n%s", format, firstDifference(printed, again))
		}
	}
}

// revision is the number of the revision of the rule with that action.
func revision(t *testing.T, s *seshat, action string) string {
	t.Helper()
	for line := range strings.Lines(s.ok("history", "sessionrule", "tickets").stdout) {
		if fields := strings.Fields(line); len(fields) > 1 && fields[1] == action {
			return fields[0]
		}
	}
	t.Fatalf("no revision was %s", action)
	return ""
}

// TestRuleTests runs the tests of rules that are written as data: those of the example, which pass, and one that is
// wrong about what comes out, which fails and says where.
func TestRuleTests(t *testing.T) {
	s := fresh(t)
	s.ok("test", filepath.Join("..", "examples", "rules_test.yaml")).prints("0 failed")

	folder := t.TempDir()
	write(t, folder, "rules.yaml", ticketRules)
	wrong := write(t, folder, "wrong_test.yaml", `rules: [rules.yaml]
tests:
  - name: a ticket is a session
    exchange:
      service: desk
      request: {url: https://desk.example/queue, headers: {X-Ticket: tkt-1}}
      response: 200
    want:
      session_id_from: {rule: tickets, index: 0, value: tkt-2}
`)
	s.run("test", wrong).want(1).prints("wrong_test.yaml:9:", "tkt-2", "1 failed")
	right := write(t, folder, "right_test.yaml", strings.Replace(read(t, wrong), "value: tkt-2", "value: tkt-1", 1))
	s.ok("test", right).prints("1 passed, 0 failed")
	s.run("test", right, wrong).want(1)
}

// TestPresets lists the presets, and applies each as it is and as it is printed.
func TestPresets(t *testing.T) {
	list := fresh(t).ok("presets").stdout
	lines := strings.Split(strings.TrimSpace(list), "\n")[1:]
	if len(lines) < 12 {
		t.Fatalf("only %d presets:\n%s", len(lines), list)
	}
	for _, line := range lines {
		name, _, _ := strings.Cut(line, " ")
		t.Run(name, func(t *testing.T) {
			printed, applied := fresh(t), fresh(t)
			printed.runWith(printed.ok("presets", "show", name).stdout, "apply", "-f", "-").want(0)
			applied.ok("apply", "--preset", name)
			one, other := printed.ok("get", "-o", "yaml").stdout, applied.ok("get", "-o", "yaml").stdout
			if one != other || !strings.Contains(one, "kind: SessionRule") {
				t.Errorf("applied by name it is another:\n%s", firstDifference(one, other))
			}
		})
	}
}

// TestAutoIdentifier has traffic whose Authorization nobody configured: from then on a rule that can be seen does.
func TestAutoIdentifier(t *testing.T) {
	var lines strings.Builder
	for n := range 200 {
		token := ""
		if n%10 == 0 { // 10 % of the successful requests
			token = fmt.Sprintf(`,["Authorization","Token abcdef%08d"]`, n%3)
		}
		lines.WriteString(strings.Replace(ticketLine(n, "GET", "/", "", token), fmt.Sprintf("03:04:%02dZ", n), fmt.Sprintf("03:%02d:%02dZ", n/60, n%60), 1))
	}
	capture := write(t, t.TempDir(), "auto.ndjson", lines.String())
	s := fresh(t)
	s.ok("import", capture).says("Authorization", "desk.example", "seshat delete")
	s.ok("get", "sessionrules").prints("auto-", "auto-identifier")

	off := fresh(t)
	off.runWith("apiVersion: seshat/v1\nkind: Settings\nmetadata: {name: default}\nspec: {autoIdentifier: false}\n", "apply", "-f", "-").want(0)
	off.ok("import", capture)
	if got := off.ok("get", "sessionrules"); strings.Contains(got.stdout, "auto-") {
		t.Errorf("it was switched off: %v", got)
	}
}
