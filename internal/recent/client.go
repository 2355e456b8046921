package recent

import (
	"encoding/binary"
	"hash/maphash"
	"math/bits"

	"github.com/seshat-project/seshat"
	"github.com/seshat-project/seshat/internal/httpfield"
)

// maxLevel is how far the part of the clients that is kept can go down: each level halves it. One in 65,536 is left of the
// clients of more requests than one machine serves.
const maxLevel = 16

// clientOf is a number for who sent x: address and user agent, as they are without any rule. Numbers are evenly spread, and
// say nothing to whoever does not know the seed, so that nobody can choose to be kept or not.
func clientOf(seed maphash.Seed, x *seshat.Exchange) uint64 {
	agent := ""
	if i := httpfield.Find(x.Request.Header, "User-Agent", 0); i >= 0 {
		agent = x.Request.Header[i].Value
	}
	address := x.Client.IP.As16()
	n := maphash.String(seed, agent)
	n = mix(n ^ binary.LittleEndian.Uint64(address[:8]))
	return mix(n ^ binary.LittleEndian.Uint64(address[8:]))
}

// mix spreads what differs in some bits over all of them (the finalizer of MurmurHash3).
func mix(n uint64) uint64 {
	n ^= n >> 33
	n *= 0xff51afd7ed558ccd
	n ^= n >> 33
	n *= 0xc4ceb9fe1a85ec53
	return n ^ n>>33
}

// keeps reports whether the exchanges of a client are kept at a level. Whoever is kept at one is at all below.
func keeps(level uint8, client uint64) bool { return bits.LeadingZeros64(client) >= int(level) }
