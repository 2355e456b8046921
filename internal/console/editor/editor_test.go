package editor_test

import (
	"bytes"
	"context"
	"net/url"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"pgregory.net/rapid"

	"github.com/seshat-project/seshat"
	"github.com/seshat-project/seshat/internal/console/editor"
)

// sent is what a browser sends of a form: what lines cannot hold is taken out, and lines of texts end in CR LF.
func sent(values url.Values) url.Values {
	out := url.Values{}
	for name, list := range values {
		text := strings.ReplaceAll(strings.ToValidUTF8(list[0], "\uFFFD"), "\x00", "\uFFFD")
		many := false
		for _, suffix := range []string{".texts", ".environments", ".services", ".urls", ".description", ".labels"} {
			many = many || strings.HasSuffix(name, suffix)
		}
		if many {
			text = strings.NewReplacer("\r\n", "\r\n", "\r", "\r\n", "\n", "\r\n").Replace(text)
		} else {
			text = strings.NewReplacer("\r", "", "\n", "").Replace(text)
		}
		out.Set(name, text)
	}
	return out
}

// texts are those that forms stumble over, and any others.
func texts() *rapid.Generator[string] {
	tame := rapid.StringMatching(`[a-z$.<>"'&%;]{1,8}`)
	return rapid.OneOf(tame, tame, tame, tame, tame, tame, rapid.SampledFrom([]string{"", " ", "a", "a b", " a", "a\nb", "\n", "\r", "a\r\nb", "\x00", "\xff", "<script>", "$.a", "on", "item"}), rapid.String())
}

func drawMatch(t *rapid.T) *seshat.Match {
	m := &seshat.Match{}
	for range rapid.SampledFrom([]int{0, 1, 1, 1, 1, 2}).Draw(t, "operators") {
		text, yes := texts().Draw(t, "text"), rapid.Bool().Draw(t, "yes")
		switch rapid.IntRange(0, 10).Draw(t, "operator") {
		case 0:
			m.Equals = &text
		case 1:
			m.NotEquals = &text
		case 2:
			m.Contains = &text
		case 3:
			m.NotContains = &text
		case 4:
			m.StartsWith = &text
		case 5:
			m.EndsWith = &text
		case 6:
			m.Matches = &text
		case 7:
			m.NotMatches = &text
		case 8:
			m.In = rapid.SliceOfN(texts(), 1, 3).Draw(t, "in")
		case 9:
			m.Exists = &yes
		default:
			m.NotExists = &yes
		}
	}
	if rapid.IntRange(0, 3).Draw(t, "none") == 0 {
		return nil
	}
	return m
}

func drawExtract(t *rapid.T) seshat.Extract {
	e := seshat.Extract{
		Location: rapid.SampledFrom([]string{
			"header", "cookie", "query", "pathSegment", "pathParameter", "body", "status", "clientIP", "userAgent", "ja4", "nonsense",
		}).Draw(t, "location"),
		Value: drawMatch(t),
	}
	if rapid.Bool().Draw(t, "keyed") {
		e.Key = drawMatch(t)
	}
	if rapid.IntRange(0, 3).Draw(t, "path") == 0 {
		e.JSONPath = texts().Draw(t, "jsonPath")
	}
	if rapid.IntRange(0, 3).Draw(t, "segment") == 0 {
		n := rapid.IntRange(-300, 300).Draw(t, "n")
		e.Segment = &n
	}
	return e
}

func drawTransformation(t *rapid.T) seshat.Transformation {
	var out seshat.Transformation
	empty := &seshat.EmptyTransformation{}
	for range rapid.SampledFrom([]int{0, 1, 1, 1, 1, 2}).Draw(t, "transformations") {
		switch rapid.IntRange(0, 6).Draw(t, "transformation") {
		case 0:
			out.Base64Decode = empty
		case 1:
			out.URLDecode = empty
		case 2:
			out.Lowercase = empty
		case 3:
			out.Hash = empty
		case 4:
			out.JWTClaim = texts().Draw(t, "claim")
		case 5:
			out.JSONPath = texts().Draw(t, "path")
		default:
			out.Regex = &seshat.RegexTransformation{Pattern: texts().Draw(t, "pattern"), Group: texts().Draw(t, "group")}
		}
	}
	return out
}

// TestRoundTrip fills in a form, sends it as a browser does, and reads it: what comes out is what went in, or the form said
// that it cannot show it.
func TestRoundTrip(t *testing.T) {
	shown := 0
	defer func() {
		if shown < 3 {
			t.Errorf("only %d were shown by a form: that tests nothing", shown)
		}
	}()
	rapid.Check(t, func(t *rapid.T) {
		conditions := []seshat.Condition(nil)
		for range rapid.IntRange(0, 3).Draw(t, "conditions") {
			conditions = append(conditions, seshat.Condition{In: rapid.SampledFrom([]string{"", "request", "response"}).Draw(t, "in"), Extract: drawExtract(t)})
		}
		transformations := rapid.SliceOfN(rapid.Custom(drawTransformation), 0, 3).Draw(t, "chain")
		scope := seshat.Scope{
			Environments: rapid.SliceOfN(texts(), 0, 2).Draw(t, "environments"), Services: rapid.SliceOfN(texts(), 0, 2).Draw(t, "services"),
			URLs: rapid.SliceOfN(texts(), 0, 2).Draw(t, "urls"),
		}
		meta := seshat.Metadata{Name: "a", Description: texts().Draw(t, "description"), Labels: rapid.MapOfN(texts(), texts(), 0, 2).Draw(t, "labels")}
		if len(meta.Labels) == 0 {
			meta.Labels = nil
		}
		var flag *bool
		if rapid.Bool().Draw(t, "flagged") {
			value := rapid.Bool().Draw(t, "flag")
			flag = &value
		}
		normal := rapid.Bool().Draw(t, "normal")
		lifetime := seshat.Duration(rapid.Int64().Draw(t, "lifetime"))

		f := editor.New(nil)
		f.PutConditions("conditions", conditions)
		f.PutTransformations("steps", transformations)
		f.PutScope("scope", &scope)
		f.PutMetadata(&meta)
		f.PutFlag("flag", flag, normal)
		f.PutDuration("lifetime", &lifetime)
		if len(f.Lost()) > 0 {
			return
		}
		shown++
		got := editor.New(sent(f.Values))
		for _, d := range []string{
			cmp.Diff(conditions, got.Conditions("conditions")), cmp.Diff(transformations, got.Transformations("steps"), cmpopts.EquateEmpty()),
			cmp.Diff(scope, got.Scope("scope"), cmpopts.EquateEmpty()), cmp.Diff(meta, got.Metadata()), cmp.Diff(flag, got.Flag("flag", normal)),
			cmp.Diff(&lifetime, got.Duration("lifetime")),
		} {
			if d != "" {
				t.Errorf("not what it was (-want +got):\n%s", d)
			}
		}
		if len(got.Faults()) > 0 {
			t.Errorf("faults of what was filled in: %v", got.Faults())
		}
	})
}

// TestSaysMost checks that what people write is not among what a form cannot show.
func TestSaysMost(t *testing.T) {
	text, yes, segment := "x", true, -1
	for name, m := range map[string]*seshat.Match{
		"none": nil, "equals": {Equals: &text}, "notEquals": {NotEquals: &text}, "contains": {Contains: &text}, "notContains": {NotContains: &text},
		"startsWith": {StartsWith: &text}, "endsWith": {EndsWith: &text}, "matches": {Matches: &text}, "notMatches": {NotMatches: &text},
		"in": {In: []string{"a", "b"}}, "exists": {Exists: &yes}, "notExists": {NotExists: &yes},
	} {
		f := editor.New(nil)
		f.PutExtract("e", &seshat.Extract{Location: "header", Key: m, Value: m})
		f.PutExtract("p", &seshat.Extract{Location: "pathSegment", Segment: &segment, Value: m})
		f.PutExtract("b", &seshat.Extract{Location: "body", JSONPath: "$.a", Value: m})
		f.PutConditions("c", []seshat.Condition{{In: "request", Extract: seshat.Extract{Location: "status", Value: m}}})
		if len(f.Lost()) > 0 {
			t.Errorf("%s: it cannot show %v", name, f.Lost())
		}
	}
}

func TestLists(t *testing.T) {
	f := editor.New(nil)
	f.PutList("l", 0)
	names := func() string {
		var out []string
		for i := range f.Items("l") {
			out = append(out, f.Get(editor.At("l", i)+".name"))
		}
		return strings.Join(out, " ")
	}
	do := func(button, want string) {
		t.Helper()
		f.Do(button, 12)
		if got := names(); got != want {
			t.Errorf("%s: the list is %q, want %q", button, got, want)
		}
	}
	do("add l name=a", "a")
	do("add l name=b", "a b")
	do("add l name=c", "a b c")
	do("up l[2]", "a c b")
	do("up l[0]", "a c b")
	do("down l[0]", "c a b")
	do("down l[2]", "c a b")
	do("remove l[1]", "c b")
	do("remove l[7]", "c b")
	do("remove l[x]", "c b")
	do("remove l", "c b")
	do("nothing l[0]", "c b")
	do("add", "c b")
	for range 10 {
		f.Do("add l name=x", 12)
	}
	if f.Do("add l name=y", 12) || f.Items("l") != 12 {
		t.Errorf("a list of %d, where at most 12 are allowed", f.Items("l"))
	}
	for range 12 {
		do("remove l[0]", strings.TrimPrefix(strings.TrimPrefix(names()[1:], " "), " "))
	}
	if len(f.Values) != 1 {
		t.Errorf("left of an empty list: %v", f.Values)
	}
}

func TestFaultsFindTheirControls(t *testing.T) {
	text := "("
	f := editor.New(nil)
	f.PutConditions("spec.conditions", []seshat.Condition{{Extract: seshat.Extract{Location: "header", Key: &seshat.Match{Matches: &text}, Value: &seshat.Match{In: []string{"a", "b"}}}}})
	f.PutTransformations("spec.transformations", []seshat.Transformation{{Regex: &seshat.RegexTransformation{Pattern: "("}}})
	f.PutScope("spec.scope", &seshat.Scope{URLs: []string{"a", "("}})
	for field, want := range map[string]string{
		"spec.conditions[0].key.matches":        "spec.conditions[0].key.text",
		"spec.conditions[0].key":                "spec.conditions[0].key.text",
		"spec.conditions[0].value.in[1]":        "spec.conditions[0].value.texts",
		"spec.conditions[0].location":           "spec.conditions[0].location",
		"spec.conditions[0]":                    "spec.conditions[0]",
		"spec.conditions[0].unknown":            "spec.conditions[0].location",
		"spec.conditions[7]":                    "spec.conditions",
		"spec.transformations[0].regex.pattern": "spec.transformations[0].regex.pattern",
		"spec.transformations[0].regex":         "spec.transformations[0].kind",
		"spec.scope.urls[1]":                    "spec.scope.urls",
		"spec.scope":                            "",
		"":                                      "", "nothing": "",
	} {
		if got := f.Control(field); got != want {
			t.Errorf("%s is about %q, want %q", field, got, want)
		}
	}
	f.AddFaults(seshat.Faults{{Field: "spec.scope.urls[1]", Message: "broken", Hint: "mend it"}, {Field: "spec.scope.urls[1]", Message: "broken"}})
	if got := f.Wrong("spec.scope.urls"); got != "line 2: broken (mend it)" || len(f.Faults()) != 1 {
		t.Errorf("it says %q, of %d faults", got, len(f.Faults()))
	}
}

func TestFormsRefuse(t *testing.T) {
	f := editor.New(url.Values{
		"n": {"1x"}, "d": {"30"}, "m.op": {"like"}, "e.op": {"contains"}, "i.op": {"in"}, "i.texts": {" \r\n "},
		"t": {"list"}, "t[0]": {"item"}, "t[0].kind": {"zip"}, "t[1]": {"item"}, "t[1].kind": {"jsonPath"}, "metadata.labels": {"nothing"},
	})
	f.Number("n")
	f.Duration("d")
	f.Match("m", false)
	f.Match("e", false)
	f.Match("i", false)
	f.Transformations("t")
	f.Metadata()
	for _, name := range []string{"n", "d", "m.op", "e.text", "i.texts", "t[0].kind", "t[1].jsonPath", "metadata.labels"} {
		if f.Has(name) && f.Wrong(name) == "" {
			t.Errorf("nothing is said of %s", name)
		}
	}
	if n := len(f.Faults()); n != 8 {
		t.Errorf("%d faults: %v", n, f.Faults())
	}
}

// TestHostileTexts renders every part with texts that try to leave their place.
func TestHostileTexts(t *testing.T) {
	const hostile = `"><script>alert(1)</script>'</textarea><img src=x onerror=alert(1)>`
	text := hostile
	f := editor.New(nil)
	e := seshat.Extract{Location: "body", Key: &seshat.Match{Equals: &text}, JSONPath: hostile, Value: &seshat.Match{In: []string{hostile}}}
	f.PutConditions("c", []seshat.Condition{{In: hostile, Extract: e}, {Extract: seshat.Extract{Location: hostile}}})
	f.PutTransformations("t", []seshat.Transformation{{Regex: &seshat.RegexTransformation{Pattern: hostile, Group: hostile}}, {JWTClaim: hostile}})
	f.PutScope("s", &seshat.Scope{Environments: []string{hostile}, Services: []string{hostile}, URLs: []string{hostile}})
	f.PutMetadata(&seshat.Metadata{Name: hostile, UID: hostile, Description: hostile, Labels: map[string]string{hostile: hostile}})
	f.AddFaults(seshat.Faults{{Field: hostile, Message: hostile, Hint: hostile}, {Field: "c[0].in", Message: hostile}})
	var out bytes.Buffer
	ctx := context.Background()
	for _, err := range []error{
		editor.Conditions(f, "c", hostile).Render(ctx, &out), editor.Transformations(f, "t", hostile).Render(ctx, &out), editor.Scope(f, "s").Render(ctx, &out),
		editor.Metadata(f, false).Render(ctx, &out), editor.Metadata(f, true).Render(ctx, &out), editor.Details(f).Render(ctx, &out), editor.Summary(f).Render(ctx, &out),
	} {
		if err != nil {
			t.Fatal(err)
		}
	}
	for _, bad := range []string{"<script", "<img", "onerror=alert(1)>", "style="} {
		if strings.Contains(out.String(), bad) {
			t.Errorf("the page has %s", bad)
		}
	}
	if n := strings.Count(out.String(), "alert"); n < 20 {
		t.Errorf("only %d of the texts are shown", n)
	}
}
