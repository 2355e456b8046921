package correlate_test

import (
	"net/netip"
	"strconv"
	"strings"
	"testing"

	"github.com/seshat-project/seshat"
	"github.com/seshat-project/seshat/internal/correlate"
)

// scenario is what came of a run.
type scenario struct {
	ids     []seshat.SessionID
	changes correlate.Changes
}

func process(t *testing.T, exchanges string) scenario {
	t.Helper()
	c := correlate.New(correlate.DefaultConfig(newSessionID))
	var run scenario
	for _, o := range parse(t, exchanges) {
		run.ids = append(run.ids, c.Process(o))
	}
	run.changes = c.Flush()
	return run
}

func (r scenario) facts(id seshat.SessionID) seshat.SessionFacts {
	for _, f := range r.changes.Sessions {
		if f.ID == id {
			return f
		}
	}
	return seshat.SessionFacts{}
}

func (r scenario) root(id seshat.SessionID) seshat.SessionID {
	for {
		f := r.facts(id)
		if f.MergedInto.IsZero() {
			return id
		}
		id = f.MergedInto
	}
}

// groups numbers the sessions of a run in the order in which they appear: "112" are two exchanges of one session
// and one of another.
func groups(run scenario) string {
	numbers := map[seshat.SessionID]int{}
	var b strings.Builder
	for _, id := range run.ids {
		id = run.root(id)
		if numbers[id] == 0 {
			numbers[id] = len(numbers) + 1
		}
		b.WriteString(strconv.Itoa(numbers[id]))
	}
	return b.String()
}

func parse(t *testing.T, exchanges string) []*seshat.Observation {
	t.Helper()
	var out []*seshat.Observation
	for _, line := range strings.Split(exchanges, "\n") {
		if words := strings.Fields(line); len(words) > 0 {
			out = append(out, parseLine(t, len(out), words))
		}
	}
	return out
}

func parseLine(t *testing.T, n int, words []string) *seshat.Observation {
	t.Helper()
	second, err := strconv.ParseFloat(words[0], 64)
	if err != nil || len(words) < 2 {
		t.Fatalf("line %q: it starts with a second and a device", strings.Join(words, " "))
	}
	o := &seshat.Observation{
		Key: seshat.ExchangeKey(n + 1), Time: at(second), Method: "GET", Host: "shop", Path: "/page" + strconv.Itoa(n), Status: 200,
		UserAgent: "agent of " + words[1], ClientIP: addressOf(words[1]),
	}
	side := seshat.InRequest
	for i := 2; i < len(words); i++ {
		word := words[i]
		switch name, value, isField := strings.Cut(word, "="); {
		case word == ">":
			side = seshat.InRequest
		case word == "<":
			side = seshat.InResponse
		case word == "=":
			i++
			o.Status, _ = strconv.Atoi(words[i])
		case word == "GET" || word == "POST":
			o.Method = word
		case strings.HasPrefix(word, "/"):
			o.Path = word
		case isField && name == "host":
			o.Host = value
		case isField && name == "origin":
			o.Origin = "https://" + value
		case isField && name == "flow":
			o.Flows = append(o.Flows, seshat.FlowMatch{Name: value, Type: seshat.FlowType(value)})
		case isField && name == "user":
			o.Flows = append(o.Flows, seshat.FlowMatch{Name: "sign-in", Type: seshat.FlowAuthentication})
			o.Parameters = append(o.Parameters, seshat.Parameter{Name: "sign-in name", Type: seshat.ParameterUser, Value: value, Weak: true})
		default:
			o.IDs = append(o.IDs, parseID(t, word, side))
		}
	}
	o.Grouping = 0
	o.IDs = append(o.IDs, seshat.ObservedID{
		Digest: digest("device", words[1]), Name: "ip+user-agent", Origin: seshat.OriginFallback, Kind: seshat.KindUserAgent,
	})
	return o
}

func addressOf(device string) netip.Addr {
	d := digest(device)
	return netip.AddrFrom4([4]byte{10, d[0], d[1], d[2]})
}

func parseID(t *testing.T, word string, side seshat.Side) seshat.ObservedID {
	t.Helper()
	kind, value, ok := strings.Cut(word, ":")
	if !ok {
		t.Fatalf("%q is neither a field nor an ID", word)
	}
	id := seshat.ObservedID{Origin: seshat.OriginBuiltIn, Side: side, Where: seshat.LocationBody, Key: kind, Name: kind}
	switch kind {
	case "c":
		id.Where, id.Kind = seshat.LocationCookie, seshat.KindSession
	case "a":
		id.Kind = seshat.KindAccessToken
	case "r":
		id.Kind = seshat.KindRefreshToken
	case "o":
		id.Kind = seshat.KindAuthorizationCode
	case "k":
		id.Kind = seshat.KindAPIKey
	case "t":
		id.Kind = seshat.KindTransaction
	case "s":
		id.Kind = seshat.KindSession
	default:
		t.Fatalf("%q: no such kind of ID", word)
	}
	if rest, expires, ok := strings.Cut(value, "!"); ok {
		second, err := strconv.ParseFloat(expires, 64)
		if err != nil {
			t.Fatalf("%q: %v", word, err)
		}
		id.ExpiresAt = at(second)
		value = rest
	}
	if rest, sid, ok := strings.Cut(value, "#"); ok {
		id.Token = seshat.ObservedClaims{IsToken: true, Issuer: "op", SessionID: digest("sid", sid)}
		value = rest
	}
	if rest, subject, ok := strings.Cut(value, "@"); ok {
		id.Token.IsToken, id.Token.Issuer, id.Token.Subject = true, "op", subject
		value = rest
	}
	value, id.Deleted = strings.CutSuffix(value, "-")
	id.Digest, id.Masked = digest("id", value), value
	return id
}
