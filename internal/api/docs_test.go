package api_test

import (
	"os"
	"regexp"
	"strings"
	"testing"

	"github.com/seshat-project/seshat/internal/api"
)

// TestDocumentedExamples runs the requests in docs/api.md, in their order, and compares the answers.
func TestDocumentedExamples(t *testing.T) {
	text, err := os.ReadFile("../../docs/api.md")
	if err != nil {
		t.Fatal(err)
	}
	s := serve(t, options(t, 6))
	blocks := regexp.MustCompile("(?s)```http\n(.*?)```").FindAllStringSubmatch(string(text), -1)
	if len(blocks) < 6 {
		t.Fatalf("only %d examples", len(blocks))
	}
	for _, block := range blocks {
		request, want, found := strings.Cut(block[1], "\n→ ")
		head, body, _ := strings.Cut(strings.TrimSpace(request), "\n\n")
		lines := strings.Split(head, "\n")
		method, path, _ := strings.Cut(lines[0], " ")
		if !found {
			t.Fatalf("no answer: %s", block[1])
		}
		a := s.ask(method, path, strings.TrimSpace(body), append(lines[1:], "Content-Type: application/json")...)
		status, want, _ := strings.Cut(strings.TrimSpace(want), " ")
		pattern := "(?s)^" + strings.ReplaceAll(regexp.QuoteMeta(want), "…", ".*") + "\n?$"
		if got := a.body; a.status != number(status) || !regexp.MustCompile(pattern).MatchString(got) {
			t.Errorf("%s: %d %s\nthe page says\n%s %s", a.request, a.status, got, status, want)
		}
	}
	for _, permission := range api.Permissions() {
		if !strings.Contains(string(text), "`"+string(permission)+"`") {
			t.Errorf("docs/api.md does not name the permission %s", permission)
		}
	}
}

func number(text string) int {
	n := 0
	for _, digit := range text {
		n = 10*n + int(digit-'0')
	}
	return n
}
