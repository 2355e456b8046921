package revoked

import (
	"slices"
	"strings"

	"github.com/seshat-project/seshat"
	"github.com/seshat-project/seshat/internal/filter"
)

// rewrite returns a filter that means to the store what expr means to those who see refused sessions as revoked: each
// term about the state of a session, or about why it ended, looks at the list first.
func (r *Reader) rewrite(expr filter.Expr) filter.Expr {
	if len(r.byID)+len(r.byUser)+len(r.others) == 0 {
		return expr
	}
	switch e := expr.(type) {
	case *filter.And:
		var out filter.Expr
		for _, one := range e.Exprs {
			out = all(out, r.rewrite(one))
		}
		return out
	case *filter.Or:
		return anyOf(r.rewriteAll(e.Exprs))
	case *filter.Not:
		return negate(r.rewrite(e.Expr))
	case *filter.Term:
		var as string
		switch e.Field.Name {
		case "state":
			as = string(seshat.StateRevoked)
		case "ended_by":
			as = string(seshat.EndRevoked)
		default:
			return e
		}
		refused := r.refused()
		if holds(e, as) {
			return either(e, refused)
		}
		return all(e, negate(refused))
	default: // a bare word is not looked for in either
		return expr
	}
}

func (r *Reader) rewriteAll(exprs []filter.Expr) []filter.Expr {
	out := make([]filter.Expr, len(exprs))
	for i, e := range exprs {
		out[i] = r.rewrite(e)
	}
	return out
}

// holds reports whether a term about an enumeration holds of value.
func holds(t *filter.Term, value string) bool {
	return slices.ContainsFunc(t.Tests, func(test filter.Test) bool {
		return test.Op == filter.OpExists || test.Op == filter.OpEqual && test.Value.Text == value
	})
}

// refused is the expression that holds of the sessions that the list refuses; see covers.
func (r *Reader) refused() filter.Expr {
	var named, users, lasting []filter.Expr
	if len(r.byID) > 0 {
		ids := term("session_id")
		for id := range r.byID {
			ids.Tests = append(ids.Tests, equal(id.String()))
		}
		slices.SortFunc(ids.Tests, compareTexts)
		ended := term("ended_by", equal(string(seshat.EndLogout)), equal(string(seshat.EndUserSwitch)), equal(string(seshat.EndRefused)))
		named = append(named, all(ids, negate(ended)))
	}
	for i := range r.denials {
		d := &r.denials[i]
		if !d.Session.IsZero() || d.Issuer != "" || d.User == "" && d.IssuedBefore.IsZero() {
			continue
		}
		var who filter.Expr
		if d.User != "" {
			who = term("user", equal(strings.ToLower(d.User)))
		}
		if !d.IssuedBefore.IsZero() {
			before := term("first_seen", filter.Test{Op: filter.OpLess, Value: filter.Value{Time: d.IssuedBefore.UTC()}})
			who = all(who, before)
		}
		users = append(users, who)
	}
	if len(users) > 0 {
		open := term("state", equal(string(seshat.StateActive)), equal(string(seshat.StateIdle)))
		lasting = append(lasting, all(anyOf(users), open))
	}
	return anyOf(append(named, lasting...))
}

func term(field string, tests ...filter.Test) *filter.Term {
	return &filter.Term{Field: filter.Sessions().Lookup(field), Tests: tests}
}

func equal(text string) filter.Test {
	return filter.Test{Op: filter.OpEqual, Value: filter.Value{Text: text}}
}

func compareTexts(a, b filter.Test) int {
	switch {
	case a.Value.Text < b.Value.Text:
		return -1
	case a.Value.Text > b.Value.Text:
		return 1
	default:
		return 0
	}
}
