package test

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"testing"

	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"
)

// storyOrigin lets people sign in at /login and refresh at /refresh; each gives them another session cookie.
func storyOrigin(t testing.TB) string {
	t.Helper()
	given := 0
	give := func(w http.ResponseWriter) {
		given++
		http.SetCookie(w, &http.Cookie{Name: "PHPSESSID", Value: fmt.Sprintf("cookie-number-%d-0123456789abcdef", given), Path: "/", HttpOnly: true})
	}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case "/login":
			if r.FormValue("password") != "correct-horse" {
				http.Error(w, "no", http.StatusUnauthorized)
				return
			}
			give(w)
			http.Redirect(w, r, "/account", http.StatusFound)
		case "/refresh":
			give(w)
			w.WriteHeader(http.StatusNoContent)
		case "/missing":
			http.NotFound(w, r)
		default:
			_, _ = w.Write([]byte("ok"))
		}
	}))
	t.Cleanup(server.Close)
	return server.URL
}

// shopper is a client of the gateway with one cookie.
type shopper struct {
	t              testing.TB
	g              *running
	c              *http.Client
	cookie, device string
}

func (s *shopper) ask(method, path, body string) int {
	s.t.Helper()
	a := ask(s.t, s.c, method, s.g.gateway+path, body, "Cookie", s.cookie, "User-Agent", s.device, "Content-Type", "application/x-www-form-urlencoded")
	if set := (&http.Response{Header: a.header}).Cookies(); len(set) > 0 {
		s.cookie = set[0].Name + "=" + set[0].Value
	}
	return a.status
}

// fromAddress is a client whose requests come from another address of the loopback interface.
func fromAddress(t testing.TB, ip string) *http.Client {
	t.Helper()
	c := client(t)
	dialer := net.Dialer{LocalAddr: &net.TCPAddr{IP: net.ParseIP(ip)}}
	c.Transport.(*http.Transport).DialContext = func(ctx context.Context, network, address string) (net.Conn, error) {
		return dialer.DialContext(ctx, network, address)
	}
	return c
}

const firefox = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"

// TestConsoleSession: a session begins without a name, signs in, refreshes, and is used from another network. Its page says
// so, and ends it.
func TestConsoleSession(t *testing.T) {
	s := fresh(t)
	g := s.serve("--upstream", storyOrigin(t), "--listen", "127.0.0.1:0")
	b := asAdmin(t, g)

	alice := &shopper{t: t, g: g, c: client(t), cookie: "PHPSESSID=anonymous-of-alice-0123456789", device: firefox}
	alice.ask("GET", "/", "")
	alice.ask("POST", "/login", "username=alice&password=wrong")
	alice.ask("POST", "/login", "username=alice&password=correct-horse")
	for i := range 130 {
		alice.ask("GET", fmt.Sprintf("/items/%d", i), "")
	}
	alice.ask("GET", "/missing", "")
	alice.ask("POST", "/refresh", "")
	thief := &shopper{t: t, g: g, c: fromAddress(t, "127.0.0.2"), cookie: alice.cookie, device: "python-requests/2.32"}
	if got := thief.ask("GET", "/account", ""); got != http.StatusOK {
		t.Fatalf("the thief gets %d", got)
	}
	id := sessionOf(t, s, "alice")
	g.settled()

	// From the list of sessions to the story.
	b.visit("/sessions?since=all&filter=" + url.QueryEscape("user:alice"))
	b.clickAway(`a[href="/sessions/` + id + `"]`)
	for _, text := range []string{
		"Started anonymous", "A sign-in was refused", "Signed in as alice", "The same session from another network and another device", "127.0.0.1 → 127.0.0.2",
		"python-requests/2.32", "Still active", "136 exchanges",
	} {
		b.sees(text)
	}
	b.accessible("the session")
	b.fits("the session")

	// A row opens, and closes.
	b.click("#rows a[data-expand]")
	b.sees("Why it belongs to this session")
	b.until("the row says that it is open", `document.querySelector("#rows a[data-expand]").getAttribute("aria-expanded") === "true"`)
	b.sees("PHPSESSID")
	b.accessible("an open exchange")
	b.fits("an open exchange")
	b.click("#rows a[data-expand]")
	b.until("the row is closed", `document.querySelector("#rows tr.detail").hidden`)

	// By the keyboard: j goes to the rows, Enter opens one.
	b.do("leave the field", keyFocus("body"))
	b.press("j", kb.Enter)
	b.until("the row is open again", `!document.querySelector("#rows tr.detail").hidden`)

	// The list goes on where it ends, and keeps its place.
	rows := func() int { return value[int](b, `document.querySelectorAll("#rows tr[id^=x-]").length`) }
	if n := rows(); n != 100 {
		t.Errorf("%d rows at first", n)
	}
	b.do("scroll to the end", scrollTo("#rows tr.more-rows"))
	b.until("the rest is there", `document.querySelectorAll("#rows tr[id^=x-]").length === 136`)

	// What comes meanwhile appears behind it, and in the story.
	alice.ask("GET", "/just-now", "")
	b.sees("/just-now")
	b.do("leave the list", keyFocus("body"))
	b.sees("137 exchanges")

	// A filter, and a mistake in one.
	b.fill("[data-search]", "status:404")
	b.press(kb.Escape)
	b.clickAway("#search button[type=submit]")
	b.until("there is one row", `document.querySelectorAll("#rows tr[id^=x-]").length === 1`)
	b.visit("/sessions/" + id + "?filter=" + url.QueryEscape("status::"))
	b.until("the mistake is marked", `document.querySelector("[data-search]").getAttribute("aria-invalid") === "true"`)

	// Zooming with the mouse, and with the keyboard.
	b.visit("/sessions/" + id)
	b.do("mark the page", markPage())
	b.drag(".strip svg", 0.001, 0.5)
	b.until("a part of the time is shown", `!window.__before && location.search.includes("since=") && location.search.includes("until=")`)
	b.sees("Whole session")
	b.clickAway("#timeline a.button")
	b.until("all of it is shown", `!location.search.includes("since=")`)
	b.do("focus the timeline", keyFocus(".strip"))
	b.press(kb.ArrowRight, kb.ArrowRight)
	b.do("mark the page", markPage())
	b.press(kb.Enter)
	b.until("a step of the time is shown", `!window.__before && location.search.includes("since=")`)

	// A line of the story leads to its exchange, open.
	b.visit("/sessions/" + id)
	b.clickAway(`.story a.error-text`)
	b.until("the exchange is open", `document.querySelector("#rows tr[aria-selected] + tr.detail")`)
	b.sees("127.0.0.2")

	revokeInConsole(b, g, id, alice, thief)
}

// revokeInConsole ends the session by the button, and takes that back.
func revokeInConsole(b *tab, g *running, id string, alice, thief *shopper) {
	t := b.t
	b.visit("/sessions/" + id)
	b.click(`[data-dialog="revoke-session"]`)
	b.accessible("the dialog")
	b.fill("#revoke-session-reason", "stolen cookie")
	b.choose("#revoke-session-for", "24h")
	b.clickAway("#revoke-session button[type=submit]")
	b.sees("This session is revoked")
	b.sees("stolen cookie")
	b.sees(adminName)
	b.accessible("a revoked session")
	within(t, effective, "the gateway refuses the thief", func() bool { return thief.ask("GET", "/account", "") == http.StatusUnauthorized })
	if got := alice.ask("GET", "/account", ""); got != http.StatusUnauthorized {
		t.Errorf("the session is refused from one address only: %d", got)
	}
	g.settled()
	b.visit("/sessions/" + id + "?order=newest")
	b.sees("block by Denylist/session-" + id)
	b.shot("revoked")

	b.visit("/sessions/" + id)
	b.clickAway(`form[action*="/denials/"] button`)
	b.sees("off the denylist")
	b.sees("Revoked by " + adminName)
	b.sees("Taken back by " + adminName)
	b.sees("Still active")
	b.shot("taken-back")
	within(t, effective, "the gateway lets the session pass", func() bool { return alice.ask("GET", "/account", "") == http.StatusOK })
	b.visit("/sessions?filter=state%3Arevoked&since=all")
	b.sees("No session")
}

// keyFocus puts the focus on what a selector finds; on the page itself for body.
func keyFocus(selector string) chromedp.Action {
	return chromedp.Evaluate(fmt.Sprintf(`{ document.activeElement?.blur(); const e = document.querySelector(%s); if (e !== document.body) e.focus(); 0 }`, script(selector)), nil)
}

func scrollTo(selector string) chromedp.Action {
	return chromedp.ScrollIntoView(selector, chromedp.ByQuery)
}

// markPage makes the page known from the next one.
func markPage() chromedp.Action { return chromedp.Evaluate(`window.__before = true; 0`, nil) }
