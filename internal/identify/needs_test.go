package identify_test

import (
	"fmt"
	"testing"

	"pgregory.net/rapid"

	"github.com/seshat-project/seshat"
	"github.com/seshat-project/seshat/internal/identify"
	"github.com/seshat-project/seshat/internal/rule"
)

// call is an exchange with a request that has a body.
func call(method, path string, headers ...string) func(x *seshat.Exchange) {
	return func(x *seshat.Exchange) {
		x.Request.Method, x.Request.Path, x.Request.Header = method, path, fields(headers)
	}
}

func TestNeedsBodyOfBuiltInSet(t *testing.T) {
	e := engine(t)
	const json, form = "Content-Type: application/json; charset=utf-8", "Content-Type: application/x-www-form-urlencoded"
	request := func(want bool, change func(x *seshat.Exchange)) {
		t.Helper()
		if x := exchange(change); e.NeedsBody(x, seshat.InRequest) != want {
			t.Errorf("the body of request %+v: got %v", x.Request, !want)
		}
	}
	request(false, call("GET", "/login"))
	request(false, call("GET", "/orders/42", "Accept: application/json"))
	request(false, call("POST", "/login", "Content-Type: text/plain"))
	request(false, call("POST", "/login", json, "Content-Length: 0"))
	request(true, call("POST", "/login", json))
	request(true, call("POST", "/api/v2/userLogin.do", json, "Authorization: Bearer abc"))
	request(true, call("POST", "/graphql", json, "Authorization: Bearer abc"))
	request(true, call("POST", "/orders", form, "Authorization: Bearer abc", "Content-Length: 1000000"))
	request(true, call("POST", "/orders", json, "Content-Length: 350"))
	request(true, call("POST", "/orders", json, "Content-Length: 350", "Authorization: Basic YTpi"))
	request(false, call("POST", "/orders", json, "Content-Length: 350", "Authorization: Bearer abc"))
	request(false, call("POST", "/upload", json, "Content-Length: 1000000"))
	request(false, call("POST", "/upload", "Content-Type: multipart/form-data; boundary=x", "Content-Length: 1000000"))
	request(true, call("POST", "/join", "Content-Type: multipart/form-data; boundary=x", "Content-Length: 1000"))

	response := func(want bool, change func(x *seshat.Exchange), answer func(x *seshat.Exchange)) {
		t.Helper()
		if x := exchange(all(change, answer)); e.NeedsBody(x, seshat.InResponse) != want {
			t.Errorf("the body of the response %+v to %+v: got %v", x.Response, x.Request, !want)
		}
	}
	ok := answered(200, json)
	sent := func(body string) func(x *seshat.Exchange) {
		return func(x *seshat.Exchange) { x.Request.Body.Bytes = []byte(body) }
	}
	response(false, call("GET", "/orders/42"), ok)
	response(true, call("GET", "/api/auth/session"), ok)
	response(false, call("GET", "/api/sessions-of-today"), ok)
	response(true, call("POST", "/token", form), ok)
	response(false, call("POST", "/token", form), answered(200, "Content-Type: text/html"))
	response(false, call("POST", "/token", form), answered(204, json))
	response(false, call("HEAD", "/token"), ok)
	response(true, call("POST", "/join", json), ok)
	response(false, call("POST", "/orders", json, "Cookie: a=b"), ok)
	response(false, call("POST", "/orders", json, "X-Api-Key: abcdef0123456789"), ok)
	response(false, call("POST", "/graphql", json, "Authorization: Bearer abc"), ok)
	response(true, all(call("POST", "/graphql", json, "Cookie: a=b"), sent(`{"query":"mutation { login(email: $e, password: $p) }"}`)), ok)
	response(false, all(call("POST", "/graphql", json, "Cookie: a=b"), sent(`{"query":"{ orders { id } }"}`)), ok)

	if e := engine(t, noBuiltIn()); e.NeedsBody(exchange(call("POST", "/login", json)), seshat.InRequest) {
		t.Error("without the built-in set, the body of a sign-in is needed by nobody")
	}
}

func TestNeedsBodyOfRules(t *testing.T) {
	body := func(e seshat.Extract) seshat.Extract { e.Location = "body"; return e }
	path, field := body(seshat.Extract{JSONPath: "$.a"}), body(seshat.Extract{Key: key("a")})
	f := func(r seshat.Resource, wantRequest, wantResponse string) {
		t.Helper()
		e := engine(t, noBuiltIn(), r)
		needed := func(side seshat.Side, path string) (out string) {
			for _, contentType := range []string{"application/json", "application/x-www-form-urlencoded", "text/html"} {
				header := "Content-Type: " + contentType
				if e.NeedsBody(exchange(all(call("POST", path, header), answered(200, header))), side) {
					out += contentType[len(contentType)-4:] + " "
				}
			}
			return out
		}
		if got := needed(seshat.InRequest, "/orders/42/pay"); got != wantRequest {
			t.Errorf("%+v: of requests %q, want %q", r.Spec, got, wantRequest)
		}
		if got := needed(seshat.InResponse, "/orders/42/pay"); got != wantResponse {
			t.Errorf("%+v: of responses %q, want %q", r.Spec, got, wantResponse)
		}
		if got := needed(seshat.InRequest, "/other") + needed(seshat.InResponse, "/other"); got != "" {
			t.Errorf("%+v: of what is not in scope %q", r.Spec, got)
		}
	}
	scope := seshat.Scope{URLs: []string{"/orders/"}}
	declared := func(id seshat.Identifier) seshat.Resource {
		return declare("r", &seshat.SessionRuleSpec{Scope: scope, Identifiers: []seshat.Identifier{id}})
	}
	f(declared(seshat.Identifier{Cookie: "a"}), "", "")
	f(declared(seshat.Identifier{Extract: &path}), "json ", "")
	f(declared(seshat.Identifier{Extract: &field}), "oded ", "")
	f(declared(seshat.Identifier{In: "response", Extract: &path}), "", "json ")
	f(declared(seshat.Identifier{Cookie: "a", Conditions: []seshat.Condition{{In: "response", Extract: field}}}), "", "oded ")
	f(declared(seshat.Identifier{Cookie: "a", Expiration: &seshat.Expiration{Attribute: &seshat.ExpirationAttribute{Extract: path, Format: "durationSeconds"}}}), "", "json ")
	f(declare("p", &seshat.ContextParameterSpec{Scope: scope, Extract: field, Conditions: []seshat.Condition{{In: "response", Extract: path}}}), "oded ", "json ")
	f(declare("f", &seshat.FlowSpec{Type: "billing", Endpoints: []string{"POST */orders/{var1}/pay"}, Conditions: []seshat.Condition{{Extract: path}}}), "json ", "")
	f(declare("f", &seshat.FlowSpec{Type: "billing", Endpoints: []string{"POST */orders/*"}}), "", "")
}

// TestNeedsBodyProperty holds what rules find without the bodies that are not needed to what they find with all.
func TestNeedsBodyProperty(t *testing.T) {
	types := []string{"application/json", "text/json;charset=utf-8", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x", "text/plain", ""}
	bodies := []string{`{"a":"value-1","b":{"a":2}}`, "a=value-1&b=2", "--x\r\nContent-Disposition: form-data; name=a\r\n\r\nvalue-1\r\n--x--", "[]", "plain"}
	paths := []string{"/orders/42", "/v1/things", "/orders/42;a=b/pay", ""}
	rapid.Check(t, func(t *rapid.T) {
		scope := func() (s seshat.Scope) {
			if rapid.Bool().Draw(t, "by service") {
				s.Services = []string{rapid.SampledFrom([]string{"shop", "other"}).Draw(t, "service")}
			}
			if rapid.Bool().Draw(t, "by url") {
				s.URLs = []string{rapid.SampledFrom([]string{"^https://api.shop.example/orders", "/v1/", "pay$"}).Draw(t, "url")}
			}
			return s
		}
		side := func() string { return rapid.SampledFrom([]string{"request", "response"}).Draw(t, "side") }
		extract := func() seshat.Extract {
			switch rapid.IntRange(0, 2).Draw(t, "extract") {
			case 0:
				return seshat.Extract{Location: "body", JSONPath: rapid.SampledFrom([]string{"$.a", "$..a"}).Draw(t, "path")}
			case 1:
				return seshat.Extract{Location: "body", Key: key("a")}
			default:
				return seshat.Extract{Location: "header", Key: key("X")}
			}
		}
		conditions := func() []seshat.Condition {
			if rapid.Bool().Draw(t, "no conditions") {
				return nil
			}
			c := seshat.Condition{In: side(), Extract: extract()}
			if rapid.Bool().Draw(t, "negative") {
				no := "value-2"
				c.Value = &seshat.Match{NotEquals: &no}
			}
			return []seshat.Condition{c}
		}
		var resources []seshat.Resource
		if rapid.Bool().Draw(t, "built-in off") {
			resources = append(resources, noBuiltIn())
		}
		for i := range rapid.IntRange(1, 4).Draw(t, "resources") {
			name, found := fmt.Sprintf("r-%d", i), extract()
			switch rapid.IntRange(0, 3).Draw(t, "kind") {
			case 0:
				id := seshat.Identifier{In: side(), Extract: &found, Conditions: conditions()}
				resources = append(resources, declare(name, &seshat.SessionRuleSpec{Scope: scope(), Identifiers: []seshat.Identifier{id}}))
			case 1:
				resources = append(resources, declare(name, &seshat.ContextParameterSpec{Scope: scope(), In: side(), Extract: found, Conditions: conditions()}))
			case 2:
				kind := rapid.SampledFrom([]string{"billing", "authentication"}).Draw(t, "type")
				flow := &seshat.FlowSpec{Type: kind, Scope: scope(), Conditions: conditions()}
				if rapid.Bool().Draw(t, "by endpoint") {
					flow.Endpoints = []string{rapid.SampledFrom([]string{"* */orders/{var1}/pay", "POST */orders/*", "GET *"}).Draw(t, "endpoint")}
				}
				resources = append(resources, declare(name, flow))
			default:
				mask := &seshat.MaskRuleSpec{Scope: scope(), Location: "header", Key: key(rapid.SampledFrom([]string{"X", "Content-Type"}).Draw(t, "masked"))}
				resources = append(resources, declare(name, mask))
			}
		}
		x := exchange(nil)
		x.Request.Method = rapid.SampledFrom([]string{"POST", "PUT", "PATCH"}).Draw(t, "method")
		x.Request.Path = rapid.SampledFrom(paths).Draw(t, "path")
		x.Response.Status = rapid.SampledFrom([]int{200, 201, 401, 500}).Draw(t, "status")
		headers := func() []seshat.Field {
			h := []seshat.Field{{Name: "X", Value: "value-1"}}
			if c := rapid.SampledFrom(types).Draw(t, "content type"); c != "" {
				h = append(h, seshat.Field{Name: "content-type", Value: c})
			}
			return h
		}
		x.Request.Header, x.Response.Header = headers(), headers()
		x.Request.Body.Bytes = []byte(rapid.SampledFrom(bodies).Draw(t, "request body"))
		x.Response.Body.Bytes = []byte(rapid.SampledFrom(bodies).Draw(t, "response body"))

		rules, faults := rule.Compile(resources)
		if len(faults) > 0 {
			t.Skip("the rules do not go together") // such as an identifier that a mask hides
		}
		e := identify.New(rules, testHasher{})
		var want, got seshat.Identity
		e.Identify(x, &want)
		captured, _, _ := capture(e, *x)
		e.Identify(&captured, &got)
		if w, g := written(&want), written(&got); w != g {
			t.Fatalf("without bodies that are not needed: %s\nwith all bodies: %s", g, w)
		}
	})
}
