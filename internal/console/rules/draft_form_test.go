package rules_test

import (
	"net/url"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"pgregory.net/rapid"

	"github.com/seshat-project/seshat"
	"github.com/seshat-project/seshat/internal/console/editor"
	"github.com/seshat-project/seshat/internal/console/rules"
	"github.com/seshat-project/seshat/internal/resource"
	"github.com/seshat-project/seshat/internal/resource/preset"
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

// texts are mostly those of rules that exist; some are those that forms stumble over.
func texts() *rapid.Generator[string] {
	tame := rapid.StringMatching(`[A-Za-z$.<>"'&%;-]{1,8}`)
	wild := rapid.OneOf(rapid.SampledFrom([]string{"", " ", " a", "a\nb", "\r", "\x00", "\xff", "on"}), rapid.String())
	return rapid.Custom(func(t *rapid.T) string {
		if rapid.IntRange(0, 40).Draw(t, "wild") == 0 {
			return wild.Draw(t, "text")
		}
		return tame.Draw(t, "text")
	})
}

func pointer[T any](t *rapid.T, g *rapid.Generator[T]) *T {
	if rapid.Bool().Draw(t, "set") {
		v := g.Draw(t, "value")
		return &v
	}
	return nil
}

func drawMatch(t *rapid.T) *seshat.Match {
	text, yes := texts().Draw(t, "operand"), rapid.IntRange(0, 9).Draw(t, "yes") > 0
	switch rapid.IntRange(0, 11).Draw(t, "operator") {
	case 0:
		return &seshat.Match{NotEquals: &text}
	case 1:
		return &seshat.Match{Contains: &text}
	case 2:
		return &seshat.Match{NotContains: &text}
	case 3:
		return &seshat.Match{StartsWith: &text}
	case 4:
		return &seshat.Match{EndsWith: &text}
	case 5:
		return &seshat.Match{Matches: &text}
	case 6:
		return &seshat.Match{NotMatches: &text}
	case 7:
		return &seshat.Match{In: rapid.SliceOfN(texts(), 1, 3).Draw(t, "in")}
	case 8:
		return &seshat.Match{Exists: &yes}
	case 9:
		return &seshat.Match{NotExists: &yes}
	case 10:
		return nil
	default:
		return &seshat.Match{Equals: &text}
	}
}

func drawExtract(t *rapid.T) seshat.Extract {
	e := seshat.Extract{
		Location: rapid.SampledFrom([]string{"header", "cookie", "query", "pathSegment", "pathParameter", "body", "status", "clientIP", "userAgent", "ja4"}).Draw(t, "location"),
		Value:    drawMatch(t),
	}
	switch e.Location {
	case "header", "cookie", "query", "pathParameter":
		e.Key = drawMatch(t)
	case "body":
		if rapid.Bool().Draw(t, "JSON") {
			e.JSONPath = texts().Draw(t, "path")
		} else {
			e.Key = drawMatch(t)
		}
	case "pathSegment":
		e.Segment = pointer(t, rapid.IntRange(-3, 3))
	default:
		if rapid.IntRange(0, 20).Draw(t, "wrong") == 0 {
			e.JSONPath = "$.a"
		}
	}
	return e
}

func drawTransformation(t *rapid.T) seshat.Transformation {
	empty := &seshat.EmptyTransformation{}
	switch rapid.IntRange(0, 6).Draw(t, "transformation") {
	case 0:
		return seshat.Transformation{Base64Decode: empty}
	case 1:
		return seshat.Transformation{URLDecode: empty}
	case 2:
		return seshat.Transformation{Lowercase: empty}
	case 3:
		return seshat.Transformation{Hash: empty}
	case 4:
		return seshat.Transformation{JWTClaim: texts().Draw(t, "claim")}
	case 5:
		return seshat.Transformation{JSONPath: texts().Draw(t, "path")}
	default:
		return seshat.Transformation{Regex: &seshat.RegexTransformation{
			Pattern: texts().Draw(t, "pattern"), Group: rapid.SampledFrom([]string{"", "1", "name"}).Draw(t, "group"),
		}}
	}
}

func drawIdentifier(t *rapid.T) seshat.Identifier {
	id := seshat.Identifier{
		In: rapid.SampledFrom([]string{"", "request", "response"}).Draw(t, "in"), Obfuscate: pointer(t, rapid.Bool()),
		Transformations: rapid.SliceOfN(rapid.Custom(drawTransformation), 0, 3).Draw(t, "transformations"),
		Type:            rapid.SampledFrom([]string{"", "session", "accessToken", "refreshToken", "authorizationCode", "apiKey", "claim", "transaction"}).Draw(t, "type"),
	}
	for range rapid.IntRange(0, 2).Draw(t, "conditions") {
		id.Conditions = append(id.Conditions, seshat.Condition{In: rapid.SampledFrom([]string{"", "request", "response"}).Draw(t, "side"), Extract: drawExtract(t)})
	}
	e := drawExtract(t)
	switch rapid.IntRange(0, 20).Draw(t, "form") {
	case 0:
		id.Header, id.Extract = "A", &e // several at once, which is a fault
	case 1, 2, 3, 4:
		id.Header = texts().Draw(t, "header")
	case 5, 6, 7, 8:
		id.Cookie = texts().Draw(t, "cookie")
	case 9, 10, 11:
		id.JWTClaim = &seshat.JWTClaimShort{Header: texts().Draw(t, "header"), Claim: texts().Draw(t, "claim")}
	case 12, 13:
		id.JWTClaim = &seshat.JWTClaimShort{Cookie: texts().Draw(t, "cookie"), Claim: texts().Draw(t, "claim")}
	default:
		id.Extract = &e
	}
	switch rapid.IntRange(0, 10).Draw(t, "expiration") {
	case 0:
		id.Expiration = &seshat.Expiration{} // a fault
	case 1, 2, 3:
		id.Expiration = &seshat.Expiration{JWT: true}
	case 4, 5, 6:
		id.Expiration = &seshat.Expiration{Attribute: &seshat.ExpirationAttribute{
			Extract: drawExtract(t), Transformations: rapid.SliceOfN(rapid.Custom(drawTransformation), 0, 2).Draw(t, "steps"),
			Format: rapid.SampledFrom([]string{"durationSeconds", "durationMilliseconds", "epochSeconds", "epochMilliseconds"}).Draw(t, "format"),
		}}
	}
	return id
}

func drawRule(t *rapid.T) *seshat.Resource {
	list := rapid.SliceOfN(texts(), 0, 2)
	duration := rapid.Custom(func(t *rapid.T) seshat.Duration {
		return seshat.Duration(rapid.Int64Range(-1, 1<<55).Draw(t, "duration"))
	})
	return &seshat.Resource{
		APIVersion: seshat.APIVersion, Kind: seshat.KindSessionRule,
		Metadata: seshat.Metadata{
			Name: rapid.StringMatching(`[a-z][a-z0-9-]{0,8}`).Draw(t, "name"), Description: texts().Draw(t, "description"),
			UID: rapid.SampledFrom([]string{"", "12345678-1234-4234-8234-123456789abc"}).Draw(t, "uid"), Labels: rapid.MapOfN(texts(), texts(), 0, 2).Draw(t, "labels"),
		},
		Spec: &seshat.SessionRuleSpec{
			Enabled: pointer(t, rapid.Bool()), Priority: pointer(t, rapid.IntRange(-1000, 1000)),
			Scope:       seshat.Scope{Environments: list.Draw(t, "environments"), Services: list.Draw(t, "services"), URLs: list.Draw(t, "urls")},
			Identifiers: rapid.SliceOfN(rapid.Custom(drawIdentifier), 0, 2).Draw(t, "identifiers"), IdleTimeout: pointer(t, duration), AbsoluteLifetime: pointer(t, duration),
		},
	}
}

// TestRoundTrip fills in the form of a rule, sends it as a browser does, and reads it: the same rule comes out, or the form
// said that it cannot show it.
func TestRoundTrip(t *testing.T) {
	shown, all := 0, 0
	rapid.Check(t, func(t *rapid.T) {
		want := drawRule(t)
		f := editor.New(nil)
		rules.PutRule(f, want)
		all++
		if len(f.Lost()) > 0 {
			return
		}
		shown++
		sent := editor.New(sent(f.Values))
		got := rules.ReadRule(sent)
		if diff := cmp.Diff(want, got, cmpopts.EquateEmpty()); diff != "" {
			t.Errorf("not what it was (-want +got):\n%s", diff)
		}
		if len(sent.Faults()) > 0 {
			t.Errorf("faults of what was filled in: %v", sent.Faults())
		}
	})
	if shown*4 < all {
		t.Errorf("the form showed %d of %d rules: that tests little", shown, all)
	}
}

// TestShowsPresets checks that forms show the rules of every preset.
func TestShowsPresets(t *testing.T) {
	for _, p := range preset.List() {
		parsed, err := preset.Parse(p.Name)
		if err != nil {
			t.Fatal(err)
		}
		for i := range parsed {
			if parsed[i].Resource.Kind != seshat.KindSessionRule {
				continue
			}
			f := editor.New(nil)
			rules.PutRule(f, &parsed[i].Resource)
			if len(f.Lost()) > 0 {
				t.Errorf("%s: the form cannot show %v", p.Name, f.Lost())
			}
			got := rules.ReadRule(editor.New(sent(f.Values)))
			want, _ := resource.Marshal([]seshat.Resource{parsed[i].Resource}, resource.FormatYAML)
			text, err := resource.Marshal([]seshat.Resource{*got}, resource.FormatYAML)
			if err != nil || string(text) != string(want) {
				t.Errorf("%s: %v\n%s\nwant\n%s", p.Name, err, text, want)
			}
		}
	}
}

// TestSaysWhatItCannotShow checks that what a form cannot show is named.
func TestSaysWhatItCannotShow(t *testing.T) {
	yes, line := false, "a\nb"
	f := func(id seshat.Identifier, want string) {
		t.Helper()
		form := editor.New(nil)
		rules.PutRule(form, &seshat.Resource{
			APIVersion: seshat.APIVersion, Kind: seshat.KindSessionRule, Metadata: seshat.Metadata{Name: "a"}, Spec: &seshat.SessionRuleSpec{Identifiers: []seshat.Identifier{id}},
		})
		if got := strings.Join(form.Lost(), " "); got != want {
			t.Errorf("it cannot show %q, want %q", got, want)
		}
	}
	f(seshat.Identifier{Header: "A"}, "")
	f(seshat.Identifier{Header: "A", Cookie: "B"}, "spec.identifiers[0]")
	f(seshat.Identifier{Header: "A\nB"}, "spec.identifiers[0].header")
	f(seshat.Identifier{Extract: &seshat.Extract{Location: "header", Key: &seshat.Match{Exists: &yes}}}, "spec.identifiers[0].extract.key")
	f(seshat.Identifier{Extract: &seshat.Extract{Location: "status", JSONPath: "$.a"}}, "spec.identifiers[0].extract.jsonPath")
	f(seshat.Identifier{Extract: &seshat.Extract{Location: "cookie", Key: &seshat.Match{In: []string{line}}}}, "spec.identifiers[0].extract.key.texts")
	f(seshat.Identifier{Header: "A", Expiration: &seshat.Expiration{}}, "spec.identifiers[0].expiration")
}
