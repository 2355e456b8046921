package test

import (
	"strings"
	"testing"
)

const contextRules = `
apiVersion: seshat/v1
kind: SessionRule
metadata: {name: shop}
spec: {identifiers: [{cookie: SHOP}]}
`

// injected is a text that would run a script where a page took it for HTML.
const injected = `<img src=x onerror="alert(1)">`

// TestConsoleContext makes context parameters, flows and mask rules with a real browser, and looks at what comes of it.
func TestConsoleContext(t *testing.T) {
	s := fresh(t)
	s.run("apply", "-f", file(t, "rules.yaml", contextRules)).want(0)
	g := s.serve("--listen", "127.0.0.1:0", "--upstream", consoleOrigin(t))
	c := client(t)
	shop := func(user, path string) {
		ask(t, c, "GET", g.gateway+path, "", "Cookie", "SHOP=cookie-of-"+user+"-that-is-long", "X-Account", user)
	}
	shop("carol", "/items/1")
	shop("dave", "/checkout")
	g.settled()
	b := asAdmin(t, g)

	t.Log("a parameter that names users")
	b.visit("/context")
	b.sees("No context parameters")
	b.accessible("no parameters")
	b.clickAway(`main a[href="/context/parameters/new"]`)
	b.fill("#metadata-name", "account")
	b.fill("#metadata-description", injected)
	b.choose("#spec-type", "user")
	b.fill("#spec-extract-key-text", "X-Account")
	b.click(`button[value=try]`)
	b.sees("What this would do")
	b.sees("Found in")
	b.until("both users are found", `document.querySelector("#trial").innerText.includes("carol") && document.querySelector("#trial").innerText.includes("dave")`)
	b.accessible("a draft that was tried")
	b.fits("a draft that was tried")
	b.clickAway(`.form-actions button[value=save]`)
	b.sees("account is there, and in force")
	eventually(t, "carol's session has her name", func() bool {
		shop("carol", "/items/2")
		g.settled()
		return strings.Contains(s.run("sessions", "--format", "csv", "user:carol").stdout, "carol")
	})
	b.visit("/sessions?filter=user:carol&since=all")
	b.sees("carol")
	b.visit("/context")
	b.until("the values of the last hour are there", `document.querySelector("#lately-account a") && document.querySelector("#lately-account").innerText.includes("carol")`)
	b.sees(injected)
	b.accessible("parameters")
	b.fits("parameters")
	b.shot("parameters")

	t.Log("its form, history and YAML")
	b.clickAway(`a[href="/context/parameter/account"]`)
	b.clickAway(`button[value^="add spec.transformations"]`)
	b.until("the new line has the focus", `document.activeElement.id === "spec-transformations-0"`)
	b.choose("#spec-transformations-0-kind", "lowercase")
	b.clickAway(`.form-actions button[value=save]`)
	b.sees("account is saved")
	b.accessible("a form")
	b.fits("a form")
	b.clickAway(`a[href="/context/parameter/account/history"]`)
	b.until("the difference is shown", `[...document.querySelectorAll(".diff ins")].some(e => e.textContent.includes("lowercase"))`)
	b.accessible("a history")
	b.fits("a history")
	b.clickAway(`form[action="/context/parameter/account/rollback"] button`)
	b.sees("is back, and in force")
	b.clickAway(`a[href="/context/parameter/account/yaml"]`)
	b.until("the text has no transformation", `document.querySelector("#text").value.includes("X-Account") && !document.querySelector("#text").value.includes("lowercase")`)
	b.accessible("YAML")
	b.fits("YAML")
	b.visit("/context")
	b.clickAway(`form[action="/context/parameter/account/enabled"] input[role=switch]`)
	b.sees("account is switched off")
	b.visit("/context/parameter/account/delete")
	b.accessible("a question")
	b.clickAway(`main button.danger`)
	b.sees("account is deleted")

	t.Log("a flow")
	b.visit("/context/flows/new?type=billing")
	b.fill("#metadata-name", "checkout")
	b.fill("#spec-endpoints", "POST /{id}")
	b.clickAway(`.form-actions button[value=save]`)
	b.until("the fault is said beside its field", `document.querySelector("#spec-endpoints-error").innerText.startsWith("line 1")`)
	b.accessible("a form with a fault")
	b.fill("#spec-endpoints", "GET */checkout")
	b.clickAway(`.form-actions button[value=save]`)
	b.sees("checkout is there")
	eventually(t, "an exchange is part of it", func() bool {
		shop("dave", "/checkout")
		g.settled()
		return strings.Contains(s.run("explore", "--format", "csv", "flow:checkout").stdout, "checkout")
	})
	b.visit("/context/flows")
	b.until("its share is there", `/%/.test(document.querySelector("#lately-checkout").innerText)`)
	b.accessible("flows")
	b.fits("flows")
	b.shot("flows")

	t.Log("a mask rule that would hide what identifies sessions")
	b.visit("/context/masks/new")
	b.fill("#metadata-name", "cookies")
	b.choose("#spec-location", "cookie")
	b.fill("#spec-key-text", "SHOP")
	b.clickAway(`.form-actions button[value=save]`)
	b.sees("a masked parameter cannot be an identifier: MaskRule/cookies removes request cookie SHOP")
	b.accessible("a refused mask rule")
	b.fits("a refused mask rule")
	b.shot("refused")
	b.fill("#spec-key-text", "TRACKING")
	b.clickAway(`.form-actions button[value=save]`)
	b.sees("cookies is there")
	b.visit("/context/masks")
	b.accessible("mask rules")
	b.fits("mask rules")
	if got := s.run("get", "MaskRule", "cookies").want(0).stdout; !strings.Contains(got, "TRACKING") {
		t.Errorf("the mask rule is\n%s", got)
	}
}
