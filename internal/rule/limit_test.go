package rule_test

import (
	"testing"
	"time"

	"github.com/seshat-project/seshat"
	"github.com/seshat-project/seshat/internal/rule"
)

func TestLimitsAndValidationsAreCompiled(t *testing.T) {
	minute, status := seshat.Duration(time.Minute), 403
	off := false
	set, faults := rule.Compile([]seshat.Resource{
		declare("b", &seshat.LimitSpec{Key: []string{"session", "parameter:tenant"}, Count: 5, Window: minute, Action: "block", For: &minute}),
		declare("a", &seshat.LimitSpec{Key: []string{"claim:a:b"}, Count: 1, Window: minute}),
		declare("off", &seshat.LimitSpec{Enabled: &off, Key: []string{"ip"}, Count: 1, Window: minute}),
		declare("v", &seshat.JWTValidationSpec{JWKSURL: "https://id.example/jwks.json", Status: &status, Issuers: []string{"i"}}),
		declare("no", &seshat.JWTValidationSpec{Enabled: &off, JWKSURL: "https://id.example/jwks.json"}),
	})
	if faults != nil {
		t.Fatal(faults)
	}
	limits := set.Limits()
	if len(limits) != 2 || limits[0].Name != "a" || limits[1].Name != "b" {
		t.Fatalf("limits %+v, want a and b", limits)
	}
	if l := limits[0]; l.Action != seshat.ActionLimit || l.For != 0 || l.Keys[0] != (rule.LimitKey{Kind: rule.KeyClaim, Name: "a:b"}) {
		t.Errorf("a is %+v", l)
	}
	if l := limits[1]; l.Action != seshat.ActionBlock || l.For != time.Minute || l.Window != time.Minute || l.Count != 5 ||
		l.Keys[0].String() != "session" || l.Keys[1].String() != "parameter:tenant" {
		t.Errorf("b is %+v", l)
	}
	validations := set.Validations()
	if len(validations) != 1 {
		t.Fatalf("%d validations, want 1", len(validations))
	}
	if v := validations[0]; v.Name != "v" || v.Action != seshat.ActionBlock || v.Status != 403 || v.Keys != nil ||
		v.Token.String() != "request header Authorization" || len(v.Policy.Issuers) != 1 {
		t.Errorf("v is %+v", v)
	}
}

func TestKeyAddresses(t *testing.T) {
	f := func(address string, good bool) {
		t.Helper()
		_, faults := rule.Compile([]seshat.Resource{declare("v", &seshat.JWTValidationSpec{JWKSURL: address})})
		if (len(faults) == 0) != good {
			t.Errorf("%q: %v, want good %v", address, faults, good)
		}
	}
	f("https://id.example/jwks.json", true)
	f("http://localhost:80/k", true)
	f("http://127.0.0.1:9000/k", true)
	f("http://[::1]/k", true)
	f("http://10.0.0.1/k", false)
	f("http://localhost.evil.example/k", false)
	f("ftp://id.example/k", false)
	f("https://user:pass@id.example/k", false)
	f("https:/nohost", false)
	f("jwks.json", false)
	f("https://[", false)
}
