package duckdb

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"fmt"
	"os"

	engine "github.com/duckdb/duckdb-go/v2"

	"github.com/seshat-project/seshat"
	"github.com/seshat-project/seshat/internal/store"
)

// partSuffix is the ending of a file that is still being written. It gets its own name once it is whole.
const partSuffix = ".part"

// Export implements [store.Store]. See docs/formats/export.md for the columns.
func (s *Store) Export(ctx context.Context, what store.Dataset, format string, q store.Query, path string) (int64, error) {
	defer s.reading(ctx)()
	if err := s.fresh(ctx); err != nil {
		return 0, err
	}
	op := "export " + string(what) + " to " + path
	options, ok := copyOptions(format)
	if !ok {
		return 0, &seshat.Error{
			Kind: seshat.ErrorUnsupported, Op: op, Err: fmt.Errorf("there is no format %q here", format), Hint: "formats are parquet and csv",
		}
	}
	rows, err := s.exportTo(ctx, what, format, options, q, path+partSuffix)
	if err == nil {
		err = os.Rename(path+partSuffix, path)
	}
	if err != nil {
		err = errors.Join(err, removed(path+partSuffix))
		return 0, s.operational(op, err)
	}
	return rows, nil
}

func removed(path string) error {
	if err := os.Remove(path); !errors.Is(err, os.ErrNotExist) {
		return err
	}
	return nil
}

func copyOptions(format string) (string, bool) {
	switch format {
	case "parquet":
		return "(FORMAT parquet, COMPRESSION zstd)", true
	case "csv":
		return "(FORMAT csv, HEADER)", true
	default:
		return "", false
	}
}

func (s *Store) exportTo(
	ctx context.Context, what store.Dataset, format, options string, q store.Query, path string,
) (rows int64, err error) {
	err = s.borrow(ctx, func(conn *sql.Conn) error {
		var query string
		var args []any
		switch what {
		case store.DatasetExchanges:
			query, args, err = s.exchangeExport(ctx, conn, format, q)
		case store.DatasetSessions:
			query, err = s.sessionExport(ctx, conn, format, q)
		default:
			err = fmt.Errorf("there is no dataset %q", what)
		}
		if err != nil {
			return err
		}
		result, err := conn.ExecContext(ctx, "COPY ("+query+") TO "+quoteText(path)+" "+options, args...)
		if err != nil {
			return err
		}
		rows, err = result.RowsAffected()
		return err
	})
	return rows, err
}

// exchangeExport is the query of an export of exchanges.
func (s *Store) exchangeExport(ctx context.Context, conn *sql.Conn, format string, q store.Query) (string, []any, error) {
	if err := registerAddress(conn); err != nil {
		return "", nil, err
	}
	merges, err := s.hasMerges(ctx)
	if err != nil {
		return "", nil, err
	}
	where, found, err := s.exchangeWhere(ctx, q, merges)
	if err != nil {
		return "", nil, err
	}
	if !found {
		where = exchangeQuery{sql: "false"}
	}
	order := " ORDER BY e.time " + direction(q) + ", e.key " + direction(q)
	inner := "SELECT * FROM exchanges e WHERE " + where.sql
	if q.Limit > 0 {
		inner += order + fmt.Sprintf(" LIMIT %d", q.Limit)
	}
	list, attributes := "%s", "%s"
	if format == "csv" { // which has no lists
		list, attributes = "to_json(%s)::VARCHAR", "to_json(%s)::VARCHAR"
	}
	query := rollupsOf(merges) + `,
		session_of AS (SELECT session_no, any_value(session) AS session FROM rollups GROUP BY session_no),
		named AS (SELECT identity_no, ` + attributeSQL + ` AS name, any_value(masked) AS value FROM identities
			WHERE position >= 0 AND origin <> 2 AND masked <> '' GROUP BY ALL),
		identity AS (SELECT identity_no, any_value(name) FILTER (grouping) AS identifier,
				any_value(` + originSQL + `) FILTER (grouping) AS origin FROM identities GROUP BY identity_no),
		ids AS (SELECT identity_no, map_from_entries(list({'k': name, 'v': value} ORDER BY name)) AS ids FROM named GROUP BY identity_no),
		parameters AS (SELECT context_no, name, string_agg(value, ', ' ORDER BY position) AS value FROM contexts
			WHERE kind = 0 GROUP BY context_no, name),
		parameter AS (SELECT context_no, map_from_entries(list({'k': name, 'v': value} ORDER BY name)) AS parameters
			FROM parameters GROUP BY context_no),
		context AS (SELECT context_no,
				list(value ORDER BY position) FILTER (kind = 0 AND type = 'user') AS users,
				list(value ORDER BY position) FILTER (kind = 0 AND type = 'role') AS roles,
				list(DISTINCT name ORDER BY name) FILTER (kind = 1) AS flows,
				any_value(type) FILTER (kind = 2) AS verdict, any_value(name) FILTER (kind = 2) AS verdict_by,
				list(name ORDER BY position) FILTER (kind = 3) AS tags FROM contexts GROUP BY context_no)
		SELECT e.id, lower(printf('%016x', e.key)) AS key, s.session::VARCHAR AS session_id, e.time,
			e.duration / 1000.0 AS duration_ms, p.environment, p.service, p.method, p.scheme, p.host, CASE WHEN e.path = '' THEN p.endpoint ELSE e.path END AS path,
			p.endpoint, p.http_version, nullif(e.status, 0) AS status, e.request_bytes, e.response_bytes,
			` + addressFunction + `(e.ip_high, e.ip_low) AS ip, a.user_agent, a.ja4, a.origin AS requested_from, e.trace_id,
			coalesce(i.identifier, '') AS identifier, coalesce(i.origin, '') AS origin,
			` + fmt.Sprintf(list, "coalesce(c.users, [])") + ` AS users, ` + fmt.Sprintf(list, "coalesce(c.roles, [])") + ` AS roles,
			` + fmt.Sprintf(list, "coalesce(c.flows, [])") + ` AS flows,
			` + fmt.Sprintf(attributes, "coalesce(x.ids, MAP {})") + ` AS client_session_ids,
			` + fmt.Sprintf(attributes, "coalesce(m.parameters, MAP {})") + ` AS parameters,
			coalesce(c.verdict, 'allow') AS verdict, coalesce(c.verdict_by, '') AS verdict_by,
			` + fmt.Sprintf(list, "coalesce(c.tags, [])") + ` AS tags
		FROM (` + inner + `) e
			JOIN session_of s ON s.session_no = e.session_no
			JOIN endpoints p ON p.endpoint_no = e.endpoint_no
			JOIN agents a ON a.agent_no = e.agent_no
			LEFT JOIN identity i ON i.identity_no = e.identity_no
			LEFT JOIN ids x ON x.identity_no = e.identity_no
			LEFT JOIN context c ON c.context_no = e.context_no
			LEFT JOIN parameter m ON m.context_no = e.context_no` + order
	return query, where.args, nil
}

// addressFunction is the SQL function that makes the text of an address out of its two columns. SQL alone cannot
// write IPv6 in the form of RFC 5952.
const addressFunction = "seshat_address"

// addressTextFunction is that function.
type addressTextFunction struct{}

// Config implements [engine.ScalarFunc].
func (addressTextFunction) Config() engine.ScalarFuncConfig {
	number, errNumber := engine.NewTypeInfo(engine.TYPE_UBIGINT)
	text, errText := engine.NewTypeInfo(engine.TYPE_VARCHAR)
	if errNumber != nil || errText != nil {
		return engine.ScalarFuncConfig{} // refused when it is registered
	}
	return engine.ScalarFuncConfig{InputTypeInfos: []engine.TypeInfo{number, number}, ResultTypeInfo: text}
}

// Executor implements [engine.ScalarFunc].
func (addressTextFunction) Executor() engine.ScalarFuncExecutor {
	return engine.ScalarFuncExecutor{RowExecutor: func(values []driver.Value) (any, error) {
		high, okHigh := values[0].(uint64)
		low, okLow := values[1].(uint64)
		if !okHigh || !okLow {
			return nil, fmt.Errorf("an address as %T and %T", values[0], values[1])
		}
		if ip := joinIP(high, low); ip.IsValid() {
			return ip.String(), nil
		}
		return "", nil
	}}
}

// registerAddress makes the function known to the engine, where it is not.
func registerAddress(conn *sql.Conn) error {
	var known bool
	err := conn.QueryRowContext(context.Background(),
		"SELECT count(*) > 0 FROM duckdb_functions() WHERE function_name = ?", addressFunction).Scan(&known)
	if err != nil || known {
		return err
	}
	return engine.RegisterScalarUDF(conn, addressFunction, addressTextFunction{})
}

// sessionColumns are the columns of an export of sessions, as DuckDB types.
const sessionColumns = `session_id VARCHAR, previous_session_id VARCHAR, state VARCHAR, "user" VARCHAR, roles VARCHAR[],
	identified_by VARCHAR, confidence DOUBLE, environment VARCHAR, services VARCHAR[], first_seen TIMESTAMP,
	last_seen TIMESTAMP, ended_by VARCHAR, ended_at TIMESTAMP, expires_at TIMESTAMP, exchanges BIGINT, errors BIGINT, refused BIGINT,
	endpoints VARCHAR[], ips VARCHAR[], user_agents VARCHAR[], client_session_ids VARCHAR[], flows VARCHAR[]`

// sessionExport puts the sessions into a table of the connection, and returns the query of it. Sessions are far fewer
// than exchanges, and what they are is said in one place.
func (s *Store) sessionExport(ctx context.Context, conn *sql.Conn, format string, q store.Query) (string, error) {
	if _, err := conn.ExecContext(ctx, "CREATE OR REPLACE TEMP TABLE exported (position BIGINT, "+sessionColumns+")"); err != nil {
		return "", err
	}
	err := conn.Raw(func(driverConn any) error {
		c, ok := driverConn.(driver.Conn)
		if !ok {
			return fmt.Errorf("unexpected connection %T", driverConn)
		}
		a, err := engine.NewAppender(c, "temp", "main", "exported")
		if err != nil {
			return err
		}
		position, failed := int64(0), error(nil)
		err = s.Sessions(ctx, q, func(session *seshat.Session) bool {
			position++
			failed = a.AppendRow(sessionValuesOf(position, session)...)
			return failed == nil
		})
		return errors.Join(err, failed, a.Close())
	})
	columns := "* EXCLUDE (position)"
	if format == "csv" {
		columns += ` REPLACE (to_json(roles)::VARCHAR AS roles, to_json(services)::VARCHAR AS services,
			to_json(endpoints)::VARCHAR AS endpoints, to_json(ips)::VARCHAR AS ips, to_json(user_agents)::VARCHAR AS user_agents,
			to_json(client_session_ids)::VARCHAR AS client_session_ids, to_json(flows)::VARCHAR AS flows)`
	}
	return "SELECT " + columns + " FROM temp.main.exported ORDER BY position", err
}

func sessionValuesOf(position int64, s *seshat.Session) []driver.Value {
	previous := ""
	if !s.Previous.IsZero() {
		previous = s.Previous.String()
	}
	flows := make([]string, len(s.Flows))
	for i := range s.Flows {
		flows[i] = s.Flows[i].Name
	}
	var endedAt, expiresAt driver.Value
	if s.EndedAt != nil {
		endedAt = *s.EndedAt
	}
	if s.ExpiresAt != nil {
		expiresAt = *s.ExpiresAt
	}
	some := func(list []string) []string { return append([]string{}, list...) }
	return []driver.Value{
		position, s.ID.String(), previous, string(s.State), s.User, some(s.Roles), s.IdentifiedBy, s.Confidence, s.Environment,
		some(s.Services), s.FirstSeen, s.LastSeen, string(s.EndedBy), endedAt, expiresAt, s.Exchanges, s.Errors, s.Refused,
		some(s.Endpoints), some(s.IPs), some(s.UserAgents), some(s.ClientSessionIDs), flows,
	}
}
