package live

import (
	"math"
	"math/bits"
	"time"
)

// The classes of latencies: the octaves of a microsecond in eight parts each, so that a percentile is right to 6 %. Below 64 µs
// all are one class, and above two minutes too.
const (
	partBits     = 3
	parts        = 1 << partBits
	lowestOctave = 6  // 64 µs
	octaves      = 21 // up to 2^27 µs, 134 s
	classes      = octaves*parts + 2
)

// sketch counts latencies by class.
type sketch [classes]uint32

// tenSeconds are the latencies of ten seconds.
type tenSeconds struct {
	at int64 // tens of seconds since 1970
	sketch
}

func (s *sketch) add(d time.Duration) { s[classOf(d)]++ }

func classOf(d time.Duration) int {
	us := uint64(max(d/time.Microsecond, 0))
	octave := bits.Len64(us) - 1 - lowestOctave
	switch {
	case octave < 0:
		return 0
	case octave >= octaves:
		return classes - 1
	}
	part := us >> (octave + lowestOctave - partBits) & (parts - 1)
	return 1 + octave*parts + int(part)
}

// latencyOf is the middle of a class.
func latencyOf(class int) time.Duration {
	switch class {
	case 0:
		return (1 << lowestOctave) / 2 * time.Microsecond
	case classes - 1:
		return (1 << (lowestOctave + octaves)) * time.Microsecond
	}
	octave, part := (class-1)/parts, (class-1)%parts
	low := (parts + float64(part)) / parts
	return time.Duration(math.Ldexp(low+0.5/parts, octave+lowestOctave) * float64(time.Microsecond))
}

// merge adds the counts of another sketch.
func (s *sketch) merge(other *sketch) {
	for i, n := range other {
		s[i] += n
	}
}

// Percentiles are latencies that half, nine in ten and 99 in a hundred exchanges stay within; zero when there was none.
type Percentiles struct {
	Exchanges     uint64 // that have a duration
	P50, P90, P99 time.Duration
}

func (s *sketch) percentiles() Percentiles {
	var out Percentiles
	for _, n := range s {
		out.Exchanges += uint64(n)
	}
	if out.Exchanges == 0 {
		return out
	}
	for _, p := range []struct {
		to   *time.Duration
		part float64
	}{{&out.P50, 0.5}, {&out.P90, 0.9}, {&out.P99, 0.99}} {
		rank := uint64(math.Ceil(p.part * float64(out.Exchanges)))
		seen := uint64(0)
		for class, n := range s {
			if seen += uint64(n); seen >= rank {
				*p.to = latencyOf(class)
				break
			}
		}
	}
	return out
}
