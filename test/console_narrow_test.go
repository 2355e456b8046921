package test

import (
	"testing"

	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"
)

// TestConsoleMenu goes through the sections of the console on a phone with the keyboard: what does not fit beside each
// other is a menu, and nothing is out of sight.
func TestConsoleMenu(t *testing.T) {
	const open = `document.querySelector("#sections").matches(":popover-open")`
	b := asAdmin(t, consoleTraffic(t, 2, 1))
	b.visit("/rules")
	b.until("a wide window has all sections and no menu", `!document.querySelector("[popovertarget]").checkVisibility() &&
		[...document.querySelectorAll("#sections a")].filter(a => a.checkVisibility()).length === 7`)

	b.size(phoneWidth, phoneHeight)
	b.until("a narrow one has a menu, which is closed", `document.querySelector("[popovertarget]").checkVisibility() && !document.querySelector("#sections a").checkVisibility()`)
	b.do("focus", chromedp.Focus("[popovertarget]"))
	b.press(kb.Enter)
	b.until("it opens", open)
	b.until("all of it is in sight", `[...document.querySelectorAll("#sections a")].every(a => {
		const r = a.getBoundingClientRect();
		return r.left >= 0 && r.right <= innerWidth && r.top >= 0 && r.bottom <= innerHeight && r.height >= 44;
	})`)
	b.accessible("the menu")
	b.shot("menu")
	b.press(kb.Escape)
	b.until("it closes", "!"+open)
	b.click("[popovertarget]")
	b.clickAway(`#sections a[href="/limits"]`)
	b.until("it leads to another page, where it is closed", `location.pathname === "/limits" && document.readyState === "complete" && !`+open)
}
