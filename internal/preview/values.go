package preview

import (
	"math"
	"net/netip"
	"slices"
	"strings"

	"github.com/seshat-project/seshat"
	"github.com/seshat-project/seshat/internal/identify"
	"github.com/seshat-project/seshat/internal/protect"
)

// values is what is known of the values that the identifiers of the draft found.
type values struct {
	draft *draft
	// by has the values of each identifier of the draft.
	by map[identifierKey]map[seshat.Digest]*value
	// secrets are the client session IDs that anything found, by either rules: nothing that holds one is shown.
	secrets map[seshat.Digest]bool
	// equal counts exchanges in which two identifiers of the draft found the same.
	equal map[[2]identifierKey]int
	// clients are those that sent exchanges in which an identifier found something.
	clients map[identifierKey]map[netip.Addr]bool
	// parameters are the values of the context parameters of the draft.
	parameters map[string]map[string]*parameterValue
}

// identifierKey names an identifier.
type identifierKey struct {
	rule  seshat.RuleID
	index int
}

// value is one client session ID.
type value struct {
	masked    string
	length    int
	bits      float64 // of entropy, as far as the value shows
	exchanges int     // in whose request or response it was
	requests  int     // in whose request it was
	addresses []netip.Addr
	users     []sourcedUser
	several   bool // some source names two users
}

// sourcedUser is the name of a user and where it was stated: names of different sources cannot be compared.
type sourcedUser struct{ source, name string }

// The bounds of what is remembered of one value. More than that many is many.
const (
	mostAddresses = 16
	mostUsers     = 16
)

func newValues(d *draft) *values {
	return &values{
		draft: d, by: map[identifierKey]map[seshat.Digest]*value{}, secrets: map[seshat.Digest]bool{},
		equal: map[[2]identifierKey]int{}, clients: map[identifierKey]map[netip.Addr]bool{},
		parameters: map[string]map[string]*parameterValue{},
	}
}

// watch notes what was found in an exchange.
func (t *trial) watch(i int, x *seshat.Exchange, w *identify.Worker, id *seshat.Identity, o *seshat.Observation) {
	v := t.stats
	for j := range min(len(id.IDs), len(o.IDs)) {
		found, kept := &id.IDs[j], &o.IDs[j]
		if found.Rule != kept.Rule || found.Index != kept.Index || found.Origin == seshat.OriginFallback || found.Value == "" {
			continue
		}
		v.secrets[kept.Digest] = true
		if found.Deleted || found.Origin != seshat.OriginRule || !v.draft.has(seshat.KindSessionRule, found.Name) {
			continue
		}
		v.note(identifierKey{found.Rule, found.Index}, found, kept, o)
	}
	v.noteEqual(o)
	t.watchParameters(id, o)
	t.limitResponses(i, x, w, id, o)
}

func (v *values) note(key identifierKey, found *seshat.FoundID, kept *seshat.ObservedID, o *seshat.Observation) {
	list := v.by[key]
	if list == nil {
		list = map[seshat.Digest]*value{}
		v.by[key], v.clients[key] = list, map[netip.Addr]bool{}
	}
	one := list[kept.Digest]
	if one == nil {
		one = &value{masked: protect.Mask(string(found.Value)), length: len(found.Value), bits: entropy(string(found.Value))}
		list[kept.Digest] = one
	}
	one.exchanges++
	v.clients[key][o.ClientIP] = true
	if found.Side != seshat.InRequest {
		return
	}
	one.requests++
	if o.ClientIP.IsValid() && len(one.addresses) < mostAddresses && !slices.Contains(one.addresses, o.ClientIP) {
		one.addresses = append(one.addresses, o.ClientIP)
	}
	for i := range o.Parameters {
		if p := &o.Parameters[i]; isUser(o, p) {
			one.addUser(sourcedUser{p.Name, p.Value}, p.Weak)
		}
	}
}

// addUser notes who the value was sent for. Who signs in may still send the ID of whoever was there before, so that two
// names of sign-ins do not say yet that the value is not one user's.
func (v *value) addUser(user sourcedUser, weak bool) {
	if len(v.users) == mostUsers || slices.Contains(v.users, user) {
		return
	}
	v.users = append(v.users, user)
	names, least := 0, 2
	if weak {
		least = 3
	}
	for _, u := range v.users {
		if u.source == user.source {
			names++
		}
	}
	v.several = v.several || names >= least
}

// noteEqual counts the identifiers of the draft that found the same in the request of an exchange.
func (v *values) noteEqual(o *seshat.Observation) {
	var pairs [][2]identifierKey
	for i := range o.IDs {
		a := &o.IDs[i]
		if !v.compares(a) {
			continue
		}
		for j := range i {
			b := &o.IDs[j]
			if !v.compares(b) || a.Digest != b.Digest || a.Rule == b.Rule && a.Index == b.Index {
				continue
			}
			pair := [2]identifierKey{{b.Rule, b.Index}, {a.Rule, a.Index}}
			if !slices.Contains(pairs, pair) { // once an exchange
				pairs = append(pairs, pair)
				v.equal[pair]++
			}
		}
	}
}

func (v *values) compares(id *seshat.ObservedID) bool {
	return id.Origin == seshat.OriginRule && !id.Deleted && id.Side == seshat.InRequest && v.draft.has(seshat.KindSessionRule, id.Name)
}

// entropy is an upper bound of how many bits of chance are in a text: its characters times what each of them can say, by
// the kinds of characters that occur, and not more than their frequencies allow.
func entropy(text string) float64 {
	var count [256]int
	kinds := 0.0
	for _, kind := range []struct {
		holds func(c byte) bool
		size  float64
	}{
		{func(c byte) bool { return c >= '0' && c <= '9' }, 10},
		{func(c byte) bool { return c >= 'a' && c <= 'f' }, 6},
		{func(c byte) bool { return c >= 'g' && c <= 'z' }, 20},
		{func(c byte) bool { return c >= 'A' && c <= 'F' }, 6},
		{func(c byte) bool { return c >= 'G' && c <= 'Z' }, 20},
		{func(c byte) bool { return strings.IndexByte("+/-_=.", c) >= 0 }, 2},
	} {
		for i := range len(text) {
			if kind.holds(text[i]) {
				kinds += kind.size
				break
			}
		}
	}
	if kinds == 0 {
		kinds = 96 // anything else
	}
	distinct := 0
	for i := range len(text) {
		if count[text[i]]++; count[text[i]] == 1 {
			distinct++
		}
	}
	if distinct < 2 {
		return 0
	}
	// By its frequencies, a short text of characters that are all different seems to say less than it does.
	frequencies := 0.0
	for _, n := range count {
		if n > 0 {
			share := float64(n) / float64(len(text))
			frequencies -= share * math.Log2(share)
		}
	}
	byKind := math.Log2(kinds)
	if full := math.Log2(float64(min(len(text), 64))); full > 0 {
		byKind *= frequencies / full
	}
	return float64(len(text)) * byKind
}
