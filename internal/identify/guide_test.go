package identify_test

import (
	"fmt"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/seshat-project/seshat"
	"github.com/seshat-project/seshat/internal/identify"
	"github.com/seshat-project/seshat/internal/resource"
	"github.com/seshat-project/seshat/internal/rule"
)

// TestGuide runs the examples of the guide: the resources of a yaml block, then pairs of an http block, which is an
// exchange, and an ids block, which lists the IDs of the rules, and whatever else it wants to be true.
func TestGuide(t *testing.T) {
	text, err := os.ReadFile("../../docs/session-rules.md")
	if err != nil {
		t.Fatal(err)
	}
	var w *identify.Worker
	var x *seshat.Exchange
	examples := 0
	for _, b := range blocks(string(text)) {
		switch b.language {
		case "yaml":
			parsed, faults := resource.Parse("docs/session-rules.md", []byte(b.text))
			if len(faults) > 0 {
				t.Fatal(faults)
			}
			rs, faults := rule.Compile(resource.Resources(parsed))
			if len(faults) > 0 {
				t.Fatal(faults)
			}
			w = identify.New(rs, testHasher{}).NewWorker()
		case "http":
			x = messages(t, b.text)
		case "ids":
			examples++
			checkExample(t, w, x, b)
		}
	}
	if examples < 8 {
		t.Errorf("only %d examples were found", examples)
	}
}

type block struct {
	language, text string
	line           int
}

// blocks returns the fenced blocks of a page.
func blocks(page string) []block {
	var out []block
	open := false
	for i, line := range strings.Split(page, "\n") {
		switch {
		case strings.HasPrefix(line, "```") && !open:
			out, open = append(out, block{language: line[3:], line: i + 1}), true
		case line == "```":
			open = false
		case open:
			out[len(out)-1].text += line + "\n"
		}
	}
	return out
}

// messages reads a request and, after it, a response.
func messages(t *testing.T, text string) *seshat.Exchange {
	t.Helper()
	x := exchange(nil)
	request, response, answered := strings.Cut(text, "\nHTTP/1.1 ")
	line, rest, _ := strings.Cut(request, "\n")
	parts := strings.Fields(line)
	x.Request.Method = parts[0]
	x.Request.Path, x.Request.Query, _ = strings.Cut(parts[1], "?")
	x.Request.Header, x.Request.Body = message(rest)
	for _, f := range x.Request.Header {
		if f.Name == "Host" {
			x.Request.Host = f.Value
		}
	}
	if answered {
		line, rest, _ := strings.Cut(response, "\n")
		status, err := strconv.Atoi(line[:3])
		if err != nil {
			t.Fatal(err)
		}
		x.Response.Status = status
		x.Response.Header, x.Response.Body = message(rest)
	}
	return x
}

func message(text string) ([]seshat.Field, seshat.Body) {
	head, body, _ := strings.Cut(text, "\n\n")
	if head = strings.TrimSpace(head); head == "" {
		return nil, seshat.Body{}
	}
	body = strings.TrimSpace(body)
	return fields(strings.Split(head, "\n")), seshat.Body{Bytes: []byte(body), Size: int64(len(body))}
}

func checkExample(t *testing.T, w *identify.Worker, x *seshat.Exchange, b block) {
	t.Helper()
	var out seshat.Identity
	w.Identify(x, &out)
	var ids, other []string
	for i := range out.IDs {
		switch out.IDs[i].Origin {
		case seshat.OriginRule:
			ids = append(ids, idLine(&out.IDs[i]))
		case seshat.OriginBuiltIn:
			other = append(other, fmt.Sprintf("built-in %s %s = %s", out.IDs[i].Name, out.IDs[i].Side, out.IDs[i].Value))
		case seshat.OriginFallback:
			other = append(other, fmt.Sprintf("fallback %s = %s", out.IDs[i].Name, out.IDs[i].Value))
		}
	}
	g := &out.IDs[out.Grouping]
	other = append(other, fmt.Sprintf("grouping: %s[%d]", g.Name, g.Index), "grouping: "+g.Name)
	for _, f := range out.Flows {
		other = append(other, "flow "+f.Name)
	}
	for _, p := range out.Parameters {
		other = append(other, fmt.Sprintf("user %s = %s", p.Name, p.Value))
	}
	var wanted []string
	for _, line := range strings.Split(strings.TrimSpace(b.text), "\n") {
		if line != "" && !slices.Contains(other, line) {
			wanted = append(wanted, line)
		}
	}
	if !slices.Equal(ids, wanted) {
		t.Errorf("docs/session-rules.md:%d: found\n%s\nwant\n%s", b.line, strings.Join(append(ids, other...), "\n"), strings.Join(wanted, "\n"))
	}
}

func idLine(id *seshat.FoundID) string {
	var notes []string
	if id.Deleted {
		notes = append(notes, "deleted")
	}
	if !id.ExpiresAt.IsZero() {
		notes = append(notes, "expires "+id.ExpiresAt.Format(time.RFC3339))
	}
	if id.Lifetime != 0 {
		notes = append(notes, "lasts "+id.Lifetime.String())
	}
	line := fmt.Sprintf("%s[%d] %s = %s", id.Name, id.Index, id.Side, id.Value)
	if notes != nil {
		line += " (" + strings.Join(notes, ", ") + ")"
	}
	return line
}
