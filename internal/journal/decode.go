package journal

import (
	"encoding/binary"
	"net/netip"
	"time"

	"github.com/seshat-project/seshat"
)

// Decoder decodes observations. What repeats from one to the next shares its memory: texts, and lists that are equal. It is
// not safe for concurrent use; the observations are, which nobody may change.
type Decoder struct {
	texts    texts
	endings  endings
	unpacked []byte // of the batch before
	slab     slab
}

// slab is memory that observations are cut from: they and their IDs would else be allocated one by one. They are
// let go in the order in which they came, so that none keeps many others alive for long.
type slab struct {
	observations []seshat.Observation
	ids          []seshat.ObservedID
}

// How many parts are allocated at once: some eight kilobytes.
const (
	slabObservations = 16
	slabIDs          = 32
)

// observation is memory for an observation. A slab that is nil allocates it by itself.
func (s *slab) observation() *seshat.Observation {
	if s == nil {
		return &seshat.Observation{}
	}
	if len(s.observations) == 0 {
		s.observations = make([]seshat.Observation, slabObservations)
	}
	o := &s.observations[0]
	s.observations = s.observations[1:]
	return o
}

// list is memory for n IDs.
func (s *slab) list(n int) []seshat.ObservedID {
	if s == nil || n > slabIDs {
		return make([]seshat.ObservedID, n)
	}
	if len(s.ids) < n {
		s.ids = make([]seshat.ObservedID, slabIDs)
	}
	out := s.ids[:n:n]
	s.ids = s.ids[n:]
	return out
}

// NewDecoder returns a decoder.
func NewDecoder() *Decoder { return &Decoder{} }

// Decode decodes the first observation in src, and returns what follows it. The observation owns its memory. It
// returns [ErrCorrupt] for anything that [Append] did not write.
func (d *Decoder) Decode(src []byte) (*seshat.Observation, []byte, error) {
	return decode(src, &reader{texts: &d.texts, endings: &d.endings, slab: &d.slab})
}

// Decode is [Decoder.Decode] for a single observation.
func Decode(src []byte) (*seshat.Observation, []byte, error) { return decode(src, &reader{}) }

func decode(src []byte, r *reader) (*seshat.Observation, []byte, error) {
	if len(src) < lengthBytes {
		return nil, nil, ErrCorrupt
	}
	size := uint64(binary.LittleEndian.Uint32(src))
	if src = src[lengthBytes:]; size > uint64(len(src)) {
		return nil, nil, ErrCorrupt
	}
	r.rest = src[:size]
	o := r.observation()
	if r.broken || len(r.rest) > 0 {
		return nil, nil, ErrCorrupt
	}
	return o, src[size:], nil
}

// reader reads the parts of one observation. After something broken it reads nothing but zeros, so that only the end needs to ask.
type reader struct {
	rest    []byte
	texts   *texts
	endings *endings
	slab    *slab
	broken  bool
}

func (r *reader) observation() *seshat.Observation {
	o := r.slab.observation()
	if key := r.bytes(8); key != nil {
		o.Key = seshat.ExchangeKey(binary.LittleEndian.Uint64(key))
	}
	o.ID = r.text()
	o.Time = r.time()
	o.Duration = time.Duration(r.integer())
	o.Environment = r.repeated()
	o.Service = r.repeated()
	o.Method = r.repeated()
	o.Scheme = r.repeated()
	o.Host = r.repeated()
	o.Path = r.repeated()
	o.Endpoint = r.repeated()
	o.HTTPVersion = r.repeated()
	o.Status = int(r.integer())
	o.RequestBytes = r.integer()
	o.ResponseBytes = r.integer()
	o.ClientIP = r.address()
	o.UserAgent = r.repeated()
	o.JA4 = r.repeated()
	o.Device = r.digest()
	o.Origin = r.repeated()
	o.TraceID = r.text()
	r.ending(o)
	return o
}

// ending reads the rest of an observation.
func (r *reader) ending(o *seshat.Observation) {
	encoded := r.rest
	known, place := r.endings.find(encoded)
	if known != nil {
		known.give(o)
		r.rest = nil
		return
	}
	if place != nil {
		r.slab = nil // it would be kept as long as the ending is
	}
	if n := r.count(leastID); n > 0 {
		o.IDs = r.slab.list(n)
		for i := range o.IDs {
			r.id(&o.IDs[i])
		}
	}
	o.Grouping = int(r.integer())
	if n := r.count(leastParameter); n > 0 {
		o.Parameters = make([]seshat.Parameter, n)
		for i := range o.Parameters {
			p := &o.Parameters[i]
			p.Type, p.Side, p.Weak = seshat.ParameterType(r.byte()), seshat.Side(r.byte()), r.flag()
			p.Name, p.Value = r.repeated(), r.repeated()
		}
	}
	if n := r.count(leastFlow); n > 0 {
		o.Flows = make([]seshat.FlowMatch, n)
		for i := range o.Flows {
			o.Flows[i] = seshat.FlowMatch{Name: r.repeated(), Type: seshat.FlowType(r.repeated())}
		}
	}
	if len(r.rest) > 0 { // absent when the request was allowed, and in version 1
		r.verdict(&o.Verdict)
	}
	if place != nil && !r.broken && len(r.rest) == 0 {
		place.keep(encoded, o)
	}
}

func (r *reader) verdict(v *seshat.ObservedVerdict) {
	v.Action, v.By = seshat.Action(r.byte()), r.repeated()
	if n := r.count(leastTag); n > 0 {
		v.Tags = make([]string, n)
		for i := range v.Tags {
			v.Tags[i] = r.repeated()
		}
	}
	if v.Action == 0 && v.By == "" && len(v.Tags) == 0 {
		r.fail()
	}
}

func (r *reader) id(id *seshat.ObservedID) {
	has := r.byte()
	id.Origin, id.Kind, id.Side, id.Where = seshat.Origin(r.byte()), seshat.IDKind(r.byte()), seshat.Side(r.byte()), seshat.Location(r.byte())
	if has&hasDigest != 0 {
		copy(id.Digest[:], r.bytes(len(id.Digest)))
	}
	if has&hasRule != 0 {
		copy(id.Rule[:], r.bytes(len(id.Rule)))
	}
	id.Index = int(r.integer())
	id.Name, id.Key, id.Masked = r.repeated(), r.repeated(), r.repeated()
	if has&hasExpiry != 0 {
		id.ExpiresAt = r.time()
	}
	if has&hasLifetime != 0 {
		id.Lifetime = time.Duration(r.integer())
	}
	if has&hasToken != 0 {
		id.Token.IsToken = r.flag()
		id.Token.Issuer, id.Token.Subject = r.repeated(), r.repeated()
		id.Token.SessionID = r.digest()
		id.Token.IssuedAt, id.Token.ExpiresAt = r.time(), r.time()
	}
	id.Deleted = has&isDeleted != 0
	if has >= isDeleted<<1 {
		r.fail()
	}
}

func (r *reader) fail() { r.broken, r.rest = true, nil }

// bytes reads n bytes, or nil.
func (r *reader) bytes(n int) []byte {
	if n > len(r.rest) {
		r.fail()
		return nil
	}
	b := r.rest[:n]
	r.rest = r.rest[n:]
	return b
}

func (r *reader) byte() byte {
	if len(r.rest) == 0 {
		r.fail()
		return 0
	}
	b := r.rest[0]
	r.rest = r.rest[1:]
	return b
}

func (r *reader) flag() bool {
	b := r.byte()
	if b > 1 {
		r.fail()
	}
	return b == 1
}

func (r *reader) natural() uint64 {
	if len(r.rest) > 0 && r.rest[0] < 0x80 {
		n := r.rest[0]
		r.rest = r.rest[1:]
		return uint64(n)
	}
	n, size := binary.Uvarint(r.rest)
	if size <= 0 {
		r.fail()
		return 0
	}
	r.rest = r.rest[size:]
	return n
}

func (r *reader) integer() int64 {
	n := r.natural()
	return int64(n>>1) ^ -int64(n&1) //nolint:gosec // zigzag, as binary.Varint reads it
}

// count reads how many parts follow, each of at least so many bytes.
func (r *reader) count(least int) int {
	n := r.natural()
	if n > uint64(len(r.rest)/least) { //nolint:gosec // lengths are not negative
		r.fail()
		return 0
	}
	return int(n) //nolint:gosec // at most len(r.rest)
}

// text reads a text of its own.
func (r *reader) text() string { return string(r.bytes(r.count(1))) }

// repeated reads a text that other observations are likely to have too.
func (r *reader) repeated() string { return r.texts.intern(r.bytes(r.count(1))) }

func (r *reader) time() time.Time {
	seconds, nanoseconds := r.integer(), r.natural()
	if nanoseconds >= uint64(time.Second) {
		r.fail()
		return time.Time{}
	}
	return time.Unix(seconds, int64(nanoseconds)).UTC() //nolint:gosec // below a second
}

func (r *reader) digest() (d seshat.Digest) {
	switch n := int(r.byte()); n {
	case 0:
	case len(d):
		copy(d[:], r.bytes(n))
	default:
		r.fail()
	}
	return d
}

func (r *reader) address() netip.Addr {
	switch r.byte() {
	case 0:
		return netip.Addr{}
	case 4:
		if b := r.bytes(4); b != nil {
			return netip.AddrFrom4([4]byte(b))
		}
	case 16:
		if b := r.bytes(16); b != nil {
			return netip.AddrFrom16([16]byte(b)).WithZone(r.repeated())
		}
	}
	r.fail()
	return netip.Addr{}
}
