package web

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"unicode/utf16"

	"github.com/seshat-project/seshat"
	"github.com/seshat-project/seshat/internal/api/client"
	"github.com/seshat-project/seshat/internal/api/wire"
	"github.com/seshat-project/seshat/internal/console/ui"
)

var errNoPage = &seshat.Error{
	Kind: seshat.ErrorNotFound, Err: errors.New("there is no page at this address"), Hint: "the navigation leads to every page there is",
}

var errForged = &wire.Problem{
	Status: http.StatusForbidden, Title: "The page is not yours any more", Kind: "invalid",
	Detail: "What was sent does not come from a page that was made for this session, and nothing was changed.",
	Hint:   "load the page again, and repeat it",
}

// Problem is what an error of the API is to somebody who looks at a page.
func Problem(err error) *wire.Problem {
	if errors.Is(err, context.Canceled) {
		return &wire.Problem{Status: http.StatusServiceUnavailable, Title: "Interrupted", Detail: "The request was given up."}
	}
	return wire.NewProblem(err)
}

// fail answers with what went wrong.
func (q *Request) fail(err error) {
	if errors.Is(err, client.ErrSignedOut) {
		q.signIn()
		return
	}
	p := Problem(err)
	if p.Status >= http.StatusInternalServerError && p.Status != http.StatusServiceUnavailable {
		q.site.Logger.ErrorContext(q.Context(), "a page failed", "path", q.URL.Path, "error", err)
	}
	if q.Fragment() {
		q.W.Header().Set("Seshat-Problem", line(p))
		q.W.Header().Set("HX-Reswap", "none")
		q.W.WriteHeader(p.Status)
		return
	}
	title := heading(p)
	page := ui.Page{Title: title}
	if err := q.PageStatus(p.Status, page, problemPage(p)); err != nil {
		http.Error(q.W, title, p.Status)
	}
}

// heading is what a page of a problem is called.
func heading(p *wire.Problem) string {
	if p.Status == http.StatusNotFound {
		return "Nothing here"
	}
	return p.Title
}

// sentence makes a sentence of what the API says for programs and people alike, which begins in lower case as errors do.
// What begins with anything but a plain word stays: the names of fields and of commands are written as they are.
func sentence(text string) string {
	word, _, more := strings.Cut(text, " ")
	plain := func(r rune) bool { return r >= 'a' && r <= 'z' }
	if !more || word == "" || word == "seshat" || strings.TrimFunc(word, plain) != "" {
		return text
	}
	text = string(text[0]-'a'+'A') + text[1:]
	if !strings.HasSuffix(text, ".") {
		text += "."
	}
	return text
}

// signIn leads somebody who is not signed in to where they can, and back again afterwards.
func (q *Request) signIn() {
	to := SignIn
	if q.Method == http.MethodGet && !q.Fragment() && q.URL.Path != "/" {
		to += "?next=" + url.QueryEscape(q.URL.RequestURI())
	}
	if q.Fragment() {
		q.W.Header().Set("HX-Redirect", SignIn)
		q.W.WriteHeader(http.StatusUnauthorized)
		return
	}
	http.Redirect(q.W, q.Request, to, http.StatusSeeOther)
}

// SignIn is the page where people sign in.
const SignIn = "/sign-in"

// line is a problem in one line of plain characters, as a field of a response may have.
func line(p *wire.Problem) string {
	text := p.Detail
	if text == "" {
		text = p.Title
	}
	if p.Hint != "" {
		text += " (" + p.Hint + ")"
	}
	out := make([]rune, 0, len(text))
	for _, r := range text {
		if r < ' ' || r > '~' {
			r = ' '
		}
		out = append(out, r)
	}
	return string(out[:min(len(out), maxFlash)])
}

// quote is a text as JSON in ASCII, as a field of a response may have it.
func quote(text string) string {
	plain, err := json.Marshal(strings.ToValidUTF8(text, ""))
	if err != nil {
		return `""`
	}
	var out strings.Builder
	for _, r := range string(plain) {
		switch {
		case r <= '~':
			out.WriteRune(r)
		case utf16.IsSurrogate(r) || r > 0xFFFF:
			high, low := utf16.EncodeRune(r)
			fmt.Fprintf(&out, `\u%04x\u%04x`, high, low)
		default:
			fmt.Fprintf(&out, `\u%04x`, r)
		}
	}
	return out.String()
}
