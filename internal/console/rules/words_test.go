package rules

import (
	"strings"
	"testing"

	"github.com/seshat-project/seshat"
	"github.com/seshat-project/seshat/internal/resource"
)

func TestWords(t *testing.T) {
	// want are where an identifier looks, its conditions, its transformations and its expiration.
	f := func(yaml string, want ...string) {
		t.Helper()
		parsed, faults := resource.Parse("x.yaml", []byte("apiVersion: seshat/v1\nkind: SessionRule\nmetadata: {name: a}\nspec: {identifiers: ["+yaml+"]}"))
		if len(faults) > 0 {
			t.Fatal(faults)
		}
		id := &parsed[0].Resource.Spec.(*seshat.SessionRuleSpec).Identifiers[0]
		got := append([]string{where(id)}, conditions(id)...)
		got = append(got, transformations(id.Transformations)...)
		if text := expires(id.Expiration); text != "" {
			got = append(got, text)
		}
		if strings.Join(got, "\n") != strings.Join(want, "\n") {
			t.Errorf("%s is\n%s\nwant\n%s", yaml, strings.Join(got, "\n"), strings.Join(want, "\n"))
		}
	}
	f("{header: Authorization}", "request header Authorization, without its scheme")
	f("{header: X-Session, in: response}", "response header X-Session")
	f("{cookie: SID}", "cookie SID, in requests and where a response sets it")
	f("{cookie: SID, in: request}", "request cookie SID")
	f("{cookie: SID, in: response}", "cookie SID as a response sets it")
	f("{jwtClaim: {header: Authorization, claim: sid}}", "claim sid of the JWT in the request header Authorization")
	f("{jwtClaim: {cookie: A, claim: sub}, in: request}", "claim sub of the JWT in the request cookie A")
	f("{extract: {location: body, jsonPath: $.a}, in: response}", "response body at $.a")
	f("{extract: {location: body, key: a}}", "request body field a")
	f("{extract: {location: query, key: {startsWith: s}}}", `query parameter whose name starts with "s"`)
	f("{extract: {location: pathSegment, segment: 0}}", "first path segment")
	f("{extract: {location: pathSegment, segment: 2}}", "path segment 3")
	f("{extract: {location: pathSegment, segment: -1}}", "last path segment")
	f("{extract: {location: pathSegment, segment: -2}}", "path segment 2 from the end")
	f("{extract: {location: pathSegment, value: {matches: '^s'}}}", "any path segment, which matches ^s")
	f("{extract: {location: clientIP}}", "client IP")
	f("{extract: {location: cookie, value: {in: [a, b]}}}", `request cookie of any name, which is one of "a", "b"`)
	f("{header: A, conditions: [{location: status, value: '200'}, {location: header, key: B}, {in: response, location: header, key: {notExists: true}}, {location: userAgent, value: {notContains: bot}}]}",
		"request header A", `status is "200"`, "request header B is there", "response header whose name does not exist", `user agent does not contain "bot"`)
	f(`{header: A, transformations: [{regex: 's=(\w+)'}, {regex: {pattern: a(b), group: '1'}}, base64Decode, {jsonPath: $.a}, {jwtClaim: sub}, urlDecode, lowercase, hash]}`,
		"request header A", `what s=(\w+) captures`, "group 1 of a(b)", "decode Base64", "the JSON value at $.a", "the claim sub", "decode URL encoding", "lower-case", "hash")
	f("{header: A, expiration: {jwt: true}}", "request header A", "It expires by the exp of the token.")
	f("{header: A, expiration: {attribute: {location: body, jsonPath: $.expires_in, format: durationSeconds, transformations: [lowercase]}}}",
		"request header A", "It expires by a length of time in seconds in the response body at $.expires_in (lower-case).")
}

func TestMoved(t *testing.T) {
	names := strings.Fields("a b c d")
	f := func(change, want, said string) {
		t.Helper()
		after, text, ok := moved(names, strings.Fields(change))
		if got := strings.Join(after, " "); got != want || text != said || ok != (want != "") {
			t.Errorf("%s: %q, %q, %v; want %q, %q", change, got, text, ok, want, said)
		}
	}
	f("up b", "b a c d", "b is at place 1 of 4.")
	f("down b", "a c b d", "b is at place 3 of 4.")
	f("put d before a", "d a b c", "d is at place 1 of 4.")
	f("put a after d", "b c d a", "a is at place 4 of 4.")
	f("put a before c", "b a c d", "a is at place 2 of 4.")
	f("put c after a", "a c b d", "c is at place 2 of 4.")
	for _, change := range []string{"", "up", "up a", "down d", "up x", "put a before a", "put a before x", "put a beside b", "put a", "put x after a", "up b c", "turn b"} {
		f(change, "", "")
	}
	if strings.Join(names, " ") != "a b c d" {
		t.Errorf("the order that was given is changed: %v", names)
	}
}
