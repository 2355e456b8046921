package identify

import (
	"encoding/base64"
	"fmt"
	"net/netip"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"
	"unicode"

	"github.com/seshat-project/seshat"
	"github.com/seshat-project/seshat/internal/rule"
	"pgregory.net/rapid"
)

// The oracle is identification as one would first write it: every rule, every identifier and every field, one after
// the other, without tables, slots, scope index, or memory that is reused. It has cookies, headers and queries, and no
// masks; transformations and expiry are shared with the engine, which has tables of its own for them.
type oracle struct {
	e *Engine
	x *seshat.Exchange
}

func (o oracle) identify() []string {
	var out []string
	url := string(rule.AppendURL(nil, o.x))
	for i, r := range o.e.rules.Rules() {
		if r.Scope.Check(o.x.Environment, o.x.Service, url) == rule.InScope {
			for j := range o.e.own[i] {
				out = append(out, o.evaluate(&o.e.own[i][j])...)
			}
		}
	}
	for i := range o.e.builtIn {
		out = append(out, o.evaluate(&o.e.builtIn[i])...)
	}
	return out
}

func (o oracle) evaluate(id *identifier) []string {
	for i := range id.Conditions {
		if !o.holds(&id.Conditions[i]) {
			return nil
		}
	}
	var out []string
	for p := range id.Probes {
		found, most := o.probe(id, &id.Probes[p]), 1
		if id.handles {
			most = 8
		}
		out = append(out, found[:min(len(found), most)]...)
	}
	return out
}

func (o oracle) holds(c *rule.Condition) bool {
	var values []string
	fields := o.fields(&c.Selector)
	for _, f := range fields {
		if c.Key.Match(f.Name) {
			values = append(values, f.Value)
		}
	}
	switch {
	case c.Key.Op() == rule.OpNotExists:
		return len(fields) == 0
	case c.Value.Op() == rule.OpExists:
		return len(values) > 0
	case c.Value.Op() == rule.OpNotExists:
		return len(values) == 0
	case c.Value.Negative():
		return !slices.ContainsFunc(values, func(v string) bool { return !c.Value.Match(v) })
	default:
		return slices.ContainsFunc(values, c.Value.Match)
	}
}

// probe returns all that can be found at one place.
func (o oracle) probe(id *identifier, s *rule.Selector) (out []string) {
	for i, f := range o.fields(s) {
		if !o.owns(id, s, f.Name) {
			continue
		}
		value, deleted := "", false
		if s.Location == seshat.LocationCookie && s.Side == seshat.InResponse && (f.Value == "" || strings.HasPrefix(f.Value, "gone")) {
			deleted = true
			for _, c := range o.fields(&rule.Selector{Location: seshat.LocationCookie}) {
				if v, ok := o.value(id, s, c.Value); c.Name == f.Name && ok && (!id.handles || looksRandom(c.Value)) {
					value = v
					break
				}
			}
			if value == "" && (s.Value != nil || id.handles) {
				continue
			}
		} else if id.handles && (!looksRandom(f.Value) || s.Side == seshat.InResponse && !o.isOfServer(i)) {
			continue
		} else {
			v, ok := o.value(id, s, f.Value)
			if !ok {
				continue
			}
			value = v
		}
		out = append(out, fmt.Sprintf("%s[%d] %s %s=%s %v", id.name, id.Index, s.Side, f.Name, value, deleted))
	}
	return out
}

// looksRandom is the obvious form of isRandom.
func looksRandom(value string) bool {
	different := map[rune]bool{}
	for _, c := range value {
		different[c] = true
	}
	return len(value) >= 16 && len(different) >= 7 && !strings.HasPrefix(value, "/") &&
		strings.ContainsFunc(value, func(r rune) bool { return unicode.IsLetter(r) && r < 0x80 && r != 'T' && r != 'Z' }) && strings.ContainsAny(value, "0123456789") &&
		!strings.ContainsFunc(value, func(r rune) bool { return r <= ' ' || r > '~' || strings.ContainsRune(`"{}&|,;`, r) })
}

// isOfServer reports whether the nth Set-Cookie of the response is one that scripts cannot read, for 45 days at most.
func (o oracle) isOfServer(n int) bool {
	line := o.setCookies()[n]
	_, age, _ := strings.Cut(line, "; Max-Age=")
	seconds, _ := strconv.Atoi(age)
	return strings.Contains(line, "; HttpOnly") && seconds <= 45*24*3600
}

// setCookies returns the lines that count of those of the response: a jar holds one cookie for each name and path, and
// of a name the last that the jar still has, or else the last.
func (o oracle) setCookies() []string {
	type entry struct{ name, path string }
	jar, last := map[entry]int{}, map[string]int{}
	living := func(line string) bool {
		_, value, _ := strings.Cut(line, "=")
		return !strings.HasPrefix(value, ";") && !strings.HasPrefix(value, "gone")
	}
	header := o.x.Response.Header
	for i, h := range header {
		name, rest, _ := strings.Cut(h.Value, "=")
		_, path, _ := strings.Cut(rest, "; Path=")
		path, _, _ = strings.Cut(path, ";")
		if h.Name == "Set-Cookie" {
			jar[entry{name, path}], last[name] = i, i
		}
	}
	for name := range last {
		alive := -1
		for e, i := range jar {
			if e.name == name && living(header[i].Value) {
				alive = max(alive, i)
			}
		}
		if alive >= 0 {
			last[name] = alive
		}
	}
	var out []string
	for i, h := range header {
		if name, _, _ := strings.Cut(h.Value, "="); h.Name == "Set-Cookie" && last[name] == i {
			out = append(out, h.Value)
		}
	}
	return out
}

func (o oracle) value(id *identifier, s *rule.Selector, raw string) (string, bool) {
	if !s.Value.Match(raw) {
		return "", false
	}
	w := o.e.NewWorker()
	result, outcome := w.usable(id, raw)
	return strings.Clone(result.value), outcome == ""
}

// owns decides which identifier of the built-in set takes a name, by looking at all of them.
func (o oracle) owns(id *identifier, s *rule.Selector, name string) bool {
	if !s.Key.Match(name) {
		return false
	}
	if _, exact := s.Key.Exact(); exact || id.origin == seshat.OriginRule {
		return true
	}
	first := -1
	for i := range o.e.builtIn {
		for p := range o.e.builtIn[i].Probes {
			q := &o.e.builtIn[i].Probes[p]
			if q.Location != s.Location || q.Side != s.Side || !q.Key.Match(name) {
				continue
			}
			if _, exact := q.Key.Exact(); exact {
				return false
			}
			if first < 0 {
				first = i
			}
		}
	}
	return first == id.Index && !isNoise(name)
}

func (o oracle) fields(s *rule.Selector) []seshat.Field {
	side := o.x.Request.Header
	if s.Side == seshat.InResponse {
		side = o.x.Response.Header
	}
	var out []seshat.Field
	switch s.Location {
	case seshat.LocationHeader:
		return side
	case seshat.LocationCookie:
		for _, h := range side {
			if strings.EqualFold(h.Name, "Cookie") && s.Side == seshat.InRequest {
				for _, pair := range strings.Split(h.Value, "; ") {
					name, value, _ := strings.Cut(pair, "=")
					out = append(out, seshat.Field{Name: name, Value: strings.Trim(value, `"`)})
				}
			}
		}
		if s.Side == seshat.InResponse {
			for _, line := range o.setCookies() {
				pair, _, _ := strings.Cut(line, "; ")
				name, value, _ := strings.Cut(pair, "=")
				out = append(out, seshat.Field{Name: name, Value: value})
			}
		}
	case seshat.LocationQuery:
		for _, pair := range strings.Split(o.x.Request.Query, "&") {
			if name, value, ok := strings.Cut(pair, "="); ok {
				out = append(out, seshat.Field{Name: name, Value: value})
			}
		}
	case seshat.LocationStatus:
		if o.x.Response.Status != 0 {
			out = append(out, seshat.Field{Value: fmt.Sprint(o.x.Response.Status)})
		}
	default: // the oracle looks nowhere else
	}
	return out
}

var (
	poolNames = []string{
		"SESS", "sess", "connect.sid", "a.sid", "b.sid", "_ga", "csrf_session_id", "my_sess_id", "X-Token", "x-token", "X-Session-Token",
		"Authorization", "access_token", "sid", "session_id", "PHPSESSID", "X-Api-Key", "foo", "bar", "baz", "deviceId",
	}
	poolValues = []string{
		"", "a", "abcdefgh", "deleted", "0123456789abcdef0123", "Bearer abcdefghijklmnop", "Basic YWxpY2U6c2VjcmV0", "QUJDREVGR0g", "MiXeD-Value-Case",
		"eyJhbGciOiJub25lIn0." + base64.RawURLEncoding.EncodeToString([]byte(`{"sub":"u1","sid":"s1"}`)) + ".",
		"eyJhbGciOiJub25lIn0.e30x.", "gone1234", "q7Zp2-mK9xW4_vT1sR8n", "4f9a1c7e2b8d6035", "aaaaaaaaaaaaaaa1", "2026-01-02T03:04:05Z", "q7Zp2,mK9xW4vT1sR8n",
	}
)

func drawMatch(t *rapid.T, pool []string) *seshat.Match {
	s := rapid.SampledFrom(pool).Filter(func(s string) bool { return s != "" }).Draw(t, "operand")
	yes := true
	switch rapid.IntRange(0, 11).Draw(t, "operator") {
	case 0:
		return &seshat.Match{NotEquals: &s}
	case 1:
		return &seshat.Match{Contains: &s}
	case 2:
		p := s[:1]
		return &seshat.Match{StartsWith: &p}
	case 3:
		p := s[len(s)-1:]
		return &seshat.Match{EndsWith: &p}
	case 4:
		p := "^[a-f" + s[:1] + "]"
		return &seshat.Match{Matches: &p}
	case 5:
		p := "[x-z]$"
		return &seshat.Match{NotMatches: &p}
	case 6:
		return &seshat.Match{In: []string{s, "other"}}
	case 7:
		return &seshat.Match{Exists: &yes}
	default:
		return &seshat.Match{Equals: &s}
	}
}

func drawExtract(t *rapid.T) seshat.Extract {
	out := seshat.Extract{
		Location: rapid.SampledFrom([]string{"header", "cookie", "query"}).Draw(t, "location"),
		Key:      drawMatch(t, poolNames),
	}
	if rapid.IntRange(0, 3).Draw(t, "has value") == 0 {
		out.Value = drawMatch(t, poolValues)
	}
	return out
}

func drawIdentifier(t *rapid.T) seshat.Identifier {
	var out seshat.Identifier
	for range rapid.IntRange(0, 2).Draw(t, "conditions") {
		c := seshat.Condition{Extract: drawExtract(t)}
		if rapid.Bool().Draw(t, "of the status") {
			ok := "2"
			c.Extract = seshat.Extract{Location: "status", Value: &seshat.Match{StartsWith: &ok}}
		}
		out.Conditions = append(out.Conditions, c)
	}
	for range rapid.IntRange(0, 2).Draw(t, "transformations") {
		out.Transformations = append(out.Transformations, rapid.SampledFrom([]seshat.Transformation{
			{Base64Decode: &seshat.EmptyTransformation{}},
			{Lowercase: &seshat.EmptyTransformation{}},
			{JWTClaim: "sub"},
			{Regex: &seshat.RegexTransformation{Pattern: `([a-z]+)`}},
			{URLDecode: &seshat.EmptyTransformation{}},
			{JSONPath: "$.a"},
		}).Draw(t, "transformation"))
	}
	switch rapid.IntRange(0, 4).Draw(t, "form") {
	case 0:
		out.Header = rapid.SampledFrom([]string{"Authorization", "x-token"}).Draw(t, "header")
	case 1:
		out.Cookie = rapid.SampledFrom(poolNames).Draw(t, "cookie")
	case 2:
		out.JWTClaim = &seshat.JWTClaimShort{Header: "authorization", Claim: "sid"}
	default:
		e := drawExtract(t)
		out.Extract = &e
		if e.Location != "query" && rapid.Bool().Draw(t, "in the response") {
			out.In = "response"
		}
	}
	return out
}

func drawRuleset(t *rapid.T) *Engine {
	var resources []seshat.Resource
	for i := range rapid.IntRange(0, 6).Draw(t, "rules") {
		priority := rapid.IntRange(1, 3).Draw(t, "priority")
		spec := &seshat.SessionRuleSpec{Priority: &priority}
		for range rapid.IntRange(1, 3).Draw(t, "identifiers") {
			spec.Identifiers = append(spec.Identifiers, drawIdentifier(t))
		}
		pick := func(pool ...string) []string {
			return rapid.SliceOfNDistinct(rapid.SampledFrom(pool), 0, 2, rapid.ID[string]).Draw(t, "scope")
		}
		spec.Scope.Services = pick("shop", "op", "api")
		spec.Scope.Environments = pick("prod", "lab")
		spec.Scope.URLs = pick(`^https?://(api|www)\.shop\.example/`, `/orders/\d+`, `^https://api\.shop\.example/orders/4.*`, `^http://`)
		resources = append(resources, seshat.Resource{
			Kind: seshat.KindSessionRule, Metadata: seshat.Metadata{Name: fmt.Sprintf("r%d", i)}, Spec: spec,
		})
	}
	rs, faults := rule.Compile(resources)
	if len(faults) > 0 {
		t.Fatalf("%v", faults)
	}
	return New(rs, nil)
}

func drawExchange(t *rapid.T) *seshat.Exchange {
	x := &seshat.Exchange{
		Time:        time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC),
		Environment: rapid.SampledFrom([]string{"", "prod", "lab"}).Draw(t, "environment"),
		Service:     rapid.SampledFrom([]string{"", "shop", "op"}).Draw(t, "service"),
		Client:      seshat.Client{IP: netip.MustParseAddr("192.0.2.1")},
	}
	x.Request = seshat.Request{
		Method: "GET", Scheme: rapid.SampledFrom([]string{"", "http", "https"}).Draw(t, "scheme"),
		Host: rapid.SampledFrom([]string{"api.shop.example", "API.shop.example", "other"}).Draw(t, "host"),
		Path: rapid.SampledFrom([]string{"/", "/orders/42", "/orders/x"}).Draw(t, "path"),
	}
	name, value := rapid.SampledFrom(poolNames), rapid.SampledFrom(poolValues)
	for range rapid.IntRange(0, 4).Draw(t, "headers") {
		x.Request.Header = append(x.Request.Header, seshat.Field{Name: name.Draw(t, "name"), Value: value.Draw(t, "value")})
	}
	cookies := make([]string, rapid.OneOf(rapid.IntRange(0, 4), rapid.IntRange(10, 24)).Draw(t, "cookies"))
	for i := range cookies {
		cookies[i] = name.Draw(t, "name") + "=" + value.Draw(t, "value")
	}
	if len(cookies) > 0 {
		x.Request.Header = append(x.Request.Header, seshat.Field{Name: "cookie", Value: strings.Join(cookies, "; ")})
	}
	pairs := make([]string, rapid.IntRange(0, 3).Draw(t, "parameters"))
	for i := range pairs {
		pairs[i] = name.Draw(t, "name") + "=" + strings.NewReplacer(" ", "").Replace(value.Draw(t, "value"))
	}
	x.Request.Query = strings.Join(pairs, "&")
	x.Response.Status = rapid.SampledFrom([]int{0, 200, 401}).Draw(t, "status")
	for range rapid.OneOf(rapid.IntRange(0, 3), rapid.IntRange(10, 24)).Draw(t, "Set-Cookies") {
		v := value.Draw(t, "value")
		line := name.Draw(t, "name") + "=" + v + rapid.SampledFrom([]string{"; Path=/", "; Path=/old"}).Draw(t, "path")
		switch {
		case strings.HasPrefix(v, "gone"):
			line += "; Max-Age=0"
		case rapid.Bool().Draw(t, "HttpOnly"):
			line += rapid.SampledFrom([]string{"; HttpOnly", "; HttpOnly; Max-Age=60", "; HttpOnly; Max-Age=3888000", "; HttpOnly; Max-Age=3888001"}).Draw(t, "age")
		}
		x.Response.Header = append(x.Response.Header, seshat.Field{Name: "Set-Cookie", Value: line})
	}
	return x
}

func ownAndBuiltIn(ids []seshat.FoundID) []string {
	var out []string
	for _, id := range ids {
		if id.Origin != seshat.OriginFallback {
			out = append(out, fmt.Sprintf("%s[%d] %s %s=%s %v", id.Name, id.Index, id.Side, id.Key, id.Value, id.Deleted))
		}
	}
	return out
}

// TestOracle holds the engine to the obvious way of doing what it does, over several exchanges with one worker, so
// that nothing of one is left in the next.
func TestOracle(t *testing.T) {
	rapid.Check(t, checkOracle)
}

func FuzzOracle(f *testing.F) { f.Fuzz(rapid.MakeFuzz(checkOracle)) }

func checkOracle(t *rapid.T) {
	e := drawRuleset(t)
	w := e.NewWorker()
	var out seshat.Identity
	for range 3 {
		x := drawExchange(t)
		want := oracle{e, x}.identify()
		w.Identify(x, &out)
		if got := ownAndBuiltIn(out.IDs); !slices.Equal(got, want) {
			t.Fatalf("%+v\n got %q\nwant %q", x, got, want)
		}
	}
}

// TestExplainAgrees holds the explanation to the identification.
func TestExplainAgrees(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		e := drawRuleset(t)
		w := e.NewWorker()
		x := drawExchange(t)
		explained := w.Explain(x)
		var out seshat.Identity
		w.Identify(x, &out)
		if explained.Grouping != out.Grouping || len(explained.IDs) != len(out.IDs) {
			t.Fatalf("explained %d of %d, identified %d of %d", explained.Grouping, len(explained.IDs), out.Grouping, len(out.IDs))
		}
		counts := map[string]int{} // of IDs of each identifier
		for i := range out.IDs {
			if want := describeID(&out.IDs[i]); fmt.Sprint(explained.IDs[i]) != fmt.Sprint(want) {
				t.Fatalf("explained %v, identified %v", explained.IDs[i], want)
			}
			counts[fmt.Sprint(out.IDs[i].Origin, out.IDs[i].Name, out.IDs[i].Index)]++
		}
		check := func(origin seshat.Origin, id *IdentifierTrace) {
			found := 0
			for _, place := range id.Places {
				for _, f := range place.Fields {
					if f.Outcome == outcomeFound || f.Outcome == outcomeDeleted {
						found++
					}
				}
			}
			if want := counts[fmt.Sprint(origin, id.Name, id.Index)]; found != want {
				t.Fatalf("the story of %s[%d] ends with %d finds, identification with %d: %+v", id.Name, id.Index, found, want, id)
			}
			delete(counts, fmt.Sprint(origin, id.Name, id.Index))
		}
		for _, r := range explained.Rules {
			if !r.InScope && len(r.Identifiers) > 0 {
				t.Fatalf("%s is out of scope and was tried", r.Name)
			}
			for i := range r.Identifiers {
				check(seshat.OriginRule, &r.Identifiers[i])
			}
		}
		for i := range explained.BuiltIn {
			check(seshat.OriginBuiltIn, &explained.BuiltIn[i])
		}
		for key := range counts {
			if !strings.HasPrefix(key, seshat.OriginFallback.String()) {
				t.Fatalf("%s was found and not explained", key)
			}
		}
	})
}
