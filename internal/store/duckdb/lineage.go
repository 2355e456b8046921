package duckdb

import (
	"context"
	"database/sql"
	"strings"
	"sync"
	"time"

	"github.com/seshat-project/seshat"
	"github.com/seshat-project/seshat/internal/store"
)

// memberRows are the rows of a session and of those that were merged into it.
type memberRows struct {
	session     seshat.SessionID
	numbers     []int64
	first, last time.Time
}

// memberCache remembers the rows of sessions that were looked at. Who reads a session reads its lineage and its
// exchanges too, and finding its rows takes longest. It is emptied when anything is written.
type memberCache struct {
	mu      sync.Mutex
	writes  uint64
	members map[seshat.SessionID]memberRows
}

// cachedMembers is how many sessions memberCache holds.
const cachedMembers = 256

// get returns what is remembered, and how often was written so far.
func (c *memberCache) get(id seshat.SessionID) (m memberRows, writes uint64, ok bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	m, ok = c.members[id]
	return m, c.writes, ok
}

// put remembers what was read, unless something was written meanwhile.
func (c *memberCache) put(id seshat.SessionID, m memberRows, writes uint64) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.writes != writes {
		return
	}
	if c.members == nil || len(c.members) >= cachedMembers {
		c.members = make(map[seshat.SessionID]memberRows)
	}
	c.members[id] = m
}

func (c *memberCache) written() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.writes++
	c.members = nil
}

// members returns the rows of the session that id belongs to. They must not be changed.
func (s *Store) members(ctx context.Context, id seshat.SessionID, merges bool) (memberRows, error) {
	m, writes, ok := s.memberCache.get(id)
	if ok {
		return m, nil
	}
	m, err := s.readMembers(ctx, id, merges)
	if err == nil {
		s.memberCache.put(id, m, writes)
	}
	return m, err
}

func (s *Store) readMembers(ctx context.Context, id seshat.SessionID, merges bool) (memberRows, error) {
	m := memberRows{session: id}
	if merges {
		canonical, err := s.canonical(ctx, []seshat.SessionID{id})
		if err != nil {
			return m, err
		}
		if into, merged := canonical[id]; merged {
			m.session = into
		}
	}
	err := s.query(ctx, func(rows *sql.Rows) error {
		var number int64
		var first, last sql.NullTime
		if err := rows.Scan(&number, &first, &last); err != nil {
			return err
		}
		m.numbers = append(m.numbers, number)
		if first.Valid && (m.first.IsZero() || first.Time.Before(m.first)) {
			m.first = first.Time
		}
		if last.Valid && last.Time.After(m.last) {
			m.last = last.Time
		}
		return nil
	}, rollupsOf(merges)+`SELECT session_no, min(first_seen), max(last_seen) FROM rollups WHERE session = ?::UUID
		GROUP BY session_no`, m.session.String())
	return m, err
}

// Lineage implements [store.Store].
func (s *Store) Lineage(ctx context.Context, id seshat.SessionID) ([]seshat.Link, error) {
	defer s.reading(ctx)()
	if err := s.fresh(ctx); err != nil {
		return nil, err
	}
	op := "read the lineage of session " + id.String()
	merges, err := s.hasMerges(ctx)
	if err != nil {
		return nil, s.operational(op, err)
	}
	members, err := s.members(ctx, id, merges)
	if err != nil || len(members.numbers) == 0 {
		return nil, s.operational(op, err)
	}
	var links []seshat.Link
	err = s.query(ctx, func(rows *sql.Rows) error {
		l := seshat.Link{Session: members.session}
		var kind int16
		var exchange uint64
		var evidence string
		var expires sql.NullTime
		err := rows.Scan(&l.Time, scanUUID(&l.From), scanUUID(&l.To), &l.Masked, &kind, &l.Name, &evidence, &l.Score,
			&exchange, &expires)
		l.Kind, l.Evidence = seshat.IDKind(kind), seshat.Evidence(evidence) //nolint:gosec // as it was written
		l.Exchange, l.ExpiresAt = seshat.ExchangeKey(exchange), expires.Time
		links = append(links, l)
		return err
	}, `SELECT time, from_id, to_id, masked, kind, name, evidence, score, exchange, expires_at FROM links
		WHERE session_no IN (SELECT unnest(string_split(?, ','))::BIGINT)
		ORDER BY time, exchange, to_id NULLS FIRST, from_id NULLS FIRST, evidence`, numberList(members.numbers))
	if err == nil {
		err = s.maskFallback(ctx, links)
	}
	return links, s.operational(op, err)
}

// maskFallback makes the masked form of the client session IDs that are an address and a user agent, of the exchanges
// that showed them. They are gone once their exchange is.
func (s *Store) maskFallback(ctx context.Context, links []seshat.Link) error {
	byKey := make(map[seshat.ExchangeKey][]*seshat.Link)
	var keys []string
	var first, last time.Time
	for i := range links {
		l := &links[i]
		if !store.IsFallback(l.Kind) {
			continue
		}
		keys, byKey[l.Exchange] = append(keys, unsigned(uint64(l.Exchange))), append(byKey[l.Exchange], l)
		if first.IsZero() {
			first = l.Time // links are in the order of their time
		}
		last = l.Time
	}
	if len(keys) == 0 {
		return nil
	}
	return s.query(ctx, func(rows *sql.Rows) error {
		var key, high, low uint64
		var userAgent string
		var at time.Time
		if err := rows.Scan(&key, &at, &high, &low, &userAgent); err != nil {
			return err
		}
		for _, l := range byKey[seshat.ExchangeKey(key)] {
			if l.Time.Equal(at) {
				l.Masked = store.FallbackMasked(l.Kind, joinIP(high, low), userAgent)
			}
		}
		return nil
	}, `SELECT e.key, e.time, e.ip_high, e.ip_low, a.user_agent
		FROM exchanges e JOIN agents a ON a.agent_no = e.agent_no
		WHERE e.time BETWEEN ? AND ? AND e.key IN (SELECT unnest(string_split(?, ','))::UBIGINT)`, first, last, strings.Join(keys, ","))
}
