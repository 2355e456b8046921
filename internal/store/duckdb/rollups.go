package duckdb

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/seshat-project/seshat/internal/store"
)

// rollupsOf is a WITH clause that makes "rollups": the rows of the table sessions, each with the session it belongs
// to now. Rows are never rewritten when sessions are merged; readers follow the merges here.
//
// It is meant to be read once: DuckDB writes all columns of what is read several times into memory. [rollupRows] is for
// the other places.
func rollupsOf(merges bool) string {
	if !merges {
		return "WITH rollups AS " + rollupRows(false) + " "
	}
	return canonicalOf() + ", rollups AS " + rollupRows(true) + " "
}

// canonicalOf is a WITH clause that makes "canonical": the sessions that others were merged into, by the IDs of these.
//
// Each step follows twice as many merges as the one before it. A recursive query would say the same, but one that is
// cancelled can wait for itself for ever in DuckDB, on all its threads.
func canonicalOf() string {
	var b strings.Builder
	b.WriteString(`WITH merged1 AS MATERIALIZED
		(SELECT session_id, max_by(merged_into, version) AS session FROM merges GROUP BY session_id)`)
	followed := 1
	for ; followed < store.MaxMerges; followed *= 2 {
		fmt.Fprintf(&b, `, merged%[2]d AS MATERIALIZED (SELECT a.session_id, coalesce(b.session, a.session) AS session
			FROM merged%[1]d a LEFT JOIN merged%[1]d b ON b.session_id = a.session)`, followed, 2*followed)
	}
	fmt.Fprintf(&b, ", canonical AS (SELECT * FROM merged%d)", followed)
	return b.String()
}

// rollupRows is a subquery of what rollups are. Where there are merges, the statement has to make canonical.
func rollupRows(merges bool) string {
	if !merges {
		return "(SELECT *, session_id AS session FROM sessions)"
	}
	return `(SELECT s.*, coalesce(c.session, s.session_id) AS session
		FROM sessions s LEFT JOIN canonical c ON c.session_id = s.session_id)`
}

// seenSince narrows rows to those of sessions that were seen since a time, which is a parameter.
func seenSince(rows string, merges bool) string {
	return "(SELECT * FROM " + rows + " WHERE session IN (SELECT session FROM " + rollupRows(merges) + " WHERE last_seen >= ?))"
}

// rollupsSince is a subquery of the rollups of sessions that were seen since a time; of all when it is zero. Where there are
// merges, the statement has to make canonical.
func rollupsSince(seen time.Time, merges bool) *condition {
	c := &condition{}
	if seen.IsZero() {
		c.write(rollupRows(merges))
	} else {
		c.write(seenSince(rollupRows(merges), merges), seen)
	}
	return c
}

// hasMerges reports whether any session was merged into another one.
func (s *Store) hasMerges(ctx context.Context) (bool, error) {
	var merges bool
	err := s.queryRow(ctx, []any{&merges}, "SELECT EXISTS (SELECT 1 FROM merges)")
	return merges, err
}

// allFacts are the columns of facts.
func allFacts() []string {
	return []string{
		"previous_id", "user", "roles", "ended_at", "ended_by", "expires_at", "idle_timeout", "identified_by", "confidence",
	}
}

// factsOf is the newest facts of a session that stands for itself, as a struct of some of their columns; NULL when
// there are none. The less is asked for, the faster it is.
func factsOf(columns []string) string {
	fields := make([]string, len(columns))
	for i, name := range columns {
		fields[i] = "'" + name + "': \"" + name + "\""
	}
	return "max_by({" + strings.Join(fields, ", ") + "}, version) FILTER (version > 0 AND session_id = session)"
}

// ownLinkSQL selects the links l that stand for a client session ID that somebody gave out: not address and user agent.
const ownLinkSQL = "l.kind NOT IN (7, 8)"
