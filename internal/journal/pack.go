package journal

import (
	"fmt"

	"github.com/klauspost/compress/s2"
)

const (
	// leastPacked is from how many bytes on packing is worth it: a few exchanges.
	leastPacked = 1 << 10
	// maxUnpacked is how much a batch may have when it is unpacked. Writers pack batches that are entries as they are.
	maxUnpacked = MaxEntry
)

// Pack appends a finished batch to dst, packed where that makes it smaller. The texts of exchanges repeat from one to the
// next: S2 leaves a fifth or less of them, at a few hundred nanoseconds for each exchange, and what it spares is copied
// several times on its way through the log.
func Pack(dst, batch []byte) []byte {
	start := len(dst)
	if len(batch) < leastPacked || len(batch) > maxUnpacked || batch[atFlags]&flagPacked != 0 {
		return append(dst, batch...)
	}
	dst = append(dst, batch[:headBytes]...)
	body := batch[headBytes:]
	most := s2.MaxEncodedLen(len(body))
	if cap(dst)-len(dst) < most {
		grown := make([]byte, len(dst), len(dst)+most)
		copy(grown, dst)
		dst = grown
	}
	packed := s2.Encode(dst[len(dst):len(dst)+most], body)
	if len(packed) >= len(body) {
		return append(dst[:start], batch...)
	}
	dst[start+atFlags] |= flagPacked
	return dst[:len(dst)+len(packed)]
}

// unpack returns what follows the head of a batch. It is valid until the next call.
func (d *Decoder) unpack(body []byte, packed bool) ([]byte, error) {
	if !packed {
		return body, nil
	}
	size, err := s2.DecodedLen(body)
	if err != nil || size > maxUnpacked {
		return nil, fmt.Errorf("packed batch: %w", ErrCorrupt)
	}
	if d.unpacked, err = s2.Decode(d.unpacked[:cap(d.unpacked)], body); err != nil {
		return nil, fmt.Errorf("packed batch: %w", ErrCorrupt)
	}
	return d.unpacked, nil
}
