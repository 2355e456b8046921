package rule_test

import (
	"strings"
	"testing"

	"github.com/seshat-project/seshat"
	"github.com/seshat-project/seshat/internal/rule"
)

func text(s string) *string { return &s }

func key(s string) *seshat.Match { return &seshat.Match{Equals: &s} }

func declare(name string, spec seshat.Spec) seshat.Resource {
	return seshat.Resource{APIVersion: seshat.APIVersion, Kind: seshat.KindOf(spec), Metadata: seshat.Metadata{Name: name}, Spec: spec}
}

func session(ids ...seshat.Identifier) seshat.Resource {
	return declare("r", &seshat.SessionRuleSpec{Identifiers: ids})
}

func extract(e seshat.Extract) seshat.Identifier { return seshat.Identifier{Extract: &e} }

func TestFaults(t *testing.T) {
	yes, segment := true, 999
	negative := seshat.Duration(-1)
	half := 1.5
	// want are the fields of the faults, each with a part of its message, in order.
	f := func(what string, resources []seshat.Resource, want ...string) {
		t.Helper()
		set, faults := rule.Compile(resources)
		if (set == nil) != (len(faults) > 0) {
			t.Errorf("%s: a ruleset and faults", what)
		}
		var got []string
		for _, fault := range faults {
			got = append(got, fault.Field+": "+fault.Message+" ("+fault.Hint+")")
			if fault.File == "" {
				t.Errorf("%s: a fault without its resource: %v", what, fault)
			}
		}
		if len(got) != len(want) {
			t.Errorf("%s: got\n  %s\nwant\n  %s", what, strings.Join(got, "\n  "), strings.Join(want, "\n  "))
			return
		}
		for i := range want {
			field, message, _ := strings.Cut(want[i], ": ")
			if !strings.HasPrefix(got[i], field+": ") || !strings.Contains(got[i], message) {
				t.Errorf("%s: got\n  %s\nwant\n  %s", what, got[i], want[i])
			}
		}
	}
	one := func(what string, id seshat.Identifier, want ...string) {
		t.Helper()
		f(what, []seshat.Resource{session(id)}, want...)
	}
	const at = "spec.identifiers[0]"
	one("fine", seshat.Identifier{Header: "X"})
	one("nothing", seshat.Identifier{}, at+": does not say where to look")
	inClear := new(bool)
	one("a cookie in clear", seshat.Identifier{Cookie: "sid", Obfuscate: inClear})
	one("a header in clear", seshat.Identifier{Header: "X", Obfuscate: inClear})
	one("all cookies in clear", seshat.Identifier{Header: "cookie", Obfuscate: inClear}, at+".obfuscate: all cookies of a request would be kept in clear")
	one("all cookies, obfuscated", seshat.Identifier{Header: "cookie"})
	one("two forms", seshat.Identifier{Header: "X", Cookie: "Y"}, at+": several of header, cookie are set")
	one("unknown type", seshat.Identifier{Header: "X", Type: "nope"}, at+".type: unknown type \"nope\"")
	one("unknown side", seshat.Identifier{In: "both", Header: "X"}, at+".in: unknown side")
	one("claim without place", seshat.Identifier{JWTClaim: &seshat.JWTClaimShort{}}, at+".jwtClaim: neither header nor cookie", at+".jwtClaim.claim: no claim")
	one("claim that is no path", seshat.Identifier{JWTClaim: &seshat.JWTClaimShort{Header: "X", Claim: "$["}}, at+".jwtClaim.claim: broken JSONPath")
	one("unknown location", extract(seshat.Extract{Location: "headers", Key: key("X")}), at+".extract.location: unknown location \"headers\" (one of header, cookie")
	one("status extracted", extract(seshat.Extract{Location: "status"}), at+".extract.location: a status cannot be extracted")
	one("query of a response", seshat.Identifier{In: "response", Extract: &seshat.Extract{Location: "query", Key: key("a")}}, at+".extract.location: a response has no query")
	one("key and path", extract(seshat.Extract{Location: "body", Key: key("a"), JSONPath: "$.a"}), at+".extract: both key and jsonPath")
	one("body without either", extract(seshat.Extract{Location: "body"}), at+".extract: neither key nor jsonPath")
	one("path of a header", extract(seshat.Extract{Location: "header", Key: key("a"), JSONPath: "$.a"}), at+".extract.jsonPath: a header is not read by JSONPath")
	one("broken path", extract(seshat.Extract{Location: "body", JSONPath: "$.a["}), at+".extract.jsonPath: broken JSONPath")
	one("key of an address", extract(seshat.Extract{Location: "clientIP", Key: key("a")}), at+".extract.key: a clientIP has no key")
	one("no key", extract(seshat.Extract{Location: "cookie"}), at+".extract.key: no key (name the cookie)")
	one("empty key", extract(seshat.Extract{Location: "cookie", Key: key("")}), at+".extract.key: the key is empty")
	one("no operator", extract(seshat.Extract{Location: "cookie", Key: &seshat.Match{}}), at+".extract.key: no operator")
	one("two operators", extract(seshat.Extract{Location: "cookie", Key: &seshat.Match{Equals: text("a"), Contains: text("b")}}), at+".extract.key: several operators (equals, contains)")
	one("broken expression", extract(seshat.Extract{Location: "cookie", Key: &seshat.Match{Matches: text("sess(")}}), at+".extract.key.matches: missing closing ) at character 1: `sess(`")
	one("broken class", extract(seshat.Extract{Location: "cookie", Key: &seshat.Match{Matches: text("a[z-b]")}}), at+".extract.key.matches: invalid character class range at character 3: `z-b`")
	one("look-ahead", extract(seshat.Extract{Location: "cookie", Key: &seshat.Match{NotMatches: text("(?=a)")}}), at+".extract.key.notMatches: (the syntax is RE2: it has no look-around")
	one("long expression", extract(seshat.Extract{Location: "cookie", Key: &seshat.Match{Matches: text(strings.Repeat("a", rule.MaxPattern+1))}}), at+".extract.key.matches: at most 2048")
	one("empty operand", extract(seshat.Extract{Location: "cookie", Key: &seshat.Match{StartsWith: text("")}}), at+".extract.key.startsWith: the empty text is part of every text")
	one("empty list", extract(seshat.Extract{Location: "cookie", Key: &seshat.Match{In: []string{}}}), at+".extract.key.in: an empty list")
	one("absent key extracted", extract(seshat.Extract{Location: "cookie", Key: &seshat.Match{NotExists: &yes}}), at+".extract.key: what does not exist cannot be extracted")
	one("segment of a header", extract(seshat.Extract{Location: "header", Key: key("a"), Segment: &segment}), at+".extract.segment: a header has no segment")
	one("far segment", extract(seshat.Extract{Location: "pathSegment", Segment: &segment}), at+".extract.segment: 999 is out of range")
	one("any segment", extract(seshat.Extract{Location: "pathSegment"}), at+".extract.segment: neither segment nor value")
	one("condition of a condition", seshat.Identifier{Header: "X", Conditions: []seshat.Condition{{Extract: seshat.Extract{Location: "status", Key: key("a"), Value: key("200")}}}}, at+".conditions[0].key: a status has no key")
	one("no transformation", seshat.Identifier{Header: "X", Transformations: []seshat.Transformation{{}}}, at+".transformations[0]: no transformation")
	one("two transformations", seshat.Identifier{Header: "X", Transformations: []seshat.Transformation{{JSONPath: "$.a", JWTClaim: "b"}}}, at+".transformations[0]: several transformations in one (jsonPath, jwtClaim)")
	one("no such group", seshat.Identifier{Header: "X", Transformations: []seshat.Transformation{{Regex: &seshat.RegexTransformation{Pattern: "(a)", Group: "2"}}}}, at+".transformations[0].regex.group: the expression has 1 groups, not 2")
	one("no such name", seshat.Identifier{Header: "X", Transformations: []seshat.Transformation{{Regex: &seshat.RegexTransformation{Pattern: "(a)", Group: "id"}}}}, at+".transformations[0].regex.group: no group called \"id\"")
	one("expiration of nothing", seshat.Identifier{Header: "X", Expiration: &seshat.Expiration{}}, at+".expiration: neither jwt nor attribute")
	one("both expirations", seshat.Identifier{Header: "X", Expiration: &seshat.Expiration{JWT: true, Attribute: &seshat.ExpirationAttribute{}}}, at+".expiration: both jwt and attribute")
	one("expiry in the query", seshat.Identifier{Header: "X", Expiration: &seshat.Expiration{Attribute: &seshat.ExpirationAttribute{Extract: seshat.Extract{Location: "query", Key: key("a")}, Format: "seconds"}}},
		at+".expiration.attribute.location: a response has no query", at+".expiration.attribute.format: unknown format \"seconds\" (one of durationSeconds")

	f("all at once", []seshat.Resource{session(seshat.Identifier{}, seshat.Identifier{Header: "X", Type: "t"})}, "spec.identifiers[0]: where to look", "spec.identifiers[1].type: unknown type")
	f("no identifiers", []seshat.Resource{session()}, "spec.identifiers: finds nothing")
	f("broken scope", []seshat.Resource{declare("r", &seshat.SessionRuleSpec{Scope: seshat.Scope{URLs: []string{"a", "*"}, Services: []string{""}}, Identifiers: []seshat.Identifier{{Header: "X"}}})},
		"spec.scope.services[0]: an empty name", "spec.scope.urls[1]: missing argument to repetition operator")
	f("disabled and broken", []seshat.Resource{declare("r", &seshat.SessionRuleSpec{Enabled: new(bool), Identifiers: []seshat.Identifier{{}}})}, at+": where to look")
	f("negative timeout", []seshat.Resource{declare("r", &seshat.SessionRuleSpec{IdleTimeout: &negative, Identifiers: []seshat.Identifier{{Header: "X"}}})}, "spec.idleTimeout: must be positive")
	f("twice", []seshat.Resource{session(seshat.Identifier{Header: "X"}), session(seshat.Identifier{Header: "X"})}, "metadata.name: there are two resources called SessionRule/r")
	f("flow", []seshat.Resource{declare("f", &seshat.FlowSpec{Type: "Login Flow", Endpoints: []string{"POST /a b", "GET /x/{id"}})},
		"spec.type: is not a flow type", "spec.endpoints[0]: has no space", "spec.endpoints[1]: no endpoint has a variable {id")
	f("parameter", []seshat.Resource{declare("p", &seshat.ContextParameterSpec{Type: "group", Extract: seshat.Extract{Location: "status"}})},
		"spec.type: unknown type \"group\"", "spec.extract.location: a status cannot be extracted")
	f("mask", []seshat.Resource{declare("m", &seshat.MaskRuleSpec{Location: "status"}), declare("n", &seshat.MaskRuleSpec{Location: "header"})},
		"spec.location: a mask rule cannot have location \"status\"", "spec.key: no key")
	f("settings", []seshat.Resource{declare("other", &seshat.SettingsSpec{Inference: &seshat.InferenceSettings{MinimumScore: &half}})},
		"metadata.name: it is called \"other\"", "spec.inference.minimumScore: 1.5 is not between 0 and 1")
	wrong := declare("r", &seshat.FlowSpec{Type: "ai"})
	wrong.Kind = seshat.KindSessionRule
	f("wrong kind", []seshat.Resource{wrong}, "kind: with the spec of a Flow")
	bad := session(seshat.Identifier{Header: "X"})
	bad.Metadata.UID = "1234"
	f("bad uid", []seshat.Resource{bad}, "metadata.uid: \"1234\" is not a UUID")
}

func TestMaskedIdentifiers(t *testing.T) {
	f := func(id seshat.Identifier, scope seshat.Scope, mask seshat.MaskRuleSpec, masked bool) {
		t.Helper()
		_, faults := rule.Compile([]seshat.Resource{
			declare("r", &seshat.SessionRuleSpec{Scope: scope, Identifiers: []seshat.Identifier{id}}), declare("m", &mask),
		})
		if got := len(faults) == 1 && strings.Contains(faults[0].Message, "a masked parameter cannot be an identifier"); got != masked || !masked && len(faults) > 0 {
			t.Errorf("%+v under %+v: %v, want masked %v", id, mask, faults, masked)
		}
	}
	none := seshat.Scope{}
	sess := seshat.Identifier{Cookie: "SESSID"}
	f(sess, none, seshat.MaskRuleSpec{Location: "cookie", Key: key("SESSID")}, true)
	f(sess, none, seshat.MaskRuleSpec{Location: "cookie", Key: key("sessid")}, false)
	f(sess, none, seshat.MaskRuleSpec{Location: "cookie", Key: &seshat.Match{StartsWith: text("SESS")}}, true)
	f(sess, none, seshat.MaskRuleSpec{Location: "header", Key: key("cookie")}, true)
	f(sess, none, seshat.MaskRuleSpec{Location: "header", Key: key("Set-Cookie"), In: "response"}, true)
	f(sess, none, seshat.MaskRuleSpec{Location: "query", Key: key("SESSID")}, false)
	f(seshat.Identifier{Cookie: "SESSID", In: "request"}, none, seshat.MaskRuleSpec{Location: "cookie", Key: key("SESSID"), In: "response"}, false)
	f(seshat.Identifier{Header: "x-token"}, none, seshat.MaskRuleSpec{Location: "header", Key: key("X-Token")}, true)
	f(extract(seshat.Extract{Location: "body", JSONPath: "$['a']"}), none, seshat.MaskRuleSpec{Location: "body", JSONPath: "$.a"}, true)
	f(extract(seshat.Extract{Location: "body", JSONPath: "$.b"}), none, seshat.MaskRuleSpec{Location: "body", JSONPath: "$.a"}, false)
	f(extract(seshat.Extract{Location: "userAgent"}), none, seshat.MaskRuleSpec{Location: "header", Key: key("user-agent")}, true)
	f(sess, seshat.Scope{Services: []string{"a"}}, seshat.MaskRuleSpec{Scope: seshat.Scope{Services: []string{"b"}}, Location: "cookie", Key: key("SESSID")}, false)
	f(sess, seshat.Scope{URLs: []string{"^https://a/"}}, seshat.MaskRuleSpec{Scope: seshat.Scope{URLs: []string{"^https://b/"}}, Location: "cookie", Key: key("SESSID")}, false)
	f(sess, seshat.Scope{URLs: []string{"^https://a/"}}, seshat.MaskRuleSpec{Scope: seshat.Scope{URLs: []string{"/x"}}, Location: "cookie", Key: key("SESSID")}, true)
	f(sess, none, seshat.MaskRuleSpec{Enabled: new(bool), Location: "cookie", Key: key("SESSID")}, false)
	for mask, masked := range map[string]bool{
		"$": true, "$.a": true, "$..token": true, "$.*": true, "$['a']['token']": true, "$..a": true, "$.a..*": true,
		"$.b": false, "$.a.token.x": false, "$..b": false, "$.a[?@.x].token": false, "$[0]": false,
	} {
		f(extract(seshat.Extract{Location: "body", JSONPath: "$.a.token"}), none, seshat.MaskRuleSpec{Location: "body", JSONPath: mask}, masked)
	}
	expiring := seshat.Identifier{Header: "X", Expiration: &seshat.Expiration{Attribute: &seshat.ExpirationAttribute{
		Format: "durationSeconds", Extract: seshat.Extract{Location: "body", JSONPath: "$.a.ends"},
	}}}
	_, faults := rule.Compile([]seshat.Resource{
		session(expiring), declare("m", &seshat.MaskRuleSpec{Location: "body", JSONPath: "$.a"}),
	})
	if len(faults) != 1 || faults[0].Field != "spec.identifiers[0].expiration.attribute" {
		t.Errorf("a masked expiry: %v", faults)
	}
}

func TestOrderAndDefaults(t *testing.T) {
	low := 5
	withUID := declare("b", &seshat.SessionRuleSpec{Identifiers: []seshat.Identifier{{Header: "X"}}})
	withUID.Metadata.UID = "12345678-1234-4234-8234-123456789abc"
	set, faults := rule.Compile([]seshat.Resource{
		declare("c", &seshat.SessionRuleSpec{Identifiers: []seshat.Identifier{{Header: "X"}}}), withUID,
		declare("z", &seshat.SessionRuleSpec{Priority: &low, Identifiers: []seshat.Identifier{{Header: "X"}}}),
		declare("off", &seshat.SessionRuleSpec{Enabled: new(bool), Identifiers: []seshat.Identifier{{Header: "X"}}}),
	})
	if faults != nil {
		t.Fatal(faults)
	}
	var names []string
	for _, r := range set.Rules() {
		names = append(names, r.Name)
	}
	if got := strings.Join(names, " "); got != "z b c" {
		t.Errorf("order %s, want z b c", got)
	}
	if r, ok := set.Rule(seshat.RuleIDFor("z")); !ok || r.Name != "z" {
		t.Error("z is not found by the ID that its name gives it")
	}
	if id := set.Rules()[1].ID.String(); id != withUID.Metadata.UID {
		t.Errorf("b has ID %s", id)
	}
	if _, ok := set.Rule(seshat.RuleIDFor("off")); ok {
		t.Error("a disabled rule is in force")
	}
	if !set.BuiltIn() || !set.AutoIdentifier() {
		t.Error("the built-in set and the auto-identifier are off by default")
	}
}
