package identify

import (
	"hash/maphash"

	"github.com/seshat-project/seshat/internal/token"
)

// tokenCache remembers what tokens say: a client sends the same one with every request, and taking it apart is most of
// what identifying such a request costs. A token is known by 128 bits of a hash whose seeds nobody outside the process
// can know, and is itself not kept. It belongs to one worker.
type tokenCache struct {
	seeds  [2]maphash.Seed
	places [tokenPlaces]cachedToken
}

const (
	// tokenPlaces is how many tokens are remembered at most; the one that was read last on a place has it. A power of two.
	tokenPlaces = 256
	// maxCachedToken is how long a token may be to be remembered. Together they bound a cache to half a megabyte, and
	// with the usual 600 bytes of payload it takes a third of that.
	maxCachedToken = 2 << 10
)

// cachedToken is a token that was seen, once its payload is set, more than once: one that never comes again is not worth
// the memory.
type cachedToken struct {
	key  [2]uint64
	read jwt // without the raw token
}

func newTokenCache() tokenCache {
	return tokenCache{seeds: [2]maphash.Seed{maphash.MakeSeed(), maphash.MakeSeed()}}
}

// place is where raw is remembered, and its key; nil when it is too long for that.
func (c *tokenCache) place(raw string) (*cachedToken, [2]uint64) {
	if len(raw) > maxCachedToken {
		return nil, [2]uint64{}
	}
	key := [2]uint64{maphash.String(c.seeds[0], raw), maphash.String(c.seeds[1], raw)}
	return &c.places[key[0]%tokenPlaces], key
}

// parseToken reads a token into memory: at first what dst has, and memory of its own for one that comes again.
func (w *Worker) parseToken(raw string) (read jwt, ok bool) {
	place, key := w.cache.place(raw)
	again := place != nil && place.key == key
	if again && place.read.payload != nil {
		return place.read, true
	}
	var memory []byte
	if again {
		memory = make([]byte, 0, 2*len(raw))
	} else {
		memory = w.arena.take(2 * len(raw))
	}
	// Claims decodes the payload to the beginning of the memory, and the texts of claims with escapes behind it.
	read.claims, memory, ok = token.Claims(memory, raw)
	if !ok {
		return jwt{}, false
	}
	read.payload = memory[:payloadLength(raw)]
	switch {
	case again:
		place.read = read
	case place != nil:
		*place = cachedToken{key: key}
		fallthrough
	default:
		w.arena.keep(memory)
	}
	return read, true
}
