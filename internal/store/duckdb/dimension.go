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

// dimension is how the values of a [store.Dimension] are read: of the columns of a row e, or of a table with the columns
// k and v that is looked up by one of them.
//
// Values are texts, most of them, and there are millions of rows. So rows are grouped by numbers first, and only the
// groups are given their values.
type dimension struct {
	store.Dimension
	keys   []string // expressions over e that value is made of; the first is looked up
	lookup string   // a subquery, or empty
	args   []any    // the parameters in it
	value  string   // of keys, written {0} and {1}, and of the table that is looked up, {l}; NULL where it is absent
	many   bool     // the table can have several rows of a key
	// mixed says that what is looked up is not all that the value is made of.
	mixed bool
	// always says that there is a value also where nothing is found.
	always bool
}

// expr is the value where keys are named prefix0, prefix1 and so on, and the table that is looked up table.
func (d *dimension) expr(prefix, table string) string {
	out := strings.ReplaceAll(d.value, "{l}", table)
	for i := range d.keys {
		out = strings.ReplaceAll(out, "{"+strconv.Itoa(i)+"}", prefix+strconv.Itoa(i))
	}
	return out
}

// rowExpr is the value of a row e.
func (d *dimension) rowExpr(table string) string {
	out := strings.ReplaceAll(d.value, "{l}", table)
	for i, key := range d.keys {
		out = strings.ReplaceAll(out, "{"+strconv.Itoa(i)+"}", key)
	}
	return out
}

// join is what joins the table that is looked up by a key.
func (c *condition) join(d *dimension, table, key string) {
	if d.lookup != "" {
		c.write(" LEFT JOIN ("+d.lookup+") "+table+" ON "+table+".k = "+key, d.args...)
	}
}

// exchangeDimension is a dimension of exchanges whose numbers are within bounds.
func exchangeDimension(of *store.Dimension, merges bool, within numberBounds) dimension {
	d := dimension{Dimension: *of, value: "{l}.v"}
	column := func(names ...string) {
		d.value = "{0}"
		for _, name := range names {
			d.keys = append(d.keys, "e."+name)
		}
	}
	table := func(name, key, value string) {
		d.keys, d.lookup = []string{"e." + key}, "SELECT "+key+" AS k, nullif("+value+", '') AS v FROM "+name
	}
	contexts := func(column string, where string, args ...any) {
		d.keys, d.many, d.args = []string{"e.context_no"}, true, args
		d.lookup = "SELECT DISTINCT context_no AS k, " + column + " AS v FROM contexts WHERE " + where + " AND " + column + " <> ''" +
			within.contexts.sql("context_no")
	}
	identities := func(column, where string, args ...any) {
		d.keys, d.args = []string{"e.identity_no"}, args
		d.lookup = "SELECT DISTINCT identity_no AS k, " + column + " AS v FROM identities WHERE position >= 0 AND " + where +
			within.identities.sql("identity_no")
	}
	switch name := of.Field.Name; name {
	case "method", "host", "service", "environment":
		table("endpoints", "endpoint_no", name)
	case "endpoint":
		table("endpoints", "endpoint_no", "method || ' ' || host || endpoint")
	case "path": // where it has no variable part, it is kept as the endpoint
		table("endpoints", "endpoint_no", "endpoint")
		d.keys, d.mixed = append(d.keys, "e.path"), true
		d.value = "CASE WHEN {1} <> '' THEN {1} ELSE {l}.v END"
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
	case "verdict": // what was allowed has no row that says so, and if it has one, that says nothing new
		contexts("type", "kind = ? AND type <> ?", contextVerdict, seshat.ActionAllow.String())
		d.always = true
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
		d.keys, d.lookup = []string{"e.session_no"}, rollupsOf(merges)+"SELECT DISTINCT session_no AS k, session AS v FROM rollups WHERE true"+
			within.sessions.sql("session_no")
	case "status":
		column("status")
		d.value = "nullif({0}, 0)"
		if of.Class {
			d.value = strings.ReplaceAll(classSQL, "e.status", "{0}")
		}
	case "ip":
		column("ip_high", "ip_low")
		d.value = "nullif({0}::UHUGEINT * 18446744073709551616 + {1}, 0)"
	case "time":
		d.keys, d.value = []string{bucketSQL("e.time", of.Width.Microseconds())}, "{0}"
	default: // trace_id
		column(name)
		d.value = "nullif({0}, '')"
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

// sessionDimension is a dimension of sessions that is read of the row of a session alone; false for those that are read of
// its exchanges. See [subset.sessionPairs].
func sessionDimension(of *store.Dimension) (dimension, bool) {
	switch name := of.Field.Name; name {
	case "state", "environment", "user", "identified_by", "ended_by":
		return dimension{Dimension: *of, keys: []string{`e."` + name + `"`}, value: "nullif({0}, '')"}, true
	case "first_seen", "last_seen":
		return dimension{Dimension: *of, keys: []string{bucketSQL("e."+name, of.Width.Microseconds())}, value: "{0}"}, true
	case "role":
		return dimension{
			Dimension: *of, keys: []string{"e.no"}, many: true, value: "{l}.v",
			lookup: "SELECT DISTINCT k, v FROM (SELECT no AS k, unnest(string_split(roles, chr(31))) AS v FROM x) WHERE v <> ''",
		}, true
	default:
		return dimension{}, false
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
