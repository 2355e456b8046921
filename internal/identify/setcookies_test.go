package identify_test

import (
	"testing"

	"github.com/seshat-project/seshat"
)

// TestSeveralSetCookies is about responses that set or delete one cookie more than once.
func TestSeveralSetCookies(t *testing.T) {
	own := engine(t, noBuiltIn(), sessionRule("r", seshat.Identifier{Cookie: "SESSID"}))
	builtIn := engine(t)
	f := func(want string, setCookies ...string) {
		t.Helper()
		lines := make([]string, len(setCookies))
		for i, c := range setCookies {
			lines[i] = "Set-Cookie: " + c
		}
		x := exchange(all(with("Cookie: SESSID=old"), answered(200, lines...)))
		var out seshat.Identity
		own.Identify(x, &out)
		if got := found(&out); got != "r[0]=old <r[0]="+want {
			t.Errorf("of %q a rule finds %s", setCookies, got)
		}
		builtIn.Identify(x, &out)
		if got := found(&out); got != "cookie:SESSID=old <cookie:SESSID="+want {
			t.Errorf("of %q the built-in set finds %s", setCookies, got)
		}
	}
	// What is deleted elsewhere is another cookie.
	f("new", "SESSID=; Path=/old; Max-Age=0", "SESSID=new; Path=/")
	f("new", "SESSID=new; Path=/", "SESSID=; Path=/old; Max-Age=0")
	f("new", "SESSID=; Domain=.shop.example; Path=/; Max-Age=0", "SESSID=new; Path=/")
	f("new", "SESSID=new; Path=/", "SESSID=; Domain=shop.example; Path=/; Expires=Thu, 01 Jan 1970 00:00:00 GMT")
	// At one place the last counts.
	f("new", "SESSID=first; Path=/", "SESSID=new; Path=/")
	f("new", "SESSID=; Path=/; Max-Age=0", "SESSID=new; Path=/")
	f("old!", "SESSID=new; Path=/", "SESSID=; Path=/; Max-Age=0")
	f("old!", "SESSID=new; Path=/; Domain=.Shop.example", "SESSID=; Path=/; Domain=shop.example; Max-Age=0")
	f("kept", "SESSID=kept; Path=/a", "SESSID=new; Path=/", "SESSID=; Path=/; Max-Age=0")
	f("new", "SESSID=other; Path=/a", "SESSID=new; Path=/")
	f("old!", "SESSID=; Path=/a; Max-Age=0", "SESSID=; Path=/; Max-Age=0")
	// Other names stay as they are.
	f("new", "lang=en; Path=/", "SESSID=first; Path=/", "lang=de; Path=/", "SESSID=new; Path=/", "theme=dark")
}
