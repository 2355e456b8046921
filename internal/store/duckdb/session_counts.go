package duckdb

import (
	"fmt"
	"math"
	"slices"
	"strings"

	"github.com/seshat-project/seshat/internal/filter"
	"github.com/seshat-project/seshat/internal/store"
)

// countSQL is a query of how many different values the exchanges of sessions have: rows of the number of a session, no, and
// the count, n. Sessions without a value have none. What it reads of sessions is a table of their numbers, {members}.
//
// Nothing is kept of these counts: what rows of sessions say cannot be added up where two of them have seen the same. So
// each pair of a session and a value is made once. Texts are long, and have numbers: pairs are made of numbers first.
func countSQL(field string) (string, bool) {
	const exchanges = " FROM exchanges e JOIN {members} m ON m.session_no = e.session_no "
	pairs := ""
	switch field {
	case "addresses":
		pairs = "SELECT DISTINCT m.no, e.ip_high, e.ip_low" + exchanges + "WHERE e.ip_high <> 0 OR e.ip_low <> 0"
	case "networks":
		pairs = "SELECT DISTINCT m.no, " + networkSQL() + exchanges + "WHERE e.ip_high <> 0 OR e.ip_low <> 0"
	case "user_agents":
		pairs = "SELECT DISTINCT m.no, a.same" + exchanges + `JOIN (SELECT agent_no, min(agent_no) OVER (PARTITION BY user_agent) AS same
			FROM agents WHERE user_agent <> '') a ON a.agent_no = e.agent_no`
	case "users":
		pairs = "SELECT DISTINCT p.no, lower(c.value) FROM (SELECT DISTINCT m.no, e.context_no" + exchanges + fmt.Sprintf(`WHERE e.context_no <> 0) p
			JOIN contexts c ON c.context_no = p.context_no WHERE c.kind = %d AND c.type = 'user' AND c.value <> ''`, contextParameter)
	default:
		return "", false
	}
	return "SELECT no, count(*) AS n FROM (" + pairs + ") GROUP BY no", true
}

// networkSQL is what tells the network of the address of an exchange e from others, as [store.NetworkOf] makes it: two
// numbers. The second one is 0 of IPv6, and never of IPv4.
func networkSQL() string {
	ipv4 := fmt.Sprintf("e.ip_high = 0 AND e.ip_low >> 32 = %d", mappedIPv4)
	return fmt.Sprintf("CASE WHEN %s THEN 0 ELSE e.ip_high >> %d END AS high, CASE WHEN %s THEN e.ip_low >> %d ELSE 0 END AS low",
		ipv4, 64-store.NetworkBits6, ipv4, 32-store.NetworkBits4)
}

func isCount(field string) bool {
	_, found := countSQL(field)
	return found
}

// conjuncts are the expressions that must all hold for e to hold: first those that a session's own row and its exchanges
// decide, then those that need counts. The fewer sessions are counted, the faster it is.
func conjuncts(e filter.Expr) (plain filter.Expr, counting []filter.Expr) {
	if e == nil || !needsCounts(e) {
		return e, nil
	}
	and, ok := e.(*filter.And)
	if !ok {
		return nil, []filter.Expr{e}
	}
	var rest []filter.Expr
	for _, one := range and.Exprs {
		inner, more := conjuncts(one)
		if inner != nil {
			rest = append(rest, inner)
		}
		counting = append(counting, more...)
	}
	switch len(rest) {
	case 0:
		return nil, counting
	case 1:
		return rest[0], counting
	default:
		return &filter.And{Exprs: rest}, counting
	}
}

func needsCounts(e filter.Expr) bool {
	switch e := e.(type) {
	case *filter.And:
		return slices.ContainsFunc(e.Exprs, needsCounts)
	case *filter.Or:
		return slices.ContainsFunc(e.Exprs, needsCounts)
	case *filter.Not:
		return needsCounts(e.Expr)
	case *filter.Term:
		return isCount(e.Field.Name)
	default:
		return false
	}
}

// leastExchanges is how many exchanges a session has at least that passes an expression; 0 where nothing is known. There are
// not more addresses than exchanges, and most sessions are short.
func leastExchanges(e filter.Expr) float64 {
	t, ok := e.(*filter.Term)
	if !ok || !isCount(t.Field.Name) || t.Field.Name == "users" { // an exchange may name several
		return 0
	}
	least := math.Inf(1)
	for i := range t.Tests {
		switch test := &t.Tests[i]; test.Op {
		case filter.OpGreater:
			least = min(least, math.Floor(test.Value.Number)+1)
		case filter.OpEqual, filter.OpGreaterEqual, filter.OpRange:
			least = min(least, math.Ceil(test.Value.Number))
		default:
			return 0
		}
	}
	return least
}

// wantedSessions writes the tables that say which sessions pass a condition over their rows, which are read by from, and
// expressions that need counts. It returns what follows FROM: rows g with the columns of [groupedSessions], and the counts of
// these expressions and others. Lean is for who tells sessions apart and sorts them, and no more: where the expressions need no
// more either, the tables have just that.
func (x *subset) wantedSessions(from *condition, where *sessionWhere, counting []filter.Expr, facts, counts []string, lean bool) *condition {
	rows := &condition{}
	steps := make([]*sessionWhere, len(counting))
	for i, e := range counting {
		steps[i] = &sessionWhere{merges: where.merges, now: where.now, facts: facts}
		steps[i].filter(e)
		facts = steps[i].facts
		lean = lean && onlyCounts(e)
		if least := leastExchanges(e); least > 1 {
			where.write(" AND g.exchanges >= ?", least)
		}
	}
	if len(counts) > 0 {
		steps = append(steps, &sessionWhere{counts: counts})
		steps[len(steps)-1].filter(nil)
	}
	rows.write("("+groupedSessions(from.sql.String(), facts)+") g WHERE ", from.args...)
	rows.write(where.sql.String(), where.args...)
	if len(steps) == 0 {
		return rows
	}
	x.table("step0")
	if lean { // what is read several times is written into memory, with all of its columns
		x.write("SELECT session, no, last_no, last_seen FROM ")
	} else {
		x.write("SELECT * FROM ")
	}
	x.write(rows.sql.String()+")", rows.args...)
	var have []string
	for i, step := range steps {
		var fields []string
		for _, field := range step.counts {
			if !slices.Contains(have, field) {
				fields = append(fields, field)
			}
		}
		have = append(have, fields...)
		x.writeCounts(i, fields, &step.condition)
	}
	rows = &condition{}
	rows.write(fmt.Sprintf("step%d g WHERE true", len(steps)))
	return rows
}

// writeCounts makes the table of the next step: the sessions of a step with more counts, those that pass a condition.
func (x *subset) writeCounts(step int, fields []string, where *condition) {
	sessions, members := fmt.Sprintf("step%d", step), fmt.Sprintf("members%d", step)
	if len(fields) > 0 {
		x.writeMembers(members, sessions)
	}
	var columns, joins strings.Builder
	for _, field := range fields {
		sql, _ := countSQL(field)
		x.table("count_" + field)
		x.write(strings.ReplaceAll(sql, "{members}", members) + ")")
		fmt.Fprintf(&columns, ", coalesce(count_%[1]s.n, 0) AS %[1]s", field)
		fmt.Fprintf(&joins, " LEFT JOIN count_%[1]s ON count_%[1]s.no = s.no", field)
	}
	x.table(fmt.Sprintf("step%d", step+1))
	x.write("SELECT * FROM (SELECT s.*" + columns.String() + " FROM " + sessions + " s" + joins.String() + ") g WHERE ")
	x.write(where.sql.String()+")", where.args...)
}

// writeMembers makes a table of the numbers of sessions, session_no, each with the least one of its session, no.
func (x *subset) writeMembers(members, sessions string) {
	x.table(members)
	x.write("SELECT no AS session_no, no FROM " + sessions + " WHERE no = last_no UNION ALL SELECT DISTINCT r.session_no, x.no FROM " +
		rollupRows(x.merges) + " r JOIN (SELECT session, no FROM " + sessions + " WHERE no < last_no) x ON x.session = r.session)") // days later
}

// onlyCounts reports whether an expression is about counts alone.
func onlyCounts(e filter.Expr) bool {
	switch e := e.(type) {
	case *filter.And:
		return !slices.ContainsFunc(e.Exprs, func(one filter.Expr) bool { return !onlyCounts(one) })
	case *filter.Or:
		return !slices.ContainsFunc(e.Exprs, func(one filter.Expr) bool { return !onlyCounts(one) })
	case *filter.Not:
		return onlyCounts(e.Expr)
	case *filter.Term:
		return isCount(e.Field.Name)
	default:
		return false
	}
}
