package duckdb

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/seshat-project/seshat"
	"github.com/seshat-project/seshat/internal/store"
)

// sessionChunk is how many sessions are read in one go when many are asked for: few enough to stay small in memory,
// and so many that looking through the roll-ups for them does not count.
const sessionChunk = 5_000

// Sessions implements [store.Store]. It first finds which sessions are wanted, from their roll-ups alone, and then
// reads what belongs to them.
func (s *Store) Sessions(ctx context.Context, q store.Query, yield func(*seshat.Session) bool) error {
	defer s.reading(ctx)()
	if err := s.fresh(ctx); err != nil {
		return err
	}
	const op = "list sessions"
	merges, err := s.hasMerges(ctx)
	if err != nil {
		return s.operational(op, err)
	}
	page, err := s.sessionPage(ctx, q, merges)
	if err != nil {
		return s.operational(op, err)
	}
	for len(page) > 0 {
		chunk := page[:min(len(page), sessionChunk)]
		page = page[len(chunk):]
		sessions, err := s.sessionDetails(ctx, chunk, q.Now, merges)
		if err != nil {
			return s.operational(op, err)
		}
		for i := range sessions {
			if !yield(&sessions[i]) {
				return nil
			}
		}
	}
	return nil
}

// candidateExchanges is how many exchanges, about, make the time in which a page of the newest sessions is looked for
// first. More tries than one would cost those filters most that match little.
const candidateExchanges = 100_000

// sessionPage returns the IDs of the sessions that q asks for, in its order. Only where those that were seen lately
// are not enough, all sessions are added up.
func (s *Store) sessionPage(ctx context.Context, q store.Query, merges bool) ([]seshat.SessionID, error) {
	var seen time.Time
	if asksActive(q.Filter) && !q.Now.IsZero() {
		var err error
		if seen, err = s.activeSince(ctx, q.Now); err != nil {
			return nil, err
		}
	}
	if q.Limit > 0 && !q.OldestFirst {
		span, err := s.Span(ctx)
		if err != nil {
			return nil, err
		}
		last := span.Last
		if !q.Until.IsZero() && q.Until.Before(last) {
			last = store.Time(q.Until)
		}
		width := float64(span.Last.Sub(span.First)) * candidateExchanges / float64(max(span.Exchanges, 1))
		since := last.Add(-time.Duration(min(width, float64(span.Last.Sub(span.First)))))
		if since.After(span.First) && since.After(seen) {
			page, err := s.sessionPageOf(ctx, q, merges, since)
			if err != nil || len(page) >= q.Limit {
				return page, err
			}
		}
	}
	return s.sessionPageOf(ctx, q, merges, seen)
}

// sessionPageOf looks among the sessions that were seen since a time; among all when it is zero. Every session that
// is left out comes behind all of those.
func (s *Store) sessionPageOf(ctx context.Context, q store.Query, merges bool, seen time.Time) ([]seshat.SessionID, error) {
	w := sessionWhere{merges: merges, now: q.Now}
	if since := store.Time(q.Since); since.After(seen) {
		seen = since // the others were last seen before: there is no need to add them up
	}
	plain, counting := conjuncts(q.Filter)
	w.filter(plain)
	if !q.Since.IsZero() {
		w.write(" AND g.last_seen >= ?", store.Time(q.Since))
	}
	if !q.Until.IsZero() {
		w.write(" AND g.first_seen < ?", store.Time(q.Until))
	}
	if !q.Session.IsZero() {
		w.write(" AND g.session = ?::UUID", q.Session.String())
	}
	x := subset{merges: merges}
	if merges {
		x.write(canonicalOf())
	}
	rows := x.wantedSessions(rollupsSince(seen, merges), &w, counting, w.facts, nil, true)
	x.write(" SELECT g.session FROM "+rows.sql.String()+" ORDER BY g.last_seen "+direction(q)+", g.session "+direction(q), rows.args...)
	if q.Limit > 0 {
		x.write(" LIMIT ?", q.Limit)
	}
	var page []seshat.SessionID
	err := s.query(ctx, func(rows *sql.Rows) error {
		var id seshat.SessionID
		err := rows.Scan(scanUUID(&id))
		page = append(page, id)
		return err
	}, x.sql.String(), x.args...)
	return page, err
}

func direction(q store.Query) string {
	if q.OldestFirst {
		return "ASC"
	}
	return "DESC"
}

// sessionDetails reads sessions by their IDs and returns them in the same order.
func (s *Store) sessionDetails(ctx context.Context, ids []seshat.SessionID, now time.Time, merges bool) ([]seshat.Session, error) {
	sessions := make([]seshat.Session, len(ids))
	places := make(map[seshat.SessionID]*seshat.Session, len(ids))
	for i, id := range ids {
		sessions[i].ID = id
		places[id] = &sessions[i]
	}
	numbers, owners, err := s.sessionNumbers(ctx, ids, merges)
	if err != nil || len(numbers) == 0 {
		return sessions, err
	}
	list := []any{numberList(numbers), uuidList(owners)}

	var facts seshat.SessionFacts
	err = s.query(ctx, func(rows *sql.Rows) error {
		var id seshat.SessionID
		var first, last, endedAt, expiresAt sql.NullTime
		var exchanges, errs, refused, idle int64
		var environment, roles, endedBy string
		facts = seshat.SessionFacts{}
		err := rows.Scan(scanUUID(&id), &first, &last, &exchanges, &errs, &refused, &environment, scanUUID(&facts.Previous),
			&facts.User, &roles, &endedAt, &endedBy, &expiresAt, &idle, &facts.IdentifiedBy, &facts.Confidence)
		session := places[id]
		if err != nil || session == nil {
			return err
		}
		session.FirstSeen, session.LastSeen = first.Time, last.Time
		session.Exchanges, session.Errors, session.Refused, session.Environment = exchanges, errs, refused, environment
		facts.Roles, facts.EndedBy = rolesOf(roles), seshat.EndReason(endedBy)
		facts.EndedAt, facts.ExpiresAt = endedAt.Time, expiresAt.Time
		facts.IdleTimeout = time.Duration(idle) * time.Microsecond
		store.ApplyFacts(session, &facts, store.Time(now))
		return nil
	}, chosenSQL+`SELECT session, first_seen, last_seen, exchanges, errors, refused, coalesce(environment, ''), facts.previous_id,
			coalesce(facts."user", ''), coalesce(facts.roles, ''), facts.ended_at, coalesce(facts.ended_by, ''),
			facts.expires_at, coalesce(facts.idle_timeout, 0), coalesce(facts.identified_by, ''), coalesce(facts.confidence, 0)
		FROM (SELECT session, min(first_seen) AS first_seen, max(last_seen) AS last_seen, sum(exchanges)::BIGINT AS exchanges,
			sum(errors)::BIGINT AS errors, sum(refused)::BIGINT AS refused, min(environment) AS environment, `+factsOf(allFacts())+` AS facts
			FROM chosen GROUP BY session)`, list...)
	if err != nil {
		return nil, err
	}
	if err := s.sessionValues(ctx, list, sessions, places); err != nil {
		return nil, err
	}
	return sessions, s.resolvePrevious(ctx, sessions, merges)
}

// sessionNumbers returns the numbers of the rows of sessions, and the session that each belongs to.
func (s *Store) sessionNumbers(ctx context.Context, ids []seshat.SessionID, merges bool) ([]int64, []seshat.SessionID, error) {
	if len(ids) == 1 {
		m, err := s.members(ctx, ids[0], merges)
		return m.numbers, slices.Repeat(ids, len(m.numbers)), err
	}
	var numbers []int64
	var owners []seshat.SessionID
	err := s.query(ctx, func(rows *sql.Rows) error {
		var number int64
		var owner seshat.SessionID
		err := rows.Scan(&number, scanUUID(&owner))
		numbers, owners = append(numbers, number), append(owners, owner)
		return err
	}, rollupsOf(merges)+`SELECT DISTINCT session_no, session FROM rollups
		WHERE session IN (SELECT unnest(string_split(?, ','))::UUID)`, uuidList(ids))
	return numbers, owners, err
}

// chosenSQL is a WITH clause that makes "chosen": the rows of the table sessions with given numbers, each with its
// session. Rows lie in the order of their number, more or less, so few are looked at.
const chosenSQL = `WITH chosen AS (SELECT s.*, n.session FROM sessions s JOIN (
		SELECT unnest(string_split($1, ','))::BIGINT AS session_no, unnest(string_split($2, ','))::UUID AS session) n
		ON n.session_no = s.session_no) `

// listedSQL reads what is listed with the chosen sessions: of long rows from session_values, of short ones from their
// exchanges, which are looked for only in the time that the sessions span.
const listedSQL = `, numbers AS MATERIALIZED (SELECT session_no, any_value(session) AS session, sum(exchanges) AS exchanges
		FROM chosen GROUP BY session_no),
	short AS MATERIALIZED (
		SELECT e.session, e.context_no, p.service, p.method || ' ' || p.host || p.endpoint AS endpoint,
			e.ip_high || ' ' || e.ip_low AS ip, a.user_agent, e.exchanges
		FROM (SELECT n.session, e.context_no, e.endpoint_no, e.agent_no, e.ip_high, e.ip_low, count(*) AS exchanges
				FROM exchanges e JOIN numbers n ON n.session_no = e.session_no
				WHERE e.time BETWEEN $3 AND $4 AND n.exchanges <= $5 GROUP BY ALL) e
			JOIN endpoints p ON p.endpoint_no = e.endpoint_no JOIN agents a ON a.agent_no = e.agent_no),
	listed AS (
		SELECT n.session, v.kind, v.value, v.exchanges
		FROM session_values v JOIN numbers n ON n.session_no = v.session_no
		UNION ALL
		SELECT session, unnest([0, 1, 2, 3]) AS kind, unnest([service, endpoint, ip, user_agent]) AS value, 0 FROM short
		UNION ALL
		SELECT s.session, 4, c.name, s.exchanges FROM (
				SELECT session, context_no, sum(exchanges) AS exchanges FROM short WHERE context_no <> 0 GROUP BY ALL) s
			JOIN (SELECT DISTINCT context_no, name FROM contexts WHERE kind = $6) c ON c.context_no = s.context_no
		UNION ALL
		SELECT n.session, 5, l.masked, 0 FROM links l JOIN numbers n ON n.session_no = l.session_no WHERE ` + ownLinkSQL + `)
	SELECT session, kind::SMALLINT, value, sum(exchanges)::BIGINT FROM listed WHERE value <> '' GROUP BY ALL ORDER BY 1, 2, 3`

// sessionValues reads what is listed with sessions.
func (s *Store) sessionValues(
	ctx context.Context, list []any, sessions []seshat.Session, places map[seshat.SessionID]*seshat.Session,
) error {
	first, last := sessions[0].FirstSeen, sessions[0].LastSeen
	for i := range sessions {
		if sessions[i].FirstSeen.Before(first) {
			first = sessions[i].FirstSeen
		}
		if sessions[i].LastSeen.After(last) {
			last = sessions[i].LastSeen
		}
	}
	err := s.query(ctx, func(rows *sql.Rows) error {
		var id seshat.SessionID
		var kind int16
		var value string
		var exchanges int64
		if err := rows.Scan(scanUUID(&id), &kind, &value, &exchanges); err != nil {
			return err
		}
		if session := places[id]; session != nil {
			return listValue(session, valueKind(kind), value, exchanges)
		}
		return nil
	}, chosenSQL+listedSQL, append(list, first, last, longRow, contextFlow)...)
	for i := range sessions {
		bound(&sessions[i])
	}
	return err
}

// listValue adds a value to the list that it belongs to. Values come in order.
func listValue(session *seshat.Session, kind valueKind, value string, exchanges int64) error {
	switch kind {
	case valueService:
		session.Services = append(session.Services, value)
	case valueEndpoint:
		session.Endpoints = append(session.Endpoints, value)
	case valueIP:
		ip, err := addressText(value)
		if err != nil || ip == "" {
			return err
		}
		session.IPs = append(session.IPs, ip)
	case valueUserAgent:
		session.UserAgents = append(session.UserAgents, value)
	case valueFlow:
		session.Flows = append(session.Flows, seshat.FlowShare{Name: value, Exchanges: exchanges})
	case valueClientSessionID:
		session.ClientSessionIDs = append(session.ClientSessionIDs, value)
	default:
		return fmt.Errorf("a session lists a value of the unknown kind %d", kind)
	}
	return nil
}

// addressText is an address as it is listed: of an exchange it comes as the two columns that hold it, with a space
// between, and otherwise as its text.
func addressText(value string) (string, error) {
	if !strings.Contains(value, " ") {
		return value, nil
	}
	var high, low uint64
	if _, err := fmt.Sscan(value, &high, &low); err != nil {
		return "", fmt.Errorf("an address as %q: %w", value, err)
	}
	ip := joinIP(high, low)
	if !ip.IsValid() {
		return "", nil
	}
	return ip.String(), nil
}

// bound finishes the lists of a session.
func bound(s *seshat.Session) {
	slices.Sort(s.IPs)
	s.IPs = slices.Compact(s.IPs)
	for _, list := range []*[]string{&s.Services, &s.Endpoints, &s.IPs, &s.UserAgents, &s.ClientSessionIDs} {
		*list = (*list)[:min(len(*list), store.MaxListed)]
	}
	store.SortFlows(s.Flows, s.Exchanges)
}

// resolvePrevious follows the merges of the sessions that others point back to. None points back to itself.
func (s *Store) resolvePrevious(ctx context.Context, sessions []seshat.Session, merges bool) error {
	var ids []seshat.SessionID
	for i := range sessions {
		if merges && !sessions[i].Previous.IsZero() {
			ids = append(ids, sessions[i].Previous)
		}
	}
	canonical, err := s.canonical(ctx, ids)
	if err != nil {
		return err
	}
	for i := range sessions {
		session := &sessions[i]
		if into, merged := canonical[session.Previous]; merged {
			session.Previous = into
		}
		if session.Previous == session.ID {
			session.Previous = seshat.SessionID{}
		}
	}
	return nil
}

// canonical returns the sessions that ids were merged into; those that stand for themselves are absent.
func (s *Store) canonical(ctx context.Context, ids []seshat.SessionID) (map[seshat.SessionID]seshat.SessionID, error) {
	resolved := make(map[seshat.SessionID]seshat.SessionID)
	if len(ids) == 0 {
		return resolved, nil
	}
	err := s.query(ctx, func(rows *sql.Rows) error {
		var id, into seshat.SessionID
		err := rows.Scan(scanUUID(&id), scanUUID(&into))
		resolved[id] = into
		return err
	}, rollupsOf(true)+`SELECT session_id, session FROM canonical
		WHERE session_id IN (SELECT unnest(string_split(?, ','))::UUID)`, uuidList(ids))
	return resolved, err
}

// Session implements [store.Store].
func (s *Store) Session(ctx context.Context, id seshat.SessionID) (*seshat.Session, error) {
	defer s.reading(ctx)()
	if err := s.fresh(ctx); err != nil {
		return nil, err
	}
	op := "read session " + id.String()
	merges, err := s.hasMerges(ctx)
	if err == nil && merges {
		var resolved map[seshat.SessionID]seshat.SessionID
		resolved, err = s.canonical(ctx, []seshat.SessionID{id})
		if into, merged := resolved[id]; merged {
			id = into
		}
	}
	if err != nil {
		return nil, s.operational(op, err)
	}
	sessions, err := s.sessionDetails(ctx, []seshat.SessionID{id}, s.now(), merges)
	if err != nil {
		return nil, s.operational(op, err)
	}
	if sessions[0].Exchanges == 0 {
		return nil, &seshat.Error{
			Kind: seshat.ErrorNotFound, Op: op, Err: errors.New("there is no such session"),
			Hint: "seshat sessions lists them",
		}
	}
	return &sessions[0], nil
}

// FindSessions implements [store.Store].
func (s *Store) FindSessions(ctx context.Context, prefix string, limit int) ([]seshat.SessionID, error) {
	if err := s.fresh(ctx); err != nil {
		return nil, err
	}
	var found []seshat.SessionID
	low, high, ok := uuidRange(prefix)
	if !ok {
		return nil, nil
	}
	err := s.query(ctx, func(rows *sql.Rows) error {
		var id seshat.SessionID
		err := rows.Scan(scanUUID(&id))
		found = append(found, id)
		return err
	}, `SELECT session_id FROM sessions WHERE session_id BETWEEN ?::UUID AND ?::UUID
		GROUP BY session_id HAVING sum(exchanges) > 0 ORDER BY session_id LIMIT ?`, low, high, limit)
	return found, s.operational("look for sessions", err)
}

// uuidRange is the least and the greatest UUID whose text starts with prefix; false when none does.
func uuidRange(prefix string) (low, high string, ok bool) {
	const least, greatest = "00000000-0000-0000-0000-000000000000", "ffffffff-ffff-ffff-ffff-ffffffffffff"
	if len(prefix) > len(least) {
		return "", "", false
	}
	for i := range len(prefix) {
		c := prefix[i]
		if hyphen := least[i] == '-'; hyphen != (c == '-') {
			return "", "", false
		} else if !hyphen && (c < '0' || c > '9') && (c < 'a' || c > 'f') && (c < 'A' || c > 'F') {
			return "", "", false
		}
	}
	return prefix + least[len(prefix):], prefix + greatest[len(prefix):], true
}
