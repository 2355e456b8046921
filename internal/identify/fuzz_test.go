package identify

import (
	"encoding/json"
	"net/netip"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/seshat-project/seshat"
	"github.com/seshat-project/seshat/internal/rule"
)

// FuzzMembers holds the scan of JSON members to encoding/json.
func FuzzMembers(f *testing.F) {
	f.Add(`{"a":{"b":"c"},"d":[1,{"e":2}],"f":1.5e3}`)
	f.Add(`{"token":"x\"y\\","a":{"a":{"a":{"a":{"token":"deep"}}}}}`)
	f.Add(`{"a"`)
	f.Fuzz(func(t *testing.T, text string) {
		got := map[string]string{}
		c := memberCursor{data: []byte(text)}
		for name, value, ok := c.next(); ok; name, value, ok = c.next() {
			path := string(c.appendPath(nil))
			if len(path) != c.pathLength() {
				t.Fatalf("%s: length %d", path, c.pathLength())
			}
			if !strings.HasSuffix(path, string(name)) {
				t.Fatalf("%s does not end with %s", path, name)
			}
			got[path] = string(value)
		}
		var document map[string]json.RawMessage
		if json.Unmarshal([]byte(text), &document) != nil || !utf8.ValidString(text) || strings.Contains(text, `\`) {
			return
		}
		if !c.done {
			t.Fatalf("%s was not read to its end", text)
		}
		compareMembers(t, "$", document, got, 1)
	})
}

func compareMembers(t *testing.T, path string, document map[string]json.RawMessage, got map[string]string, depth int) {
	t.Helper()
	for name, value := range document {
		var object map[string]json.RawMessage
		if strings.HasPrefix(string(value), "{") && json.Unmarshal(value, &object) == nil {
			if depth < maxMemberDepth {
				compareMembers(t, path+"."+name, object, got, depth+1)
			}
			continue
		}
		if _, ok := got[path+"."+name]; !ok {
			t.Fatalf("%s.%s was not found", path, name)
		}
	}
}

// FuzzIdentify looks for input that makes identification fail, and holds the explanation to it.
func FuzzIdentify(f *testing.F) {
	text := func(s string) *seshat.Match { return &seshat.Match{Equals: &s} }
	rs, faults := rule.Compile([]seshat.Resource{
		{Kind: seshat.KindSessionRule, Metadata: seshat.Metadata{Name: "r"}, Spec: &seshat.SessionRuleSpec{Identifiers: []seshat.Identifier{
			{JWTClaim: &seshat.JWTClaimShort{Header: "Authorization", Claim: "$..sid"}},
			{Cookie: "a", Transformations: []seshat.Transformation{{URLDecode: &seshat.EmptyTransformation{}}, {Base64Decode: &seshat.EmptyTransformation{}}, {JSONPath: "$.*"}}},
			{Extract: &seshat.Extract{Location: "body", Key: text("a")}},
			{Extract: &seshat.Extract{Location: "body", JSONPath: "$..a"}, In: "response"},
			{Extract: &seshat.Extract{Location: "pathParameter", Key: text("a")}},
			{Header: "X", In: "response", Expiration: &seshat.Expiration{Attribute: &seshat.ExpirationAttribute{
				Extract: seshat.Extract{Location: "cookie", Key: text("e")}, Format: "epochMilliseconds",
			}}},
		}}},
		{Kind: seshat.KindMaskRule, Metadata: seshat.Metadata{Name: "m"}, Spec: &seshat.MaskRuleSpec{Location: "body", JSONPath: "$..b"}},
	})
	if len(faults) > 0 {
		f.Fatal(faults)
	}
	w := New(rs, nil).NewWorker()
	f.Add("/a;a=b/%zz", "a=1&session_token=abcdefghijkl", "a=\"x\"; connect.sid=s%3Ax", "Bearer eyJhbGciOiJub25lIn0.eyJzaWQiOiJ4In0.", "application/json", `{"a":{"b":1,"refresh_token":"0123456789abcdef"}}`, "e=1; Max-Age=0")
	f.Add("", "%", ";=;", "Basic Og==", "multipart/form-data; boundary=x", "--x\r\n\r\n--x--", "=; Expires=x")
	f.Fuzz(func(t *testing.T, path, query, cookie, authorization, contentType, body, setCookie string) {
		header := []seshat.Field{{Name: "Cookie", Value: cookie}, {Name: "Authorization", Value: authorization}, {Name: "Content-Type", Value: contentType}, {}}
		x := &seshat.Exchange{
			Client:   seshat.Client{IP: netip.IPv6Unspecified()},
			Request:  seshat.Request{Method: "POST", Path: path, Query: query, Header: header, Body: seshat.Body{Bytes: []byte(body)}},
			Response: seshat.Response{Status: 200, Header: []seshat.Field{{Name: "Content-Type", Value: contentType}, {Name: "Set-Cookie", Value: setCookie}, {Name: "X", Value: cookie}}, Body: seshat.Body{Bytes: []byte(body)}},
		}
		explained := w.Explain(x)
		var out seshat.Identity
		w.Identify(x, &out)
		if out.Grouping >= len(out.IDs) || out.IDs[len(out.IDs)-1].Origin != seshat.OriginFallback {
			t.Fatalf("no valid grouping: %+v", out)
		}
		if len(explained.IDs) != len(out.IDs) || explained.Grouping != out.Grouping {
			t.Fatalf("explained %+v, identified %+v", explained, out)
		}
		for i := range out.IDs {
			if id := &out.IDs[i]; id.Value == "" && !id.Deleted || len(id.Value) > MaxIDLength {
				t.Fatalf("an ID of %d bytes: %+v", len(id.Value), id)
			}
		}
		if _, err := json.Marshal(explained); err != nil {
			t.Fatal(err)
		}
	})
}
