// Package storetest is the conformance suite of [store.Store]: every engine runs it, and must answer as the twin in
// memory does.
package storetest

import (
	"encoding/binary"
	"fmt"
	"math/rand/v2"
	"net/netip"
	"time"

	"github.com/seshat-project/seshat"
	"github.com/seshat-project/seshat/internal/store"
)

// Start is the event time of the first exchange that is generated.
var Start = time.Date(2026, 1, 2, 3, 4, 5, 678901000, time.UTC) //nolint:gochecknoglobals // a constant, but for its type

// Traffic is made-up traffic of a few sessions with everything that a store keeps: several sessions at a time,
// merges, logouts, odd texts, every kind of address.
type Traffic struct {
	random   *rand.Rand
	sessions []seshat.SessionID
	version  uint64
	next     uint64
	clock    time.Time
}

// NewTraffic returns traffic that depends on the seed alone.
func NewTraffic(seed uint64, sessions int) *Traffic {
	t := &Traffic{random: rand.New(rand.NewPCG(seed, 1)), clock: Start} //nolint:gosec // tests are to be repeatable
	for range sessions {
		t.sessions = append(t.sessions, seshat.SessionID(t.bytes()))
	}
	return t
}

func (t *Traffic) bytes() (b [16]byte) {
	binary.BigEndian.PutUint64(b[:8], t.random.Uint64())
	binary.BigEndian.PutUint64(b[8:], t.random.Uint64())
	b[6], b[8] = b[6]&0x0f|0x80, b[8]&0x3f|0x80
	return b
}

func pick[T any](t *Traffic, from ...T) T { return from[t.random.IntN(len(from))] }

func (t *Traffic) chance(percent int) bool { return t.random.IntN(100) < percent }

// Batch makes a batch of n exchanges, with facts, links and state for them.
func (t *Traffic) Batch(n int) *store.Batch {
	b := &store.Batch{StoredAt: Start}
	for range n {
		t.add(b)
	}
	return b
}

// odd are texts that a store must keep as they are, or with what is not UTF-8 replaced.
var odd = []string{"", "'", "%_\\", "a\x00b", "\xff\xfe", "Ünïcödé ✓", "x\x1fy", "\"; DROP TABLE exchanges; --"}

func (t *Traffic) text(usual ...string) string {
	if t.chance(5) {
		return pick(t, odd...)
	}
	return pick(t, usual...)
}

func (t *Traffic) add(b *store.Batch) {
	t.clock = t.clock.Add(time.Duration(t.random.IntN(90_000)) * time.Millisecond)
	at := t.clock
	if t.chance(10) { // late
		at = at.Add(-time.Duration(t.random.IntN(600)) * time.Second)
	}
	session := pick(t, t.sessions...)
	o := t.observation(at)
	b.Exchanges = append(b.Exchanges, seshat.Assigned{Observation: o, Session: session})
	if t.chance(40) {
		b.Sessions = append(b.Sessions, t.facts(session, at))
	}
	if t.chance(20) {
		b.Links = append(b.Links, seshat.Link{
			Session: session, From: pick(t, seshat.Digest{}, seshat.Digest(t.bytes())), To: seshat.Digest(t.bytes()),
			Masked: t.text("eyJh…", "abc…", "203.0.113.9"), Kind: pick(t, seshat.KindSession, seshat.KindRefreshToken, seshat.KindUserAgent),
			Name: t.text("shop", "bearer"), Evidence: pick(t, seshat.EvidenceFirst, seshat.EvidenceRefresh),
			Score: pick(t, 1, 0.75), Time: at, Exchange: o.Key, ExpiresAt: pick(t, time.Time{}, at.Add(time.Hour)),
		})
	}
	if t.chance(30) {
		record := store.StateRecord{Key: seshat.Digest{byte(t.random.IntN(20)), 1}}
		if t.chance(80) {
			record.Value = []byte(fmt.Sprintf("state %d", t.next))
		}
		b.State = append(b.State, record)
	}
}

func (t *Traffic) facts(session seshat.SessionID, at time.Time) seshat.SessionFacts {
	t.version++
	f := seshat.SessionFacts{
		ID: session, Version: t.version, User: t.text("alice", "Bob", ""), Started: at,
		IdentifiedBy: t.text("shop", "ip+user-agent"), Confidence: pick(t, 1, 0.5, 0.75),
		IdleTimeout: pick(t, 0, time.Minute, time.Hour), Origin: pick(t, seshat.OriginRule, seshat.OriginFallback),
	}
	if t.chance(40) {
		f.Roles = pick(t, []string{"admin"}, []string{"Admin", "staff"})
	}
	if t.chance(30) {
		f.Previous = pick(t, t.sessions...)
	}
	if t.chance(20) {
		f.EndedAt = at.Add(time.Duration(t.random.IntN(7200)-600) * time.Second)
		f.EndedBy = pick(t, seshat.EndLogout, seshat.EndExpiry, seshat.EndRevoked, seshat.EndIdle)
	}
	if t.chance(30) {
		f.ExpiresAt = at.Add(time.Duration(t.random.IntN(7200)-600) * time.Second)
	}
	if t.chance(8) {
		// Only into a session that comes later in the list, so that merges make no circle.
		if into := pick(t, t.sessions...); string(into[:]) > string(session[:]) {
			f.MergedInto = into
		}
	}
	return f
}

func (t *Traffic) observation(at time.Time) *seshat.Observation {
	t.next++
	o := &seshat.Observation{
		Key: seshat.ExchangeKey(t.random.Uint64()), Time: at,
		Duration:    pick(t, 0, 12345*time.Microsecond, 300*time.Millisecond, 2*time.Second),
		Environment: t.text("prod", "lab", ""), Service: t.text("shop", "API"),
		Method: pick(t, "GET", "POST", "DELETE"), Scheme: pick(t, "https", ""), Host: t.text("shop.example", "API.example:8443"),
		Path: t.text("/orders/42", "/orders/43", "/login", "/a%b_c"), HTTPVersion: pick(t, "1.1", "2", ""),
		Status: pick(t, 200, 201, 302, 401, 404, 500, 0), RequestBytes: int64(t.random.IntN(3) * 100), ResponseBytes: int64(t.random.IntN(1 << 20)),
		UserAgent: t.text("curl/8.9", "Mozilla/5.0 (X11) Firefox/130.0", ""), JA4: pick(t, "", "t13d1516h2_8daaf6152771_e5627efa2ab1"),
		Origin: pick(t, "", "https://shop.example"), TraceID: pick(t, "", "4bf92f3577b34da6a3ce929d0e0e4736"),
		ClientIP: pick(t, netip.Addr{}, netip.MustParseAddr("203.0.113.9"), netip.MustParseAddr("10.1.2.3"),
			netip.MustParseAddr("10.250.0.1"), netip.MustParseAddr("2001:db8::1"), netip.MustParseAddr("2001:db8:0:1::f"), netip.MustParseAddr("::ffff:192.0.2.1")),
	}
	if o.Path == "/orders/42" || o.Path == "/orders/43" {
		o.Endpoint = "/orders/{var1}"
	}
	if t.chance(70) {
		o.ID = fmt.Sprintf("e%d", t.next)
	}
	if t.chance(50) {
		o.Device = seshat.Digest{7, byte(t.random.IntN(3))}
	}
	t.identity(o)
	t.context(o)
	return o
}

func (t *Traffic) identity(o *seshat.Observation) {
	for range t.random.IntN(3) {
		n := byte(t.random.IntN(4))
		id := seshat.ObservedID{
			Digest: seshat.Digest{n, 9}, Masked: fmt.Sprintf("abc%d…", n), Rule: pick(t, seshat.RuleID{}, seshat.RuleIDFor("shop"), seshat.RuleIDFor("api")),
			Index: t.random.IntN(3), Name: t.text("shop", "Bearer"), Origin: pick(t, seshat.OriginRule, seshat.OriginBuiltIn),
			Kind: pick(t, seshat.KindSession, seshat.KindAccessToken), Side: pick(t, seshat.InRequest, seshat.InResponse),
			Where: pick(t, seshat.LocationCookie, seshat.LocationHeader), Key: t.text("SESSID", "Authorization"), Deleted: t.chance(10),
		}
		if t.chance(30) {
			id.ExpiresAt, id.Lifetime = Start.Add(time.Hour), 90*time.Second
			id.Token = seshat.ObservedClaims{
				IsToken: true, Issuer: "https://op.example", Subject: "alice", SessionID: seshat.Digest{n, 5}, IssuedAt: Start, ExpiresAt: Start.Add(time.Hour),
			}
		}
		o.IDs = append(o.IDs, id)
	}
	o.Grouping = 0
	if len(o.IDs) > 1 && t.chance(30) {
		o.Grouping = 1
	}
	if t.chance(90) {
		o.IDs = append(o.IDs,
			seshat.ObservedID{Digest: seshat.Digest(t.bytes()), Masked: store.FallbackMasked(seshat.KindUserAgent, o.ClientIP, o.UserAgent), Name: "ip+user-agent", Origin: seshat.OriginFallback, Kind: seshat.KindUserAgent, Where: seshat.LocationUserAgent},
			seshat.ObservedID{Digest: seshat.Digest(t.bytes()), Masked: store.FallbackMasked(seshat.KindAddress, o.ClientIP, o.UserAgent), Index: 1, Name: "ip", Origin: seshat.OriginFallback, Kind: seshat.KindAddress, Where: seshat.LocationClientIP})
	}
}

func (t *Traffic) context(o *seshat.Observation) {
	if t.chance(30) {
		o.Parameters = append(o.Parameters, seshat.Parameter{Name: "user", Type: seshat.ParameterUser, Value: t.text("alice", "Bob"), Weak: t.chance(50)})
	}
	if t.chance(20) {
		o.Parameters = append(o.Parameters, seshat.Parameter{Name: "role", Type: seshat.ParameterRole, Value: "admin"},
			seshat.Parameter{Name: "cart", Side: seshat.InResponse, Value: t.text("c1", "c2")})
	}
	if t.chance(30) {
		o.Flows = append(o.Flows, pick(t, seshat.FlowMatch{Name: "Checkout", Type: seshat.FlowBilling}, seshat.FlowMatch{Name: "login", Type: seshat.FlowAuthentication}))
	}
	if t.chance(5) {
		o.Flows = append(o.Flows, seshat.FlowMatch{Name: "login", Type: seshat.FlowAuthentication})
	}
	if t.chance(15) {
		o.Verdict = seshat.ObservedVerdict{
			Action: pick(t, seshat.ActionTag, seshat.ActionLimit, seshat.ActionBlock), By: t.text("Limit/login", "Denylist/alice", "Limit/X"),
		}
	}
	if t.chance(10) {
		o.Verdict.Tags = append(o.Verdict.Tags, pick(t, "Limit/login", "JWTValidation/shop"), pick(t, "Limit/x", "odd '%"))
	}
}
