package main

import (
	"encoding/hex"
	"fmt"
	"math/rand/v2"
	"sort"
	"time"
)

// generator makes traffic. Everything it does follows from its seed: it draws from one random source, in one order,
// and has no clock.
type generator struct {
	rng  *rand.Rand
	pace pace
	rows []row

	sessions int
	people   int
	devices  int
	// networks are addresses that several clients share, with devices that look the same.
	networks []network
}

// row is one exchange with its truth.
type row struct {
	exchange exchange
	time     time.Time
	done     time.Time
	session  *session
	label    label
}

// session is a true session. It has no more than a name and whose it is.
type session struct{ id, user string }

// label says what an exchange is part of.
type label string

const (
	benign              label = "benign"
	expiredReplay       label = "expired_replay"
	rotatedRefreshReuse label = "rotated_refresh_reuse"
	stolenCookie        label = "stolen_cookie"
	stolenToken         label = "stolen_token"
	bolaEnumeration     label = "bola_enum"
	credentialStuffing  label = "credential_stuffing" //nolint:gosec // a label
	logoutReuse         label = "logout_reuse"
	scraper             label = "scraper"
)

// pace is how fast things happen.
type pace struct {
	start     time.Time
	spread    time.Duration // over which clients begin
	think     time.Duration // average pause between two requests of a person
	tokenLife time.Duration // of access tokens, at least; at most twice as long
	// late says that lines are written as exchanges end rather than begin, and some of them much later.
	late bool
}

func newGenerator(seed uint64, p pace) *generator {
	g := &generator{rng: rand.New(rand.NewPCG(seed, 0x5e5ba7)), pace: p} //nolint:gosec // it must be reproducible
	for range 6 {
		g.networks = append(g.networks, network{ip: g.publicIP(), device: g.device()})
	}
	return g
}

// chance reports true with probability p.
func (g *generator) chance(p float64) bool { return g.rng.Float64() < p }

// between draws from low to high, both included.
func (g *generator) between(low, high int) int { return low + g.rng.IntN(high-low+1) }

// pick draws one of list.
func pick[T any](g *generator, list ...T) T { return list[g.rng.IntN(len(list))] }

// span draws a duration from low to high.
func (g *generator) span(low, high time.Duration) time.Duration {
	return low + time.Duration(g.rng.Int64N(int64(high-low)+1))
}

func (g *generator) hex(bytes int) string {
	b := make([]byte, bytes)
	for i := range b {
		b[i] = byte(g.rng.Uint32())
	}
	return hex.EncodeToString(b)
}

// text draws n characters of alphabet.
func (g *generator) text(alphabet string, n int) string {
	b := make([]byte, n)
	for i := range b {
		b[i] = alphabet[g.rng.IntN(len(alphabet))]
	}
	return string(b)
}

func (g *generator) newSession(user string) *session {
	g.sessions++
	id := fmt.Sprintf("s%05d", g.sessions)
	if user == "" {
		user = "anon-" + id
	}
	return &session{id: id, user: user}
}

// beginning draws when a client begins.
func (g *generator) beginning() time.Time { return g.pace.start.Add(g.span(0, g.pace.spread)) }

// finish puts the rows in the order in which they are written and numbers the exchanges by when they began.
func (g *generator) finish() []row {
	sort.SliceStable(g.rows, func(i, j int) bool { return g.rows[i].time.Before(g.rows[j].time) })
	for i := range g.rows {
		g.rows[i].exchange.ID = fmt.Sprintf("g%06d", i+1)
	}
	if !g.pace.late {
		return g.rows
	}
	const lateShare, lateBy = 0.02, 8 * time.Second // within the ten seconds that a stream may be late
	for i := range g.rows {
		if g.chance(lateShare) {
			g.rows[i].done = g.rows[i].done.Add(g.span(0, lateBy))
		}
	}
	sort.SliceStable(g.rows, func(i, j int) bool { return g.rows[i].done.Before(g.rows[j].done) })
	return g.rows
}
