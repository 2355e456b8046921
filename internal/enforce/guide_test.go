package enforce_test

import (
	"encoding/json"
	"os"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/seshat-project/seshat"
	"github.com/seshat-project/seshat/internal/denylist"
	"github.com/seshat-project/seshat/internal/enforce"
)

// guide runs the examples of a page: yaml blocks are the resources, json blocks the denylist, and traffic blocks what
// comes, with what becomes of it. Prepare makes a gateway for each yaml or json block.
func guide(t *testing.T, page string, least int, prepare func(resources string) *gateway) {
	text, err := os.ReadFile("../../docs/" + page)
	if err != nil {
		t.Fatal(err)
	}
	g := prepare("")
	examples := 0
	for _, block := range regexp.MustCompile("(?s)```(yaml|json|traffic)\n(.*?)```").FindAllStringSubmatch(string(text), -1) {
		switch block[1] {
		case "yaml":
			g = prepare(block[2])
		case "json":
			g = prepare(sessionRule)
			g.enforcer.Deny(denials(t, block[2]))
		case "traffic":
			examples++
			for _, line := range strings.Split(strings.TrimSpace(block[2]), "\n") {
				g.example(line)
			}
		}
	}
	if examples < least {
		t.Errorf("only %d examples were found", examples)
	}
}

// denials reads a denylist in which DIGEST(x) stands for the digest of x.
func denials(t *testing.T, text string) []seshat.Denial {
	t.Helper()
	text = regexp.MustCompile(`DIGEST\((.*?)\)`).ReplaceAllStringFunc(text, func(s string) string {
		return digestOf(s[len("DIGEST(") : len(s)-1]).String()
	})
	var list []seshat.Denial
	if err := json.Unmarshal([]byte(text), &list); err != nil {
		t.Fatal(err)
	}
	for i := range list {
		if err := denylist.Check(&list[i], start()); err != nil {
			t.Error(err)
		}
	}
	return list
}

// example sends the request of a line, or answers the last one.
func (g *gateway) example(line string) {
	g.t.Helper()
	if answer, ok := strings.CutPrefix(line, "origin "); ok {
		status, field, _ := strings.Cut(answer, " ")
		code, err := strconv.Atoi(status)
		if err != nil {
			g.t.Fatal(err)
		}
		g.answer(code, field)
		return
	}
	request, want, _ := strings.Cut(line, "=>")
	words := strings.Fields(request)
	after, err := time.ParseDuration(words[0])
	if err != nil {
		g.t.Fatal(err)
	}
	g.now = start().Add(after)
	fields := []string{"From: " + words[1]}
	if len(words) > 4 {
		fields = append(fields, strings.Split(strings.Join(words[4:], " "), "; ")...)
	}
	d := g.send(words[2]+" "+words[3], fields...)
	if d.Verdict.Action.Refuses() {
		d.Vouched = false // who vouches for what is refused is not what the examples are about
	}
	g.want(strings.TrimSpace(want), d)
}

func TestGuideToLimits(t *testing.T) {
	guide(t, "limits.md", 4, func(resources string) *gateway { return newGateway(t, resources) })
	text, err := os.ReadFile("../../docs/limits.md")
	if err != nil {
		t.Fatal(err)
	}
	g := newGateway(t, limitYAML("sign-in", "key: [ip], count: 3, window: 1m"))
	for i := range 4 {
		g.now = start().Add(time.Duration(i) * time.Second)
		g.send("POST /login")
	}
	for _, f := range enforce.AppendFields(nil, &g.decision) {
		if line := f.Name + ": " + f.Value + "\n"; !strings.Contains(string(text), line) {
			t.Errorf("docs/limits.md does not have %s", line)
		}
	}
}

func TestGuideToRevocation(t *testing.T) {
	guide(t, "revocation.md", 4, func(resources string) *gateway {
		g := newGateway(t, resources)
		alice, bob := seshat.SessionID{1}, seshat.SessionID{2}
		day := start().Truncate(24 * time.Hour)
		learn(t, g, []seshat.SessionFacts{
			{ID: alice, User: "alice", Started: day.Add(8 * time.Hour)}, {ID: bob, User: "bob", Started: day.Add(11 * time.Hour)},
		}, []seshat.Link{
			{Session: alice, To: digestOf("old-1"), Evidence: seshat.EvidenceIssued, Time: day.Add(8 * time.Hour)},
			{Session: alice, To: digestOf("old-2"), Evidence: seshat.EvidenceRotation, Time: day.Add(9 * time.Hour)},
			{Session: bob, To: digestOf("new-1"), Evidence: seshat.EvidenceIssued, Time: day.Add(11 * time.Hour)},
		})
		return g
	})
}
