package duckdb

import (
	"slices"
	"strconv"
	"time"

	"github.com/seshat-project/seshat/internal/filter"
	"github.com/seshat-project/seshat/internal/store"
)

// sessionWhere writes conditions over a row g of the sessions that [sessionPage] adds up.
type sessionWhere struct {
	condition
	merges bool
	now    time.Time
	facts  []string // columns of g.facts that the condition needs
	counts []string // fields that count what exchanges have, which are columns of g too; see countSQL
}

// need notes that the condition needs columns of g.facts.
func (w *sessionWhere) need(columns ...string) {
	for _, name := range columns {
		if !slices.Contains(w.facts, name) {
			w.facts = append(w.facts, name)
		}
	}
}

func (w *sessionWhere) filter(e filter.Expr) { w.expr(e, w.term, w.textTerm) }

// column is the column of a field that is one value of the session.
func (w *sessionWhere) column(field string) (column, bool) {
	fact := func(name, sql, absent string) (column, bool) {
		w.need(name)
		return column{sql: sql, absent: absent}, true
	}
	switch field {
	case "environment":
		return column{sql: "coalesce(g.environment, '')", absent: "''"}, true
	case "first_seen", "last_seen", "exchanges", "errors", "refused":
		return column{sql: "g." + field}, true
	case "duration":
		return column{sql: "(epoch_us(g.last_seen) - epoch_us(g.first_seen))"}, true
	case "previous_session_id":
		return fact("previous_id", "coalesce("+w.previous()+"::VARCHAR, '')", "''")
	case "user":
		return fact("user", `coalesce(g.facts."user", '')`, "''")
	case "identified_by":
		return fact(field, "coalesce(g.facts.identified_by, '')", "''")
	case "ended_by": // an end that is still to come has not ended it
		w.need("ended_at")
		now := strconv.FormatInt(store.Time(w.now).UnixMicro(), 10)
		return fact(field, "CASE WHEN coalesce(g.facts.ended_at <= make_timestamp("+now+"), true) THEN coalesce(g.facts.ended_by, '') ELSE '' END", "''")
	case "confidence":
		return fact("confidence", "coalesce(g.facts.confidence, 0)", "")
	default:
		if !isCount(field) {
			return column{}, false
		}
		if !slices.Contains(w.counts, field) {
			w.counts = append(w.counts, field)
		}
		return column{sql: "g." + field}, true
	}
}

// previous is the session before g, after merges; NULL where that is g itself.
func (w *sessionWhere) previous() string {
	if !w.merges {
		return "nullif(g.facts.previous_id, g.session)"
	}
	return "nullif(coalesce((SELECT any_value(session) FROM canonical WHERE session_id = g.facts.previous_id), g.facts.previous_id), g.session)"
}

func (w *sessionWhere) term(t *filter.Term) {
	if col, ok := w.column(t.Field.Name); ok {
		w.tests(t.Field, col, t.Tests)
		return
	}
	switch t.Field.Name {
	case "session_id":
		w.uuids("g.session", t)
	case "state":
		w.anyOf(len(t.Tests), func(i int) { w.state(&t.Tests[i]) })
	case "role":
		w.roles(func(col column) { w.tests(t.Field, col, t.Tests) })
	case "client_session_id":
		w.linked(func(col column) { w.tests(t.Field, col, t.Tests) })
	default:
		w.someExchange(func(inner *exchangeWhere) { inner.term(t) })
	}
}

func (w *sessionWhere) textTerm(t *filter.Text) {
	w.anyOf(len(t.Fields), func(i int) {
		field := t.Fields[i]
		if col, ok := w.column(field.Name); ok {
			w.textIn(col, t.Pattern)
			return
		}
		one := *t
		one.Fields = t.Fields[i : i+1]
		w.someExchange(func(inner *exchangeWhere) { inner.textTerm(&one) })
	})
}

// state writes that the state passes.
func (w *sessionWhere) state(t *filter.Test) {
	if t.Op != filter.OpEqual {
		w.write("true") // every session has a state
		return
	}
	w.stateOf()
	w.write(" = ?", t.Value.Text)
}

// stateOf writes the state by the rule of [store.StateOf].
func (w *sessionWhere) stateOf() {
	w.need("ended_by", "ended_at", "expires_at", "idle_timeout")
	now := store.Time(w.now)
	w.write(`CASE
		WHEN coalesce(g.facts.ended_by, '') <> '' AND coalesce(g.facts.ended_at <= ?, true) THEN
			CASE g.facts.ended_by WHEN 'revoked' THEN 'revoked' WHEN 'expiry' THEN 'expired' ELSE 'ended' END
		WHEN coalesce(g.facts.expires_at <= ? AND g.last_seen < g.facts.expires_at, false) THEN 'expired'
		WHEN epoch_us(?::TIMESTAMP) - epoch_us(g.last_seen) >
			CASE WHEN coalesce(g.facts.idle_timeout, 0) > 0 THEN g.facts.idle_timeout ELSE ? END THEN 'idle'
		ELSE 'active' END`, now, now, now, micros(store.DefaultIdleTimeout))
}

// roles writes that a role passes.
func (w *sessionWhere) roles(pass func(column)) {
	w.need("roles")
	w.write("len(list_filter(string_split(coalesce(g.facts.roles, ''), chr(31)), lambda role: ")
	pass(column{sql: "role", absent: "''"})
	w.write(")) > 0")
}

// linked writes that a client session ID of the session passes.
func (w *sessionWhere) linked(pass func(column)) {
	w.write("g.session IN (" + rollupsOf(w.merges) +
		"SELECT r.session FROM rollups r JOIN links l ON l.session_no = r.session_no WHERE " + ownLinkSQL + " AND ")
	pass(column{sql: "l.masked", absent: "''"})
	w.write(")")
}

// someExchange writes that an exchange of the session passes.
func (w *sessionWhere) someExchange(pass func(*exchangeWhere)) {
	inner := exchangeWhere{merges: w.merges}
	pass(&inner)
	w.write("g.session IN ("+rollupsOf(w.merges)+"SELECT session FROM rollups WHERE session_no IN (SELECT e.session_no FROM exchanges e WHERE "+
		inner.sql.String()+"))", inner.args...)
}
