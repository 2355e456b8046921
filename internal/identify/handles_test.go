package identify_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/seshat-project/seshat"
	"github.com/seshat-project/seshat/internal/identify"
)

// handlesIn are the handles that are found in x, in order.
func handlesIn(w *identify.Worker, x *seshat.Exchange) []string {
	var out seshat.Identity
	w.Identify(x, &out)
	var list []string
	for i := range out.IDs {
		if id := &out.IDs[i]; id.Name == "cookie:handle" {
			text := fmt.Sprintf("%s %s=%s", id.Side, id.Key, id.Value)
			if id.Deleted {
				text += " deleted"
			}
			if id.Kind != seshat.KindTransaction {
				text += " as " + id.Kind.String()
			}
			list = append(list, text)
		}
	}
	return list
}

func TestHandles(t *testing.T) {
	w := engine(t).NewWorker()
	f := func(x *seshat.Exchange, want ...string) {
		t.Helper()
		if got := handlesIn(w, x); !slices.Equal(got, want) {
			t.Errorf("\n got %q\nwant %q", got, want)
		}
	}
	request := func(cookies string) *seshat.Exchange { return exchange(with("Cookie: " + cookies)) }
	response := func(setCookies ...string) *seshat.Exchange {
		var lines []string
		for _, c := range setCookies {
			lines = append(lines, "Set-Cookie: "+c)
		}
		return exchange(answered(200, lines...))
	}
	const random = "q7Zp2-mK9xW4_vT1sR8n"
	f(request("foo="+random), "request foo="+random)
	f(request("a=1; foo="+random+"; bar=4f9a1c7e2b8d6035"), "request foo="+random, "request bar=4f9a1c7e2b8d6035")

	// A response has to keep it from scripts, and not for long.
	f(response("foo="+random+"; HttpOnly"), "response foo="+random)
	f(response("foo="+random+"; Max-Age=60; httponly"), "response foo="+random)
	f(response("foo=" + random))
	f(response("foo=" + random + "; Secure; SameSite=Lax; Max-Age=60"))
	f(response("foo="+random+"; HttpOnly; Max-Age=3888000"), "response foo="+random) // 45 days
	f(response("foo=" + random + "; HttpOnly; Max-Age=3888001"))
	f(response("foo=" + random + "; HttpOnly; Expires=Wed, 01 Jan 2098 00:00:00 GMT"))

	// Noise is none, whatever it looks like, and what has a name of its own goes by that.
	for _, name := range []string{"_ga", "_gid", "__cf_bm", "csrftoken", "XSRF-TOKEN", "deviceId", "visitor_id", "AWSALB", "cookie_consent", "ab_test", "foo.sig"} {
		f(request(name + "=" + random))
		f(response(name + "=" + random + "; HttpOnly"))
	}
	f(request("connect.sid=" + random + "; refresh_token=" + random))

	// Short, or not random.
	for _, value := range []string{
		"", "1", "q7Zp2-mK9xW4_vT", // one too short
		"abcdefghijklmnopqrst", "01234567890123456789", "2026-01-02T03:04:05", "aaaaaaaaaaaaaaaaaaa1", "/account/orders/42x",
		`{"a":"q7Zp2mK9xW4vT1sR8n"}`, "a=q7Zp2mK9xW4&b=vT1sR8n", "q7Zp2|mK9xW4|vT1sR8n", "q7Zp2,mK9xW4,vT1sR8n",
	} {
		f(request("foo=" + value))
		f(response("foo=" + value + "; HttpOnly"))
	}

	// Taking a handle away, which is about the one that the request has.
	both := func(cookie, setCookie string) *seshat.Exchange {
		return exchange(all(with("Cookie: "+cookie), answered(200, "Set-Cookie: "+setCookie)))
	}
	f(both("foo="+random, "foo=; Max-Age=0"), "request foo="+random, "response foo="+random+" deleted")
	f(both("foo="+random, "foo="), "request foo="+random, "response foo="+random+" deleted")
	f(both("foo="+random, "foo=x; Expires=Thu, 01 Jan 1970 00:00:00 GMT"), "request foo="+random, "response foo="+random+" deleted")
	f(both("theme=dark; foo=abcdefghijklmnopqrst", "foo=; Max-Age=0"))
	f(response("foo=; Max-Age=0"))
}

// TestHandlesAreBounded counts them on both sides.
func TestHandlesAreBounded(t *testing.T) {
	w := engine(t).NewWorker()
	var cookies, lines, want []string
	for i := range 20 {
		cookies = append(cookies, fmt.Sprintf("foo%d=4f9a1c7e2b8d60%02d", i, i))
		lines = append(lines, fmt.Sprintf("Set-Cookie: bar%d=4f9a1c7e2b8d60%02d; HttpOnly", i, i))
	}
	for i := range 8 {
		want = append(want, "request "+cookies[i])
	}
	for i := range 8 {
		value, _, _ := strings.Cut(strings.TrimPrefix(lines[i], "Set-Cookie: "), ";")
		want = append(want, "response "+value)
	}
	x := exchange(all(with("Cookie: "+strings.Join(cookies, "; ")), answered(200, lines...)))
	if got := handlesIn(w, x); !slices.Equal(got, want) {
		t.Errorf("\n got %q\nwant %q", got, want)
	}
}
