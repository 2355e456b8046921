package duckdb

import (
	"context"
	"database/sql"
	"fmt"
	"slices"
	"time"

	"github.com/seshat-project/seshat/internal/filter"
	"github.com/seshat-project/seshat/internal/store"
)

// subset is the rows that are added up, as a statement that makes tables of them one after the other, in a WITH clause.
type subset struct {
	condition
	dataset store.Dataset
	merges  bool
	// pairs are the dimensions of sessions that are read of exchanges, by their written form: see sessionPairs.
	pairs map[string]dimension
	// rows selects exchanges. It is written out wherever they are read: DuckDB 1.4 takes columns for others where it copies
	// a table of a WITH clause into several places (NOT MATERIALIZED), and to make a table of all of them takes long.
	rows   exchangeQuery
	within numberBounds // of the rows, where they are of exchanges
}

// table begins to make another table, which ends with a parenthesis.
func (x *subset) table(name string) {
	if x.sql.Len() == 0 {
		x.write("WITH ")
	} else {
		x.write(", ")
	}
	x.write(name + " AS MATERIALIZED (")
}

// from writes the rows, as a table e.
func (x *subset) from() {
	if x.dataset == store.DatasetSessions {
		x.write(" FROM x e")
		return
	}
	x.write(" FROM (SELECT * FROM exchanges e WHERE "+x.rows.sql+") e", x.rows.args...)
}

// dimension is how the values of a dimension are read.
func (x *subset) dimension(d *store.Dimension) dimension {
	if x.dataset != store.DatasetSessions {
		return exchangeDimension(d, x.merges, x.within)
	}
	if one, ok := sessionDimension(d); ok {
		return one
	}
	return x.pairs[d.String()]
}

// subset begins a statement over the rows that q selects, with what dimensions and other fields of them are read from. Of
// sessions it makes the table x.
func (s *Store) subset(ctx context.Context, q *store.Subset, by []store.Dimension, others ...*filter.Field) (*subset, error) {
	merges, err := s.hasMerges(ctx)
	if err != nil {
		return nil, err
	}
	x := &subset{dataset: q.Dataset, merges: merges}
	if q.Dataset == store.DatasetSessions {
		return x, s.sessionSubset(ctx, x, q, by, others)
	}
	where, found, err := s.exchangeWhere(ctx, q.Query, merges)
	if err != nil {
		return nil, err
	}
	if x.rows = where; !found {
		x.rows.sql = "false"
	}
	if len(by) > 0 {
		x.within, err = s.numbersWithin(ctx, q.Since, q.Until)
	}
	return x, err
}

// numberBounds are the least and the greatest of the numbers that some exchanges have. What is kept under other numbers
// need not be read; numbers grow with time, more or less.
type numberBounds struct{ contexts, identities, sessions numberRange }

type numberRange struct {
	known       bool
	least, most int64
}

func (r numberRange) sql(column string) string {
	if !r.known {
		return ""
	}
	return fmt.Sprintf(" AND %s BETWEEN %d AND %d", column, r.least, r.most)
}

// numbersWithin returns the bounds of what was seen within a time. Nothing is known of what is not bounded.
func (s *Store) numbersWithin(ctx context.Context, since, until time.Time) (b numberBounds, err error) {
	if since.IsZero() && until.IsZero() {
		return b, nil
	}
	w := condition{}
	w.write(`SELECT min(nullif(context_no, 0)), max(context_no), min(nullif(identity_no, 0)), max(identity_no), min(session_no), max(session_no)
		FROM exchanges WHERE true`)
	if !since.IsZero() {
		w.write(" AND time >= ?", store.Time(since))
	}
	if !until.IsZero() {
		w.write(" AND time < ?", store.Time(until))
	}
	var least, most [3]sql.NullInt64
	err = s.queryRow(ctx, []any{&least[0], &most[0], &least[1], &most[1], &least[2], &most[2]}, w.sql.String(), w.args...)
	for i, r := range []*numberRange{&b.contexts, &b.identities, &b.sessions} {
		*r = numberRange{known: true, least: least[i].Int64, most: most[i].Int64}
	}
	return b, err
}

// sessionSubset makes a row of each session: its numbers, and the facts that the dimensions need.
func (s *Store) sessionSubset(ctx context.Context, x *subset, q *store.Subset, by []store.Dimension, others []*filter.Field) error {
	where := sessionWhere{merges: x.merges, now: q.Now}
	plain, counting := conjuncts(q.Filter)
	where.filter(plain)
	if !q.Since.IsZero() {
		where.write(" AND g.last_seen >= ?", store.Time(q.Since))
	}
	if !q.Until.IsZero() {
		where.write(" AND g.first_seen < ?", store.Time(q.Until))
	}
	if !q.Session.IsZero() {
		members, err := s.members(ctx, q.Session, x.merges)
		if err != nil {
			return err
		}
		where.write(" AND g.session = ?::UUID", members.session.String())
	}
	seen := store.Time(q.Since)
	if asksActive(q.Filter) && !q.Now.IsZero() {
		active, err := s.activeSince(ctx, q.Now)
		if err != nil {
			return err
		}
		if active.After(seen) {
			seen = active
		}
	}
	columns := sessionWhere{merges: x.merges, now: q.Now, facts: where.facts}
	for i := range by {
		others = append(others, by[i].Field)
	}
	columns.columns(others, q.Revoked)
	if x.merges {
		x.write(canonicalOf())
	}
	rows := x.wantedSessions(rollupsSince(seen, x.merges), &where, counting, columns.facts, columns.counts, false)
	x.table("x")
	x.write("SELECT g.session, g.no, g.last_no, g.first_seen, g.last_seen, g.exchanges, g.errors, g.refused")
	x.write(columns.sql.String(), columns.args...)
	x.write(" FROM "+rows.sql.String()+")", rows.args...)
	x.pairs = map[string]dimension{}
	for i := range by {
		name := by[i].String()
		if _, ok := sessionDimension(&by[i]); ok || x.pairs[name].Field != nil {
			continue
		}
		if len(x.pairs) == 0 {
			x.writeMembers("members", "x")
		}
		x.pairs[name] = x.sessionPairs(&by[i], len(x.pairs))
	}
	return nil
}

// sessionPairs makes a table of sessions with the values that their exchanges have of a dimension, each pair once. Both are
// numbers as long as they can be: there are a hundred times as many exchanges as there are values.
func (x *subset) sessionPairs(of *store.Dimension, place int) dimension {
	inner := exchangeDimension(of, x.merges, numberBounds{})
	numbers, pairs := fmt.Sprintf("sn%d", place), fmt.Sprintf("sp%d", place)
	if inner.lookup != "" {
		x.writeNumbers(&inner, fmt.Sprintf("sb%d", place), numbers)
	}
	x.table(pairs)
	x.write("SELECT DISTINCT m.no AS k")
	for i, sql := range inner.group(numbers) {
		x.write(fmt.Sprintf(", %s AS g%d", sql, i))
	}
	x.write(" FROM exchanges e JOIN members m ON m.session_no = e.session_no")
	if inner.lookup != "" {
		if !inner.mixed && !inner.always { // the others have no value
			x.write(" JOIN ")
		} else {
			x.write(" LEFT JOIN ")
		}
		x.write(numbers + " ON " + numbers + ".k = " + inner.keys[0])
	}
	x.write(")")
	value, names := inner.expr("p.g", "n"), ""
	switch {
	case inner.plain():
		value = "p.g0"
	case inner.lookup != "":
		names = " LEFT JOIN (SELECT DISTINCT id, v FROM " + numbers + ") n ON n.id = p.g0"
	}
	return dimension{
		Dimension: *of, keys: []string{"e.no"}, many: true, value: "{l}.v",
		lookup: "SELECT k, v FROM (SELECT p.k, " + value + " AS v FROM " + pairs + " p" + names + ") WHERE v IS NOT NULL",
	}
}

// writeNumbers makes the table numbers, of the keys of a dimension with the values that they stand for and a number for each
// different value.
func (x *subset) writeNumbers(d *dimension, base, numbers string) {
	x.table(base)
	x.write(d.lookup+")", d.args...)
	x.table(numbers)
	x.write("SELECT b.k, b.v, n.id FROM " + base + " b JOIN (SELECT v, row_number() OVER () AS id FROM (SELECT DISTINCT v FROM " + base + ")) n ON n.v = b.v)")
}

// groupedSessions adds up the rows of sessions, and reads some of their facts.
func groupedSessions(from string, facts []string) string {
	sql := `SELECT session, min(session_no) AS no, max(session_no) AS last_no, min(first_seen) AS first_seen, max(last_seen) AS last_seen, sum(exchanges) AS exchanges,
			sum(errors) AS errors, sum(refused) AS refused, min(environment) AS environment`
	if len(facts) > 0 {
		sql += ", " + factsOf(facts) + " AS facts"
	}
	return sql + " FROM " + from + " GROUP BY session HAVING sum(exchanges) > 0"
}

// columns writes the columns of sessions that fields are read from, but for those that are always there.
func (w *sessionWhere) columns(fields []*filter.Field, revoked filter.Expr) {
	written := map[string]bool{}
	for _, f := range fields {
		name := f.Name
		if written[name] {
			continue
		}
		written[name] = true
		switch name {
		case "environment", "user", "identified_by":
			col, _ := w.column(name)
			w.write(", " + col.sql + ` AS "` + name + `"`)
		case "confidence", "addresses", "networks", "user_agents", "users":
			col, _ := w.column(name)
			w.write(", " + col.sql + " AS " + name)
		case "role":
			w.need("roles")
			w.write(", coalesce(g.facts.roles, '') AS roles")
		case "state":
			w.write(", ")
			w.unlessRevoked(revoked, "revoked", w.stateOf)
			w.write(" AS state")
		case "ended_by":
			w.write(", ")
			w.unlessRevoked(revoked, "revoked", func() {
				col, _ := w.column(name)
				w.write(col.sql)
			})
			w.write(" AS ended_by")
		}
	}
}

// unlessRevoked writes what otherwise writes, but for sessions that are revoked.
func (w *sessionWhere) unlessRevoked(revoked filter.Expr, as string, otherwise func()) {
	if revoked == nil {
		otherwise()
		return
	}
	w.write("CASE WHEN ")
	w.filter(revoked)
	w.write(" THEN '" + as + "' ELSE ")
	otherwise()
	w.write(" END")
}

// wanted are the dimensions that a query groups by or counts the values of, and the fields that it measures.
func wanted(q *store.AggregateQuery) (by []store.Dimension, fields []*filter.Field) {
	by = slices.Clone(q.By)
	for i := range q.Measures {
		if m := &q.Measures[i]; isUnique(m) {
			by = append(by, m.Of)
		} else if m.Field != nil {
			fields = append(fields, m.Field)
		}
	}
	return by, fields
}
