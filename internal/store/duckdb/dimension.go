package duckdb

import (
	"fmt"
	"math/big"
	"strconv"
	"strings"

	"github.com/seshat-project/seshat"
	"github.com/seshat-project/seshat/internal/filter"
	"github.com/seshat-project/seshat/internal/store"
)

// dimension is how the values of a [store.Dimension] are read: of a row e of the table that is added up, or of a table
// with the columns k and v that is looked up by one of its columns.
type dimension struct {
	store.Dimension
	columns []string // of e, that value is made of
	lookup  string   // a subquery, or empty
	args    []any    // the parameters in it
	on      string   // the column of e that is looked up as k
	value   string   // NULL where it is absent; "{l}" is the table that is looked up
	many    bool     // there can be several rows of the same k
}

// expr is the value, with the table that is looked up under a name.
func (d *dimension) expr(name string) string { return strings.ReplaceAll(d.value, "{l}", name) }

// join is what joins the table that is looked up under a name; empty when there is none.
func (c *condition) join(d *dimension, name string) {
	if d.lookup != "" {
		c.write(" LEFT JOIN ("+d.lookup+") "+name+" ON "+name+".k = e."+d.on, d.args...)
	}
}

// exchangeDimension is a dimension of exchanges.
func exchangeDimension(of *store.Dimension, merges bool) dimension {
	d := dimension{Dimension: *of, value: "{l}.v"}
	table := func(name, key, value string) {
		d.on, d.lookup = key, "SELECT "+key+" AS k, nullif("+value+", '') AS v FROM "+name
	}
	contexts := func(column string, where string, args ...any) {
		d.on, d.many, d.args = "context_no", true, args
		d.lookup = "SELECT DISTINCT context_no AS k, " + column + " AS v FROM contexts WHERE " + where + " AND " + column + " <> ''"
	}
	identities := func(column, where string, args ...any) {
		d.on, d.args = "identity_no", args
		d.lookup = "SELECT DISTINCT identity_no AS k, " + column + " AS v FROM identities WHERE position >= 0 AND " + where
	}
	switch name := of.Field.Name; name {
	case "method", "host", "service", "environment":
		table("endpoints", "endpoint_no", name)
	case "endpoint":
		table("endpoints", "endpoint_no", "method || ' ' || host || endpoint")
	case "path": // where it has no variable part, it is kept as the endpoint
		table("endpoints", "endpoint_no", "endpoint")
		d.columns, d.value = []string{"path"}, "CASE WHEN e.path <> '' THEN e.path ELSE {l}.v END"
	case "user_agent", "ja4":
		table("agents", "agent_no", name)
	case "user", "role":
		contexts("value", "kind = ? AND type = ?", contextParameter, name)
	case "flow":
		contexts("name", "kind = ?", contextFlow)
	case "tag":
		contexts("name", "kind = ?", contextTag)
	case "verdict.by":
		contexts("name", "kind = ?", contextVerdict)
	case "verdict":
		contexts("type", "kind = ?", contextVerdict)
		d.value = "coalesce({l}.v, '" + seshat.ActionAllow.String() + "')"
	case "origin":
		identities(originSQL, "grouping")
	case "identifier":
		identities("name", "grouping AND name <> ''")
	case "rule":
		identities("name", "name <> ''")
		d.many = true
	case "attr":
		if of.OfClientSessionIDs() {
			identities("masked", "origin <> ? AND masked <> '' AND "+attributeSQL+" = ?", int16(seshat.OriginFallback), of.Attribute)
			d.many = true
		} else {
			contexts("value", "kind = ? AND name = ?", contextParameter, of.Attribute)
		}
	case "session_id":
		d.on, d.lookup = "session_no", rollupsOf(merges)+"SELECT DISTINCT session_no AS k, session AS v FROM rollups"
	case "status":
		d.columns, d.value = []string{"status"}, "nullif(e.status, 0)"
		if of.Class {
			d.value = classSQL
		}
	case "ip":
		d.columns, d.value = []string{"ip_high", "ip_low"}, "nullif(e.ip_high::UHUGEINT * 18446744073709551616 + e.ip_low, 0)"
	case "time":
		d.columns, d.value = []string{"time"}, bucketSQL("e.time", of.Width.Microseconds())
	default: // trace_id
		d.columns, d.value = []string{name}, "nullif(e."+name+", '')"
	}
	return d
}

// classSQL is the first digit of a status, otherClass for what is no status of HTTP, and NULL for none.
const (
	classSQL   = "CASE WHEN e.status BETWEEN 100 AND 599 THEN e.status // 100 WHEN e.status <> 0 THEN 6 END"
	otherClass = "6"
)

// bucketSQL is the number of the stretch of time that a column is in; see [store.BucketTime].
func bucketSQL(column string, width int64) string {
	return fmt.Sprintf("(epoch_us(%s) + %d) // %d", column, -store.BucketOrigin, width)
}

// sessionDimension is a dimension of sessions, over the rows that [sessionSource] makes. What the exchanges of a session
// say is looked up in the table members, which that makes too.
func sessionDimension(of *store.Dimension, merges bool) dimension {
	switch name := of.Field.Name; name {
	case "state", "environment", "user", "identified_by", "ended_by":
		return dimension{Dimension: *of, columns: []string{name}, value: `nullif(e."` + name + `", '')`}
	case "first_seen", "last_seen":
		return dimension{Dimension: *of, columns: []string{name}, value: bucketSQL("e."+name, of.Width.Microseconds())}
	case "role":
		return dimension{
			Dimension: *of, on: "session", many: true, value: "{l}.v",
			lookup: "SELECT DISTINCT k, v FROM (SELECT session AS k, unnest(string_split(roles, chr(31))) AS v FROM x) WHERE v <> ''",
		}
	}
	inner := exchangeDimension(of, merges)
	columns := inner.columns
	if inner.on != "" {
		columns = append([]string{inner.on}, columns...)
	}
	names := "e." + strings.Join(columns, ", e.")
	var lookup condition
	lookup.write("SELECT DISTINCT n.session AS k, " + inner.expr("l") + " AS v FROM (SELECT DISTINCT e.session_no, " + names +
		" FROM exchanges e WHERE e.session_no IN (SELECT session_no FROM members)) e JOIN members n ON n.session_no = e.session_no")
	lookup.join(&inner, "l")
	return dimension{
		Dimension: *of, on: "session", many: true, value: "{l}.v",
		lookup: "SELECT k, v FROM (" + lookup.sql.String() + ") WHERE v IS NOT NULL", args: lookup.args,
	}
}

// decode is a value as it was read.
func (d *dimension) decode(text string, valid bool) (store.Value, error) {
	switch {
	case !valid:
		return store.Value{Absent: true}, nil
	case d.Class && text == otherClass:
		return store.Value{Text: store.StatusClass(-1)}, nil
	case d.Class:
		return store.Value{Text: text + "xx"}, nil
	case d.Width > 0:
		n, err := strconv.ParseInt(text, 10, 64)
		return store.Value{Text: store.TimeText(store.BucketTime(n, d.Width))}, err
	case d.Field.Type == filter.TypeIP:
		n, ok := new(big.Int).SetString(text, 10)
		if !ok {
			return store.Value{}, fmt.Errorf("an address as %q", text)
		}
		low := new(big.Int).And(n, new(big.Int).SetUint64(^uint64(0))).Uint64()
		return store.Value{Text: joinIP(n.Rsh(n, 64).Uint64(), low).String()}, nil
	default:
		return store.Value{Text: text}, nil
	}
}
