package filter

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/seshat-project/seshat"
)

func testNow() time.Time { return time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC) }

// TestParse checks that a filter is read as what its canonical form says, and that the canonical form is one.
func TestParse(t *testing.T) {
	f := func(input, want string) {
		t.Helper()
		e, err := Parse(input, Exchanges(), testNow())
		if err != nil {
			t.Fatalf("Parse(%q): %v", input, err)
		}
		if got := e.String(); got != want {
			t.Fatalf("Parse(%q) prints as\n     %s\nwant %s", input, got, want)
		}
		again, err := Parse(want, Exchanges(), testNow())
		if err != nil || again.String() != want {
			t.Fatalf("canonical %q does not parse to itself: %v, %v", want, again, err)
		}
	}

	f(`status:>=500 user:alice endpoint:"GET */orders/{var1}" -flow:billing attr.seshat.session.*.0.id:* ip:10.0.0.0/8 duration:>250ms`,
		`status:>=500 user:alice endpoint:"GET */orders/{var1}" -flow:billing attr.seshat.session.*.0.id:* ip:10.0.0.0/8 duration:>250ms`)

	// Names, aliases and case.
	f(`ENV:Prod`, `environment:prod`)
	f(`ua:Curl/8*`, `user_agent:curl/8*`)
	f(`session:ABC`, `session_id:abc`)
	f(`path:/Admin`, `path:/Admin`)

	// Joining, negating, grouping.
	f(`a b`, `a b`)
	f(`a AND b and c`, `a b c`)
	f(`a b OR c d`, `a b OR c d`)
	f(`a (b OR c) d`, `a (b OR c) d`)
	f(`a OR (b OR c)`, `a OR b OR c`)
	f(`a (b c)`, `a b c`)
	f(`NOT a`, `-a`)
	f(`not not a`, `a`)
	f(`-(-a)`, `a`)
	f(`-(a or b)`, `-(a OR b)`)
	f(`-(a b) c`, `-(a b) c`)
	f(`((a))`, `a`)

	// Text.
	f(`user:"alice b"`, `user:"alice b"`)
	f(`user:alice\ b`, `user:"alice b"`)
	f(`user:"a\"b\\c"`, `user:a\"b\\c`)
	f(`user:a**b`, `user:a*b`)
	f(`user:=a*b`, `user:a\*b`)
	f(`user:a\*b`, `user:a\*b`)
	f(`user:"*"`, `user:*`)
	f(`user:=*`, `user:\*`)
	f(`user:(alice, bob)`, `user:(alice,bob)`)
	f(`method:(get POST)`, `method:(get,post)`)
	f(`method:(get OR post)`, `method:(get,post)`)
	f(`user:(or,"or" x)`, `user:("or","or",x)`)
	f(`user:a,b`, `user:"a,b"`)
	f(`user:">x"`, `user:">x"`)
	f(`user:-x`, `user:-x`)
	f(`id:a:b`, `id:a:b`)
	f(`"or"`, `"or"`)
	f(`"user:alice"`, `"user:alice"`)
	f(`Foo*Bar`, `foo*bar`)
	f(`*foo*`, `foo`)
	f(`"-x"`, `"-x"`)
	f(`/login`, `/login`)
	f(`Ünïcode`, `ünïcode`)

	// Numbers and sizes.
	f(`status:500`, `status:500`)
	f(`status:=500`, `status:500`)
	f(`status:400..499`, `status:400..499`)
	f(`status:500..`, `status:>=500`)
	f(`status:..299`, `status:<=299`)
	f(`status:400..400`, `status:400`)
	f(`status:(404,>=500,200..204)`, `status:(404,>=500,200..204)`)
	f(`request_bytes:>10KiB`, `request_bytes:>10240`)
	f(`request_bytes:1.5MB`, `request_bytes:1500000`)
	f(`request_bytes:1kb..1MiB`, `request_bytes:1000..1048576`)

	// Durations.
	f(`duration:>1500us`, `duration:>1.5ms`)
	f(`duration:1m..1h30m`, `duration:1m0s..1h30m0s`)
	f(`duration:<1d12h`, `duration:<36h0m0s`)
	f(`latency:0`, `duration:0s`)

	// Times. A date is the whole day.
	f(`time:2026-01-02T03:04:05+02:00`, `time:2026-01-02T01:04:05Z`)
	f(`time:>=now-1h`, `time:>=2026-01-02T02:04:05Z`)
	f(`time:<NOW`, `time:<2026-01-02T03:04:05Z`)
	f(`time:now-1d..now+1m`, `time:2026-01-01T03:04:05Z..2026-01-02T03:05:05Z`)
	f(`time:2026-01-02`, `time:2026-01-02T00:00:00Z..2026-01-02T23:59:59.999999999Z`)
	f(`time:>=2026-01-02`, `time:>=2026-01-02T00:00:00Z`)
	f(`time:>2026-01-02`, `time:>2026-01-02T23:59:59.999999999Z`)
	f(`time:<=2026-01-02`, `time:<=2026-01-02T23:59:59.999999999Z`)
	f(`time:<2026-01-02`, `time:<2026-01-02T00:00:00Z`)
	f(`time:2026-01-02..2026-01-03`, `time:2026-01-02T00:00:00Z..2026-01-03T23:59:59.999999999Z`)
	f(`time:2026-01-02T15:04`, `time:2026-01-02T15:04:00Z..2026-01-02T15:04:59.999999999Z`)

	// Addresses.
	f(`ip:10.1.2.3`, `ip:10.1.2.3`)
	f(`ip:10.1.2.3/8`, `ip:10.0.0.0/8`)
	f(`ip:10.1.2.3/32`, `ip:10.1.2.3`)
	f(`ip:::ffff:10.1.2.3`, `ip:10.1.2.3`)
	f(`ip:2001:DB8::/32`, `ip:2001:db8::/32`)
	f(`ip:(10.0.0.0/8 192.168.0.0/16)`, `ip:(10.0.0.0/8,192.168.0.0/16)`)

	// Enums, endpoints, attributes.
	f(`origin:Built-In`, `origin:built-in`)
	f(`endpoint:/login`, `endpoint:/login`)
	f(`endpoint:"post /login"`, `endpoint:"POST /login"`)
	f(`endpoint:"* */login"`, `endpoint:*/login`)
	f(`endpoint:"* Shop.example/A"`, `endpoint:shop.example/A`)
	f(`endpoint:"p* /a\*b*"`, `endpoint:"P* /a\*b*"`)
	f(`endpoint:=/a*b`, `endpoint:/a\*b`)
	f(`attr.Tenant:Acme`, `attr.Tenant:Acme`)
	f(`attr.*:x*`, `attr.*:x*`)
}

func TestParseBlank(t *testing.T) {
	for _, input := range []string{"", " ", "\t\n"} {
		if e, err := Parse(input, Sessions(), testNow()); e != nil || err != nil {
			t.Errorf("Parse(%q) = %v, %v; want nil, nil", input, e, err)
		}
	}
}

func TestParseErrors(t *testing.T) {
	f := func(input string, column int, message, hint string) {
		t.Helper()
		e, err := Parse(input, Exchanges(), testNow())
		var got *Error
		if !errors.As(err, &got) {
			t.Fatalf("Parse(%q) = %v, %v; want an error", input, e, err)
		}
		if got.Column != column || !strings.Contains(got.Message, message) || !strings.Contains(got.Hint, hint) {
			t.Fatalf("Parse(%q):\n got column %d: %s (%s)\nwant column %d: …%s… (…%s…)",
				input, got.Column, got.Message, got.Hint, column, message, hint)
		}
		if seshat.KindOfError(err) != seshat.ErrorInvalid {
			t.Fatalf("Parse(%q): kind %v, want invalid", input, seshat.KindOfError(err))
		}
	}

	f(`user:alice stauts:500`, 12, `exchanges have no field "stauts"`, `did you mean "status"?`)
	f(`sesion:x`, 1, `no field`, `"session"`)
	f(`state:idle`, 1, `no field`, `it is a field of sessions`)
	f(`http://x`, 1, `no field "http"`, `quotes`)
	f(`attr:x`, 1, `needs the name`, `attr.<name>`)
	f(`status>=500`, 1, `followed by a colon`, `status:>=500`)
	f(`user:>bob`, 6, `user is text and has no order`, `user:">bob"`)
	f(`ü ü status:4xx`, 12, `"4xx" is not a number`, `400..499`)
	f(`status:NaN`, 8, `not a number`, ``)
	f(`status:`, 8, `a value is missing after "status:"`, `status:>=500`)
	f(`status:> 5`, 9, `a value is missing after "status:>"`, ``)
	f(`user:""`, 6, `the value is empty`, `-user:*`)
	f(`status:500..400`, 8, `ends before it begins`, `400..500`)
	f(`status:..`, 8, `at least one end`, ``)
	f(`duration:>250`, 11, `"250" is not a duration`, `has a unit`)
	f(`duration:-1s`, 10, `not a duration`, ``)
	f(`duration:>99999d9999999h`, 11, `not a duration`, ``)
	f(`request_bytes:10K`, 15, `"10K" is not a size`, `10KiB`)
	f(`time:yesterday`, 6, `"yesterday" is not a time`, `now-1h30m`)
	f(`time:now*1h`, 6, `not a time`, ``)
	f(`ip:10.0.*`, 4, `neither an address nor a network`, `10.0.0.0/8`)
	f(`origin:fallbak`, 8, `origin is never "fallbak"`, `did you mean "fallback"?`)
	f(`endpoint:GET`, 10, `an endpoint needs a path`, `write /login`)
	f(`endpoint:"* /a b"`, 10, `an endpoint has no space`, `one space`)
	f(`endpoint:"GET /a/{id}"`, 10, `no endpoint has a variable {id}`, `variables are {var1}`)
	f(`(a`, 1, `the ( is not closed`, ``)
	f(`a)`, 2, `there is no ( for this )`, ``)
	f(`()`, 2, `a term is missing before )`, ``)
	f(`a OR`, 5, `a term is missing at the end`, ``)
	f(`a OR OR b`, 6, `a term is missing before OR`, `"or"`)
	f(`AND a`, 1, `a term is missing before AND`, ``)
	f(`-`, 2, `a term is missing at the end`, ``)
	f(`"abc`, 1, `the quote is not closed`, ``)
	f(`a\`, 2, `nothing follows the backslash`, ``)
	f(`ua:foo(bar`, 7, `unexpected ( within a word`, `quotes`)
	f(`(a)b`, 4, `unexpected b`, `a space between terms`)
	f(`user:(a,b`, 6, `the list is not closed`, ``)
	f(`user:()`, 6, `the list is empty`, ``)
	f(`*`, 1, `the word is empty`, `empty filter selects everything`)
	f("a \xff", 3, `not valid UTF-8`, ``)

	f(strings.Repeat("a", MaxLength+1), MaxLength+1, `longer than`, ``)
	f(strings.Repeat("(", MaxDepth+1)+"a", MaxDepth+1, `nest deeper`, ``)
	f(strings.Repeat("-", MaxDepth+1)+"a", MaxDepth+1, `nest deeper`, ``)
	f("id:("+strings.Repeat("a ", MaxTests+1)+")", 5+2*MaxTests, `more than 256 values`, ``)
}

func TestErrorDetail(t *testing.T) {
	_, err := Parse("user:ålice\tstauts:500", Exchanges(), testNow())
	var got *Error
	if !errors.As(err, &got) {
		t.Fatalf("got %v, want an error", err)
	}
	want := "exchanges have no field \"stauts\"\n" +
		"  user:ålice stauts:500\n" +
		"             ^\n" +
		"did you mean \"status\"?"
	if got.Detail() != want {
		t.Errorf("got\n%s\nwant\n%s", got.Detail(), want)
	}
	if want := `filter, column 12: exchanges have no field "stauts" (did you mean "status"?)`; got.Error() != want {
		t.Errorf("got\n%s\nwant\n%s", got.Error(), want)
	}
}

// TestParseCounts: whoever mistakes a field for the one that counts its values, or the other way round, is told which one to ask.
func TestParseCounts(t *testing.T) {
	f := func(input, message, hint string) {
		t.Helper()
		_, err := Parse(input, Sessions(), testNow())
		var got *Error
		if !errors.As(err, &got) || !strings.Contains(got.Message, message) || !strings.Contains(got.Hint, hint) {
			t.Errorf("Parse(%q) = %v; want …%s… (…%s…)", input, err, message, hint)
		}
	}
	f(`ip:>1`, "has no order", "addresses:>1 asks")
	f(`ips:>=2`, "has no order", "addresses:>=2 asks")
	f(`ua:>1`, "has no order", "user_agents:>1 asks")
	f(`user:>1`, "has no order", "users:>1 asks")
	f(`user:>bob`, "has no order", `user:">bob"`)
	f(`addresses:10.0.0.0/8`, "not a number", "write ip:10.0.0.0/8")
	f(`user_agents:curl*`, "not a number", "write user_agent:curl*")
	f(`users:(1,alice)`, "not a number", "write user:alice")
	f(`users:>alice`, "not a number", "a range is written")
	f(`networks:10.0.0.0/8`, "not a number", "a range is written")
	f(`addresses:5..2`, "ends before it begins", "2..5")
	for _, field := range Sessions().All() {
		if by := field.CountedBy; by != "" && (Sessions().Lookup(by) == nil || Sessions().Lookup(by).Type != TypeNumber) {
			t.Errorf("%s is counted by %q, which is no number", field.Name, by)
		}
	}
}
