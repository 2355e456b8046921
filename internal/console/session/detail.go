package session

import (
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"strings"

	"golang.org/x/sync/errgroup"

	"github.com/seshat-project/seshat"
	"github.com/seshat-project/seshat/internal/api/wire"
	"github.com/seshat-project/seshat/internal/console/ui"
	"github.com/seshat-project/seshat/internal/console/web"
)

// detailOf is everything that is kept of an exchange.
type detailOf struct {
	id       seshat.SessionID
	x        *wire.Exchange
	why      []string
	curl     string
	json     string
	revealed bool // client session IDs are shown as they are stored
}

// detail is an exchange in full: a row below its row, or a page of its own.
func detail(q *web.Request) error {
	v, err := parse(q)
	if err != nil {
		return err
	}
	d := &detailOf{id: v.ID, revealed: q.Param("reveal") == "true"}
	var links []seshat.Link
	group, ctx := errgroup.WithContext(q.Context())
	group.Go(func() (err error) {
		d.x, err = q.API.WireExchange(ctx, q.PathValue("key"), d.revealed)
		return err
	})
	group.Go(func() (err error) {
		links, err = q.API.Lineage(ctx, v.ID)
		return err
	})
	if err := group.Wait(); err != nil {
		return err
	}
	if d.x.SessionID != v.ID.String() {
		return &seshat.Error{Kind: seshat.ErrorNotFound, Err: errors.New("the exchange is not one of this session"), Hint: "it belongs to " + d.x.SessionID}
	}
	d.why, d.curl = because(d.x, links), curl(d.x)
	text, err := json.MarshalIndent(d.x, "", "  ")
	if err != nil {
		return err
	}
	d.json = string(text)
	if q.Fragment() {
		return q.Render(detailRow(d))
	}
	return q.Page(ui.Page{
		Title: "Exchange " + d.x.Key, Heading: clip(d.x.Method+" "+place(d.x), mostTitle), Subtitle: ui.Stamp(d.x.Time) + " UTC", Section: ui.SectionSessions,
		Crumbs:  []ui.Crumb{{Name: "Sessions", URL: "/sessions"}, {Name: "Session " + ui.Abbreviate(v.ID.String()), URL: anchor(v.ID, d.x.Key)}},
		Scripts: []string{"session.js"}, Styles: []string{"session.css"},
	}, detailPage(d))
}

// revealAddress is where the client session IDs of an exchange are shown as they are stored.
func revealAddress(d *detailOf) string { return detailAddress(d.id.String(), d.x) + "?reveal=true" }

// because says in words why an exchange belongs to its session, from what is kept of it and of the session's lineage.
func because(x *wire.Exchange, links []seshat.Link) []string {
	if x.Grouping < 0 || x.Grouping >= len(x.ClientSessionIDs) {
		return []string{"Nothing is kept of what identified it."}
	}
	id := &x.ClientSessionIDs[x.Grouping]
	var out []string
	if id.Origin == seshat.OriginFallback.String() {
		out = append(out, "No session ID was found in it, so "+kindWords(id.Kind)+" stand in for one.")
	} else {
		out = append(out, sentence(finder(id)+" found the "+kindWords(id.Kind)+" "+masked(id.Masked, id.Kind)+" in "+whereabouts(id)+"."))
	}
	if n := len(x.ClientSessionIDs); n > 1 {
		out = append(out, fmt.Sprintf("It is tried as number %d of the %d that were found, and decides.", x.Grouping+1, n))
	}
	for i := range links {
		l := &links[i]
		if l.To != id.Digest || id.Digest.IsZero() {
			continue
		}
		if wire.KeyText(l.Exchange) == x.Key {
			out = append(out, "This exchange brought it into the session: "+evidence(l.Evidence)+".")
			return out
		}
		text := "It is of this session since " + ui.Stamp(l.Time) + " UTC: " + evidence(l.Evidence)
		if l.Score < 1 {
			text += fmt.Sprintf(" (score %.2f)", l.Score)
		}
		return append(out, text+".")
	}
	switch {
	case id.Origin == seshat.OriginFallback.String():
		if len(links) > 0 && !onlyFallback(links) {
			out = append(out, "It was the only session of its device at the time, so the exchange was taken for a part of it.")
		}
	default:
		out = append(out, "The lineage of the session does not name it: what else the exchange shows leads here.")
	}
	return out
}

func onlyFallback(links []seshat.Link) bool {
	for i := range links {
		if links[i].Kind != seshat.KindUserAgent && links[i].Kind != seshat.KindAddress {
			return false
		}
	}
	return true
}

func finder(id *wire.ClientSessionID) string {
	if id.Origin == seshat.OriginRule.String() {
		return "session rule " + id.Name + " (identifier " + strconv.Itoa(id.Index) + ")"
	}
	return "the built-in identifier " + id.Name
}

func whereabouts(id *wire.ClientSessionID) string {
	place := map[string]string{
		"header": "header", "cookie": "cookie", "query": "query parameter", "pathSegment": "path segment", "pathParameter": "path parameter",
		"body": "body", "clientIP": "client address", "userAgent": "user agent", "ja4": "TLS fingerprint",
	}[id.Location]
	switch {
	case place == "":
		return "the " + id.Side
	case id.Field == "":
		return "the " + place + " of the " + id.Side
	default:
		return "the " + place + " " + id.Field + " of the " + id.Side
	}
}

func sentence(text string) string {
	if text == "" {
		return ""
	}
	return strings.ToUpper(text[:1]) + text[1:]
}

// verdictWords says what was decided on an exchange, and by what.
func verdictWords(v *wire.Verdict) string {
	if v == nil {
		return "Nothing stood against it."
	}
	by := ""
	if v.By != "" {
		by = " by " + v.By
	}
	switch v.Action {
	case "tag":
		return "Passed on, and tagged" + by + "."
	case "limit":
		return "Refused for a while (429)" + by + ": the origin did not see it."
	case "block":
		return "Refused" + by + ": the origin did not see it."
	default:
		return "Passed on."
	}
}

// leads is where what decided can be looked at; empty when there is no such page.
func leads(by string) string {
	kind, _, found := strings.Cut(by, "/")
	switch {
	case found && kind == "Limit":
		return "/limits"
	case found && kind == "Denylist":
		return "/limits/denylist"
	default:
		return ""
	}
}
