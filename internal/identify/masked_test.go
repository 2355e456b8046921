package identify_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/seshat-project/seshat"
	"github.com/seshat-project/seshat/internal/protect"
)

// TestMasksHoldForObservations masks one place after the other, and looks for what was there in what is kept.
func TestMasksHoldForObservations(t *testing.T) {
	const secret = "m4sk3d-s3cr3t-v4lu3"
	observe := func(x *seshat.Exchange, resources ...seshat.Resource) *seshat.Observation {
		w := engine(t, resources...).NewWorker()
		var out seshat.Identity
		w.Identify(x, &out)
		return protect.NewObserver(protect.NewDigester([]byte("key"))).Observe(x, &out, w)
	}
	f := func(location, name string, x *seshat.Exchange) {
		t.Helper()
		mask := declare("mask", &seshat.MaskRuleSpec{Location: location, Key: key(strings.ToLower(name)), Scope: seshat.Scope{URLs: []string{"^https://api"}}})
		x.Request.Host = "api.shop.example"
		masked := observe(x, mask)
		if text := fmt.Sprintf("%+v", masked); strings.Contains(text, secret) {
			t.Errorf("%s %s is masked, and kept: %s", location, name, text)
		}
		shown := observe(x)
		if fmt.Sprintf("%+v", masked) == fmt.Sprintf("%+v", shown) {
			t.Errorf("masking %s %s changes nothing; the test is of no use", location, name)
		}
		x.Request.Host = "other.example" // out of the mask's scope
		if fmt.Sprintf("%+v", observe(x, mask)) != fmt.Sprintf("%+v", observe(x)) {
			t.Errorf("%s %s is masked out of scope", location, name)
		}
	}
	for _, name := range []string{"User-Agent", "Accept-Language", "Sec-CH-UA", "Sec-CH-UA-Platform", "Sec-CH-UA-Mobile", "X-Session-Token", "Authorization"} {
		f("header", name, exchange(with(name+": "+secret)))
	}
	for _, name := range []string{"Origin", "Referer"} {
		f("header", name, exchange(with(name+": https://"+secret+".example")))
	}
	f("header", "Cookie", exchange(with("Cookie: sid="+secret)))
	f("cookie", "sid", exchange(with("Cookie: sid="+secret)))
	f("query", "session_token", exchange(func(x *seshat.Exchange) { x.Request.Query = "session_token=" + secret }))
	f("pathParameter", "jsessionid", exchange(to("GET", "/a;jsessionid="+secret)))
}
