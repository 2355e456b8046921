package test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/chromedp/cdproto/input"
	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"
)

// tillTraffic has tills of a shop ask for things: each says which one it is in a header that nobody knows of. Some requests
// do not say it.
func tillTraffic(t testing.TB, g *running, tills, n int) {
	t.Helper()
	c := client(t)
	for i := range tills {
		for j := range n {
			ask(t, c, "GET", fmt.Sprintf("%s/items/%d", g.gateway, j), "", "X-Till", fmt.Sprintf("till-%02d-0123456789abcdef", i), "User-Agent", "Till/1")
		}
		ask(t, c, "GET", g.gateway+"/health", "", "User-Agent", "Till/1")
	}
	g.settled()
}

// owned asks the API of the instance as its owner.
func (r *running) owned(method, path, body string, fields ...string) answerOf {
	r.t.Helper()
	return ask(r.t, client(r.t), method, r.api+path, body, append([]string{"Authorization", "Bearer " + r.apiToken()}, fields...)...)
}

// resource is a resource of the instance, by the API.
func (r *running) resource(kind, name string) (answer answerOf, text string) {
	r.t.Helper()
	answer = r.owned("GET", "/api/v1/resources/"+kind+"/"+name, "")
	var out struct{ Resource json.RawMessage }
	if answer.status == http.StatusOK {
		if err := json.Unmarshal([]byte(answer.body), &out); err != nil {
			r.t.Fatal(err)
		}
	}
	return answer, string(out.Resource)
}

// ruleOrder are the names of the session rules in the order in which they are tried.
func (r *running) ruleOrder() string {
	r.t.Helper()
	var out struct{ Items []struct{ Name string } }
	if err := json.Unmarshal([]byte(r.owned("GET", "/api/v1/session-rules/order", "").body), &out); err != nil {
		r.t.Fatal(err)
	}
	names := make([]string, len(out.Items))
	for i := range out.Items {
		names[i] = out.Items[i].Name
	}
	return strings.Join(names, " ")
}

// TestConsoleRuleFromNothing writes a rule step by step while what it would do stands beside it, saves it, and sees a new
// session that it identified.
func TestConsoleRuleFromNothing(t *testing.T) {
	s := fresh(t)
	g := s.serve("--upstream", consoleOrigin(t))
	tillTraffic(t, g, 4, 6)
	b := asAdmin(t, g)
	b.visit("/rules")
	b.sees("No rules of your own")
	b.accessible("no rules")
	b.fits("no rules")
	b.clickAway("a.primary[href='/rules/new']")

	b.fill("#metadata-name", "till")
	b.fill("#metadata-description", "Which till of the shop asks.")
	b.accessible("step 1")
	b.fits("step 1")
	b.click("#next")
	b.until("the identifiers are shown", `document.querySelector(".s2").checkVisibility() && !document.querySelector(".s1").checkVisibility()`)
	b.until("the heading of the step has the focus", `document.activeElement?.id === "identifiers-title"`)
	b.until("it is not tried before it is complete", `document.getElementById("brief").innerText.includes("as soon as it is complete")`)
	b.click("button[value^='add spec.identifiers form=header']")
	b.fill("[name='spec.identifiers[0].header']", "X-Tilt")
	b.until("the preview says that nothing is found", `/never|nothing|no |0 %|0.0 %/i.test(document.querySelector("#brief [data-verdict]")?.innerText ?? "")`)
	before := b.text("#brief")
	b.fill("[name='spec.identifiers[0].header']", "X-Till")
	b.until("the preview changes with the draft", `document.querySelector("#brief [data-coverage]")?.innerText.startsWith("86 %")`)
	if after := b.text("#brief"); after == before {
		t.Errorf("the preview says the same of another header:\n%s", after)
	}
	b.accessible("step 2")
	b.fits("step 2")
	b.click("#next")
	b.until("the review is shown", `document.querySelector(".s3").checkVisibility()`)
	b.sees("header: X-Till")
	b.until("the report is there", `document.getElementById("trial").innerText.includes("Gave the session")`)
	b.until("there are examples with explanations", `document.querySelectorAll("#trial .example li").length > 0`)
	b.accessible("step 3")
	b.fits("step 3")
	b.clickAway("#save")
	b.until("the rule is shown", `location.pathname === "/rules/till"`)
	b.sees("till is saved, and in force")
	b.until("what it did is counted", `document.getElementById("lately-title").parentElement.innerText.includes("Sessions")`)
	b.accessible("a rule")
	b.fits("a rule")
	if _, text := g.resource("SessionRule", "till"); !strings.Contains(text, `"X-Till"`) || !strings.Contains(text, "Which till") {
		t.Errorf("stored is %s", text)
	}

	tillTraffic(t, g, 5, 3)
	b.clickAway(".notice a[href^='/sessions']")
	b.until("new sessions are identified by it", `document.querySelectorAll("tbody tr[id]").length >= 5 && document.querySelector("main").innerText.includes("till")`)
	b.visit("/rules/till")
	b.until("the page counts them", `document.getElementById("found-0")?.innerText.includes("15 exchanges")`)
	b.visit("/rules")
	b.until("the list counts them", `document.getElementById("used-rule-till")?.innerText === "15"`)
	b.accessible("rules")
	b.fits("rules")
}

// TestConsoleRuleFaults writes what is wrong, as a form and as YAML, and is told where.
func TestConsoleRuleFaults(t *testing.T) {
	s := fresh(t)
	g := s.serve("--upstream", consoleOrigin(t))
	b := asAdmin(t, g)
	b.visit("/rules/new")
	b.fill("#metadata-name", "Two Words")
	b.fill("[name='spec.scope.urls']", "^https://a/\n[z-a]")
	b.click(".s1 details.more > summary")
	b.fill("[name='spec.idleTimeout']", "30")
	b.click("#save")
	b.until("everything that is wrong is listed", `document.querySelectorAll("#faults li").length === 4`)
	b.until("it has the focus", `document.activeElement?.id === "faults"`)
	for _, id := range []string{"metadata-name", "spec-scope-urls", "spec-idleTimeout"} {
		b.until("it is said beside "+id, fmt.Sprintf(`document.getElementById("%s-error").innerText && document.getElementById("%s").getAttribute("aria-invalid") === "true"`, id, id))
	}
	b.until("the line is named", `document.getElementById("spec-scope-urls-error").innerText.startsWith("line 2:")`)
	b.accessible("faults")
	b.click("#faults a[data-fault='spec-idleTimeout']")
	b.until("the link leads to the control", `document.activeElement?.id === "spec-idleTimeout"`)
	b.fill("[name='spec.idleTimeout']", "30m")
	b.until("what was wrong with it is not said any more", `document.getElementById("spec-idleTimeout-error").innerText === ""`)
	b.fill("#metadata-name", "shop")
	b.fill("[name='spec.scope.urls']", "^https://a/")

	// Identifiers with everything, by keyboard where that matters.
	b.click("#step-2")
	b.click("button[value^='add spec.identifiers form=extract']")
	b.fill("[name='spec.identifiers[0].extract.jsonPath']", "$.token[")
	b.click("button[value^='add spec.identifiers form=cookie']")
	b.fill("[name='spec.identifiers[1].cookie']", "SHOP")
	b.click("[id='spec-identifiers-0'] > details > summary")
	b.click("button[value^='add spec.identifiers[0].conditions']")
	b.choose("[name='spec.identifiers[0].conditions[0].location']", "status")
	b.choose("[name='spec.identifiers[0].conditions[0].value.op']", "in")
	b.fill("[name='spec.identifiers[0].conditions[0].value.texts']", "200\n201")
	b.click("[id='spec-identifiers-0'] > details:nth-of-type(2) > summary")
	b.click("button[value^='add spec.identifiers[0].transformations']")
	b.fill("[name='spec.identifiers[0].transformations[0].regex.pattern']", "(")
	b.click("button[value^='add spec.identifiers[0].transformations']")
	b.choose("[name='spec.identifiers[0].transformations[1].kind']", "lowercase")
	b.click("#next")
	b.until("the faults of identifiers are found", `document.querySelectorAll("#faults li").length === 2`)
	b.until("they have the focus", `document.activeElement?.id === "faults"`)
	b.click("#faults a[data-fault='spec-identifiers-0-transformations-0-regex-pattern']")
	b.until("the step of the fault is shown", `document.activeElement?.id === "spec-identifiers-0-transformations-0-regex-pattern" && document.querySelector(".s2").checkVisibility()`)
	b.fill("[name='spec.identifiers[0].transformations[0].regex.pattern']", "t=(.+)")
	b.fill("[name='spec.identifiers[0].extract.jsonPath']", "$.token")
	b.do("focus a button", chromedp.Focus("button[value='up spec.identifiers[1]']", chromedp.ByQuery))
	b.press(kb.Enter)
	b.until("identifiers change their places", `document.querySelector("[name='spec.identifiers[0].cookie']").value === "SHOP" && document.querySelector("[name='spec.identifiers[1].extract.jsonPath']").value === "$.token"`)
	b.until("it is said", `document.querySelector("#editor [role=status]").textContent.includes("place 1 of 2")`)
	b.accessible("identifiers")
	b.fits("identifiers")

	// YAML, there and back.
	b.click("button[name=do][value=yaml]")
	b.until("it is YAML", `document.getElementById("yaml")?.value.includes("jsonPath: $.token")`)
	b.accessible("yaml")
	b.fits("yaml")
	text := value[string](b, `document.getElementById("yaml").value`)
	for _, part := range []string{"cookie: SHOP", "- lowercase", `regex: "t=(.+)"`, "idleTimeout: 30m", `- "200"`} {
		if !strings.Contains(text, part) {
			t.Errorf("the text lacks %q:\n%s", part, text)
		}
	}
	write := func(text string) {
		b.do("write", chromedp.Evaluate(fmt.Sprintf(`{ const t = document.getElementById("yaml"); t.value = %s; t.dispatchEvent(new Event("input", {bubbles: true})); 0 }`, script(text)), nil))
	}
	write(strings.Replace(text, "cookie: SHOP", "coookie: SHOP", 1))
	b.click("button[name=do][value=form]")
	b.until("the fault has a line", `document.querySelector("a[data-line]") && document.querySelector("main").innerText.includes("coookie")`)
	b.click("a[data-line]")
	b.until("the line is marked", `document.activeElement?.id === "yaml" && document.getSelection().toString() !== undefined && document.getElementById("yaml").selectionEnd > document.getElementById("yaml").selectionStart`)
	write(strings.Replace(text, "cookie: SHOP", "cookie: SHOPPER", 1))
	b.click("button[name=do][value=form]")
	b.until("the form follows the text", `document.querySelector("[name='spec.identifiers[0].cookie']")?.value === "SHOPPER"`)
	b.click("button[name=do][value=yaml]")
	b.until("it is YAML again", `document.getElementById("yaml")?.value.includes("SHOPPER")`)
	write(strings.Replace(text, "cookie: SHOP", `cookie: "SH\nOP"`, 1))
	b.click("button[name=do][value=form]")
	b.sees("The form cannot show spec.identifiers[0].cookie")
	write(text)
	b.clickAway("#save")
	b.until("it is saved", `location.pathname === "/rules/shop"`)
	if _, text := g.resource("SessionRule", "shop"); !strings.Contains(text, `"SHOP"`) || !strings.Contains(text, `"201"`) {
		t.Errorf("stored is %s", text)
	}

	// The same name again.
	b.visit("/rules/new?cookie=OTHER")
	b.fill("#metadata-name", "shop")
	b.click("#save")
	b.until("the name is taken", `document.getElementById("metadata-name-error").innerText.includes("already")`)
	b.clickAway("a[data-leave]")
}

// TestConsoleRuleOrder puts rules in another order by mouse and by keyboard, switches one off, duplicates and deletes one.
func TestConsoleRuleOrder(t *testing.T) {
	s := fresh(t)
	const hostile = `<script>alert(1)</script><img src=x onerror=alert(2)> \u202E\u05D0 😀 `
	var rules []string
	for _, name := range []string{"aa", "bb", "cc", "dd"} {
		rules = append(rules, fmt.Sprintf("apiVersion: seshat/v1\nkind: SessionRule\nmetadata: {name: %s, description: \"%s%s\"}\nspec:\n  scope: {services: [\"<b>x</b>\", %s], environments: [a, b, c]}\n  identifiers: [{cookie: '\"><script>alert(3)</script>'}]\n",
			name, hostile, strings.Repeat("long", 1000), strings.Repeat("s", 300)))
	}
	s.run("apply", "-f", file(t, "rules.yaml", strings.Join(rules, "---\n"))).want(0)
	g := s.serve("--upstream", consoleOrigin(t))
	b := asAdmin(t, g)
	b.visit("/rules")
	b.accessible("hostile rules")
	b.fits("hostile rules")
	order := func(want string) {
		t.Helper()
		eventually(t, "the order is "+want, func() bool { return g.ruleOrder() == want })
		b.until("the list has it", fmt.Sprintf(`[...document.querySelectorAll("[data-order] tr")].map(r => r.dataset.name).join(" ") === %s`, script(want)))
	}
	order("aa bb cc dd")
	dragRow(b, "dd", "aa", false)
	b.until("it is said", `document.getElementById("order-said").textContent.includes("dd is at place 1 of 4")`)
	order("dd aa bb cc")
	dragRow(b, "dd", "bb", true)
	b.until("it is said", `document.getElementById("order-said").textContent.includes("dd is at place 3 of 4")`)
	order("aa bb dd cc")
	b.do("focus a button", chromedp.Focus("#up-cc", chromedp.ByQuery))
	b.press(kb.Enter)
	order("aa bb cc dd")
	b.until("the button keeps the focus", `document.activeElement?.id === "up-cc"`)
	b.press(kb.Enter)
	order("aa cc bb dd")
	b.until("it is said", `document.getElementById("order-said").textContent.includes("cc is at place 2 of 4")`)

	b.clickAway("tr[data-name=bb] label.switch")
	eventually(t, "bb is switched off", func() bool {
		_, text := g.resource("SessionRule", "bb")
		return strings.Contains(text, `"enabled":false`)
	})
	b.until("the list says so", `!document.querySelector("tr[data-name=bb] [role=switch]").checked`)

	b.clickAway("tr[data-name=cc] a[href^='/rules/new?from=']")
	b.until("a copy has a name of its own", `document.getElementById("metadata-name")?.value === "cc-copy"`)
	b.clickAway("#save")
	b.until("the copy is there", `location.pathname === "/rules/cc-copy"`)
	b.accessible("a hostile rule")
	b.fits("a hostile rule")
	b.clickAway("a[href='/rules/cc-copy/delete']")
	b.sees("Its history stays")
	b.accessible("deletion")
	b.clickAway("button.danger")
	if answer, _ := g.resource("SessionRule", "cc-copy"); answer.status != http.StatusNotFound {
		t.Errorf("after deletion: %d %s", answer.status, answer.body)
	}
	b.visit("/rules?q=bb")
	b.until("a search finds one", `document.querySelectorAll("[data-order] tr").length === 1`)
}

// dragRow drags a rule onto the upper or the lower part of another one.
func dragRow(b *tab, name, onto string, lower bool) {
	b.t.Helper()
	type box struct{ X, Y, Width, Height float64 }
	find := func(selector string) box {
		return value[box](b, fmt.Sprintf(`(() => { const r = document.querySelector(%s).getBoundingClientRect(); return {X: r.x, Y: r.y, Width: r.width, Height: r.height} })()`, script(selector)))
	}
	handle, row := find("tr[data-name="+name+"] [data-handle]"), find("tr[data-name="+onto+"]")
	x, y, to := handle.X+handle.Width/2, handle.Y+handle.Height/2, row.Y+row.Height*0.25
	if lower {
		to = row.Y + row.Height*0.75
	}
	b.do("drag "+name, chromedp.MouseEvent(input.MouseMoved, x, y), chromedp.MouseEvent(input.MousePressed, x, y, chromedp.ButtonLeft, chromedp.ClickCount(1)),
		chromedp.MouseEvent(input.MouseMoved, x, (y+to)/2, chromedp.ButtonLeft), chromedp.MouseEvent(input.MouseMoved, x, to, chromedp.ButtonLeft),
		chromedp.MouseEvent(input.MouseMoved, x+1, to, chromedp.ButtonLeft), chromedp.MouseEvent(input.MouseReleased, x+1, to, chromedp.ButtonLeft, chromedp.ClickCount(1)))
}

// TestConsoleRuleHistory changes a rule that somebody else changes meanwhile, compares revisions, and brings one back.
func TestConsoleRuleHistory(t *testing.T) {
	s := fresh(t)
	const shop = "apiVersion: seshat/v1\nkind: SessionRule\nmetadata: {name: shop}\nspec: {identifiers: [{cookie: %s}]}\n"
	s.run("apply", "-f", file(t, "a.yaml", fmt.Sprintf(shop, "FIRST"))).want(0)
	g := s.serve("--upstream", consoleOrigin(t))
	b := asAdmin(t, g)
	b.visit("/rules/shop/edit")
	b.click("#step-2")
	b.fill("[name='spec.identifiers[0].cookie']", "MINE")
	g.owned("PUT", "/api/v1/resources/SessionRule/shop", fmt.Sprintf(shop, "THEIRS"), "Content-Type", "application/yaml", "Seshat-Author", "eve<script>alert(1)</script>")
	b.click("#save")
	b.sees("It was changed meanwhile")
	b.sees("eve<script>")
	b.until("both differences are shown", `document.querySelectorAll(".diff").length === 2 && document.querySelector(".diff ins").innerText.includes("THEIRS") && [...document.querySelectorAll(".diff ins")].at(-1).innerText.includes("MINE")`)
	b.accessible("a conflict")
	b.fits("a conflict")
	if _, text := g.resource("SessionRule", "shop"); !strings.Contains(text, "THEIRS") {
		t.Errorf("a conflict was saved: %s", text)
	}
	b.clickAway("#save")
	b.until("it is saved in place of theirs", `location.pathname === "/rules/shop"`)
	if _, text := g.resource("SessionRule", "shop"); !strings.Contains(text, "MINE") {
		t.Errorf("stored is %s", text)
	}

	b.until("what it did is counted", `document.querySelector(".lately").innerText.includes("Sessions")`)
	b.clickAway("nav.tabs a[href$='/history']")
	b.until("three revisions are listed", `document.querySelectorAll("tbody tr").length === 3`)
	b.accessible("history")
	b.fits("history")
	b.click("tbody tr:last-child input[name=from]")
	b.clickAway("button[form=compare]")
	b.until("the first is compared with the last", `document.querySelector(".diff del")?.innerText.includes("FIRST") && document.querySelector(".diff ins")?.innerText.includes("MINE")`)
	b.clickAway("tbody tr:last-child td:last-child :is(a, button)")
	if value[bool](b, `location.pathname.endsWith("/rollback")`) {
		b.clickAway("form button[type=submit]")
	}
	eventually(t, "the first is back", func() bool { _, text := g.resource("SessionRule", "shop"); return strings.Contains(text, "FIRST") })
	b.visit("/rules/shop/yaml")
	b.until("the text is that of the first", `document.querySelector("textarea").value.includes("cookie: FIRST")`)
}

// TestConsoleRulePresets begins a rule with a preset, and applies one as it is.
func TestConsoleRulePresets(t *testing.T) {
	s := fresh(t)
	g := s.serve("--upstream", consoleOrigin(t))
	b := asAdmin(t, g)
	b.visit("/rules")
	b.clickAway("a[href='/rules/-/presets/keycloak']")
	b.sees("would be new")
	b.accessible("a preset")
	b.fits("a preset")
	b.clickAway("a[href='/rules/new?preset=keycloak']")
	b.until("the form has its identifiers", `document.querySelectorAll("#identifiers-title ~ *, .s2 > fieldset.item").length > 0 && document.getElementById("metadata-name").value === "keycloak"`)
	b.visit("/rules/-/presets/mcp")
	b.clickAway("form[action='/rules/-/presets/mcp'] button")
	b.sees("The preset Model Context Protocol is in force: 4 resources.")
	if answer, _ := g.resource("Flow", "mcp-end"); answer.status != http.StatusOK {
		t.Errorf("a flow of the preset: %d", answer.status)
	}
	c := client(t)
	if answer := ask(t, c, "GET", g.api+"/rules.yaml", ""); answer.status != http.StatusSeeOther {
		t.Errorf("YAML without a sign-in: %d", answer.status)
	}
	b.accessible("rules with a preset")
}
