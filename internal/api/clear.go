package api

import (
	"context"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/seshat-project/seshat"
	"github.com/seshat-project/seshat/internal/api/wire"
	"github.com/seshat-project/seshat/internal/filter"
	secrets "github.com/seshat-project/seshat/internal/protect"
	"github.com/seshat-project/seshat/internal/store"
)

// maskingReader shows client session IDs masked that are stored in clear, because an identifier says "obfuscate: false",
// unless the request asked for them and may have them. It is what every operation reads from, so that none can forget.
type maskingReader struct{ store.Reader }

// isMasked reports whether a text is as [secrets.Mask] makes it: at most four characters, an ellipsis, at most two, and how
// many there were in parentheses.
func isMasked(text string) bool {
	first, rest, found := strings.Cut(text, "…")
	last, count, open := strings.Cut(rest, "(")
	digits, closed := strings.CutSuffix(count, ")")
	n, err := strconv.ParseUint(digits, 10, 32)
	return found && open && closed && err == nil && n > 0 && utf8.RuneCountInString(first) <= 4 && utf8.RuneCountInString(last) <= 2
}

// inClear reports whether a client session ID is stored as it was found. What is masked does not say so; but everything else
// is taken for clear, so that the mistake is to show too little.
func inClear(kind seshat.IDKind, shown string) bool {
	fallback := kind == seshat.KindUserAgent || kind == seshat.KindAddress
	return !fallback && shown != "" && !isMasked(shown)
}

// masked is an exchange as it may be shown.
func masked(x *seshat.Assigned) *seshat.Assigned {
	o := x.Observation
	for i := range o.IDs {
		if !inClear(o.IDs[i].Kind, o.IDs[i].Masked) {
			continue
		}
		kept := *o // it belongs to the store
		kept.IDs = append([]seshat.ObservedID(nil), o.IDs...)
		for j := i; j < len(kept.IDs); j++ {
			if id := &kept.IDs[j]; inClear(id.Kind, id.Masked) {
				id.Masked = secrets.Mask(id.Masked)
			}
		}
		shown := *x
		shown.Observation = &kept
		return &shown
	}
	return x
}

// shown is an exchange as a request may see it.
func shown(ctx context.Context, x *seshat.Assigned) *seshat.Assigned {
	if reveals(ctx) {
		return x
	}
	return masked(x)
}

// Sessions implements [store.Reader].
func (m maskingReader) Sessions(ctx context.Context, q store.Query, yield func(*seshat.Session) bool) error {
	if err := mayAsk(ctx, q.Filter); err != nil {
		return err
	}
	return m.Reader.Sessions(ctx, q, func(one *seshat.Session) bool { return yield(shownSession(ctx, one)) })
}

// Session implements [store.Reader].
func (m maskingReader) Session(ctx context.Context, id seshat.SessionID) (*seshat.Session, error) {
	one, err := m.Reader.Session(ctx, id)
	if err != nil {
		return nil, err
	}
	return shownSession(ctx, one), nil
}

// shownSession is a session as a request may see it. Its list has no IDs that are made of addresses.
func shownSession(ctx context.Context, one *seshat.Session) *seshat.Session {
	if reveals(ctx) || !slices.ContainsFunc(one.ClientSessionIDs, func(id string) bool { return inClear(seshat.KindSession, id) }) {
		return one
	}
	kept := *one // it belongs to the store
	kept.ClientSessionIDs = slices.Clone(one.ClientSessionIDs)
	for i, id := range kept.ClientSessionIDs {
		if inClear(seshat.KindSession, id) {
			kept.ClientSessionIDs[i] = secrets.Mask(id)
		}
	}
	return &kept
}

// Exchanges implements [store.Reader].
func (m maskingReader) Exchanges(ctx context.Context, q store.Query, yield func(*seshat.Assigned) bool) error {
	if err := mayAsk(ctx, q.Filter); err != nil {
		return err
	}
	return m.Reader.Exchanges(ctx, q, func(x *seshat.Assigned) bool { return yield(shown(ctx, x)) })
}

// Exchange implements [store.Reader].
func (m maskingReader) Exchange(ctx context.Context, id string) (*seshat.Assigned, error) {
	x, err := m.Reader.Exchange(ctx, id)
	if err != nil {
		return nil, err
	}
	return shown(ctx, x), nil
}

// Lineage implements [store.Reader].
func (m maskingReader) Lineage(ctx context.Context, id seshat.SessionID) ([]seshat.Link, error) {
	links, err := m.Reader.Lineage(ctx, id)
	if reveals(ctx) {
		return links, err
	}
	for i := range links {
		if l := &links[i]; inClear(l.Kind, l.Masked) {
			l.Masked = secrets.Mask(l.Masked)
		}
	}
	return links, err
}

// Export implements [store.Reader]. The engine writes the file, with what is stored.
func (m maskingReader) Export(ctx context.Context, what store.Dataset, format string, q store.Query, path string) (int64, error) {
	if err := mayAsk(ctx, q.Filter); err != nil {
		return 0, err
	}
	if err := authorize(ctx, ExchangesReveal); err != nil {
		return 0, err
	}
	if n := noted(ctx); !reveals(ctx) {
		n.detail = "in clear where it is stored so"
	}
	return m.Reader.Export(ctx, what, format, q, path)
}

// Aggregate implements [store.Reader].
func (m maskingReader) Aggregate(ctx context.Context, q store.AggregateQuery) (*store.Aggregates, error) {
	if err := mayAsk(ctx, q.Filter); err != nil {
		return nil, err
	}
	out, err := m.Reader.Aggregate(ctx, q)
	if err != nil || reveals(ctx) {
		return out, err
	}
	for i := range q.By {
		if isSessionAttribute(&q.By[i]) {
			for j := range out.Groups {
				maskValue(&out.Groups[j].Values[i])
			}
		}
	}
	return out, nil
}

// Facets implements [store.Reader].
func (m maskingReader) Facets(ctx context.Context, q store.FacetQuery) (*store.Facets, error) {
	if err := mayAsk(ctx, q.Filter); err != nil {
		return nil, err
	}
	out, err := m.Reader.Facets(ctx, q)
	if err != nil || reveals(ctx) {
		return out, err
	}
	for i := range q.By {
		if isSessionAttribute(&q.By[i]) {
			for j := range out.Facets[i].Values {
				maskValue(&out.Facets[i].Values[j].Value)
			}
		}
	}
	return out, nil
}

// Histogram implements [store.Reader].
func (m maskingReader) Histogram(ctx context.Context, q store.HistogramQuery) (*store.Histogram, error) {
	if err := mayAsk(ctx, q.Filter); err != nil {
		return nil, err
	}
	return m.Reader.Histogram(ctx, q)
}

// isSessionAttribute reports whether a dimension is the client session IDs of an identifier.
func isSessionAttribute(d *store.Dimension) bool {
	return d.Field != nil && d.Field.Family && strings.HasPrefix(d.Attribute, sessionAttribute)
}

func maskValue(v *store.Value) {
	if inClear(seshat.KindSession, v.Text) {
		v.Text = secrets.Mask(v.Text)
	}
}

// mayAsk refuses filters that find out what is masked, one character after the other: those with wildcards in client session
// IDs. They are for who may see the whole.
func mayAsk(ctx context.Context, expr filter.Expr) error {
	if expr == nil || authorize(ctx, ExchangesReveal) == nil || !guesses(expr) {
		return nil
	}
	return &wire.Problem{
		Status: http.StatusForbidden, Title: http.StatusText(http.StatusForbidden), Kind: "invalid", Op: "filter",
		Detail: "Wildcards in client session IDs need the permission " + string(ExchangesReveal) + ".",
		Hint:   "ask for the whole of what is shown, or for * alone",
	}
}

// guesses reports whether a filter looks for parts of client session IDs.
func guesses(expr filter.Expr) bool {
	switch e := expr.(type) {
	case *filter.And:
		return anyGuesses(e.Exprs)
	case *filter.Or:
		return anyGuesses(e.Exprs)
	case *filter.Not:
		return guesses(e.Expr)
	case *filter.Term:
		if e.Field.Name != "client_session_id" && (!e.Field.Family || !mayName(e.Attribute)) {
			return false
		}
		for _, test := range e.Tests {
			if test.Op != filter.OpEqual && test.Op != filter.OpExists {
				return true
			}
		}
	}
	return false
}

func anyGuesses(exprs []filter.Expr) bool {
	for _, e := range exprs {
		if guesses(e) {
			return true
		}
	}
	return false
}

// sessionAttribute begins the names of attributes that are client session IDs.
const sessionAttribute = "seshat.session."

// mayName reports whether a pattern of names of attributes can be one of a client session ID.
func mayName(p filter.Pattern) bool {
	if len(p) == 0 {
		return true
	}
	first := p[0]
	if len(p) == 1 {
		return strings.HasPrefix(first, sessionAttribute)
	}
	return strings.HasPrefix(first, sessionAttribute) || strings.HasPrefix(sessionAttribute, first)
}
