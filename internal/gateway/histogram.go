package gateway

import (
	"sync/atomic"
	"time"
)

// latencyBounds are the upper bounds of the buckets of a Histogram but for the last, which has none.
var latencyBounds = [...]time.Duration{
	500 * time.Microsecond, time.Millisecond, 2500 * time.Microsecond, 5 * time.Millisecond, 10 * time.Millisecond,
	25 * time.Millisecond, 50 * time.Millisecond, 100 * time.Millisecond, 250 * time.Millisecond, 500 * time.Millisecond,
	time.Second, 2500 * time.Millisecond, 5 * time.Second, 10 * time.Second, 30 * time.Second,
}

// LatencyBuckets is how many buckets a Histogram has.
const LatencyBuckets = len(latencyBounds) + 1

// LatencyBounds are the upper bounds of the buckets of a Histogram, but for the last bucket, which has none.
func LatencyBounds() []time.Duration { return append([]time.Duration(nil), latencyBounds[:]...) }

// Histogram counts durations. It is safe for concurrent use.
type Histogram struct {
	buckets [LatencyBuckets]atomic.Int64
	sum     atomic.Int64
}

// Observe counts one.
func (h *Histogram) Observe(d time.Duration) {
	i := 0
	for i < len(latencyBounds) && d > latencyBounds[i] {
		i++
	}
	h.buckets[i].Add(1)
	h.sum.Add(int64(d))
}

// Counts returns how many there were in each bucket, and their sum.
func (h *Histogram) Counts() (buckets [LatencyBuckets]int64, sum time.Duration) {
	for i := range h.buckets {
		buckets[i] = h.buckets[i].Load()
	}
	return buckets, time.Duration(h.sum.Load())
}
