package session

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"net/http"

	"golang.org/x/sync/errgroup"

	"github.com/seshat-project/seshat"
	"github.com/seshat-project/seshat/internal/api/client"
	"github.com/seshat-project/seshat/internal/api/wire"
	"github.com/seshat-project/seshat/internal/console/web"
)

// goesOn reports whether more may come of a session, so that its page asks for that.
func goesOn(s *wire.Session) bool {
	return s.State == seshat.StateActive || s.State == seshat.StateIdle
}

// version tells one state of a session from another.
func version(s *wire.Session) string {
	text, err := json.Marshal(s)
	if err != nil {
		return "" // its parts are texts and numbers
	}
	sum := sha256.Sum256(text)
	return hex.EncodeToString(sum[:8])
}

// pace is how often a page asks whether there is more. The timeline of a session of many exchanges costs more.
func pace(s *wire.Session) string {
	if s.Exchanges > mostAtOnce {
		return "every 20s"
	}
	return "every 4s"
}

// over is the part of the page that says who, from where and what happened. It answers with nothing when the session is as
// the page shows it already.
func over(q *web.Request) error {
	v, err := parse(q)
	if err != nil {
		return err
	}
	p := &page{view: v, now: now{q.Now}}
	if p.session, err = q.API.SessionWithDenials(q.Context(), v.ID); err != nil {
		return err
	}
	if known := q.Param("v"); known != "" && known == version(p.session) {
		q.W.WriteHeader(http.StatusNoContent)
		return nil
	}
	group, ctx := errgroup.WithContext(q.Context())
	group.Go(func() error { return p.loadTimeline(ctx, q) })
	group.Go(func() (err error) {
		p.lineage, err = q.API.Lineage(ctx, v.ID)
		return err
	})
	group.Go(func() error { // one exchange says by which set of identifiers the session is known
		first, err := q.API.SessionExchangePage(ctx, v.ID, &client.List{OldestFirst: true, Limit: 1})
		if err == nil {
			p.origin = originOf(p.session, first.Items)
		}
		return err
	})
	if err := group.Wait(); err != nil {
		return err
	}
	return q.Render(overview(p))
}

// fresh is the exchanges that came after those that the page shows.
func fresh(q *web.Request) error {
	v, err := parse(q)
	if err != nil {
		return err
	}
	newest, err := q.API.WireExchange(q.Context(), v.Hold, false)
	if err != nil {
		return err
	}
	p := &page{view: v}
	group, ctx := errgroup.WithContext(q.Context())
	group.Go(func() (err error) {
		p.session, err = q.API.SessionWithDenials(ctx, v.ID)
		return err
	})
	group.Go(func() error {
		asked := &client.List{Filter: v.Filter, Since: stamp(newest.Time), OldestFirst: true, Limit: pageSize}
		page, err := q.API.SessionExchangePage(ctx, v.ID, asked)
		if err != nil {
			return err
		}
		for i := range page.Items {
			if x := &page.Items[i]; x.Time.After(newest.Time) || x.Time.Equal(newest.Time) && x.Key > newest.Key {
				p.list.rows = append(p.list.rows, *x)
			}
		}
		return nil
	})
	if err := group.Wait(); err != nil {
		return err
	}
	if len(p.list.rows) == 0 && goesOn(p.session) {
		q.W.WriteHeader(http.StatusNoContent)
		return nil
	}
	if p.lineage, err = q.API.Lineage(q.Context(), v.ID); err != nil {
		return err
	}
	p.list.note(p.lineage)
	p.list.newestFirst = v.NewestFirst
	if !v.NewestFirst {
		p.list.before = newest
		return q.Render(rows(p))
	}
	for i, j := 0, len(p.list.rows)-1; i < j; i, j = i+1, j-1 {
		p.list.rows[i], p.list.rows[j] = p.list.rows[j], p.list.rows[i]
	}
	p.list.after = newest
	return q.Render(rows(p))
}

// tail is the key of the newest exchange of a list, behind which more may come; empty when the list does not reach it, or
// nothing is to come.
func (p *page) tail() string {
	if !goesOn(p.session) || p.Range.Until != "" || len(p.list.rows) == 0 {
		return ""
	}
	if p.NewestFirst {
		if p.Cursor != "" || p.At != "" {
			return "" // the list begins further down
		}
		return p.list.rows[0].Key
	}
	if p.list.cursor != "" {
		return ""
	}
	return p.list.rows[len(p.list.rows)-1].Key
}
