package resource_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/seshat-project/seshat"
	"github.com/seshat-project/seshat/internal/resource"
	"pgregory.net/rapid"
)

func TestMarshalGoodFixtures(t *testing.T) {
	for _, name := range fixtures(t, "good") {
		for _, format := range []resource.Format{resource.FormatYAML, resource.FormatJSON} {
			t.Run(filepath.Base(name)+"/"+string(format), func(t *testing.T) {
				parsed, faults := resource.Parse(name, read(t, name))
				if len(faults) > 0 {
					t.Fatal(faults)
				}
				checkRoundTrip(t, resource.Resources(parsed), format)
			})
		}
	}
}

// checkRoundTrip prints resources, reads them back and prints them again: resources and texts must be the same.
func checkRoundTrip(t interface {
	Helper()
	Fatalf(string, ...any)
}, want []seshat.Resource, format resource.Format,
) {
	t.Helper()
	text, err := resource.Marshal(want, format)
	if err != nil {
		t.Fatalf("Marshal: %v", err)
	}
	parsed, faults := resource.Parse("printed."+string(format), text)
	if len(faults) > 0 {
		t.Fatalf("what was printed has faults:\n%v\n%s", faults, text)
	}
	if diff := cmp.Diff(want, resource.Resources(parsed)); diff != "" {
		t.Fatalf("not the same after printing and reading (-want +got):\n%s\n%s", diff, text)
	}
	if again, _ := resource.Marshal(resource.Resources(parsed), format); !bytes.Equal(again, text) {
		t.Fatalf("printed twice, in two ways:\n%s\n%s", text, again)
	}
	if format == resource.FormatJSON && !json.Valid(text) {
		t.Fatalf("not JSON:\n%s", text)
	}
}

func TestMarshalYAMLReadsLikeWritten(t *testing.T) {
	const want = `apiVersion: seshat/v1
kind: SessionRule
metadata:
  name: shop
  description: "Sessions of the shop: all of them"
  labels:
    a: "1"
    b: "yes"
spec:
  enabled: false
  priority: 0
  scope:
    services:
      - api.shop.example
  identifiers:
    - in: response
      conditions:
        - location: status
          value: "200"
      extract:
        location: body
        jsonPath: $.data.token
        value:
          matches: '^ey\w+'
      transformations:
        - regex: 'sid=(\w+)'
        - base64Decode
        - jwtClaim: sub
    - cookie: SESSID
      expiration:
        jwt: true
  idleTimeout: 30m
---
apiVersion: seshat/v1
kind: Settings
metadata:
  name: default
spec: {}
`
	parsed, faults := resource.Parse("x.yaml", []byte(want))
	if len(faults) > 0 {
		t.Fatal(faults)
	}
	got, err := resource.Marshal(resource.Resources(parsed), resource.FormatYAML)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(strings.Split(want, "\n"), strings.Split(string(got), "\n")); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestMarshalJSONIsFull(t *testing.T) {
	parsed, faults := resource.Parse("x.yaml", []byte(`{apiVersion: seshat/v1, kind: SessionRule, metadata: {name: a}, spec:
  {identifiers: [{extract: {location: cookie, key: A}, transformations: [lowercase, regex: a<b]}]}}`))
	if len(faults) > 0 {
		t.Fatal(faults)
	}
	got, err := resource.Marshal(resource.Resources(parsed), resource.FormatJSON)
	if err != nil {
		t.Fatal(err)
	}
	var compact bytes.Buffer
	if err := json.Compact(&compact, got); err != nil {
		t.Fatal(err)
	}
	const want = `{"apiVersion":"seshat/v1","kind":"SessionRule","metadata":{"name":"a"},"spec":{"identifiers":[{"extract":` +
		`{"location":"cookie","key":{"equals":"A"}},"transformations":[{"lowercase":{}},{"regex":{"pattern":"a<b"}}]}]}}`
	if compact.String() != want {
		t.Errorf("got  %s\nwant %s", &compact, want)
	}
}

func TestMarshalRefuses(t *testing.T) {
	if _, err := resource.Marshal([]seshat.Resource{{Kind: seshat.KindFlow}}, resource.FormatYAML); err == nil {
		t.Error("a resource without a spec was printed")
	}
	if _, err := resource.Marshal(nil, "toml"); err == nil || !strings.Contains(err.Error(), "yaml and json") {
		t.Errorf("an unknown format: %v", err)
	}
}

func TestMarshalRoundTrip(t *testing.T) {
	for _, format := range []resource.Format{resource.FormatYAML, resource.FormatJSON} {
		t.Run(string(format), func(t *testing.T) {
			rapid.Check(t, func(t *rapid.T) {
				checkRoundTrip(t, rapid.Custom(drawResources).Draw(t, "resources"), format)
			})
		})
	}
}

// texts are those that YAML parsers stumble over, and any others.
func texts(least int) *rapid.Generator[string] {
	hard := []string{
		"yes", "null", "~", "true", "0x10", "1e3", "12", "-1", "1_000", ".inf", "- a", "a: b", "a #b", "#", " a", "a ", "*a", "&a",
		"!a", "|", ">", "%a", "@a", "`a`", "'", `"`, `\`, `\d+`, "''", "a\nb", "\n", "a\n", "\t", "a\tb", "{}", "[]", "{a: 1}", "?", "? a", "---", "...",
		"\u0085", "\u2028", "\ufeff", "\x00", "\x7f", "😀", "30m", "7d", "2026-01-01", "12:30", "<<", "=", "$.a", "a,b", "\r\n", "^(?P<a>[^.]+)$",
	}
	anything := rapid.StringN(least, 12, -1)
	return rapid.OneOf(rapid.SampledFrom(hard), anything)
}

func drawResources(t *rapid.T) []seshat.Resource {
	out := make([]seshat.Resource, rapid.IntRange(1, 4).Draw(t, "resources"))
	for i := range out {
		r := &out[i]
		r.APIVersion, r.Metadata.Name = seshat.APIVersion, fmt.Sprintf("r%d", i)
		if rapid.Bool().Draw(t, "with description") {
			r.Metadata.Description = texts(0).Draw(t, "description")
		}
		for range rapid.IntRange(0, 2).Draw(t, "labels") {
			if r.Metadata.Labels == nil {
				r.Metadata.Labels = map[string]string{}
			}
			r.Metadata.Labels[texts(1).Draw(t, "label")] = texts(0).Draw(t, "value")
		}
		switch rapid.IntRange(0, 6).Draw(t, "kind") {
		case 0:
			r.Spec = &seshat.SessionRuleSpec{
				Enabled: drawPointer(t, rapid.Bool()), Priority: drawPointer(t, rapid.IntRange(-1000, 1000)), Scope: drawScope(t),
				Identifiers: rapid.SliceOfN(rapid.Custom(drawIdentifier), 1, 3).Draw(t, "identifiers"),
				IdleTimeout: drawDuration(t), AbsoluteLifetime: drawDuration(t),
			}
		case 1:
			r.Spec = &seshat.ContextParameterSpec{
				Scope: drawScope(t), In: drawWord(t, "request", "response"), Conditions: drawSlice(t, drawCondition), Extract: drawExtract(t),
				Transformations: drawSlice(t, drawTransformation), Type: drawWord(t, "plain", "user", "role"),
				Hash: rapid.Bool().Draw(t, "hash"),
			}
		case 2:
			r.Spec = &seshat.FlowSpec{
				Type: texts(1).Draw(t, "type"), Scope: drawScope(t), Endpoints: drawTexts(t, 1), Conditions: drawSlice(t, drawCondition),
			}
		case 3:
			r.Spec = &seshat.MaskRuleSpec{Location: "header", Key: drawMatch(t), In: drawWord(t, "request", "response")}
		case 4:
			r.Spec = &seshat.LimitSpec{
				Enabled: drawPointer(t, rapid.Bool()), Scope: drawScope(t), Endpoints: drawTexts(t, 1), Conditions: drawSlice(t, drawCondition),
				Key:   rapid.SliceOfN(texts(1), 1, 3).Draw(t, "key"),
				Count: rapid.IntRange(0, 1000).Draw(t, "count"), Window: seshat.Duration(rapid.Int64Range(0, 1<<50).Draw(t, "window")),
				Action: drawWord(t, "limit", "block", "tag"), For: drawDuration(t),
			}
		case 5:
			s := &seshat.JWTValidationSpec{
				Enabled: drawPointer(t, rapid.Bool()), Scope: drawScope(t), Endpoints: drawTexts(t, 1), Required: rapid.Bool().Draw(t, "required"),
				JWKSURL: texts(1).Draw(t, "jwksURL"), Issuers: drawTexts(t, 1), Audiences: drawTexts(t, 1),
				Action: drawWord(t, "block", "tag"), Status: drawPointer(t, rapid.IntRange(400, 403)),
			}
			if rapid.Bool().Draw(t, "with token") {
				e := drawExtract(t)
				s.Token = &e
			}
			r.Spec = s
		default:
			s := &seshat.SettingsSpec{Retention: drawDuration(t), BuiltIn: drawPointer(t, rapid.Bool())}
			if rapid.Bool().Draw(t, "with inference") {
				s.Inference = &seshat.InferenceSettings{MinimumScore: drawPointer(t, rapid.Float64Range(0, 1))}
			}
			r.Spec = s
		}
		r.Kind = seshat.KindOf(r.Spec)
	}
	return out
}

func drawIdentifier(t *rapid.T) seshat.Identifier {
	id := seshat.Identifier{
		In: drawWord(t, "request", "response"), Conditions: drawSlice(t, drawCondition), Transformations: drawSlice(t, drawTransformation),
		Obfuscate: drawPointer(t, rapid.Bool()), Type: drawWord(t, "accessToken", "apiKey"),
	}
	switch rapid.IntRange(0, 3).Draw(t, "form") {
	case 0:
		id.Header = texts(1).Draw(t, "header")
	case 1:
		id.Cookie = texts(1).Draw(t, "cookie")
	case 2:
		id.JWTClaim = &seshat.JWTClaimShort{Header: "A", Claim: texts(1).Draw(t, "claim")}
	default:
		extract := drawExtract(t)
		id.Extract = &extract
	}
	switch rapid.IntRange(0, 2).Draw(t, "expiration") {
	case 0:
		id.Expiration = &seshat.Expiration{JWT: true}
	case 1:
		id.Expiration = &seshat.Expiration{Attribute: &seshat.ExpirationAttribute{
			Extract: drawExtract(t), Transformations: drawSlice(t, drawTransformation), Format: "epochSeconds",
		}}
	}
	return id
}

func drawExtract(t *rapid.T) seshat.Extract {
	return seshat.Extract{
		Location: rapid.SampledFrom([]string{"header", "body", "pathSegment"}).Draw(t, "location"), Key: drawMatch(t),
		JSONPath: rapid.SampledFrom([]string{"", "$.a", "$['a b'][?@.c=='d']"}).Draw(t, "jsonPath"),
		Segment:  drawPointer(t, rapid.IntRange(-3, 3)), Value: drawMatch(t),
	}
}

func drawCondition(t *rapid.T) seshat.Condition {
	return seshat.Condition{In: drawWord(t, "request", "response"), Extract: drawExtract(t)}
}

func drawMatch(t *rapid.T) *seshat.Match {
	text, yes := texts(0).Draw(t, "text"), true
	switch rapid.IntRange(0, 7).Draw(t, "operator") {
	case 0:
		return nil
	case 1, 2, 3:
		return &seshat.Match{Equals: &text}
	case 4:
		return &seshat.Match{NotMatches: &text}
	case 5:
		return &seshat.Match{In: rapid.SliceOfN(texts(0), 1, 3).Draw(t, "in")}
	case 6:
		return &seshat.Match{Exists: drawPointerSet(t, rapid.Bool())}
	default:
		return &seshat.Match{NotExists: &yes}
	}
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
		return seshat.Transformation{JWTClaim: texts(1).Draw(t, "claim")}
	case 5:
		return seshat.Transformation{JSONPath: texts(1).Draw(t, "path")}
	default:
		return seshat.Transformation{Regex: &seshat.RegexTransformation{
			Pattern: texts(1).Draw(t, "pattern"), Group: drawWord(t, "1", "name"),
		}}
	}
}

func drawScope(t *rapid.T) seshat.Scope {
	return seshat.Scope{Environments: drawTexts(t, 1), Services: drawTexts(t, 1), URLs: drawTexts(t, 1)}
}

// drawTexts draws a list that is nil when it is empty.
func drawTexts(t *rapid.T, least int) []string {
	return drawSlice(t, func(t *rapid.T) string { return texts(least).Draw(t, "text") })
}

func drawSlice[T any](t *rapid.T, draw func(*rapid.T) T) []T {
	n := rapid.IntRange(0, 2).Draw(t, "length")
	var out []T
	for range n {
		out = append(out, draw(t))
	}
	return out
}

func drawWord(t *rapid.T, words ...string) string {
	return rapid.SampledFrom(append(words, "")).Draw(t, "word")
}

func drawPointer[T any](t *rapid.T, g *rapid.Generator[T]) *T {
	if rapid.Bool().Draw(t, "set") {
		return drawPointerSet(t, g)
	}
	return nil
}

func drawPointerSet[T any](t *rapid.T, g *rapid.Generator[T]) *T {
	v := g.Draw(t, "value")
	return &v
}

func drawDuration(t *rapid.T) *seshat.Duration {
	return drawPointer(t, rapid.Custom(func(t *rapid.T) seshat.Duration {
		return seshat.Duration(rapid.Int64Range(0, math.MaxInt64).Draw(t, "d"))
	}))
}
