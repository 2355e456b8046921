package test

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/input"
	cdplog "github.com/chromedp/cdproto/log"
	cdppage "github.com/chromedp/cdproto/page"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"
)

// tab is a page in a real browser, with a profile of its own. Whatever the browser complains of fails the test: exceptions
// of scripts, and what the content security policy refuses.
type tab struct {
	t    testing.TB
	ctx  context.Context
	base string

	mu       sync.Mutex
	wrong    []string
	expected []string // parts of complaints that the test provokes
}

// The sizes of windows that pages are looked at in.
const (
	desktopWidth, desktopHeight = 1440, 900
	laptopWidth                 = 1280
	phoneWidth, phoneHeight     = 360, 740
	wideWidth, wideHeight       = 3840, 2160
)

// browse opens a browser. base is put in front of addresses that begin with a slash.
func browse(t testing.TB, base string) *tab {
	t.Helper()
	need(t, "chromium")
	profile := t.TempDir()
	options := append(chromedp.DefaultExecAllocatorOptions[:], chromedp.ExecPath("chromium"), chromedp.NoSandbox, chromedp.UserDataDir(profile),
		chromedp.WindowSize(desktopWidth, desktopHeight), chromedp.Flag("disable-dev-shm-usage", true), chromedp.Flag("disable-quic", true),
		chromedp.Flag("hide-scrollbars", true), chromedp.Env("HOME="+profile, "TZ=UTC"), chromedp.WSURLReadTimeout(soon))
	allocator, end := chromedp.NewExecAllocator(context.Background(), options...)
	t.Cleanup(end)
	ctx, stop := chromedp.NewContext(allocator)
	t.Cleanup(stop)
	b := &tab{t: t, ctx: ctx, base: base}
	chromedp.ListenTarget(ctx, b.listen)
	if err := chromedp.Run(ctx, cdplog.Enable(), runtime.Enable()); err != nil {
		t.Fatalf("the browser does not start: %v", err)
	}
	t.Cleanup(b.complaints)
	return b
}

func (b *tab) listen(event any) {
	var wrong string
	switch e := event.(type) {
	case *runtime.EventExceptionThrown:
		wrong = "exception: " + e.ExceptionDetails.Error()
	case *cdplog.EventEntryAdded:
		if e.Entry.Level == cdplog.LevelError && e.Entry.Source != cdplog.SourceNetwork {
			wrong = string(e.Entry.Source) + ": " + e.Entry.Text
		}
	case *cdppage.EventJavascriptDialogOpening:
		wrong = "a script opened a dialog: " + e.Message // an injected one: the console has no such dialogs
		go func() { _ = chromedp.Run(b.ctx, cdppage.HandleJavaScriptDialog(true)) }()
	}
	if wrong != "" {
		b.mu.Lock()
		b.wrong = append(b.wrong, wrong)
		b.mu.Unlock()
	}
}

func (b *tab) complaints() {
	b.mu.Lock()
	defer b.mu.Unlock()
next:
	for _, w := range b.wrong {
		for _, e := range b.expected {
			if strings.Contains(w, e) {
				continue next
			}
		}
		b.t.Errorf("the browser complains: %s", w)
	}
}

// do runs actions, within the time that things may take.
func (b *tab) do(what string, actions ...chromedp.Action) {
	b.t.Helper()
	ctx, stop := context.WithTimeout(b.ctx, soon)
	defer stop()
	if err := chromedp.Run(ctx, actions...); err != nil {
		var text string
		_ = chromedp.Run(b.ctx, chromedp.Evaluate(`location.href + "\n" + document.body?.innerText.slice(0, 2000)`, &text))
		b.shot("failed")
		b.t.Fatalf("%s: %v; the page is %s", what, err, text)
	}
}

// visit goes to a page and waits until it is loaded.
func (b *tab) visit(path string) {
	b.t.Helper()
	if strings.HasPrefix(path, "/") {
		path = b.base + path
	}
	b.do("visit "+path, chromedp.Navigate(path), chromedp.WaitReady("body"))
}

// found waits until a CSS selector finds something that can be seen, brings it into view, and returns where its middle is,
// when nothing is loading that may move it. It asks scripts only: what the library keeps of the page's nodes is wrong for
// moments after a page is left.
func (b *tab) found(selector string) (x, y float64) {
	b.t.Helper()
	find := visible(selector)
	b.until("the page shows "+selector, `document.readyState === "complete" && !document.querySelector(".htmx-request") && `+find)
	at := value[[]float64](b, `(() => {
		const e = `+find+`;
		const r = e.getBoundingClientRect();
		if (r.top < 0 || r.bottom > innerHeight || r.left < 0 || r.right > innerWidth) e.scrollIntoView({block: "center", inline: "center", behavior: "instant"});
		const n = e.getBoundingClientRect();
		return [n.x + n.width / 2, n.y + n.height / 2];
	})()`)
	return at[0], at[1]
}

// visible is the first element that a selector finds and that can be seen, in JavaScript.
func visible(selector string) string {
	return fmt.Sprintf(`[...document.querySelectorAll(%s)].find(e => e.checkVisibility({checkVisibilityCSS: true}) && e.getBoundingClientRect().width > 0)`, script(selector))
}

// click clicks with the mouse on what a CSS selector finds first that can be seen.
func (b *tab) click(selector string) {
	b.t.Helper()
	x, y := b.found(selector)
	b.do("click "+selector, chromedp.MouseClickXY(x, y))
}

// clickAway clicks what leads to another page, and waits until that is loaded.
func (b *tab) clickAway(selector string) {
	b.t.Helper()
	b.do("mark the page", chromedp.Evaluate(`window.__before = true; 0`, nil))
	b.click(selector)
	b.until("another page is loaded after a click on "+selector, `!window.__before && document.readyState === "complete"`)
}

// fill replaces what a field holds, by the keyboard.
func (b *tab) fill(selector, text string) {
	b.t.Helper()
	b.found(selector)
	b.do("go to "+selector, chromedp.Evaluate(fmt.Sprintf(`{ const e = %s; e.focus(); e.select?.(); 0 }`, visible(selector)), nil))
	b.do("fill "+selector, chromedp.KeyEvent(kb.Backspace), input.InsertText(text))
}

// choose chooses an option of a select element by its value, as a person would: the element hears of it.
func (b *tab) choose(selector, value string) {
	b.t.Helper()
	b.found(selector)
	b.do("choose "+value+" of "+selector, chromedp.Evaluate(fmt.Sprintf(
		`{ const s = %s; s.value = %s; s.dispatchEvent(new Event("input", {bubbles: true})); s.dispatchEvent(new Event("change", {bubbles: true})); 0 }`,
		visible(selector), script(value)), nil))
}

// press presses keys where the focus is.
func (b *tab) press(keys ...string) {
	b.t.Helper()
	for _, k := range keys {
		if k != kb.Enter {
			b.do("press a key", chromedp.KeyEvent(k))
			continue
		}
		// As a keyboard does it: what prevents the key going down prevents the character too, and so the form being sent.
		down := input.DispatchKeyEvent(input.KeyDown).WithKey("Enter").WithCode("Enter").WithText("\r").WithWindowsVirtualKeyCode(enterCode)
		up := input.DispatchKeyEvent(input.KeyUp).WithKey("Enter").WithCode("Enter").WithWindowsVirtualKeyCode(enterCode)
		b.do("press Enter", down, up)
	}
}

// scroll makes the page show what a selector finds first.
func (b *tab) scroll(selector string) {
	b.t.Helper()
	b.until("there is "+selector, "document.querySelector("+script(selector)+")")
	b.do("scroll to "+selector, chromedp.Evaluate("document.querySelector("+script(selector)+`).scrollIntoView({block: "center", behavior: "instant"})`, nil))
}

// back goes to the page before, as the button of the browser does.
func (b *tab) back() {
	b.t.Helper()
	b.do("go back", chromedp.NavigateBack(), chromedp.WaitReady("body"))
}

const enterCode = 13

// text is the text of what a selector finds first, as it is seen.
func (b *tab) text(selector string) string {
	b.t.Helper()
	var out string
	b.until("there is "+selector, "document.querySelector("+script(selector)+")")
	b.do("read "+selector, chromedp.Evaluate(fmt.Sprintf(`document.querySelector(%s).innerText`, script(selector)), &out))
	return out
}

// value evaluates an expression of JavaScript.
func value[T any](b *tab, expression string) T {
	b.t.Helper()
	var out T
	b.do("evaluate "+expression, chromedp.Evaluate(expression, &out))
	return out
}

// until waits until an expression of JavaScript is true.
func (b *tab) until(what, expression string) {
	b.t.Helper()
	deadline := time.Now().Add(soon)
	for {
		var holds bool
		err := chromedp.Run(b.ctx, chromedp.Evaluate("Boolean("+expression+")", &holds))
		if err == nil && holds {
			return
		}
		if time.Now().After(deadline) {
			b.shot("failed")
			var text string
			_ = chromedp.Run(b.ctx, chromedp.Evaluate(`location.href + "\n" + document.body?.innerText.slice(0, 2000)`, &text))
			b.t.Fatalf("it is not so that %s (%v); the page is %s", what, err, text)
		}
		time.Sleep(20 * time.Millisecond)
	}
}

// sees waits until the page shows a text. A space at which no line ends counts as any other.
func (b *tab) sees(text string) {
	b.t.Helper()
	b.until("the page shows "+text, `document.body?.innerText.replaceAll("\u00a0", " ").includes(`+script(text)+")")
}

// size makes the window another size.
func (b *tab) size(width, height int64) {
	b.t.Helper()
	b.do("resize", emulation.SetDeviceMetricsOverride(width, height, 1, false))
}

// dark makes the system prefer the dark, or the light.
func (b *tab) dark(on bool) {
	b.t.Helper()
	scheme := "light"
	if on {
		scheme = "dark"
	}
	b.do("set the scheme", emulation.SetEmulatedMedia().WithFeatures([]*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: scheme}}))
}

// drag drags with the mouse from one place of an element to another, both as shares of its width.
func (b *tab) drag(selector string, from, to float64) {
	b.t.Helper()
	type box struct{ X, Y, Width, Height float64 }
	b.found(selector)
	r := value[box](b, fmt.Sprintf(`(() => { const r = %s.getBoundingClientRect(); return {X: r.x, Y: r.y, Width: r.width, Height: r.height} })()`, visible(selector)))
	y := r.Y + r.Height/2
	b.do("drag over "+selector, chromedp.MouseEvent("mouseMoved", r.X+from*r.Width, y), chromedp.MouseEvent("mousePressed", r.X+from*r.Width, y, chromedp.ButtonLeft, chromedp.ClickCount(1)),
		chromedp.MouseEvent("mouseMoved", r.X+(from+to)/2*r.Width, y, chromedp.ButtonLeft), chromedp.MouseEvent("mouseMoved", r.X+to*r.Width, y, chromedp.ButtonLeft),
		chromedp.MouseEvent("mouseReleased", r.X+to*r.Width, y, chromedp.ButtonLeft, chromedp.ClickCount(1)))
}

// shot keeps a picture of the whole page in the folder that SESHAT_SCREENSHOTS names, where somebody wants to look.
func (b *tab) shot(name string) {
	b.t.Helper()
	folder := os.Getenv("SESHAT_SCREENSHOTS")
	if folder == "" {
		return
	}
	var picture []byte
	if err := chromedp.Run(b.ctx, chromedp.CaptureScreenshot(&picture)); err != nil {
		b.t.Logf("no picture: %v", err)
		return
	}
	name = strings.NewReplacer("/", "_", " ", "-").Replace(b.t.Name() + "-" + name)
	if err := os.WriteFile(filepath.Join(folder, name+".png"), picture, 0o600); err != nil {
		b.t.Logf("no picture: %v", err)
	}
}

// violation is what axe finds wrong with a page.
type violation struct {
	ID, Impact, Help string
	Nodes            []struct {
		HTML           string
		FailureSummary string `json:"failureSummary"`
	}
}

// accessible has axe look for what WCAG 2.2 AA does not allow, in the light and in the dark.
func (b *tab) accessible(name string) {
	b.t.Helper()
	axe, err := os.ReadFile(component(b.t, "axe-core-*", "node_modules/axe-core/axe.min.js"))
	if err != nil {
		b.t.Fatal(err)
	}
	for _, dark := range []bool{false, true} {
		b.dark(dark)
		b.do("load axe", chromedp.Evaluate(string(axe)+"; 0", nil))
		var found []violation
		b.do("run axe", chromedp.Evaluate(`axe.run(document, {runOnly: ["wcag2a","wcag2aa","wcag21a","wcag21aa","wcag22aa","best-practice"]}).then(r => r.violations)`, &found,
			func(p *runtime.EvaluateParams) *runtime.EvaluateParams { return p.WithAwaitPromise(true) }))
		for _, v := range found {
			for i, n := range v.Nodes {
				if i < 3 {
					b.t.Errorf("%s (dark: %v): %s (%s): %s\n%s\n%s", name, dark, v.ID, v.Impact, v.Help, n.HTML, n.FailureSummary)
				}
			}
		}
	}
	b.dark(false)
}

// steady fails when a page moves under its reader's hands while it loads: when its cumulative layout shift is more than
// what web vitals call good.
func (b *tab) steady(name string) {
	b.t.Helper()
	const good = 0.1
	b.until(name+" is loaded", `document.readyState === "complete" && !document.querySelector(".htmx-request")`)
	var shift float64
	b.do("measure the layout shift", chromedp.Evaluate(`new Promise(resolve => {
		let shift = 0;
		const add = entries => entries.forEach(e => { if (!e.hadRecentInput) shift += e.value });
		const observer = new PerformanceObserver(list => add(list.getEntries()));
		observer.observe({type: "layout-shift", buffered: true});
		requestAnimationFrame(() => requestAnimationFrame(() => { add(observer.takeRecords()); resolve(shift) }));
	})`, &shift, func(p *runtime.EvaluateParams) *runtime.EvaluateParams { return p.WithAwaitPromise(true) }))
	b.t.Logf("%s: layout shift %.3f", name, shift)
	if shift > good {
		b.shot(name + "-shifted")
		b.t.Errorf("%s shifts by %.2f while it loads: more than %.1f", name, shift, good)
	}
}

// fits fails when the page is wider than its window: nothing but tables and charts may scroll sideways, by themselves.
func (b *tab) fits(name string) {
	b.t.Helper()
	for _, size := range [][2]int64{{phoneWidth, phoneHeight}, {desktopWidth, desktopHeight}, {wideWidth, wideHeight}} {
		b.size(size[0], size[1])
		if over := value[int](b, `document.documentElement.scrollWidth - document.documentElement.clientWidth`); over > 0 {
			b.shot(fmt.Sprint(name, "-too-wide-", size[0]))
			widest := value[string](b, `[...document.querySelectorAll("main *")].filter(e => e.getBoundingClientRect().right > document.documentElement.clientWidth + 1 && !e.closest(".table-wrap, pre, .diff, .tabs, .chart")).slice(0, 3).map(e => e.outerHTML.slice(0, 160)).join("\n")`)
			b.t.Errorf("%s is %d pixels wider than a window of %d:\n%s", name, over, size[0], widest)
		}
		b.shot(fmt.Sprint(name, "-", size[0]))
	}
	b.size(desktopWidth, desktopHeight)
}

// script is a value as JavaScript writes it.
func script(v any) string {
	text, err := json.Marshal(v)
	if err != nil {
		panic(err) // tests give texts
	}
	return string(text)
}
