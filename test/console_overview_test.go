package test

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"testing"
)

// TestConsoleOverviewRecovers has a source that is refused all the time look like one, and the page say that it is not live
// while its instance is away, and go on by itself when there is one again.
func TestConsoleOverviewRecovers(t *testing.T) {
	s := fresh(t)
	s.run("apply", "-f", file(t, "rules.yaml", `
apiVersion: seshat/v1
kind: SessionRule
metadata: {name: shop}
spec: {identifiers: [{cookie: SHOP}]}
---
apiVersion: seshat/v1
kind: Limit
metadata: {name: flood}
spec: {endpoints: ["GET */flood"], key: [ip], count: 2, window: 10m, action: limit}
---
apiVersion: seshat/v1
kind: Limit
metadata: {name: seldom}
spec: {endpoints: ["GET */seldom"], key: [ip], count: 1, window: 10m, action: tag}
`)).want(0)
	address, origin := freePort(t), consoleOrigin(t)
	serve := func() *running {
		return s.launch("run", "--api", address, "--listen", "127.0.0.1:0", "--upstream", origin)
	}
	g := serve()
	c := client(t)
	flood := func(times int) {
		for i := range times {
			ask(t, c, "GET", g.gateway+"/flood", "", "Cookie", fmt.Sprintf("SHOP=made-up-%d-0123456789abcdef", i), "User-Agent", "scanner")
		}
	}
	for range 2 {
		ask(t, c, "GET", g.gateway+"/seldom", "", "Cookie", "SHOP=somebody-0123456789abcdef", "User-Agent", "Browser")
	}
	ask(t, c, "GET", g.gateway+"/", "", "User-Agent", "without any ID")
	flood(42)
	g.settled()

	b := asAdmin(t, g)
	b.until("the page is live", `document.getElementById("live")?.textContent === "live"`)
	row := `[...document.querySelectorAll("#verdicts tbody tr")].map(r => r.innerText.replace(/\s+/g, " ")).find(r => r.includes("Limit/flood"))`
	b.until("the flood is one line", row+`?.includes("limit 40 Limit/flood 127.0.0.1 several sessions") && document.querySelectorAll("#verdicts tbody tr").length === 2`)
	b.until("who has no ID is counted apart", `document.getElementById("active").innerText.includes("+ 1 by address")`)
	b.until("so are made-up sessions", `document.getElementById("active").innerText.includes("43 of one request")`)
	flood(5)
	b.until("it is counted on", row+`?.includes("45 Limit/flood")`)
	b.accessible("overview with verdicts")
	b.fits("overview with verdicts")
	b.shot("overview")
	b.dark(true)
	b.shot("overview-dark")
	b.size(phoneWidth, phoneHeight)
	b.fits("overview with verdicts on a phone")
	b.shot("overview-phone")
	b.dark(false)
	b.size(desktopWidth, desktopHeight)
	b.clickAway(`#verdicts a[href^="/explorer"]`)
	b.until("the line leads to its exchanges", `document.querySelectorAll("tbody tr").length === 45`)
	b.visit("/")
	b.until("the page is live", `document.getElementById("live")?.textContent === "live"`)

	// The instance is away, then something answers in its place, as a proxy does, and then it is there again.
	g.kill()
	notLive := `document.getElementById("live")?.textContent.startsWith("not live")`
	b.until("the page says that it is not live", notLive)
	stand, refused := &http.Server{}, make(chan struct{}, 1)
	stand.Handler = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.WriteHeader(http.StatusServiceUnavailable)
		if r.Method == http.MethodHead {
			select {
			case refused <- struct{}{}:
			default:
			}
		}
	})
	listener, err := (&net.ListenConfig{}).Listen(context.Background(), "tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	stood := make(chan error, 1)
	go func() { stood <- stand.Serve(listener) }()
	<-refused // the stream was refused, and the page tries again
	b.until("the page says so", notLive)
	_ = stand.Close()
	if err := <-stood; !errors.Is(err, http.ErrServerClosed) {
		t.Fatal(err)
	}
	g = serve()
	b.until("the page is live again", `document.getElementById("live")?.textContent === "live"`)
	b.until("it shows the new instance", `document.getElementById("verdicts").innerText.includes("Nothing was acted on")`)
	before := value[string](b, `document.querySelector("#figures .note").innerText`)
	visitShop(t, c, g, "newcomer", 25)
	b.until("the figures move again", `document.querySelector("#figures .note").innerText !== `+script(before))
}
