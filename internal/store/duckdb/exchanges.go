package duckdb

import (
	"context"
	"database/sql"
	"errors"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/seshat-project/seshat"
	"github.com/seshat-project/seshat/internal/store"
)

// Exchanges are read in chunks, each of which goes on behind the last row of the one before: a result is held in
// memory whole. The first chunk is small, for those who look at a page, and the last ones large, for exports.
const (
	firstExchangeChunk = 1 << 10
	mostExchangeChunk  = 1 << 16
)

// exchangeColumns are the columns that scanExchange reads.
const exchangeColumns = `e.time, e.key, e.session_no, e.identity_no, e.context_no, e.id, e.duration, p.environment,
	p.service, p.method, p.scheme, p.host, e.path, p.endpoint, p.http_version, e.status, e.request_bytes,
	e.response_bytes, e.ip_high, e.ip_low, a.user_agent, a.ja4, a.origin, e.trace_id`

// exchangeSelect reads the exchanges that the inner query picks, in the order given. Only what is picked is joined.
func exchangeSelect(inner, order string) string {
	return "SELECT " + exchangeColumns + " FROM (SELECT * FROM exchanges e WHERE " + inner + ") e" +
		" JOIN endpoints p ON p.endpoint_no = e.endpoint_no JOIN agents a ON a.agent_no = e.agent_no" + order
}

// exchangeRow is a row of the table exchanges.
type exchangeRow struct {
	seshat.Observation
	session, identity, context int64
}

func scanExchange(rows *sql.Rows) (*exchangeRow, error) {
	var r exchangeRow
	var key, ipHigh, ipLow uint64
	var duration int64
	var status int32
	err := rows.Scan(&r.Time, &key, &r.session, &r.identity, &r.context, &r.ID, &duration, &r.Environment,
		&r.Service, &r.Method, &r.Scheme, &r.Host, &r.Path, &r.Endpoint, &r.HTTPVersion, &status, &r.RequestBytes,
		&r.ResponseBytes, &ipHigh, &ipLow, &r.UserAgent, &r.JA4, &r.Origin, &r.TraceID)
	r.Key = seshat.ExchangeKey(key)
	r.Duration = time.Duration(duration) * time.Microsecond
	r.Status = int(status)
	r.ClientIP = joinIP(ipHigh, ipLow)
	if r.Path == "" {
		r.Path = r.Endpoint
	}
	return &r, err
}

// Exchanges implements [store.Store].
func (s *Store) Exchanges(ctx context.Context, q store.Query, yield func(*seshat.Assigned) bool) error {
	defer s.reading(ctx)()
	if err := s.fresh(ctx); err != nil {
		return err
	}
	return s.operational("list exchanges", s.exchanges(ctx, q, yield))
}

func (s *Store) exchanges(ctx context.Context, q store.Query, yield func(*seshat.Assigned) bool) error {
	merges, err := s.hasMerges(ctx)
	if err != nil {
		return err
	}
	where, found, err := s.exchangeWhere(ctx, q, merges)
	if err != nil || !found {
		return err
	}
	windows, err := s.windows(ctx, q)
	if err != nil {
		return err
	}
	left, chunk := q.Limit, firstExchangeChunk
	for windows.next() {
		read := 0
		var last *exchangeRow
		for {
			size := chunk
			if q.Limit > 0 {
				size = min(size, left)
			}
			rows, err := s.exchangeChunk(ctx, where.within(windows, last, q), q, size)
			if err != nil {
				return err
			}
			assigned, err := s.assign(ctx, rows, q.Light, merges)
			if err != nil {
				return err
			}
			for i := range assigned {
				if !yield(&assigned[i]) {
					return nil
				}
			}
			read += len(rows)
			left -= len(rows)
			if q.Limit > 0 && left <= 0 {
				return nil
			}
			if len(rows) < size {
				break
			}
			last = rows[len(rows)-1]
			chunk = min(4*chunk, mostExchangeChunk)
		}
		windows.grow(read)
	}
	return nil
}

// exchangeWhere is the condition that q stands for; false when it is plain that nothing passes.
func (s *Store) exchangeWhere(ctx context.Context, q store.Query, merges bool) (exchangeQuery, bool, error) {
	w := exchangeWhere{merges: merges}
	w.filter(q.Filter)
	if !q.Since.IsZero() {
		w.write(" AND e.time >= ?", store.Time(q.Since))
	}
	if !q.Until.IsZero() {
		w.write(" AND e.time < ?", store.Time(q.Until))
	}
	if !q.Session.IsZero() {
		members, err := s.members(ctx, q.Session, merges)
		if err != nil || len(members.numbers) == 0 {
			return exchangeQuery{}, false, err
		}
		w.write(" AND e.time BETWEEN ? AND ? AND e.session_no IN (SELECT unnest(string_split(?, ','))::BIGINT)",
			members.first, members.last, numberList(members.numbers))
	}
	return exchangeQuery{sql: w.sql.String(), args: w.args}, true, nil
}

// exchangeChunk reads the next rows of a query. Which rows they are is found from the columns that say so; the
// others are read for those rows only.
func (s *Store) exchangeChunk(ctx context.Context, x exchangeQuery, q store.Query, limit int) ([]*exchangeRow, error) {
	order := " ORDER BY e.time " + direction(q) + ", e.key " + direction(q)
	var list []*exchangeRow
	args := append(slices.Clone(x.args), limit)
	err := s.query(ctx, func(rows *sql.Rows) error {
		row, err := scanExchange(rows)
		list = append(list, row)
		return err
	}, exchangeSelect(x.sql+order+" LIMIT ?", order), args...)
	return list, err
}

// assign completes rows by their session and what is kept once for many of them.
func (s *Store) assign(ctx context.Context, rows []*exchangeRow, light, merges bool) ([]seshat.Assigned, error) {
	if len(rows) == 0 {
		return nil, nil
	}
	sessions, err := s.sessionsOf(ctx, rows, merges)
	if err != nil {
		return nil, err
	}
	if !light {
		if err := s.addIdentities(ctx, rows); err != nil {
			return nil, err
		}
		if err := s.addContexts(ctx, rows); err != nil {
			return nil, err
		}
	}
	assigned := make([]seshat.Assigned, len(rows))
	for i, r := range rows {
		assigned[i] = seshat.Assigned{Observation: &r.Observation, Session: sessions[r.session]}
	}
	return assigned, nil
}

// numbersOf are the different numbers of rows, without 0.
func numbersOf(rows []*exchangeRow, number func(*exchangeRow) int64) []int64 {
	seen := make(map[int64]struct{}, len(rows))
	var list []int64
	for _, r := range rows {
		n := number(r)
		if _, ok := seen[n]; !ok && n != 0 {
			seen[n] = struct{}{}
			list = append(list, n)
		}
	}
	return list
}

// numberList is a list of numbers as one parameter, as uuidList.
func numberList(list []int64) string {
	var b strings.Builder
	for i, n := range list {
		if i > 0 {
			b.WriteByte(',')
		}
		b.WriteString(strconv.FormatInt(n, 10))
	}
	return b.String()
}

func (s *Store) sessionsOf(ctx context.Context, rows []*exchangeRow, merges bool) (map[int64]seshat.SessionID, error) {
	numbers := numbersOf(rows, func(r *exchangeRow) int64 { return r.session })
	sessions := make(map[int64]seshat.SessionID, len(numbers))
	err := s.query(ctx, func(rows *sql.Rows) error {
		var number int64
		var id seshat.SessionID
		err := rows.Scan(&number, scanUUID(&id))
		sessions[number] = id
		return err
	}, "SELECT DISTINCT session_no, session_id FROM sessions WHERE session_no IN (SELECT unnest(string_split(?, ','))::BIGINT)",
		numberList(numbers))
	if err != nil || !merges {
		return sessions, err
	}
	ids := make([]seshat.SessionID, 0, len(sessions))
	for _, id := range sessions {
		ids = append(ids, id)
	}
	canonical, err := s.canonical(ctx, ids)
	for number, id := range sessions {
		if into, merged := canonical[id]; merged {
			sessions[number] = into
		}
	}
	return sessions, err
}

// Exchange implements [store.Store].
func (s *Store) Exchange(ctx context.Context, id string) (*seshat.Assigned, error) {
	if err := s.fresh(ctx); err != nil {
		return nil, err
	}
	op := "read exchange " + id
	merges, err := s.hasMerges(ctx)
	if err != nil {
		return nil, s.operational(op, err)
	}
	// An exchange's own ID goes before a key that happens to be written the same.
	condition, args := "e.id = ?", []any{store.Text(id)}
	if key, err := strconv.ParseUint(id, 16, 64); err == nil && len(id) == 16 {
		condition, args = "(e.id = ? OR e.key = ?::UBIGINT)", append(args, unsigned(key))
	}
	var list []*exchangeRow
	if id != "" {
		err = s.query(ctx, func(rows *sql.Rows) error {
			row, err := scanExchange(rows)
			list = append(list, row)
			return err
		}, exchangeSelect(condition+" ORDER BY e.id <> ?, e.time DESC, e.key DESC LIMIT 1", ""),
			append(args, store.Text(id))...)
	}
	var assigned []seshat.Assigned
	if err == nil {
		assigned, err = s.assign(ctx, list, false, merges)
	}
	if err != nil {
		return nil, s.operational(op, err)
	}
	if len(assigned) == 0 {
		return nil, &seshat.Error{
			Kind: seshat.ErrorNotFound, Op: op, Err: errors.New("there is no such exchange"),
			Hint: "seshat explore --columns time,id lists them",
		}
	}
	return &assigned[0], nil
}
