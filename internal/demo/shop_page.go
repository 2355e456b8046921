package demo

import (
	"fmt"
	"html"
	"maps"
	"net/http"
	"slices"
	"strings"
)

// page answers with what a person sees: where one can go, and who one can be.
func page(w http.ResponseWriter, status int, title, user string) {
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.WriteHeader(status)
	var b strings.Builder
	title = html.EscapeString(title)
	fmt.Fprintf(&b, "<!doctype html><html lang=en><meta charset=utf-8><title>%s</title>\n<h1>%[1]s</h1>\n", title)
	b.WriteString(`<p><a href="/">Home</a> <a href="/products">Products</a> <a href="/products/7">Product 7</a> <a href="/account">Account</a></p>` + "\n")
	if user == "" {
		b.WriteString("<p>Sign in as</p>\n")
		for _, name := range slices.Sorted(maps.Keys(Users())) {
			fmt.Fprintf(&b, `<form method=post action=/login><input type=hidden name=username value=%q><input type=hidden name=password value=%q>`+
				"<button>%[1]s</button></form>\n", name, Users()[name])
		}
	} else {
		fmt.Fprintf(&b, "<p>Signed in as %s</p>\n", html.EscapeString(user))
		for _, do := range []struct{ path, text string }{{"/cart", "Put in the cart"}, {"/orders", "Order"}, {"/logout", "Sign out"}} {
			fmt.Fprintf(&b, "<form method=post action=%s><button>%s</button></form>\n", do.path, do.text)
		}
	}
	b.WriteString("<p>The demo shop of Seshat.</p>\n")
	_, _ = w.Write([]byte(b.String())) // the client may be gone
}
