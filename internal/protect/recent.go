package protect

import (
	"hash/maphash"
	"sync"

	"github.com/seshat-project/seshat"
)

// recentDigests remembers digests that were made lately: a client sends the same cookies and tokens with every request,
// and each is digested when the request comes and when it was answered. It holds no secrets: a value is known by 128
// bits of a hash whose seeds nobody outside the process can know, so that nobody can find two values that have the same.
// It is safe for concurrent use.
type recentDigests struct {
	seeds  [2]maphash.Seed
	shards [recentShards]recentShard
}

// What is remembered: 16,384 digests in half a megabyte, the four of a request for some 4,000 clients. A value that
// falls on the place of another one takes it.
const (
	recentShards = 64 // so that the goroutines of a gateway seldom meet
	recentPlaces = 256
)

type recentShard struct {
	mu     sync.Mutex
	places [recentPlaces]recentDigest
}

type recentDigest struct {
	value  contentKey
	digest seshat.Digest
}

// contentKey stands for a value.
type contentKey [2]uint64

func newRecentDigests() *recentDigests {
	return &recentDigests{seeds: [2]maphash.Seed{maphash.MakeSeed(), maphash.MakeSeed()}}
}

func (r *recentDigests) key(value []byte) contentKey {
	return contentKey{maphash.Bytes(r.seeds[0], value), maphash.Bytes(r.seeds[1], value)}
}

func (r *recentDigests) place(key contentKey) (*recentShard, *recentDigest) {
	shard := &r.shards[key[0]%recentShards]
	return shard, &shard.places[key[0]/recentShards%recentPlaces]
}

func (r *recentDigests) get(key contentKey) (seshat.Digest, bool) {
	shard, place := r.place(key)
	shard.mu.Lock()
	defer shard.mu.Unlock()
	return place.digest, place.value == key
}

func (r *recentDigests) put(key contentKey, digest seshat.Digest) {
	shard, place := r.place(key)
	shard.mu.Lock()
	defer shard.mu.Unlock()
	*place = recentDigest{value: key, digest: digest}
}
