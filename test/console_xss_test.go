package test

import (
	"net/url"
	"strings"
	"testing"
)

// TestHostileValues visits every address of the console of an instance where everything is hostile, in a real browser: nothing
// of it is run, nothing of it becomes an element, and no page is wider than its window.
func TestHostileValues(t *testing.T) {
	g := hostileInstance(t)
	g.runWith(accountPassword+"\n", "user", "add", "root", "--role", "admin").want(0)
	b := sign(t, g, "root", accountPassword)
	b.visit("/sessions")
	b.click("details.menu summary")
	b.fill("#view-name", `"><img src=x onerror=window.__xss=7>`)
	b.clickAway("details.menu form[action='/views'] button")
	b.sees("The view is saved.")
	p := placesOf(t, g, `path:*__xss*`)
	paths := addresses(t, "GET")
	for i, path := range paths {
		paths[i] = p.fill(t, path)
	}
	// The same with what else can be said in an address.
	for _, text := range []string{`"><img src=x onerror=window.__xss=8>`, `javascript:window.__xss=9`, `'-alert(1)-'`} {
		query := "?filter=" + escaped(text) + "&since=" + escaped(text) + "&columns=" + escaped(text) + "&sort=" + escaped(text) + "&by=" + escaped(text) +
			"&measure=" + escaped(text) + "&order=" + escaped(text) + "&cursor=" + escaped(text) + "&next=" + escaped(text) + "&q=" + escaped(text)
		for _, path := range []string{"/", "/sessions", "/explorer", "/explorer/groups", "/explorer/attributes", "/explorer/live", "/rules", "/context", "/limits/denylist", "/limits/denylist/new", "/settings/audit", "/sign-in", "/sessions/" + p.session, "/no-such-page" + escaped(text)} {
			paths = append(paths, path+query)
		}
	}
	paths = append(paths, "/sessions?since=all&columns=who,exchanges", "/explorer?since=all&columns=time,user,path,host,client", "/explorer/groups?since=all&by=user&by=path")
	shown := 0
	for _, path := range paths {
		bare, _, _ := strings.Cut(path, "?")
		switch {
		case strings.HasSuffix(bare, "/events"), bare == "/rules.yaml", bare == "/sign-in/oidc", bare == "/sign-in/oidc/callback":
			continue // pages follow the first, the next is a file, and TestSignInWithOpenIDProvider goes where the others lead
		}
		b.visit(path)
		b.harmless(path)
		if value[bool](b, `/window\.__xss|-alert\(|\{\{7\*7\}\}/.test(document.body.innerText)`) {
			shown++
		}
		if strings.Contains(path, "?") || !value[bool](b, `Boolean(document.querySelector("nav.nav"))`) {
			continue // a part of a page has no style of its own
		}
		for _, width := range []int64{phoneWidth, desktopWidth} {
			b.size(width, desktopHeight)
			if over := value[int](b, `document.documentElement.scrollWidth - document.documentElement.clientWidth`); over > 0 {
				b.shot("too-wide-" + bare)
				t.Errorf("%s is %d pixels wider than a window of %d: %s", path, over, width, value[string](b,
					`[...document.querySelectorAll("main *")].filter(e => e.getBoundingClientRect().right > document.documentElement.clientWidth + 1 && !e.closest(".table-wrap, pre, .diff, .tabs, .chart")).slice(0, 3).map(e => e.outerHTML.slice(0, 300)).join("\n")`))
			}
		}
	}
	if shown < leastHostile {
		t.Errorf("%d of %d addresses show something hostile: the test says little", shown, len(paths))
	}
	t.Logf("%d of %d addresses show something hostile, as text", shown, len(paths))
}

// leastHostile is how many of the addresses show something hostile, at least.
const leastHostile = 30

// harmless opens what a page can open, and fails when something of it came from a value.
func (b *tab) harmless(path string) {
	b.t.Helper()
	b.until(path+" is loaded", `document.readyState === "complete" && !document.querySelector(".htmx-request")`)
	opened := value[int](b, `(() => {
		const all = [...document.querySelectorAll("details:not([open]) > summary, a[data-expand], tr a.open")].slice(0, 12);
		all.forEach(e => e.click());
		return all.length;
	})()`)
	if opened > 0 {
		b.until("what was opened of "+path+" is loaded", `!document.querySelector(".htmx-request")`)
	}
	found := value[[]string](b, `[
		...(window.__xss === undefined ? [] : ["a script was run: " + window.__xss]),
		...[...document.querySelectorAll("img[src=x], script:not([src]), svg[onload], style, iframe, object, embed, base, [style], [onerror], [onload], [onclick], [onmouseover]")].filter(e => !e.closest("svg.viewer")).map(e => e.outerHTML.slice(0, 200)),
		...[...document.querySelectorAll("a[href], form[action], [hx-get], [hx-post]")].flatMap(e => ["href", "action", "hx-get", "hx-post"].map(a => e.getAttribute(a)).filter(Boolean))
			.filter(u => new URL(u, location.href).origin !== location.origin && !/^https?:/.test(u)),
	]`)
	for _, f := range found {
		b.t.Errorf("%s: %s", path, f)
	}
}

func escaped(text string) string { return url.QueryEscape(text) }
