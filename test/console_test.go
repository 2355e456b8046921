package test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/chromedp/chromedp/kb"
)

// adminName and adminPassword are the first administrator's in tests.
const (
	adminName     = "ada@shop.example"
	adminPassword = "a sailing ship in a bottle"
)

// asAdmin opens a browser and signs in as the first administrator, whom the link makes that a new instance prints.
func asAdmin(t testing.TB, g *running) *tab {
	t.Helper()
	link := g.said(`(https?://\S+/sign-in\?code=\S+)`)
	b := browse(t, g.api)
	b.visit(link)
	b.fill("#user", adminName)
	b.fill("#password", adminPassword)
	b.fill("#again", adminPassword)
	b.clickAway("form button[type=submit]")
	b.until("the overview is there", `location.pathname === "/" && document.querySelector("nav.nav")`)
	return b
}

// consoleTraffic starts an instance in front of an origin, and has people use it: twenty of them in turn, each of whom
// signs in and asks for n things.
func consoleTraffic(t testing.TB, people, n int) *running {
	t.Helper()
	origin := consoleOrigin(t)
	s := fresh(t)
	s.run("apply", "-f", file(t, "rules.yaml", `
apiVersion: seshat/v1
kind: SessionRule
metadata: {name: shop}
spec: {identifiers: [{cookie: SHOP}]}
---
apiVersion: seshat/v1
kind: ContextParameter
metadata: {name: who}
spec: {type: user, in: response, extract: {location: header, key: X-User}}
`)).want(0)
	g := s.serve("--listen", "127.0.0.1:0", "--upstream", origin)
	c := client(t)
	for i := range people {
		visitShop(t, c, g, fmt.Sprintf("user%02d", i), n)
	}
	g.settled()
	return g
}

// visitShop has one person ask for n things.
func visitShop(t testing.TB, c *http.Client, g *running, user string, n int) {
	t.Helper()
	for i := range n {
		ask(t, c, "GET", fmt.Sprintf("%s/items/%d?who=%s", g.gateway, i, user), "", "Cookie", "SHOP=cookie-of-"+user+"-that-is-long-enough", "User-Agent", "Mozilla/5.0 test")
	}
}

func consoleOrigin(t testing.TB) string {
	t.Helper()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if user := r.URL.Query().Get("who"); user != "" {
			w.Header().Set("X-User", user)
		}
		if strings.HasSuffix(r.URL.Path, "/7") {
			w.WriteHeader(http.StatusNotFound)
		}
		_, _ = w.Write([]byte(`{"ok":true}`))
	}))
	t.Cleanup(server.Close)
	return server.URL
}

// TestConsoleOverview looks at the first page while traffic flows.
func TestConsoleOverview(t *testing.T) {
	g := consoleTraffic(t, 3, 10)
	b := asAdmin(t, g)
	b.sees("The last 15 minutes")
	b.until("the page is live", `document.getElementById("live")?.textContent === "live"`)
	b.until("the users are counted", `document.getElementById("top").innerText.includes("user02")`)
	before := value[string](b, `document.querySelector("#figures .note").innerText`)
	visitShop(t, client(t), g, "newcomer", 25)
	b.until("the figures move by themselves", `document.querySelector("#figures .note").innerText !== `+script(before))
	b.until("active sessions are counted", `document.getElementById("active").innerText.trim() === "4"`)
	b.accessible("overview")
	b.fits("overview")
	b.press("g", "s")
	b.until("g s leads to the sessions", `location.pathname === "/sessions"`)
}

// TestConsoleSessions finds sessions in the list.
func TestConsoleSessions(t *testing.T) {
	g := consoleTraffic(t, 90, 2)
	visitShop(t, client(t), g, "carol", 9)
	g.settled()
	b := asAdmin(t, g)
	b.visit("/sessions")
	b.until("the newest sessions are there", `document.querySelectorAll("tbody tr[id]").length === 60`)
	b.until("the numbers are there", `document.querySelector(".numbers-slot").innerText.includes("91 sessions")`)

	// Endless scrolling, and back again to the same place.
	b.scroll("tbody tr:last-child")
	b.until("the rest is loaded", `document.querySelectorAll("tbody tr[id]").length === 91`)
	deep := value[string](b, `document.querySelectorAll("tbody tr[id]")[85].id`)
	b.clickAway("#" + deep + " a[data-row]")
	b.until("a session is open", `location.pathname.startsWith("/sessions/")`)
	b.back()
	b.until("the list has kept its place", `document.querySelectorAll("tbody tr[id]").length === 91 && document.activeElement?.closest("tr")?.id === `+script(deep))

	// The filter: a completion, a mistake, a result.
	b.visit("/sessions")
	b.fill("[data-search]", "use")
	b.until("names are completed", `[...document.querySelectorAll("[role=option]")].some(o => o.textContent.startsWith("user:"))`)
	b.press(kb.ArrowDown, kb.Enter)
	b.until("the completion is taken", `document.querySelector("[data-search]").value.startsWith("user")`)
	b.fill("[data-search]", "usr:carol")
	b.until("a mistake is marked", `document.querySelector("[data-search]").getAttribute("aria-invalid") === "true" && document.querySelector(".filter .error").innerText.includes("did you mean")`)
	b.press(kb.Enter)
	b.until("the server says the same", `document.querySelector(".filter .error")?.innerText.includes("did you mean") && document.body.innerText.includes("has a mistake")`)
	b.accessible("sessions with a mistake")
	b.fill("[data-search]", "user:carol")
	b.press(kb.Escape, kb.Enter)
	b.until("one session is left", `document.querySelectorAll("tbody tr[id]").length === 1 && document.querySelector("tbody").innerText.includes("carol")`)

	// Columns, order and views are in the address.
	b.visit("/sessions?columns=who,exchanges,confidence&sort=exchanges")
	if got := value[string](b, `document.querySelector("tbody tr").innerText`); !strings.Contains(got, "carol") {
		t.Errorf("by exchanges the first session is %q", got)
	}
	if got := value[int](b, `document.querySelectorAll("thead th").length`); got != 3 {
		t.Errorf("%d columns are shown", got)
	}
	b.click("details.menu summary")
	b.fill("#view-name", "busy <b>people</b>")
	b.clickAway("details.menu form[action='/views'] button")
	b.sees("The view is saved.")
	b.click("details.menu summary")
	b.sees("busy <b>people</b>")
	if got := value[string](b, `location.search`); !strings.Contains(got, "sort=exchanges") || !strings.Contains(got, "columns=who%2Cexchanges%2Cconfidence") {
		t.Errorf("the address of the view is %s", got)
	}

	// Dragging over the histogram narrows the time.
	b.visit("/sessions?since=15m")
	b.until("the chart is there", `document.querySelector("[data-brush][data-ready]")`)
	b.drag("[data-brush] svg", 0.9, 1)
	b.until("the address has the time", `new URLSearchParams(location.search).get("until") && document.querySelectorAll("tbody tr[id]").length === 60`)
	b.until("the chart is there again", `document.querySelector("[data-brush][data-ready]")`)
	b.accessible("sessions")
	b.fits("sessions")
	b.visit("/sessions?filter=user:nobody")
	b.sees("No session matches")
	b.accessible("no sessions")
}

// TestConsoleExplorer looks at exchanges: one by one, by their values, in groups, and as they come.
func TestConsoleExplorer(t *testing.T) {
	g := consoleTraffic(t, 12, 10)
	b := asAdmin(t, g)
	b.visit("/explorer")
	b.until("the newest exchanges are there", `document.querySelectorAll("tbody tr[id]").length === 100`)
	b.until("they are counted", `document.querySelector(".chart-card").innerText.includes("120 exchanges")`)
	b.scroll("tbody tr:last-child")
	b.until("the rest is loaded", `document.querySelectorAll("tbody tr[id]").length === 120`)

	// A value narrows the list, and its sign leaves it out.
	b.until("values are counted", `document.querySelector(".facet-panel")?.innerText.includes("404")`)
	b.accessible("explorer")
	b.clickAway(`.facet-panel a[aria-label="Leave out 404"]`)
	b.until("they are left out", `document.querySelector(".chart-card").innerText.includes("108 exchanges")`)
	b.visit("/explorer?filter=status:404")
	b.until("only they are there", `document.querySelectorAll("tbody tr[id]").length === 12`)

	// A row opens and closes.
	b.click("tbody tr[id] a.open")
	b.until("the detail is there", `document.querySelector("tr.detail")?.innerText.includes("seshat.session.")`)
	b.accessible("an open row")
	b.click("tbody tr[id] a.open")
	b.until("the detail is gone", `!document.querySelector("tr.detail")`)

	// Dragging over the histogram.
	b.visit("/explorer?since=15m")
	b.until("the chart is there", `document.querySelector("[data-brush][data-ready]")`)
	b.drag("[data-brush] svg", 0.5, 1)
	b.until("the address has the time", `new URLSearchParams(location.search).get("until") && document.readyState === "complete"`)
	b.fits("explorer")

	// Groups, and the way back to their exchanges.
	b.visit("/explorer/groups")
	b.until("endpoints are grouped", `document.querySelector(".group-slot").innerText.includes("120 exchanges in 1 group")`)
	b.fill("#by-0", "user")
	b.fill("#measure-1", "p95:duration")
	b.clickAway(".filter-bar button[type=submit]")
	b.until("users are grouped", `document.querySelectorAll(".group-slot tbody tr").length === 12 && document.querySelector(".group-slot thead").innerText.includes("p95 of duration")`)
	b.accessible("groups")
	b.fits("groups")
	b.clickAway(".group-slot tbody a[data-row]")
	b.until("the exchanges of the group are there", `document.querySelectorAll("tbody tr[id]").length === 10 && new URLSearchParams(location.search).get("filter").includes("user")`)
	b.visit("/explorer/groups?by=usr")
	b.sees("This cannot be grouped")

	// Attributes.
	b.visit("/explorer/attributes")
	b.until("their values are counted", `[...document.querySelectorAll(".attribute-values")].every(e => e.innerText.includes("of 120 exchanges have it"))`)
	b.accessible("attributes")
	b.fits("attributes")
	b.clickAway(".attribute-values a[href*=columns]")
	b.until("the attribute is a column", `document.querySelector("thead").innerText.includes("seshat.session.")`)

	// The tail.
	b.visit("/explorer/live?filter=user:late")
	b.until("the tail is live", `document.getElementById("tail-state").textContent === "live"`)
	b.sees("Nothing yet")
	visitShop(t, client(t), g, "late", 3)
	b.until("what happens is there", `document.querySelectorAll("#tail tr[id]").length === 3`)
	b.click("#tail-pause")
	visitShop(t, client(t), g, "late", 2)
	b.until("what waits is counted", `document.getElementById("tail-dropped").innerText.includes("2 waiting")`)
	b.click("#tail-pause")
	b.until("it goes on", `document.querySelectorAll("#tail tr[id]").length === 5`)
	b.accessible("tail")
	b.fits("tail")
}
