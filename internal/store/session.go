package store

import (
	"cmp"
	"net/netip"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/seshat-project/seshat"
)

// MaxListed is how many services, endpoints, addresses, user agents and client session IDs of a session are listed,
// of each. A scanner touches thousands of endpoints; nobody reads more than a screenful, filters look at the
// exchanges themselves, and the roll-ups of a session stay small.
const MaxListed = 64

// MaxMerges is how many merges in a row are followed from a session to the one it belongs to now. Correlation merges
// into the session that stands for itself, so chains are short; the bound ends a cycle that nothing should make.
const MaxMerges = 64

// EndpointName is the written form of an exchange's endpoint: method, a space, host and path template. Without a
// template the path stands for itself.
func EndpointName(o *seshat.Observation) string {
	return o.Method + " " + o.Host + EndpointPath(o)
}

// EndpointPath is the path template of an exchange, or its path when it has none.
func EndpointPath(o *seshat.Observation) string {
	if o.Endpoint == "" {
		return o.Path
	}
	return o.Endpoint
}

// FallbackMasked is the masked form of a client session ID of origin fallback, made from the exchange it was found
// in. It is empty for any other kind, and where the address is not known.
func FallbackMasked(kind seshat.IDKind, ip netip.Addr, userAgent string) string {
	if !ip.IsValid() {
		return ""
	}
	switch kind {
	case seshat.KindAddress:
		return ip.Unmap().String()
	case seshat.KindUserAgent:
		return ip.Unmap().String() + " " + userAgent
	default:
		return ""
	}
}

// IsFallback reports whether the kind is one of address and user agent.
func IsFallback(kind seshat.IDKind) bool {
	return kind == seshat.KindAddress || kind == seshat.KindUserAgent
}

// Lengths of the prefixes that are taken for one network: what a client usually stays in while it goes on, as correlation
// takes it.
const (
	NetworkBits4 = 24
	NetworkBits6 = 48
)

// NetworkOf is the network of an address that is known.
func NetworkOf(ip netip.Addr) netip.Prefix {
	ip, bits := ip.Unmap().WithZone(""), NetworkBits6
	if ip.Is4() {
		bits = NetworkBits4
	}
	return netip.PrefixFrom(ip, bits).Masked()
}

// SortFlows puts the flows of a session in their order, most exchanges first, and sets their shares.
func SortFlows(flows []seshat.FlowShare, exchanges int64) {
	slices.SortFunc(flows, func(a, b seshat.FlowShare) int {
		return cmp.Or(cmp.Compare(b.Exchanges, a.Exchanges), cmp.Compare(a.Name, b.Name))
	})
	for i := range flows {
		flows[i].Share = float64(flows[i].Exchanges) / float64(exchanges)
	}
}

// ApplyFacts sets what facts say of a session.
func ApplyFacts(s *seshat.Session, facts *seshat.SessionFacts, now time.Time) {
	s.Previous = facts.Previous
	s.User = facts.User
	s.Roles = facts.Roles
	s.IdentifiedBy = facts.IdentifiedBy
	s.Confidence = facts.Confidence
	s.EndedBy, s.EndedAt = seshat.EndNone, nil
	if !facts.EndedAt.After(now) { // facts may name an end that is still to come
		s.EndedBy, s.EndedAt = facts.EndedBy, timeOrNil(facts.EndedAt)
	}
	s.ExpiresAt = timeOrNil(facts.ExpiresAt)
	s.State = StateOf(facts, s.LastSeen, now)
}

func timeOrNil(t time.Time) *time.Time {
	if t.IsZero() {
		return nil
	}
	return &t
}

// Text is s as a store keeps it: with U+FFFD in place of what is not valid UTF-8.
func Text(s string) string {
	if utf8.ValidString(s) {
		return s
	}
	return strings.ToValidUTF8(s, "\uFFFD")
}

// Time is t as a store keeps it: UTC, in microseconds.
func Time(t time.Time) time.Time {
	if t.IsZero() {
		return time.Time{}
	}
	return t.UTC().Truncate(time.Microsecond)
}
