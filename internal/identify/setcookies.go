package identify

import (
	"github.com/seshat-project/seshat/internal/httpfield"
	"github.com/seshat-project/seshat/internal/rule"
)

// settleCookies leaves one Set-Cookie of each name in the view, at its place. Clients apply them in order: one replaces
// those before it that have its name, domain and path (RFC 6265bis, section 5.7). Of what is then left under a name, the
// last that sets a value counts; a cookie is only taken away when none does. Servers delete the cookie at an old path
// beside setting the new one, which is no logout.
func (w *Worker) settleCookies() {
	w.keepCookies(func(i, j int) bool { return j > i && sameScope(&w.setCookies[i], &w.setCookies[j]) })
	w.keepCookies(func(i, j int) bool {
		if w.takesAway(j) {
			return j > i && w.takesAway(i)
		}
		return j > i || w.takesAway(i)
	})
}

// keepCookies drops every Set-Cookie i to which another one j of its name is preferred.
func (w *Worker) keepCookies(preferred func(i, j int) bool) {
	fields := w.views[viewResponseCookie].fields
	dropped := w.dropped[:0]
	for i := range w.setCookies {
		drop := false
		for j := range w.setCookies {
			if j != i && w.setCookies[j].Name == w.setCookies[i].Name && preferred(i, j) {
				drop = true
				break
			}
		}
		dropped = append(dropped, drop)
	}
	w.dropped = dropped
	kept := 0
	for i, drop := range dropped {
		if !drop {
			fields[kept], w.setCookies[kept] = fields[i], w.setCookies[i]
			kept++
		}
	}
	w.views[viewResponseCookie].fields, w.setCookies = fields[:kept], w.setCookies[:kept]
}

// takesAway reports whether the Set-Cookie at index i leaves the client without the cookie.
func (w *Worker) takesAway(i int) bool {
	c := &w.setCookies[i]
	return c.Value == "" || c.Deleted(w.responseTime())
}

func sameScope(a, b *httpfield.SetCookie) bool {
	return a.Path == b.Path && rule.EqualFoldASCII(a.Domain, b.Domain)
}
