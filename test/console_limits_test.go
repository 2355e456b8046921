package test

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
)

// TestConsoleLimits makes limits, validations of tokens and entries of the denylist with a real browser, and looks at what
// the gateway does.
func TestConsoleLimits(t *testing.T) {
	s := fresh(t)
	s.run("apply", "-f", file(t, "rules.yaml", contextRules+`
---
apiVersion: seshat/v1
kind: ContextParameter
metadata: {name: who}
spec: {type: user, in: response, extract: {location: header, key: X-User}}
`)).want(0)
	g := s.serve("--listen", "127.0.0.1:0", "--upstream", consoleOrigin(t))
	c := client(t)
	shop := func(path, user string) answerOf {
		return ask(t, c, "GET", g.gateway+path+"?who="+user, "", "Cookie", "SHOP=cookie-of-"+user+"-that-is-long")
	}
	b := asAdmin(t, g)

	t.Log("a limit that tags")
	b.visit("/limits")
	b.sees("No limits")
	b.accessible("no limits")
	b.visit("/limits/new?key=session&endpoint=GET+*/search&count=3&window=1h&name=search")
	b.fill("#metadata-description", injected)
	b.choose("#spec-key-0-kind", "ip")
	b.click(`button[value=try]`)
	b.sees("What this would do")
	b.accessible("a draft of a limit")
	b.fits("a draft of a limit")
	b.clickAway(`.form-actions button[value=save]`)
	b.sees("search is there, and in force")
	b.visit("/limits")
	b.sees(injected)
	b.until("nothing is tagged", `document.querySelector("#tagged-search").innerText === "0"`)
	n := 0
	eventually(t, "requests are tagged", func() bool {
		if a := shop("/search", "alice"); a.status != http.StatusOK {
			t.Fatalf("a limit that only tags answers %d", a.status)
		}
		n++
		g.settled()
		return n > 3 && strings.Contains(s.run("explore", "--format", "csv", "tag:Limit/search").stdout, "search")
	})
	b.until("the counter has moved by itself", `Number(document.querySelector("#tagged-search").innerText) > 0 && document.querySelector("#hour-search polyline")`)
	b.accessible("limits")
	b.fits("limits")
	for _, width := range []int64{laptopWidth, desktopWidth} {
		b.size(width, desktopHeight)
		b.until(fmt.Sprintf("a window of %d shows every column", width), `[...document.querySelectorAll(".table-wrap")].every(w => w.scrollWidth <= w.clientWidth)`)
	}
	b.shot("limits")

	t.Log("the limit refuses")
	b.clickAway(`form[action="/limits/limit/search/action"] button[value=limit]`)
	b.sees("search answers 429 now")
	var refused answerOf
	eventually(t, "the gateway answers 429", func() bool {
		refused = shop("/search", "alice")
		return refused.status == http.StatusTooManyRequests
	})
	for _, field := range []string{"RateLimit", "RateLimit-Policy", "Retry-After"} {
		if refused.header.Get(field) == "" {
			t.Errorf("the refusal has no %s", field)
		}
	}
	g.settled()
	b.until("the counter says so", `Number(document.querySelector("#limited-search").innerText) > 0`)
	b.clickAway(`a[href="/limits/limit/search"]`)
	b.sees("What it did")
	b.until("it says on whom", `document.querySelector('a[href^="/sessions/"]')`)
	b.accessible("a limit")
	b.fits("a limit")
	b.shot("limit")
	b.clickAway(`form[action="/limits/limit/search/action"] button[value=tag]`)
	b.sees("search only tags now")
	eventually(t, "it passes again", func() bool { return shop("/search", "alice").status == http.StatusOK })

	t.Log("a user is denied")
	if a := shop("/items/1", "mallory"); a.status != http.StatusOK {
		t.Fatal(a.status)
	}
	g.settled()
	b.visit("/limits/denylist")
	b.sees("Nothing is refused")
	b.clickAway(`main a[href="/limits/denylist/new"]`)
	b.accessible("a new entry")
	b.fits("a new entry")
	b.clickAway(`main button.danger`)
	b.sees("no name")
	b.accessible("an entry with a fault")
	b.fill("#user", "mallory")
	b.fill("#reason", injected)
	b.fill("#for", "2h")
	b.clickAway(`main button.danger`)
	b.sees("It is refused in every gateway within a second.")
	b.sees(injected)
	eventually(t, "the next request is refused", func() bool { return shop("/items/2", "mallory").status == http.StatusUnauthorized })
	if a := shop("/items/2", "alice"); a.status != http.StatusOK {
		t.Errorf("somebody else is answered %d", a.status)
	}
	g.settled()
	b.visit("/limits/denylist?q=mallory")
	b.until("it says how many it refused", `[...document.querySelectorAll("#entries td.number a")].some(e => Number(e.innerText) > 0)`)
	b.accessible("the denylist")
	b.fits("the denylist")
	b.shot("denylist")
	b.clickAway(`#entries td.number a`)
	b.until("the sessions that it hit are listed", `location.pathname === "/sessions" && document.body.innerText.includes("mallory")`)
	b.visit("/limits/denylist")
	b.clickAway(`#entries td.actions-cell a`)
	b.accessible("a question")
	b.clickAway(`main button.danger`)
	b.sees("is taken back")
	eventually(t, "it passes again", func() bool { return shop("/items/3", "mallory").status == http.StatusOK })

	t.Log("an entry whose time is over goes away by itself")
	b.visit("/limits/denylist/new?user=zoe&for=12s")
	b.clickAway(`main button.danger`)
	b.sees("zoe")
	b.until("it is gone", `!document.querySelector("#entries")?.innerText.includes("zoe")`)

	t.Log("a validation of tokens")
	b.visit("/limits/jwt/new")
	b.fill("#metadata-name", "api")
	b.fill("#spec-jwks", `{"keys":[{"kty":"OKP","crv":"Ed25519","kid":"a","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}]}`)
	b.fill("#spec-endpoints", "GET */private")
	b.click("#spec-required")
	b.accessible("a new validation")
	b.fits("a new validation")
	b.clickAway(`.form-actions button[value=save]`)
	b.sees("api is there, and in force")
	if a := shop("/private", "alice"); a.status != http.StatusOK {
		t.Errorf("a validation that only tags answers %d", a.status)
	}
	b.visit("/limits/jwt")
	b.clickAway(`form[action="/limits/validation/api/action"] button[value=block]`)
	b.sees("api refuses now")
	eventually(t, "a request without a token is refused", func() bool { return shop("/private", "alice").status == http.StatusUnauthorized })
	g.settled()
	b.until("the counter says so", `Number(document.querySelector("#blocked-api").innerText) > 0`)
	b.accessible("validations")
	b.fits("validations")
	b.shot("validations")

	text := s.run("get", "Limit", "search").want(0).stdout
	if !strings.Contains(text, "action: tag") || !strings.Contains(text, fmt.Sprintf("count: %d", 3)) {
		t.Errorf("the limit is\n%s", text)
	}
}
