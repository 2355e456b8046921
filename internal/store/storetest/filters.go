package storetest

import (
	"testing"
	"time"

	"github.com/seshat-project/seshat/internal/filter"
	"github.com/seshat-project/seshat/internal/store/memory"
)

// exchangeFilters have every field, type and operator.
func exchangeFilters(session string) []string {
	return []string{
		"id:e5", "id:e1*", "id:*", "-id:*", "id:(e1,e2,e3)", "session_id:" + session, "session_id:" + session[:3] + "*", "-session:" + session,
		"time:>=2026-01-02T03:10:00Z", "time:<2026-01-02T03:10:00Z", "duration:>250ms", "duration:<=300ms", "duration:*", "-duration:*", "duration:10ms..400ms", "duration:12.345ms",
		"method:get", "method:(GET,post)", "host:api.example*", "host:*EXAMPLE", "path:/orders/42", "path:/orders/*", `path:"/a%b_c"`, `path:"/a%*_c"`, "path:*r*e*s*", "path:*",
		`endpoint:"GET */orders/{var1}"`, "endpoint:/login", `endpoint:"POST shop.example/login"`, "endpoint:*/orders/*", "endpoint:*", `endpoint:"* */login"`,
		"status:200", "status:>=400", "status:400..499", "status:*", "-status:*", "status:<300", "status:(200,404)",
		"service:SHOP", "service:*p*", "env:prod", "-env:*", "environment:*b",
		"ip:10.0.0.0/8", "ip:10.1.0.0/16", "ip:203.0.113.9", "ip:2001:db8::/32", "ip:2001:db8::/64", "ip:2001:db8:0:1::f", "ip:*", "-ip:*", "ip:0.0.0.0/0", "ip:::/0", "ip:192.0.2.1", "ip:(10.0.0.0/9,192.0.2.0/24)", "-ip:10.0.0.0/8",
		"ua:curl/*", "user_agent:*firefox*", "-ua:*", "ja4:t13d*", "ja4:*",
		"user:alice", "user:BOB", "-user:*", "role:admin", "flow:checkout", "flow:billing", "-flow:billing", "flow:*", "trace:4bf92f3577b34da6a3ce929d0e0e4736", "trace:*",
		"request_bytes:0", "request_bytes:>50", "response_bytes:>=10KiB", "response_bytes:1KiB..512KiB",
		"origin:fallback", "origin:(rule,built-in)", "-origin:*", "identifier:ip*", "identifier:SHOP", "rule:shop", "rule:*r", "-rule:*",
		"attr.seshat.session.*.0.id:*", "attr.seshat.session.*.0.id:abc1*", "attr.cart:c1", "attr.cart:*", "-attr.cart:*", "attr.*:c2", "attr.user:alice",
		"verdict:allow", "verdict:tag", "verdict:(limit,block)", "-verdict:allow", "verdict:*", "verdict.by:limit/*", "verdict.by:*", "-verdict.by:Denylist/alice", "tag:*", "tag:*LOGIN", "-tag:Limit/x",
		"login", "shop", "alice", "-firefox", "%", `"a%b"`,
		"status:>=400 method:POST", "status:500 OR flow:billing", "NOT (status:200 OR ip:10.0.0.0/8) user:*", "(service:api OR -ua:*) status:200..299",
		`service:"\"; DROP TABLE exchanges; --"`, `user:"'"`,
	}
}

func sessionFilters(session string) []string {
	return []string{
		"session:" + session, "id:" + session[:2] + "*", "previous:*", "-previous:*", "state:active", "state:idle", "state:ended", "state:expired", "state:revoked", "state:(active,idle)", "state:*", "-state:ended",
		"user:alice", "user:a*", "-user:*", "role:admin", "role:STAFF", "role:*", "-role:*", "flow:billing", "-flow:checkout", "flow:login",
		`endpoint:"GET */orders/{var1}"`, "endpoint:/login", "-endpoint:/login", "service:api", "env:lab", "env:*", "ip:10.0.0.0/8", "ip:2001:db8::/32", "-ip:192.0.2.1", "ua:*firefox*",
		"status:>=400", "status:500 status:404", "-status:500", "method:delete", "path:/login", "host:shop.example",
		"first_seen:<2026-01-02T03:10:00Z", "last_seen:>2026-01-02T03:10:00Z", "exchanges:>30", "exchanges:10..35", "errors:>10", "refused:>2", "refused:0", "duration:>10m",
		"addresses:>1", "addresses:4", "addresses:3..5", "addresses:(1,>=6)", "-addresses:>5", "addresses:*", "-addresses:*", "addresses:0", "addresses:<4.5", "addresses:..4",
		"networks:>3", "networks:<=3", "networks:5", "-networks:<5", "user_agents:>2", "user_agents:2", "user_agents:(0,1)", "users:>2", "users:2", "-users:>1", "users:0",
		"addresses:>4 user_agents:>2", "addresses:>4 user_agents:>2 user:* networks:>3 users:1..", "addresses:>5 OR exchanges:<15", "NOT (addresses:>5 users:>2) state:(active,idle)",
		"(user_agents:2 OR status:500) -users:0 ended_by:* endpoint:/login", "addresses:>5 addresses:<7 environment:prod", "role:admin OR networks:4", "users:(1,3) alice",
		"verdict:block", "verdict:limit verdict:tag", "-verdict:block", "verdict.by:Denylist/*", "-verdict.by:*", "tag:*", "-tag:limit/login",
		"identified_by:shop", "-identified_by:ip*", "confidence:<0.6", "confidence:0.75..1", "ended_by:logout", "ended_by:*", "-ended_by:*", "client_session_id:eyJh*", "-client_session_id:*",
		"alice", "orders", "curl", "-nobody", "user:alice status:>=400", "user:alice OR flow:billing", "NOT (user:alice endpoint:/login)",
	}
}

func testFilters(t *testing.T, open Open) {
	for seed := range uint64(2) {
		s, twin := open(t, now), memory.New(func() time.Time { return now })
		traffic := NewTraffic(seed+100, 12)
		batch := traffic.Batch(250)
		Commit(t, s, Split(batch, seed)...)
		Commit(t, twin, batch)
		session := traffic.sessions[0].String()
		for _, text := range exchangeFilters(session) {
			EqualExchanges(t, s, twin, text, now)
		}
		for _, text := range sessionFilters(session) {
			EqualSessions(t, s, twin, text, now)
		}
	}
}

// Fields checks that the filters above have every field there is, so that a new one is not forgotten.
func Fields(t *testing.T) {
	f := func(fields *filter.Fields, filters []string) {
		t.Helper()
		used := make(map[string]bool)
		for _, text := range filters {
			walk(parse(t, text, fields, now), func(field *filter.Field) { used[field.Name] = true })
		}
		for _, field := range fields.All() {
			if !used[field.Name] {
				t.Errorf("no filter of %s is about %s", fields.Dataset, field.Name)
			}
		}
	}
	const session = "00112233-4455-6677-8899-aabbccddeeff"
	f(filter.Exchanges(), exchangeFilters(session))
	f(filter.Sessions(), sessionFilters(session))
}

func walk(e filter.Expr, visit func(*filter.Field)) {
	switch e := e.(type) {
	case *filter.And:
		for _, inner := range e.Exprs {
			walk(inner, visit)
		}
	case *filter.Or:
		for _, inner := range e.Exprs {
			walk(inner, visit)
		}
	case *filter.Not:
		walk(e.Expr, visit)
	case *filter.Term:
		visit(e.Field)
	}
}
