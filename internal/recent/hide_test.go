package recent_test

import (
	"bytes"
	"fmt"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"github.com/seshat-project/seshat"
	"github.com/seshat-project/seshat/internal/identify"
	"github.com/seshat-project/seshat/internal/recent"
	"github.com/seshat-project/seshat/internal/rule"
)

func equals(s string) *seshat.Match { return &seshat.Match{Equals: &s} }

func maskRule(name string, spec seshat.MaskRuleSpec) seshat.Resource {
	return seshat.Resource{APIVersion: seshat.APIVersion, Kind: seshat.KindMaskRule, Metadata: seshat.Metadata{Name: name}, Spec: &spec}
}

func TestHide(t *testing.T) {
	rules := compiled(t,
		maskRule("header", seshat.MaskRuleSpec{Location: "header", Key: equals("X-Secret")}),
		maskRule("cookie", seshat.MaskRuleSpec{Location: "cookie", Key: equals("pin")}),
		maskRule("query", seshat.MaskRuleSpec{Location: "query", Key: equals("card")}),
		maskRule("path", seshat.MaskRuleSpec{Location: "pathParameter", Key: equals("sid")}),
		maskRule("form", seshat.MaskRuleSpec{Location: "body", Key: equals("password"), In: "request"}),
		maskRule("json", seshat.MaskRuleSpec{Location: "body", JSONPath: "$..token"}),
		maskRule("elsewhere", seshat.MaskRuleSpec{Location: "header", Key: equals("Accept"), Scope: seshat.Scope{Services: []string{"other"}}}),
	)
	x := &seshat.Exchange{
		Service: "shop",
		Request: seshat.Request{
			Method: "POST", Scheme: "https", Host: "shop.example", Path: "/a;sid=S1;v=2/b;sid=S2", Query: "a=1&card=S3&c%61rd=S4&b=2",
			Header: []seshat.Field{
				{Name: "x-secret", Value: "S5"},
				{Name: "Accept", Value: "*/*"},
				{Name: "Cookie", Value: `a="1"; pin=S6; b=2`},
				{Name: "Cookie", Value: "pin=S7"},
				{Name: "Content-Type", Value: "application/x-www-form-urlencoded"},
			},
			Body: seshat.Body{Bytes: []byte("user=ann&password=S8")},
		},
		Response: seshat.Response{
			Status: 200, Header: []seshat.Field{
				{Name: "Set-Cookie", Value: "pin=S9; Path=/"}, {Name: "Set-Cookie", Value: "a=2"}, {Name: "Content-Type", Value: "application/json"},
			},
			Body: seshat.Body{Bytes: []byte(`{"token":"S10","user":{"name":"ann","token":{"value":"S11"}}}`)},
		},
	}
	var told []string
	masks := recent.InScope(x, rules)
	if len(masks) != 6 {
		t.Fatalf("%d mask rules are in scope", len(masks))
	}
	got := recent.Hide(x, masks, func(side seshat.Side, l seshat.Location, name string) {
		told = append(told, fmt.Sprintf("%s %s %s", side, rule.LocationName(l), name))
	})
	if text := fmt.Sprintf("%+v %s %s", got, got.Request.Body.Bytes, got.Response.Body.Bytes); regexpSecret(text) != "" {
		t.Errorf("%s is still there: %s", regexpSecret(text), text)
	}
	if got.Request.Path != "/a;v=2/b" || got.Request.Query != "a=1&b=2" || got.Request.Header[1].Value != `a="1"; b=2` ||
		string(got.Request.Body.Bytes) != "user=ann" || string(got.Response.Body.Bytes) != `{"token":null,"user":{"name":"ann","token":null}}` {
		t.Errorf("got %+v %s %s", got, got.Request.Body.Bytes, got.Response.Body.Bytes)
	}
	if len(told) != 11 || !slices.Contains(told, "response cookie pin") || !slices.Contains(told, "response body $..token") {
		t.Errorf("told of %q", told)
	}
	if x.Request.Query != "a=1&card=S3&c%61rd=S4&b=2" || len(x.Request.Header) != 5 {
		t.Error("the exchange itself was changed")
	}
	// A member of a hidden name is hidden, wherever it is.
	x.Request.Header[4].Value = "application/json"
	x.Request.Body.Bytes = []byte(`[1, {"a": {"password" : {"deep": [1, "S8"]}, "b": "password"}, "password":"S8"}, "password"]`)
	if got := recent.Hide(x, masks, nil); string(got.Request.Body.Bytes) != `[1, {"a": {"password" : null, "b": "password"}, "password":null}, "password"]` {
		t.Errorf("body: %s", got.Request.Body.Bytes)
	}
	// What cannot be read is left out as a whole.
	x.Response.Body.Bytes = x.Response.Body.Bytes[:30]
	if got := recent.Hide(x, masks, nil); len(got.Response.Body.Bytes) != 0 || !got.Response.Body.Truncated || got.Response.Body.Size != 30 {
		t.Errorf("half a body is kept: %+v", got.Response.Body)
	}
}

func regexpSecret(text string) string {
	for i := 1; i <= 11; i++ {
		if secret := fmt.Sprintf("S%d", i); bytes.Contains([]byte(text), []byte(secret)) {
			return secret
		}
	}
	return ""
}

// TestHidingIsMasking checks that by any rules the same is found in an exchange with mask rules, and in what is left of it
// without them. (A hidden name of an object hides what is in it from a draft, too, which a mask rule does not do.)
func TestHidingIsMasking(t *testing.T) {
	names := []string{"sid", "SID", "X-Session", "Authorization", "user", "token", "a b", "", "Cookie", "User-Agent", "__Host-s"}
	values := []string{"", "abcdefgh12345678", "Bearer abcdefgh12345678", `"quoted"`, "a=b", "%41bcdefgh1234", "x; y", "eyJhbGciOiJub25lIn0.eyJzdWIiOiJhbm4ifQ."}
	rapid.Check(t, func(t *rapid.T) {
		name := rapid.SampledFrom(names)
		fields := func(label string, response bool) []seshat.Field {
			var out []seshat.Field
			for range rapid.IntRange(0, 5).Draw(t, label) {
				switch rapid.IntRange(0, 2).Draw(t, "kind") {
				case 0:
					out = append(out, seshat.Field{Name: name.Draw(t, "name"), Value: rapid.SampledFrom(values).Draw(t, "value")})
				case 1:
					text := name.Draw(t, "name") + "=" + rapid.SampledFrom(values).Draw(t, "value")
					if response {
						out = append(out, seshat.Field{Name: "Set-Cookie", Value: text + "; HttpOnly"})
						break
					}
					out = append(out, seshat.Field{Name: "cookie", Value: text + "; " + name.Draw(t, "name") + " = " + rapid.SampledFrom(values).Draw(t, "value")})
				default:
					out = append(out, seshat.Field{Name: "Content-Type", Value: rapid.SampledFrom([]string{
						"application/json", "application/x-www-form-urlencoded", "text/plain",
					}).Draw(t, "type")})
				}
			}
			return out
		}
		body := func(label string) seshat.Body {
			return seshat.Body{Bytes: []byte(rapid.SampledFrom([]string{
				"", `{"sid":"abcdefgh12345678","data":{"sid":"x","token":"abcdefgh12345678"}}`, `["abcdefgh12345678"`, "sid=abcdefgh12345678&user=ann&sid=2",
				"\ufeff{\"token\":\"abcdefgh12345678\"}", "s%69d=abcdefgh12345678&&=&a",
			}).Draw(t, label))}
		}
		x := &seshat.Exchange{
			Time: start, Service: "shop", Request: seshat.Request{
				Method: "POST", Scheme: "https", Host: "shop.example",
				Path:  rapid.SampledFrom([]string{"/", "/a;sid=abcdefgh12345678", "/a/b;user=1;sid=abcdefgh12345678;", "/;sid=a/abcdefgh12345678"}).Draw(t, "path"),
				Query: rapid.SampledFrom([]string{"", "sid=abcdefgh12345678&user=a", "s%69d=abcdefgh12345678&&token", "token=a&token=b"}).Draw(t, "query"),
			},
			Response: seshat.Response{Status: 200},
		}
		x.Request.Header, x.Response.Header = fields("request", false), fields("response", true)
		x.Request.Body, x.Response.Body = body("request body"), body("response body")

		var masks []seshat.Resource
		for i := range rapid.IntRange(1, 3).Draw(t, "masks") {
			spec := seshat.MaskRuleSpec{
				In:       rapid.SampledFrom([]string{"", "request"}).Draw(t, "in"),
				Location: rapid.SampledFrom([]string{"header", "cookie", "query", "pathParameter", "body"}).Draw(t, "location"),
			}
			if spec.Location == "body" && rapid.Bool().Draw(t, "by path") {
				spec.JSONPath = rapid.SampledFrom([]string{"$..sid", "$.data", "$[0]", "$.token"}).Draw(t, "json path")
			} else {
				spec.Key = equals(rapid.SampledFrom(names[:6]).Draw(t, "key"))
			}
			masks = append(masks, maskRule(fmt.Sprint("m", i), spec))
		}
		// The rules look at what no name is hidden of, so that they may be in force together with the masks.
		rules := []seshat.Resource{
			{APIVersion: seshat.APIVersion, Kind: seshat.KindSessionRule, Metadata: seshat.Metadata{Name: "any"}, Spec: &seshat.SessionRuleSpec{Identifiers: []seshat.Identifier{
				// Not Cookie itself, which holds hidden cookies still for whoever looks at it as a header.
				{Extract: &seshat.Extract{Location: "header", Key: &seshat.Match{Matches: text("(?i)^(x-s|auth|tok|us)")}}},
				{Extract: &seshat.Extract{Location: "cookie", Key: &seshat.Match{Contains: text("s")}}},
				{Extract: &seshat.Extract{Location: "query", Key: &seshat.Match{Contains: text("o")}}},
				{Extract: &seshat.Extract{Location: "pathParameter", Key: &seshat.Match{Contains: text("s")}}},
				{In: "response", Extract: &seshat.Extract{Location: "cookie", Key: &seshat.Match{Contains: text("s")}}},
				{Extract: &seshat.Extract{Location: "body", Key: &seshat.Match{Contains: text("s")}}},
			}}},
		}
		withMasks, faults := rule.Compile(append(slices.Clone(rules), masks...))
		if len(faults) > 0 {
			return
		}
		without, faults := rule.Compile(rules)
		if len(faults) > 0 {
			t.Fatal(faults)
		}
		var masked, hidden seshat.Identity
		identify.New(withMasks, nil).Identify(x, &masked)
		left := recent.Hide(x, recent.InScope(x, withMasks), nil)
		identify.New(without, nil).Identify(&left, &hidden)
		if got, want := found(&hidden), found(&masked); got != want {
			t.Fatalf("masked:\n%shidden:\n%sof %+v\nmasks %+v", want, got, x, masks)
		}
	})
}

func text(s string) *string { return &s }

func found(id *seshat.Identity) string {
	var b bytes.Buffer
	for i := range id.IDs {
		f := &id.IDs[i]
		fmt.Fprintf(&b, "%s[%d] %s %s=%s %v\n", f.Name, f.Index, f.Side, f.Key, f.Value, f.Deleted)
	}
	for i := range id.Parameters {
		fmt.Fprintf(&b, "%s=%s\n", id.Parameters[i].Name, id.Parameters[i].Value)
	}
	return b.String()
}
