package identify_test

import (
	"encoding/base64"
	"testing"
	"time"

	"github.com/seshat-project/seshat"
)

// TestStatedLifetime is about the expires_in beside an access token (RFC 6749, section 5.1).
func TestStatedLifetime(t *testing.T) {
	e := engine(t)
	w := e.NewWorker()
	lifetimeOf := func(name, body string, resources ...seshat.Resource) (lifetime time.Duration, expires bool, found bool) {
		t.Helper()
		worker := w
		if len(resources) > 0 {
			worker = engine(t, resources...).NewWorker()
		}
		var out seshat.Identity
		worker.Identify(exchange(all(to("POST", "/token"), answered(200), answerBody("application/json", body))), &out)
		for i := range out.IDs {
			if out.IDs[i].Name == name {
				return out.IDs[i].Lifetime, !out.IDs[i].ExpiresAt.IsZero(), true
			}
		}
		return 0, false, false
	}
	f := func(name, body string, want time.Duration, resources ...seshat.Resource) {
		t.Helper()
		got, expires, found := lifetimeOf(name, body, resources...)
		if !found || expires || got != want {
			t.Errorf("%s in %s: lifetime %v, want %v (found %v, expires %v)", name, body, got, want, found, expires)
		}
	}
	const opaque = "0123456789abcdef0123"
	f("body:access_token", `{"access_token":"`+opaque+`","expires_in":3600}`, time.Hour)
	f("body:access_token", `{"expires_in" : "3600", "access_token":"`+opaque+`"}`, time.Hour)
	f("body:accessToken", `{"data":{"a":{"expires_in":5},"accessToken":"`+opaque+`","expiresIn":60}}`, time.Minute)
	f("body:token", `{"token":"`+opaque+`","expiresIn":1.5}`, 1500*time.Millisecond)
	f("body:refresh_token", `{"access_token":"x","refresh_token":"`+opaque+`","expires_in":3600}`, 0) // it is the access token's
	f("body:session_token", `{"session_token":"`+opaque+`","expires_in":3600}`, 0)
	// Not of the same object.
	f("body:access_token", `{"access_token":"`+opaque+`","data":{"expires_in":3600}}`, 0)
	f("body:access_token", `{"expires_in":3600,"data":{"access_token":"`+opaque+`"}}`, 0)
	f("body:access_token", `{"list":[{"expires_in":3600}],"data":{"access_token":"`+opaque+`"}}`, 0)
	// Nothing that makes sense.
	for _, value := range []string{`0`, `-1`, `"soon"`, `null`, `true`, `{}`, `[1]`, `1e300`, `99999999999`, `""`} {
		f("body:access_token", `{"access_token":"`+opaque+`","expires_in":`+value+`}`, 0)
	}
	f("body:access_token", `{"access_token":"`+opaque+`","expires_in":`, 0)
	f("body:access_token", `{"access_token":"`+opaque+`"}`, 0)
	// A mask hides it.
	mask := declare("m", &seshat.MaskRuleSpec{Location: "body", JSONPath: "$.expires_in"})
	f("body:access_token", `{"access_token":"`+opaque+`","expires_in":3600}`, 0, mask)

	jwt := func(payload string) string {
		return "eyJhbGciOiJub25lIn0." + base64.RawURLEncoding.EncodeToString([]byte(payload)) + "."
	}
	f("body:access_token", `{"access_token":"`+jwt(`{"sub":"u-42"}`)+`","expires_in":3600}`, time.Hour)
	got, expires, found := lifetimeOf("body:access_token", `{"access_token":"`+jwt(`{"exp":1893456000}`)+`","expires_in":3600}`)
	if got != 0 || !expires || !found {
		t.Errorf("a token that says itself when it ends has lifetime %v, expires: %v, found: %v", got, expires, found)
	}
}

// TestStatedLifetimeOnRequests: what a client says of its own token is not believed.
func TestStatedLifetimeOnRequests(t *testing.T) {
	var out seshat.Identity
	engine(t).Identify(exchange(all(to("POST", "/x"), body("application/json", `{"access_token":"0123456789abcdef0123","expires_in":3600}`))), &out)
	if out.IDs[0].Name != "body:access_token" || out.IDs[0].Lifetime != 0 {
		t.Errorf("found %+v", out.IDs[0])
	}
}
