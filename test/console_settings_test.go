package test

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
)

// sign is a browser of its own that signs in with a name and a password.
func sign(t testing.TB, g *running, user, password string) *tab {
	t.Helper()
	b := browse(t, g.api)
	b.visit("/sign-in")
	b.fill("#user", user)
	b.fill("#password", password)
	b.clickAway("form button[type=submit]")
	b.until(user+" is signed in", `location.pathname === "/" && document.querySelector("nav.nav")`)
	return b
}

// TestConsoleSettings changes how long traffic is kept.
func TestConsoleSettings(t *testing.T) {
	g := consoleTraffic(t, 3, 3)
	b := asAdmin(t, g)
	b.visit("/settings")
	b.sees("Nothing is declared yet: the defaults are in force.")
	b.accessible("settings")
	b.fits("settings")

	b.fill("#spec-retention", "a while")
	b.fill("#spec-inference-minimumScore", "2")
	b.clickAway(".form-actions button")
	b.sees("not a duration")
	if got := value[string](b, `document.querySelector("#spec-retention").getAttribute("aria-invalid")`); got != "true" {
		t.Errorf("the wrong control is not marked: %q", got)
	}
	b.accessible("settings with faults")
	b.fill("#spec-retention", "3d")
	b.clickAway(".form-actions button")
	b.sees("is not between 0 and 1")
	b.fill("#spec-inference-minimumScore", "0.8")
	b.clickAway(".form-actions button")
	b.sees("The settings are saved")
	if got := value[string](b, `(() => { const x = new XMLHttpRequest(); x.open("GET", "/api/v1/resources/Settings/default", false); x.send(); return x.responseText })()`); !strings.Contains(got, `"retention":"3d"`) || !strings.Contains(got, `"minimumScore":0.8`) {
		t.Errorf("the API says %s", got)
	}

	// Somebody else changes them while the form is open.
	g.run("apply", "-f", file(t, "settings.yaml", "apiVersion: seshat/v1\nkind: Settings\nmetadata: {name: default}\nspec: {retention: 5d}\n")).want(0)
	b.fill("#spec-retention", "2d")
	b.clickAway(".form-actions button")
	b.sees("They have changed since this form was opened")
	b.accessible("settings that changed")
	b.clickAway(".form-actions button")
	b.sees("The settings are saved")
	b.until("the API keeps traffic for two days", `(() => { const x = new XMLHttpRequest(); x.open("GET", "/api/v1/status", false); x.send(); return JSON.parse(x.responseText).store.retention_seconds === 172800 })()`)

	// History, and back.
	b.clickAway("header .actions a[href$=history]")
	b.sees("From revision")
	b.clickAway("tbody tr:nth-child(2) form button")
	b.sees("is back, and in force")
	if got := value[string](b, `document.querySelector("#spec-retention").value`); got != "5d" {
		t.Errorf("the retention that was brought back is %q", got)
	}

	b.visit("/settings/storage")
	b.sees("Exchanges kept")
	b.sees("in use")
	b.sees("5 d")
	b.accessible("storage")
	b.fits("storage")

	b.visit("/settings/services?since=1h")
	b.until("services are counted", `document.querySelectorAll("table.places").length === 2 && document.querySelectorAll("table.places tbody tr").length >= 2`)
	b.accessible("services")
	b.fits("services")
	b.clickAway("table.places:last-of-type a[data-row]")
	b.until("the explorer shows a service", `location.pathname === "/explorer" && document.querySelectorAll("tbody tr").length > 0`)
}

// TestConsoleUsers adds a user by a link, who signs in in a browser of their own and finds what a viewer may see.
func TestConsoleUsers(t *testing.T) {
	g := consoleTraffic(t, 2, 2)
	b := asAdmin(t, g)
	b.visit("/settings/users")
	b.sees(adminName)
	b.accessible("users")
	b.fits("users")

	b.clickAway("header .actions a.primary")
	b.fill("#name", "v i")
	b.clickAway(".form-actions button")
	b.sees("It has a character that names do not have")
	b.accessible("a name that cannot be")
	b.fill("#name", "vi@shop.example")
	b.fill("#display", "Vi <b>Viewer</b>")
	b.clickAway(".form-actions button")
	b.sees("This link is shown once")
	b.accessible("a link")
	b.fits("a link")
	link := b.text("#link")

	const password = "seven seas and no anchor"
	v := browse(t, g.api)
	v.visit(link)
	v.fill("#password", password)
	v.fill("#again", password)
	v.clickAway("form button[type=submit]")
	v.until("the viewer is in", `location.pathname === "/" && document.querySelector("nav.nav")`)
	v.visit("/settings")
	v.sees("You may look at this, and not change it")
	if got := value[string](v, `document.querySelector("nav.tabs").innerText`); strings.Contains(got, "Users") || strings.Contains(got, "Audit") || !strings.Contains(got, "Your account") {
		t.Errorf("the tabs of a viewer are %q", got)
	}
	if value[bool](v, `[...document.querySelectorAll("main form button")].some(b => !b.disabled)`) {
		t.Error("a viewer is offered to save")
	}
	for _, path := range []string{"/settings/users", "/settings/users/new", "/settings/audit", "/settings/user/" + adminName, "/settings/tokens?all=true"} {
		v.visit(path)
		v.sees("This is not for the role viewer")
	}
	v.accessible("a page that is not for the role")

	// What two people change at once: the second is told.
	b.visit("/settings/user/vi@shop.example")
	b.sees("Vi <b>Viewer</b>")
	b.accessible("a user")
	b.fits("a user")
	g.run("user", "set-role", "vi@shop.example", "analyst").want(0)
	b.choose("#role", "admin")
	b.clickAway("form .primary")
	b.sees("has changed meanwhile")
	if got := value[string](b, `document.querySelector("#role").value`); got != "analyst" {
		t.Errorf("the role is %q", got)
	}
	v.visit("/")
	v.until("the change of the role signed the user out", `location.pathname === "/sign-in"`)
	v = sign(t, g, "vi@shop.example", password)
	b.visit("/settings/user/vi@shop.example")
	b.clickAway("main a[href$=sign-out]")
	b.clickAway("button.danger")
	b.sees("All sessions of vi@shop.example have ended.")
	v.visit("/sessions")
	v.until("the session has ended", `location.pathname === "/sign-in"`)

	// Disabled, enabled, deleted.
	b.clickAway("form[action$=disabled] button")
	b.sees("is disabled, and signed out everywhere")
	v.visit("/sign-in")
	v.fill("#user", "vi@shop.example")
	v.fill("#password", password)
	v.clickAway("form button[type=submit]")
	v.sees("wrong")
	b.clickAway("form[action$=disabled] button")
	b.sees("may sign in again")
	b.clickAway("a[href$=delete]")
	b.accessible("deleting a user")
	b.clickAway("button.danger")
	b.sees("vi@shop.example is deleted.")
	if got := value[int](b, `document.querySelectorAll("tbody tr").length`); got != 1 {
		t.Errorf("%d users are left", got)
	}

	// The last administrator stays one.
	b.visit("/settings/user/" + adminName)
	b.choose("#role", "viewer")
	b.clickAway("form .primary")
	b.sees("It is the last administrator.")

	// All of it is in the audit log.
	b.visit("/settings/audit")
	for _, text := range []string{"added a user", "made a one-time link", "used a one-time link", "changed a user", "ended all sessions of a user", "deleted a user", "refused", "vi@shop.example"} {
		b.sees(text)
	}
	b.accessible("audit log")
	b.fits("audit log")
	b.choose("select[name=action]", "user.delete")
	b.until("only the deletion is left", `document.querySelectorAll("tbody tr[id]").length === 1 && document.querySelector("tbody").innerText.includes("deleted a user")`)
	b.visit("/settings/audit?by=nobody@shop.example")
	b.sees("Nothing like this happened")
}

// TestConsoleTokens makes a token, uses and revokes it.
func TestConsoleTokens(t *testing.T) {
	g := consoleTraffic(t, 2, 2)
	b := asAdmin(t, g)
	b.visit("/settings/tokens")
	b.sees("No API tokens")
	b.accessible("no tokens")
	b.clickAway("header .actions a.primary")
	b.fill("#name", `nightly "export"`)
	b.choose("#for", "7d")
	b.accessible("a new token")
	b.fits("a new token")
	b.clickAway(".form-actions button")
	b.sees("The token is shown once")
	b.accessible("a token")
	b.fits("a token")
	token := b.text("#token")
	if example := b.text("#example"); !strings.HasPrefix(example, "curl ") || !strings.Contains(example, token) || !strings.Contains(example, g.api+"/api/v1/sessions") {
		t.Errorf("the example is %s", example)
	}
	c := client(t)
	if got := ask(t, c, "GET", g.api+"/api/v1/sessions", "", "Authorization", "Bearer "+token); got.status != http.StatusOK {
		t.Fatalf("the token gives %d: %s", got.status, got.body)
	}
	if got := ask(t, c, "GET", g.api+"/api/v1/users", "", "Authorization", "Bearer "+token); got.status != http.StatusForbidden {
		t.Errorf("the token reads users: %d", got.status)
	}
	b.clickAway(".form-actions a")
	b.sees(`nightly "export"`)
	if strings.Contains(value[string](b, `document.body.innerHTML`), token) {
		t.Error("the list shows the secret")
	}
	b.accessible("tokens")
	b.fits("tokens")
	b.clickAway("tbody a.danger")
	b.sees("It cannot be brought back")
	b.clickAway("button.danger")
	b.sees("The token is revoked.")
	if got := ask(t, c, "GET", g.api+"/api/v1/sessions", "", "Authorization", "Bearer "+token); got.status != http.StatusUnauthorized {
		t.Errorf("the revoked token gives %d", got.status)
	}
	b.visit("/settings/audit?action=token.")
	b.sees("revoked an API token")
	b.sees("made an API token")
}

// TestConsoleAccount changes the password, and ends sessions.
func TestConsoleAccount(t *testing.T) {
	g := consoleTraffic(t, 1, 1)
	b := asAdmin(t, g)
	other := sign(t, g, adminName, adminPassword)
	b.visit("/settings/account")
	b.sees("this one")
	b.accessible("account")
	b.fits("account")
	b.click("button[data-theme-choice=dark]")
	b.until("the theme is dark", `document.documentElement.dataset.theme === "dark"`)

	change := func(current, password, again string) {
		t.Helper()
		b.fill("#password-current", current)
		b.fill("#password-new", password)
		b.fill("#password-again", again)
		b.clickAway("form[action$=password] button")
	}
	const better = "a lighthouse keeps no secrets"
	change(adminPassword, better, better+"x")
	b.sees("The two are not the same.")
	change("not the password", better, better)
	b.sees("It is not the password.")
	change(adminPassword, "short", "short")
	b.sees("It has fewer than 12 characters.")
	b.accessible("a password that is too short")
	change(adminPassword, better, better)
	b.sees("The password is changed.")
	other.visit("/sessions")
	other.until("the other browser is signed out", `location.pathname === "/sign-in"`)
	b.visit("/sessions")
	b.until("this browser goes on", `location.pathname === "/sessions"`)

	// Another session is ended from the list, and then all others.
	for _, how := range []string{"form[action$=end] button", "form[action$=sign-out-others] button"} {
		other = sign(t, g, adminName, better)
		b.visit("/settings/account")
		if got := value[int](b, `document.querySelectorAll("tbody tr").length`); got != 2 {
			t.Fatalf("%d sessions are listed", got)
		}
		b.clickAway(how)
		b.until("one session is left", `document.querySelectorAll("tbody tr").length === 1`)
		other.visit("/")
		other.until("the other browser is signed out", `location.pathname === "/sign-in"`)
	}
	b.visit("/settings/audit")
	for _, text := range []string{"set a password", "ended a session", "signed in"} {
		b.sees(text)
	}
	b.visit("/settings/account")
	b.clickAway("main form[action='/sign-out'] button")
	b.sees("Signed out")
}

// TestConsoleAuditScrolls reads further back in the audit log than one page.
func TestConsoleAuditScrolls(t *testing.T) {
	g := consoleTraffic(t, 1, 1)
	b := asAdmin(t, g)
	for i := range 35 { // each is there twice: made and deleted
		name := fmt.Sprintf("limit-%02d", i)
		g.run("apply", "-f", file(t, name+".yaml", "apiVersion: seshat/v1\nkind: Limit\nmetadata: {name: "+name+"}\nspec: {key: [session], count: 10, window: 1m, action: tag}\n")).want(0)
		g.run("delete", "Limit", name).want(0)
	}
	b.visit("/settings/audit?action=resource.")
	b.until("a page is there", `document.querySelectorAll("tbody tr[id]").length === 60`)
	b.scroll("tbody tr:last-child")
	b.until("the rest is loaded", `document.querySelectorAll("tbody tr[id]").length >= 70`)
	b.clickAway("tbody a[href*='/history']")
	b.sees("limit-34")
}
