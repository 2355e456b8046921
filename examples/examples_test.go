package examples_test

import (
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/seshat-project/seshat"
	"github.com/seshat-project/seshat/internal/filter"
	"github.com/seshat-project/seshat/internal/identify"
	"github.com/seshat-project/seshat/internal/ingest/ndjson"
	"github.com/seshat-project/seshat/internal/resource"
	"github.com/seshat-project/seshat/internal/resource/ruletest"
	"github.com/seshat-project/seshat/internal/rule"
)

func shopRules(t *testing.T) []seshat.Resource {
	t.Helper()
	text, err := os.ReadFile("shop-rules.yaml")
	if err != nil {
		t.Fatal(err)
	}
	parsed, faults := resource.Parse("shop-rules.yaml", text)
	if len(faults) > 0 {
		t.Fatal(faults)
	}
	faults = resource.Validate(parsed, func(resources []seshat.Resource) seshat.Faults {
		_, faults := rule.Compile(resources)
		return faults
	})
	if len(faults) > 0 {
		t.Fatal(faults)
	}
	return resource.Resources(parsed)
}

// TestShopRulesFind checks that every identifier, parameter and flow of the rules finds something in the capture: one
// that does not is a mistake in the one or the other.
func TestShopRulesFind(t *testing.T) {
	resources := shopRules(t)
	ruleset, faults := rule.Compile(resources)
	if len(faults) > 0 {
		t.Fatal(faults)
	}
	found := map[string]int{}
	users := map[string]bool{}
	worker := identify.New(ruleset, nil).NewWorker()
	var identity seshat.Identity
	exchanges := 0
	readShop(t, func(x *seshat.Exchange) {
		exchanges++
		worker.Identify(x, &identity)
		for _, id := range identity.IDs {
			if id.Origin == seshat.OriginRule {
				found[fmt.Sprintf("SessionRule %s %d", id.Name, id.Index)]++
			}
		}
		for _, p := range identity.Parameters {
			found["ContextParameter "+p.Name]++
			if p.Type == seshat.ParameterUser {
				users[strings.Clone(p.Value)] = true
			}
		}
		for _, f := range identity.Flows {
			found["Flow "+f.Name]++
		}
	})
	for _, r := range resources {
		switch spec := r.Spec.(type) {
		case *seshat.SessionRuleSpec:
			for i := range spec.Identifiers {
				if name := fmt.Sprintf("SessionRule %s %d", r.Metadata.Name, i); found[name] == 0 {
					t.Errorf("%s finds nothing", name)
				}
			}
		case *seshat.ContextParameterSpec, *seshat.FlowSpec:
			if name := string(r.Kind) + " " + r.Metadata.Name; found[name] == 0 {
				t.Errorf("%s finds nothing", name)
			}
		}
	}
	for _, user := range []string{"alice", "dave", "mallory", "judy"} {
		if !users[user] {
			t.Errorf("no exchange names %s", user)
		}
	}
	if want := fmt.Sprintf("%d,%03d exchanges", exchanges/1000, exchanges%1000); !strings.Contains(readme(t), want) {
		t.Errorf("README.md does not say that there are %s", want)
	}
}

func readShop(t *testing.T, each func(*seshat.Exchange)) {
	t.Helper()
	file, err := os.Open("shop.ndjson.gz")
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	unpacked, err := gzip.NewReader(file)
	if err != nil {
		t.Fatal(err)
	}
	for reader := ndjson.NewReader(unpacked); ; {
		x, _, err := reader.Read(context.Background())
		if errors.Is(err, io.EOF) {
			return
		}
		if err != nil {
			t.Fatal(err)
		}
		each(x)
	}
}

func readme(t *testing.T) string {
	t.Helper()
	text, err := os.ReadFile("README.md")
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// TestReadmeFilters parses the filters in the table of who is in the capture.
func TestReadmeFilters(t *testing.T) {
	filters := 0
	for line := range strings.Lines(readme(t)) {
		cells := strings.Split(line, "|")
		if len(cells) != 5 || !strings.Contains(cells[3], ":") {
			continue
		}
		for i, text := range strings.Split(cells[3], "`") {
			if i%2 == 0 {
				continue
			}
			for _, fields := range []*filter.Fields{filter.Sessions(), filter.Exchanges()} {
				if _, err := filter.Parse(text, fields, time.Date(2026, 3, 10, 0, 0, 0, 0, time.UTC)); err != nil {
					t.Errorf("%s: %v", text, err)
				}
			}
			filters++
		}
	}
	if filters < 10 {
		t.Errorf("found %d filters", filters)
	}
}

func TestRuleTests(t *testing.T) {
	report := ruletest.Run("rules_test.yaml", ruletest.Options{})
	if len(report.Faults) > 0 {
		t.Fatal(report.Faults)
	}
	for _, result := range report.Results {
		if !result.Passed() {
			t.Errorf("line %d: %s: %v%s", result.Line, result.Name, result.Failures, result.Skipped)
		}
	}
	if len(report.Results) < 9 {
		t.Errorf("%d tests were run", len(report.Results))
	}
}
