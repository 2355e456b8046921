package demo

import (
	"fmt"
	"html"
	"maps"
	"net/http"
	"slices"
	"strings"
)

// style is what makes the page readable, on a telephone and in the dark too.
const style = `<meta name=viewport content="width=device-width"><style>
:root{color-scheme:light dark}body{font:1rem/1.6 system-ui,sans-serif;max-width:42rem;margin:2rem auto;padding:0 1rem}
form{display:inline-block;margin:0 .5rem .5rem 0}button{font:inherit;padding:.25rem .75rem}a{margin-right:.75rem}</style>`

// page answers with what a person sees: where one can go, and who one can be.
func page(w http.ResponseWriter, status int, title, user string) {
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.WriteHeader(status)
	var b strings.Builder
	title = html.EscapeString(title)
	fmt.Fprintf(&b, "<!doctype html><html lang=en><meta charset=utf-8><title>%s</title>\n%s\n<h1>%[1]s</h1>\n", title, style)
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
