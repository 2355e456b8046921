package duckdb

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"strconv"
	"strings"

	engine "github.com/duckdb/duckdb-go/v2"

	"github.com/seshat-project/seshat"
)

// borrow lends a connection for reading.
func (s *Store) borrow(ctx context.Context, use func(*sql.Conn) error) error {
	conn, err := s.db.Conn(ctx)
	if err != nil {
		return err
	}
	err = use(conn)
	if ctx.Err() != nil {
		// The driver may have left a statement open between planning and running it, and with it a transaction, for whose
		// locks on tables the next checkpoint would wait. Another statement ends it; closing the connection does not.
		_, ended := conn.ExecContext(context.WithoutCancel(ctx), "SELECT 1")
		err = errors.Join(err, ended)
	}
	return errors.Join(err, conn.Close())
}

// query calls each for every row of a result.
func (s *Store) query(ctx context.Context, each func(*sql.Rows) error, statement string, args ...any) error {
	return s.borrow(ctx, func(conn *sql.Conn) (err error) {
		rows, err := conn.QueryContext(ctx, statement, args...)
		if err != nil {
			return err
		}
		defer func() { err = errors.Join(err, rows.Close()) }()
		for rows.Next() {
			if err := each(rows); err != nil {
				return err
			}
		}
		return rows.Err()
	})
}

// queryRow reads the one row of a result into what to points to.
func (s *Store) queryRow(ctx context.Context, to []any, statement string, args ...any) error {
	return s.borrow(ctx, func(conn *sql.Conn) error { return conn.QueryRowContext(ctx, statement, args...).Scan(to...) })
}

// uuidScanner reads a UUID column into a 128-bit value; NULL is zero.
type uuidScanner[T ~[16]byte] struct{ to *T }

func scanUUID[T ~[16]byte](to *T) uuidScanner[T] { return uuidScanner[T]{to: to} }

// Scan implements [sql.Scanner].
func (u uuidScanner[T]) Scan(v any) error {
	var bytes [16]byte
	switch v := v.(type) {
	case nil:
	case []byte:
		if copy(bytes[:], v) != len(bytes) {
			return fmt.Errorf("a UUID of %d bytes", len(v))
		}
	default:
		return fmt.Errorf("a UUID as %T", v)
	}
	*u.to = T(bytes)
	return nil
}

// unsigned is n as a parameter that is to be cast: database/sql takes no number above the largest int64.
func unsigned(n uint64) string { return strconv.FormatUint(n, 10) }

func engineUUID[T ~[16]byte](u T) engine.UUID { return engine.UUID(u) }

// uuidList is a list of 128-bit values as one parameter, which string_split takes apart: binding a list costs
// three calls into the engine for each element.
func uuidList[T ~[16]byte](list []T) string {
	var b strings.Builder
	b.Grow(37 * len(list))
	for i, u := range list {
		if i > 0 {
			b.WriteByte(',')
		}
		b.WriteString(uuidText(u))
	}
	return b.String()
}

func errClosed() error {
	return &seshat.Error{Kind: seshat.ErrorInternal, Op: "use the store", Err: errors.New("it is closed")}
}
