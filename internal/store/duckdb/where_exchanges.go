package duckdb

import (
	"net/netip"

	"github.com/seshat-project/seshat"
	"github.com/seshat-project/seshat/internal/filter"
)

// exchangeWhere writes conditions over a row e of the table exchanges.
type exchangeWhere struct {
	condition
	merges bool // whether sessions were merged, so that their IDs need resolving
}

func (w *exchangeWhere) filter(e filter.Expr) { w.expr(e, w.term, w.textTerm) }

// exchangeColumn is the column of a field that is kept with the exchange itself.
func exchangeColumn(field string) (column, bool) {
	switch field {
	case "id", "trace_id":
		return column{sql: "e." + field, absent: "''"}, true
	case "time", "request_bytes", "response_bytes":
		return column{sql: "e." + field}, true
	case "status", "duration":
		return column{sql: "e." + field, absent: "0"}, true
	default:
		return column{}, false
	}
}

func (w *exchangeWhere) term(t *filter.Term) {
	if col, ok := exchangeColumn(t.Field.Name); ok {
		w.tests(t.Field, col, t.Tests)
		return
	}
	switch t.Field.Name {
	case "session_id":
		w.write("e.session_no IN (" + rollupsOf(w.merges) + "SELECT session_no FROM rollups WHERE ")
		w.uuids("session", t)
		w.write(")")
	case "ip":
		w.anyOf(len(t.Tests), func(i int) { w.ip(&t.Tests[i]) })
	case "endpoint":
		w.anyOf(len(t.Tests), func(i int) { w.endpoint(&t.Tests[i]) })
	case "attr":
		w.attribute(t)
	case "verdict":
		w.anyOf(len(t.Tests), func(i int) { w.verdict(&t.Tests[i]) })
	default:
		w.within(t.Field, func(col column) { w.tests(t.Field, col, t.Tests) })
	}
}

func (w *exchangeWhere) textTerm(t *filter.Text) {
	w.anyOf(len(t.Fields), func(i int) {
		field := t.Fields[i]
		if col, ok := exchangeColumn(field.Name); ok {
			w.textIn(col, t.Pattern)
			return
		}
		if field.Name == "endpoint" {
			w.write("e.endpoint_no IN (SELECT endpoint_no FROM endpoints WHERE ")
			w.textIn(column{sql: "method || ' ' || host || endpoint"}, t.Pattern)
			w.write(")")
			return
		}
		w.within(field, func(col column) { w.textIn(col, t.Pattern) })
	})
}

// within writes that a row of the table that keeps field for the exchange passes what pass writes over its column.
func (w *exchangeWhere) within(field *filter.Field, pass func(column)) {
	identities := func(where string, col column) {
		w.write("e.identity_no IN (SELECT identity_no FROM identities WHERE position >= 0 AND " + where)
		pass(col)
		w.write(")")
	}
	switch field.Name {
	case "method", "host", "service", "environment":
		w.write("e.endpoint_no IN (SELECT endpoint_no FROM endpoints WHERE ")
		pass(column{sql: field.Name, absent: "''"})
		w.write(")")
	case "path":
		// Where the path has no variable part, it is kept as the endpoint.
		w.write("(e.path <> '' AND ")
		pass(column{sql: "e.path"})
		w.write(" OR e.path = '' AND e.endpoint_no IN (SELECT endpoint_no FROM endpoints WHERE ")
		pass(column{sql: "endpoint", absent: "''"})
		w.write("))")
	case "user_agent", "ja4":
		w.write("e.agent_no IN (SELECT agent_no FROM agents WHERE ")
		pass(column{sql: field.Name, absent: "''"})
		w.write(")")
	case "user", "role":
		w.write("e.context_no IN (SELECT context_no FROM contexts WHERE kind = ? AND type = ? AND ", contextParameter, field.Name)
		pass(column{sql: "value", absent: "''"})
		w.write(")")
	case "flow":
		w.write("e.context_no IN (SELECT context_no FROM contexts WHERE kind = ? AND (", contextFlow)
		pass(column{sql: "name", absent: "''"})
		w.write(" OR ")
		pass(column{sql: "type", absent: "''"})
		w.write("))")
	case "verdict.by":
		w.write("e.context_no IN (SELECT context_no FROM contexts WHERE kind = ? AND ", contextVerdict)
		pass(column{sql: "name", absent: "''"})
		w.write(")")
	case "tag":
		w.write("e.context_no IN (SELECT context_no FROM contexts WHERE kind = ? AND ", contextTag)
		pass(column{sql: "name", absent: "''"})
		w.write(")")
	case "origin":
		identities("grouping AND ", column{sql: originSQL})
	case "identifier":
		identities("grouping AND ", column{sql: "name", absent: "''"})
	case "rule":
		identities("", column{sql: "name", absent: "''"})
	default:
		w.write("false") // the parser knows no other field
	}
}

// uuids writes that a column of UUIDs passes. Whole IDs and beginnings of them are compared as numbers: writing out
// every ID there is takes longer than anything else in a query.
func (c *condition) uuids(sql string, t *filter.Term) {
	c.anyOf(len(t.Tests), func(i int) {
		prefix, whole := "", false
		switch v := &t.Tests[i].Value; {
		case t.Tests[i].Op == filter.OpEqual:
			prefix, whole = v.Text, true
		case t.Tests[i].Op == filter.OpMatch && len(v.Pattern) == 2 && v.Pattern[1] == "":
			prefix = v.Pattern[0]
		default:
			c.tests(t.Field, column{sql: sql + "::VARCHAR"}, t.Tests[i:i+1])
			return
		}
		low, high, ok := uuidRange(prefix)
		if !ok || whole && low != high {
			c.write("false")
			return
		}
		c.write("("+sql+" BETWEEN ?::UUID AND ?::UUID)", low, high)
	})
}

// verdict writes that the action passes. What was allowed has no row that says so.
func (w *exchangeWhere) verdict(t *filter.Test) {
	const kept = "e.context_no IN (SELECT context_no FROM contexts WHERE kind = ? AND type "
	switch allow := seshat.ActionAllow.String(); {
	case t.Op != filter.OpEqual:
		w.write("true") // every exchange has a verdict
	case t.Value.Text == allow:
		w.write("NOT "+kept+"<> ?)", contextVerdict, allow)
	default:
		w.write(kept+"= ?)", contextVerdict, t.Value.Text)
	}
}

// originSQL is the name of an origin.
const originSQL = "CASE origin WHEN 0 THEN 'rule' WHEN 1 THEN 'built-in' ELSE 'fallback' END"

func (w *exchangeWhere) endpoint(t *filter.Test) {
	if t.Op != filter.OpMatch || t.Value.Endpoint == nil {
		w.write("true") // existence: every exchange has an endpoint
		return
	}
	w.write("e.endpoint_no IN (SELECT endpoint_no FROM endpoints WHERE ")
	if method := t.Value.Endpoint.Method(); method != nil {
		w.pattern(column{sql: "method", fold: true}, method)
		w.write(" AND ")
	}
	if target, anyHost := t.Value.Endpoint.Target(); anyHost {
		w.pattern(column{sql: "endpoint"}, target)
	} else {
		w.pattern(column{sql: "lower(host) || endpoint"}, target)
	}
	w.write(")")
}

// ip writes that the address is within a network: a range of its numbers.
func (w *exchangeWhere) ip(t *filter.Test) {
	if t.Op != filter.OpEqual {
		w.write("(e.ip_high <> 0 OR e.ip_low <> 0)")
		return
	}
	network := t.Value.IP.Masked()
	high, low := splitIP(network.Addr())
	bits := network.Bits()
	if network.Addr().Is4() {
		bits += 96
	}
	switch {
	case bits >= 64:
		w.write("(e.ip_high = ?::UBIGINT AND e.ip_low BETWEEN ?::UBIGINT AND ?::UBIGINT)",
			unsigned(high), unsigned(low), unsigned(low|^uint64(0)>>(bits-64)))
	default:
		w.write("(e.ip_high BETWEEN ?::UBIGINT AND ?::UBIGINT)", unsigned(high), unsigned(high|^uint64(0)>>bits))
	}
	if network.Addr().Is6() && bits <= 96 && network.Contains(netip.MustParseAddr("::ffff:0:0")) || bits == 0 {
		// A network of IPv6 holds no address of IPv4, and what is not known is in no network.
		w.write(" AND NOT (e.ip_high = 0 AND (e.ip_low = 0 OR e.ip_low >> 32 = ?))", mappedIPv4)
	}
}

// attributeSQL is the name of the attribute of a row of identities, as [seshat.AttributeName] makes it.
const attributeSQL = "'seshat.session.' || coalesce(rule::VARCHAR, '00000000-0000-0000-0000-000000000000') || '.' || rule_index || '.id'"

func (w *exchangeWhere) attribute(t *filter.Term) {
	tests := func(name, value string) {
		if t.Attribute != nil {
			w.pattern(column{sql: name}, t.Attribute)
			w.write(" AND ")
		}
		w.tests(t.Field, column{sql: value, absent: "''"}, t.Tests)
	}
	w.write("(e.identity_no IN (SELECT identity_no FROM identities WHERE position >= 0 AND origin <> ? AND ", int16(seshat.OriginFallback))
	tests(attributeSQL, "masked")
	w.write(") OR e.context_no IN (SELECT context_no FROM contexts WHERE kind = ? AND ", contextParameter)
	tests("name", "value")
	w.write("))")
}
