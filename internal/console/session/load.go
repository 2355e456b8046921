package session

import (
	"context"
	"errors"
	"net/http"

	"golang.org/x/sync/errgroup"

	"github.com/seshat-project/seshat"
	"github.com/seshat-project/seshat/internal/api/wire"
	"github.com/seshat-project/seshat/internal/console/ui"
	"github.com/seshat-project/seshat/internal/console/web"
)

const (
	// mostAtOnce is how many exchanges a session may have whose timeline is a part of the page. That of a longer one is
	// loaded behind it, so that the page is there at once.
	mostAtOnce = 3_000
	// leastPrefix is how short the beginning of a session ID may be that leads to the session.
	leastPrefix = 6
)

// page is what the page shows.
type page struct {
	view
	session  *wire.Session
	timeline *wire.Timeline // nil when it is loaded behind the page
	lineage  []seshat.Link
	list     list
	bar      ui.FilterBar
	origin   string // of what identifies the session
	now      now
	status   int
}

func show(q *web.Request) error {
	v, err := parse(q)
	if err != nil {
		return byPrefix(q, err)
	}
	session, err := q.API.SessionWithDenials(q.Context(), v.ID)
	if err != nil {
		return err
	}
	if session.ID != v.ID { // it was merged into another
		return q.Redirect(web.Address(address(session.ID), q.URL.Query()))
	}
	p := &page{view: v, session: session, bar: v.bar(), now: now{q.Now}, status: http.StatusOK}
	group, ctx := errgroup.WithContext(q.Context())
	group.Go(func() error { return p.loadList(ctx, q) })
	group.Go(func() (err error) {
		p.lineage, err = q.API.Lineage(ctx, v.ID)
		return err
	})
	if session.Exchanges <= mostAtOnce {
		group.Go(func() error { return p.loadTimeline(ctx, q) })
	}
	if err := group.Wait(); err != nil {
		return err
	}
	p.list.note(p.lineage)
	p.origin = originOf(session, p.list.rows)
	return q.PageStatus(p.status, ui.Page{
		Title: "Session of " + clip(who(session), mostTitle), Heading: "Session", Subtitle: v.ID.String(),
		Section: ui.SectionSessions, Crumbs: []ui.Crumb{{Name: "Sessions", URL: "/sessions"}}, Actions: actions(p),
		Scripts: []string{"filter.js", "brush.js", "session.js"}, Styles: []string{"session.css"},
	}, body(p))
}

// byPrefix leads from the beginning of a session ID to the session.
func byPrefix(q *web.Request, otherwise error) error {
	prefix := q.PathValue("id")
	if len(prefix) < leastPrefix {
		return otherwise
	}
	ids, err := q.API.FindSessions(q.Context(), prefix, 2)
	switch {
	case err != nil:
		return err
	case len(ids) == 1:
		return q.Redirect(address(ids[0]))
	case len(ids) > 1:
		return &seshat.Error{
			Kind: seshat.ErrorNotFound, Err: errors.New("several sessions have IDs that begin with this"), Hint: "the filter session:" + prefix + "* lists them",
		}
	}
	return otherwise
}

func (p *page) loadTimeline(ctx context.Context, q *web.Request) (err error) {
	p.timeline, err = q.API.Timeline(ctx, p.ID, p.since(), p.Range.Until, bins)
	return err
}

// loadList reads the exchanges of the view; what is wrong with its filter is shown beside that.
func (p *page) loadList(ctx context.Context, q *web.Request) error {
	err := p.list.load(ctx, q, &p.view)
	if err == nil {
		return nil
	}
	column, detail, hint, status, ok := wrongFilter(err)
	if !ok {
		return err
	}
	p.bar.Column, p.bar.Wrong, p.bar.Hint, p.status = column, detail, hint, status
	return nil
}

// mostTitle is how many characters of a user's name are in the title of a window.
const mostTitle = 60

// mostLater is how many of the sessions that follow a session are shown.
const mostLater = 5

// later is the part of the page that leads to the sessions that came after this one in the same client.
func later(q *web.Request) error {
	v, err := parse(q)
	if err != nil {
		return err
	}
	session, err := q.API.SessionWithDenials(q.Context(), v.ID)
	if err != nil {
		return err
	}
	list := v.list()
	list.Filter, list.Until, list.Limit, list.OldestFirst, list.Cursor = "previous_session_id:"+v.ID.String(), "", mostLater, true, ""
	list.Since = stamp(session.FirstSeen)
	page, err := q.API.SessionPage(q.Context(), list)
	if err != nil {
		return err
	}
	return q.Render(laterSessions(&v, page))
}
