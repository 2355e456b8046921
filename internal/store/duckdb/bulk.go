package duckdb

import (
	"database/sql/driver"
	"errors"
	"math"
	"net/netip"
	"strings"
	"time"

	engine "github.com/duckdb/duckdb-go/v2"

	"github.com/seshat-project/seshat"
	"github.com/seshat-project/seshat/internal/store"
)

// bulk appends rows to tables, through DuckDB's appenders, within the transaction of its connection. Appenders are
// opened when a table gets its first row.
type bulk struct {
	conn      driver.Conn
	appenders map[string]*engine.Appender
	row       []driver.Value // in work, reused
	err       error          // the first; what follows is not appended
}

func newBulk(conn driver.Conn) *bulk {
	return &bulk{conn: conn, appenders: make(map[string]*engine.Appender), row: make([]driver.Value, 0, 32)}
}

// appender returns the appender of a table; nil after an error.
func (b *bulk) appender(table string) *engine.Appender {
	if b.err != nil {
		return nil
	}
	a := b.appenders[table]
	if a == nil {
		a, b.err = engine.NewAppender(b.conn, "data", "main", table)
		if b.err != nil {
			return nil
		}
		b.appenders[table] = a
	}
	return a
}

// append adds one row. Values are in the order of the table's columns and of the exact types of its columns.
func (b *bulk) append(a *engine.Appender, values ...driver.Value) {
	if b.err == nil {
		b.err = a.AppendRow(values...)
	}
}

// close hands everything over and frees the appenders. After it, the rows are part of the transaction.
func (b *bulk) close() error {
	errs := []error{b.err}
	for _, a := range b.appenders {
		errs = append(errs, a.Close())
	}
	b.appenders = nil
	return errors.Join(errs...)
}

// text is s as a column value.
func text(s string) driver.Value {
	s = store.Text(s)
	if strings.IndexByte(s, 0) >= 0 {
		return []byte(s) // the driver ends a string at a NUL, and bytes at their end
	}
	return s
}

// timestamp is t as a column value, NULL for the zero time.
func timestamp(t time.Time) driver.Value {
	if t.IsZero() {
		return nil
	}
	return t
}

// uuidOrNull is a 128-bit value as a column value, NULL for zero.
func uuidOrNull(u [16]byte) driver.Value {
	if u == [16]byte{} {
		return nil
	}
	return engine.UUID(u)
}

// micros is d in microseconds.
func micros(d time.Duration) int64 { return d.Microseconds() }

func small(n int) int16 {
	return int16(max(math.MinInt16, min(n, math.MaxInt16))) //nolint:gosec // it is within the bounds
}

// mappedIPv4 is the upper half of the lower 64 bits of an IPv4 address mapped into IPv6 (RFC 4291, section 2.5.5.2).
const mappedIPv4 = 0xffff

// splitIP is an address as two columns: the halves of its IPv6 form, in which IPv4 is mapped. An address that is not
// known is zero, and zones are left out.
func splitIP(ip netip.Addr) (high, low uint64) {
	if !ip.IsValid() {
		return 0, 0
	}
	b := ip.As16()
	for i := range 8 {
		high = high<<8 | uint64(b[i])
		low = low<<8 | uint64(b[i+8])
	}
	return high, low
}

// joinIP is the inverse of splitIP.
func joinIP(high, low uint64) netip.Addr {
	if high == 0 && low == 0 {
		return netip.Addr{}
	}
	var b [16]byte
	for i := 7; i >= 0; i-- {
		b[i], b[i+8] = byte(high), byte(low)
		high, low = high>>8, low>>8
	}
	return netip.AddrFrom16(b).Unmap()
}

// day is the day of t, which retention counts in.
func day(t time.Time) time.Time {
	year, month, date := t.UTC().Date()
	return time.Date(year, month, date, 0, 0, 0, 0, time.UTC)
}

func uuidText(u [16]byte) string { return seshat.SessionID(u).String() }
