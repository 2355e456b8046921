package session

import (
	"context"
	"strings"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/seshat-project/seshat"
	"github.com/seshat-project/seshat/internal/api/wire"
	"github.com/seshat-project/seshat/internal/console/ui"
	"github.com/seshat-project/seshat/internal/console/web"
)

// list is a part of the exchanges of a session.
type list struct {
	rows []wire.Exchange
	// before is the exchange that is shown before the first row, and after the one that comes behind the last row and is
	// shown by the next part: what changed from one exchange to the next is said of every row.
	before, after *wire.Exchange
	cursor        string
	// since and until are what was asked for: what comes behind the cursor is asked for with the same.
	since, until string
	labels       map[string][]label
	newestFirst  bool
}

// label is something special about an exchange.
type label struct{ kind, text string }

// load reads the part that the view asks for.
func (l *list) load(ctx context.Context, q *web.Request, v *view) error {
	l.newestFirst = v.NewestFirst
	var held *wire.Exchange
	var page *wire.Page[wire.Exchange]
	group, ctx := errgroup.WithContext(ctx)
	if v.Hold != "" {
		group.Go(func() (err error) {
			held, err = q.API.WireExchange(ctx, v.Hold, false)
			return err
		})
	}
	group.Go(func() error {
		asked := v.list()
		if v.At != "" {
			at, err := q.API.WireExchange(ctx, v.At, false)
			if err != nil {
				return err
			}
			if v.NewestFirst {
				asked.Until = stamp(at.Time.Add(time.Microsecond)) // until is not included
			} else {
				asked.Since = stamp(at.Time)
			}
		}
		l.since, l.until = asked.Since, asked.Until
		var err error
		page, err = q.API.SessionExchangePage(ctx, v.ID, asked)
		return err
	})
	if err := group.Wait(); err != nil {
		return err
	}
	l.rows, l.cursor = page.Items, page.NextCursor
	switch {
	case held != nil && l.newestFirst:
		l.rows = append([]wire.Exchange{*held}, l.rows...)
	case held != nil:
		l.before = held
	}
	if l.newestFirst && l.cursor != "" && len(l.rows) > 1 { // what came before the last row is not known yet
		l.after = &l.rows[len(l.rows)-1]
		l.rows = l.rows[:len(l.rows)-1]
	}
	return nil
}

// hold is the key of the exchange that the next part has to know.
func (l *list) hold() string {
	switch {
	case l.after != nil:
		return l.after.Key
	case len(l.rows) > 0:
		return l.rows[len(l.rows)-1].Key
	default:
		return ""
	}
}

// earlier is the exchange before a row in time, as far as it is shown; nil for none.
func (l *list) earlier(i int) *wire.Exchange {
	if l.newestFirst {
		if i+1 < len(l.rows) {
			return &l.rows[i+1]
		}
		return l.after
	}
	if i > 0 {
		return &l.rows[i-1]
	}
	return l.before
}

// delta is how long after the one before an exchange came.
func (l *list) delta(i int) string {
	before := l.earlier(i)
	if before == nil {
		return ""
	}
	return "+" + ui.Length(max(0, l.rows[i].Time.Sub(before.Time)))
}

// note says of exchanges which client session IDs joined by them.
func (l *list) note(links []seshat.Link) {
	l.labels = map[string][]label{}
	for i := range links {
		link := &links[i]
		text, kind := "", "info"
		switch link.Evidence {
		case seshat.EvidenceRotation:
			text = "ID rotated"
		case seshat.EvidenceRefresh:
			text = "refreshed"
		case seshat.EvidenceIssued:
			text = "new " + kindWords(link.Kind.String())
		case seshat.EvidenceSharedClaim:
			text = "joined by a shared claim"
		case seshat.EvidenceDevice, seshat.EvidenceTakeover:
			text, kind = "joined by inference", "warn"
		case seshat.EvidenceFirst, seshat.EvidencePresented:
			continue
		default:
			continue
		}
		key := wire.KeyText(link.Exchange)
		if known := l.labels[key]; len(known) == 0 || known[len(known)-1].text != text {
			l.labels[key] = append(known, label{kind, text})
		}
	}
}

// marks are what is special about a row.
func (l *list) marks(i int) []label {
	x := &l.rows[i]
	var out []label
	if v := x.Verdict; v != nil {
		kind := map[string]string{"tag": "info", "limit": "warn", "block": "bad"}[v.Action]
		if v.By != "" {
			out = append(out, label{kind, v.Action + " by " + v.By})
		} else if v.Action != "allow" {
			out = append(out, label{kind, v.Action})
		}
		for _, tag := range v.Tags {
			if tag != v.By {
				out = append(out, label{"info", "tagged by " + tag})
			}
		}
	}
	for _, f := range x.Flows {
		out = append(out, label{"outline", flowWords(f, x.Status)})
	}
	out = append(out, l.labels[x.Key]...)
	for j := range x.ClientSessionIDs {
		if x.ClientSessionIDs[j].Deleted {
			out = append(out, label{"", "ID deleted"})
			break
		}
	}
	before := l.earlier(i)
	if before == nil {
		return out
	}
	if x.IP.IsValid() && before.IP.IsValid() && x.IP.Unmap() != before.IP.Unmap() {
		out = append(out, label{"warn", "from " + x.IP.Unmap().String()})
	}
	if x.UserAgent != "" && before.UserAgent != "" && x.UserAgent != before.UserAgent {
		out = append(out, label{"warn", "with " + program(x.UserAgent)})
	}
	if x.JA4 != "" && before.JA4 != "" && x.JA4 != before.JA4 {
		out = append(out, label{"warn", "other TLS fingerprint"})
	}
	return out
}

func flowWords(f wire.Flow, status int) string {
	failed := status >= 400 || status == 0
	switch seshat.FlowType(f.Type) {
	case seshat.FlowAuthentication:
		if failed {
			return "sign-in refused"
		}
		return "sign-in"
	case seshat.FlowTokenRefresh:
		if failed {
			return "token refresh refused"
		}
		return "token refresh"
	case seshat.FlowLogout:
		return "sign-out"
	case seshat.FlowAccountCreation:
		return "account creation"
	default:
		return f.Name
	}
}

// place is what an exchange asked for, without its method.
func place(x *wire.Exchange) string {
	if x.Template == "" || x.Template == x.Path {
		return x.Path
	}
	return strings.TrimPrefix(x.Endpoint, x.Method+" "+x.Host)
}

func took(ms float64) string {
	if ms == 0 {
		return "–"
	}
	return ui.Length(time.Duration(ms * float64(time.Millisecond)))
}

// next is the address of the part behind this one, of the page or of its rows.
func (p *page) next(part string) string {
	return p.address(part, "at", "", "since", p.list.since, "until", p.list.until, "cursor", p.list.cursor, "hold", p.list.hold())
}

// more is the next part of the list.
func more(q *web.Request) error {
	v, err := parse(q)
	if err != nil {
		return err
	}
	p := &page{view: v}
	group, ctx := errgroup.WithContext(q.Context())
	group.Go(func() error { return p.list.load(ctx, q, &p.view) })
	group.Go(func() (err error) {
		p.lineage, err = q.API.Lineage(ctx, v.ID)
		return err
	})
	group.Go(func() (err error) {
		p.session, err = q.API.SessionWithDenials(ctx, v.ID)
		return err
	})
	if err := group.Wait(); err != nil {
		return err
	}
	p.list.note(p.lineage)
	return q.Render(rows(p))
}
