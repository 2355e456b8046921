package filter

import (
	"os"
	"regexp"
	"strings"
	"testing"
)

// guide is the page that documents the language for users.
func guide(t *testing.T) string {
	t.Helper()
	page, err := os.ReadFile("../../docs/filter.md")
	if err != nil {
		t.Fatal(err)
	}
	return string(page)
}

// fieldTable is the table of fields as it is documented.
func fieldTable(fields *Fields) string {
	var b strings.Builder
	b.WriteString("| field | also | type | values | what it is | example |\n|---|---|---|---|---|---|\n")
	for _, field := range fields.All() {
		name, values, kind := "`"+field.Name+"`", "one", field.Type.String()
		if field.Family {
			name = "`" + field.Name + ".<name>`"
		}
		if field.Many {
			values = "many"
		}
		if field.Type == TypeText && !field.Fold {
			kind = "text, with case"
		}
		also := ""
		if len(field.Aliases) > 0 {
			also = "`" + strings.Join(field.Aliases, "`, `") + "`"
		}
		b.WriteString("| " + strings.Join([]string{name, also, kind, values, field.Doc, "`" + field.Example + "`"}, " | ") + " |\n")
	}
	return b.String()
}

func TestGuideHasTheFields(t *testing.T) {
	page := guide(t)
	for _, fields := range []*Fields{Exchanges(), Sessions()} {
		if table := fieldTable(fields); !strings.Contains(page, table) {
			t.Errorf("docs/filter.md does not have the table of the fields of %s. It is:\n%s", fields.Dataset, table)
		}
	}
}

// TestGuideFilters parses every filter in the page's "filter" blocks, and checks that those of "not-a-filter" blocks
// have the errors that are shown under them.
func TestGuideFilters(t *testing.T) {
	page := guide(t)
	filters := 0
	for _, block := range regexp.MustCompile("(?s)```filter\n(.*?)```").FindAllStringSubmatch(page, -1) {
		for line := range strings.Lines(block[1]) {
			input, _, _ := strings.Cut(strings.TrimSpace(line), "  #")
			_, ofExchanges := Parse(input, Exchanges(), testNow())
			_, ofSessions := Parse(input, Sessions(), testNow())
			if ofExchanges != nil && ofSessions != nil {
				t.Errorf("%s: %v", input, ofExchanges)
			}
			filters++
		}
	}
	if filters < 30 {
		t.Errorf("found %d filters in the page; are its blocks still marked?", filters)
	}
	errors := regexp.MustCompile("(?s)```not-a-filter\n(.*?)```").FindAllStringSubmatch(page, -1)
	if len(errors) == 0 {
		t.Error("the page shows no error")
	}
	for _, block := range errors {
		lines := strings.Split(block[1], "\n")
		_, err := Parse(strings.TrimSpace(lines[1]), Exchanges(), testNow())
		fault, ok := err.(*Error) //nolint:errorlint // Parse documents the type
		if !ok || strings.TrimSpace(fault.Detail()) != strings.TrimSpace(block[1]) {
			t.Errorf("the page shows\n%s\nwhich is %v", block[1], err)
		}
	}
}

func TestFields(t *testing.T) {
	for _, fields := range []*Fields{Exchanges(), Sessions()} {
		names := map[string]string{}
		for _, field := range fields.All() {
			for _, name := range append([]string{field.Name}, field.Aliases...) {
				if other, taken := names[name]; taken {
					t.Errorf("%s: %q is %s and %s", fields.Dataset, name, other, field.Name)
				}
				names[name] = field.Name
				if got := fields.Lookup(strings.ToUpper(name)); got == nil || got.Name != field.Name {
					t.Errorf("%s: %q does not find %s", fields.Dataset, name, field.Name)
				}
			}
			e, err := Parse(field.Example, fields, testNow())
			if err != nil {
				t.Errorf("%s: example of %s: %v", fields.Dataset, field.Name, err)
				continue
			}
			if not, ok := e.(*Not); ok {
				e = not.Expr
			}
			if term, ok := e.(*Term); !ok || term.Field.Name != field.Name {
				t.Errorf("%s: example of %s is about something else: %s", fields.Dataset, field.Name, e)
			}
			if (field.Type == TypeEnum) != (len(field.Values) > 0) || field.Doc == "" || !strings.HasSuffix(field.Doc, ".") {
				t.Errorf("%s: %s is not described in full: %+v", fields.Dataset, field.Name, field)
			}
		}
	}
}
