package enforce

import (
	"encoding/binary"
	"errors"
	"math"
	"sync"
	"sync/atomic"
	"time"
)

// A share is what the limits of one process counted since its last share: a version, then entries one after the other.
// See docs/limits.md for what several processes admit together.
//
//	tag    4 bytes   names the limit
//	key   16 bytes
//	slice  4 bytes   number of the slice in which the last of the requests passed
//	count  varint    of requests, times 2, plus 1 if "until" follows
//	until  4 bytes   seconds since 1970: the key is refused so long
//
// Numbers are little-endian.
const (
	shareVersion = 1
	// MaxShare is how many bytes a share may have: a quarter of what NATS takes as one message. It has room for some
	// 9,000 keys; what does not fit is in the next one.
	MaxShare   = 256 << 10
	shareEntry = 4 + 16 + 4 + binary.MaxVarintLen64 + 4
)

// errBadShare is returned for a share that cannot be read.
var errBadShare = errors.New("not a share of counts: it is of another version, or damaged")

// sharing knows which keys have counts to share.
type sharing struct {
	on     atomic.Bool // from the first call of AppendShare: nobody collects for a process that is alone
	mu     sync.Mutex  // of making shares
	from   int         // the shard that comes first in the next share
	shards [1 << shardBits]struct {
		active []activeKey // guarded by the shard of the same number
	}
}

type activeKey struct {
	key hash
	tag uint32
}

// maxActive is how many keys of a shard wait to be shared: those of a second in which a million keys are active.
const maxActive = 4096

// note notes that a request was counted. The caller has locked the shard.
func (s *sharing) note(w *window, key hash, tag uint32) {
	if !s.on.Load() || tag == 0 {
		return
	}
	if w.pending == 0 {
		waiting := &s.shards[spread(key)>>(64-shardBits)].active
		if len(*waiting) == maxActive {
			return // it is noted when it counts again
		}
		*waiting = append(*waiting, activeKey{key, tag})
	}
	if w.pending < math.MaxUint32 {
		w.pending++
	}
}

// AppendShare appends the counts that other enforcers need to know of, as they grew since the last call, and nothing
// when there are none. Every process of a fleet calls it some ten times a second and sends it to the others. What was
// counted before the first call is not shared.
func (e *Enforcer) AppendShare(dst []byte, now time.Time) []byte {
	s := &e.sharing
	s.on.Store(true)
	s.mu.Lock()
	defer s.mu.Unlock()
	start := len(dst)
	for n := range len(s.shards) {
		if len(dst)-start > MaxShare-shareEntry {
			break
		}
		i := (s.from + n) % len(s.shards)
		dst = e.shareShard(dst, start, i, seconds(now))
		if len(dst)-start > MaxShare-shareEntry {
			s.from = i
		}
	}
	return dst
}

// shareShard appends what one shard has to share, as far as there is room.
func (e *Enforcer) shareShard(dst []byte, start, i int, now uint32) []byte {
	shard := &e.windows.shards[i]
	shard.mu.Lock()
	defer shard.mu.Unlock()
	waiting := &e.sharing.shards[i].active
	done := 0
	for _, a := range *waiting {
		if len(dst)-start > MaxShare-shareEntry {
			break
		}
		done++
		slot := shard.find(a.key, spread(a.key)<<shardBits, now)
		if slot == nil || slot.value.pending == 0 {
			continue
		}
		if len(dst) == start {
			dst = append(dst, shareVersion)
		}
		w := &slot.value
		dst = binary.LittleEndian.AppendUint32(dst, a.tag)
		dst = binary.LittleEndian.AppendUint64(dst, a.key[0])
		dst = binary.LittleEndian.AppendUint64(dst, a.key[1])
		dst = binary.LittleEndian.AppendUint32(dst, w.newest)
		count := uint64(w.pending) << 1
		if w.until > now {
			dst = binary.LittleEndian.AppendUint32(binary.AppendUvarint(dst, count|1), w.until)
		} else {
			dst = binary.AppendUvarint(dst, count)
		}
		w.pending = 0
	}
	*waiting = append((*waiting)[:0], (*waiting)[done:]...)
	return dst
}

// Merge takes what AppendShare of another process returned. Of a damaged share, what is before the damage counts.
func (e *Enforcer) Merge(share []byte, now time.Time) error {
	if len(share) == 0 {
		return nil
	}
	if share[0] != shareVersion || len(share) > MaxShare {
		return errBadShare
	}
	rules := e.rules.Load()
	for share = share[1:]; len(share) > 0; {
		const fixed = 4 + 16 + 4
		if len(share) < fixed {
			return errBadShare
		}
		tag := binary.LittleEndian.Uint32(share)
		key := hash{binary.LittleEndian.Uint64(share[4:]), binary.LittleEndian.Uint64(share[12:])}
		number := binary.LittleEndian.Uint32(share[20:])
		count, n := binary.Uvarint(share[fixed:])
		if n <= 0 || count>>1 > math.MaxUint32 {
			return errBadShare
		}
		share = share[fixed+n:]
		until := uint32(0)
		if count&1 != 0 {
			if len(share) < 4 {
				return errBadShare
			}
			until, share = binary.LittleEndian.Uint32(share), share[4:]
		}
		if l := rules.byTag[tag]; l != nil { // another process may have rules that are newer, or older
			e.merge(l, key, number, uint32(count>>1), until, now) //nolint:gosec // it was looked at
		}
	}
	return nil
}

func (e *Enforcer) merge(l *limit, key hash, number, count, until uint32, now time.Time) {
	nano := now.UnixNano()
	current := l.number(nano)
	if int32(number-current) > 0 { //nolint:gosec // the difference modulo 2³²
		number = current // its clock is ahead, or damaged
	}
	if current-number >= sliceCount && until == 0 {
		return // over
	}
	sec := seconds(now)
	shard, h := e.windows.lock(key)
	defer shard.mu.Unlock()
	slot, fresh := e.windows.put(shard, key, h, sec)
	if slot == nil {
		l.counters.skipped.Add(uint64(count))
		return
	}
	if fresh {
		slot.value.newest = number
	}
	slot.value.add(number, count)
	if until > sec {
		slot.value.until = max(slot.value.until, min(until, ceilSeconds(nano+int64(l.hold))))
	}
	slot.expires = max(slot.expires, l.lapses(nano), slot.value.until)
}
