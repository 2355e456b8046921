package duckdb

import (
	"encoding/binary"
	"errors"
	"math"
	"time"

	"github.com/seshat-project/seshat"
	"github.com/seshat-project/seshat/internal/journal"
	"github.com/seshat-project/seshat/internal/store"
)

// errTail is returned for bytes that are not a batch, or not all of one.
var errTail = errors.New("what was committed last cannot be read")

// appendBatch appends a batch as an entry of the tail holds it; see docs/formats/store.md.
func appendBatch(dst []byte, b *store.Batch) []byte {
	dst = appendTime(dst, b.StoredAt)
	dst = appendText(dst, b.Source)
	dst = appendText(dst, string(b.Position))
	dst = binary.AppendUvarint(dst, uint64(len(b.Exchanges)))
	for i := range b.Exchanges {
		dst = append(dst, b.Exchanges[i].Session[:]...)
		dst = journal.Append(dst, b.Exchanges[i].Observation)
	}
	dst = binary.AppendUvarint(dst, uint64(len(b.Sessions)))
	for i := range b.Sessions {
		dst = appendFacts(dst, &b.Sessions[i])
	}
	dst = binary.AppendUvarint(dst, uint64(len(b.Links)))
	for i := range b.Links {
		dst = appendLink(dst, &b.Links[i])
	}
	dst = binary.AppendUvarint(dst, uint64(len(b.State)))
	for i := range b.State {
		r := &b.State[i]
		dst = append(dst, r.Key[:]...)
		if r.Value == nil {
			dst = append(dst, 0)
			continue
		}
		dst = binary.AppendUvarint(dst, uint64(len(r.Value))+1)
		dst = append(dst, r.Value...)
	}
	return dst
}

func appendFacts(dst []byte, f *seshat.SessionFacts) []byte {
	dst = append(append(append(dst, f.ID[:]...), f.Previous[:]...), f.MergedInto[:]...)
	dst = binary.AppendUvarint(dst, f.Version)
	dst = appendText(dst, f.User)
	dst = binary.AppendUvarint(dst, uint64(len(f.Roles)))
	for _, role := range f.Roles {
		dst = appendText(dst, role)
	}
	dst = appendTime(appendTime(dst, f.Started), f.EndedAt)
	dst = appendText(dst, string(f.EndedBy))
	dst = appendTime(dst, f.ExpiresAt)
	dst = binary.AppendVarint(dst, int64(f.IdleTimeout))
	dst = appendText(dst, f.IdentifiedBy)
	dst = append(dst, byte(f.Origin))
	return binary.LittleEndian.AppendUint64(dst, math.Float64bits(f.Confidence))
}

func appendLink(dst []byte, l *seshat.Link) []byte {
	dst = append(append(append(dst, l.Session[:]...), l.From[:]...), l.To[:]...)
	dst = appendText(dst, l.Masked)
	dst = append(dst, byte(l.Kind))
	dst = appendText(dst, l.Name)
	dst = appendText(dst, string(l.Evidence))
	dst = binary.LittleEndian.AppendUint64(dst, math.Float64bits(l.Score))
	dst = appendTime(dst, l.Time)
	dst = binary.LittleEndian.AppendUint64(dst, uint64(l.Exchange))
	return appendTime(dst, l.ExpiresAt)
}

func appendText(dst []byte, s string) []byte {
	return append(binary.AppendUvarint(dst, uint64(len(s))), s...)
}

// appendTime appends seconds since 1970 and nanoseconds, so that every time survives, the zero time too.
func appendTime(dst []byte, t time.Time) []byte {
	dst = binary.AppendVarint(dst, t.Unix())
	return binary.AppendUvarint(dst, uint64(t.Nanosecond())) //nolint:gosec // never negative
}

// The fewest bytes of each part. They bound what is allocated for a count by the bytes that are there.
const (
	leastExchange = 16
	leastFacts    = 3*16 + 10
	leastLink     = 3*16 + 20
	leastState    = 17
)

// decodeBatch is the inverse of appendBatch. The batch owns its memory.
func decodeBatch(src []byte) (*store.Batch, error) {
	r := tailReader{rest: src}
	b := &store.Batch{StoredAt: r.time(), Source: r.text(), Position: []byte(r.text())}
	observations := journal.NewDecoder()
	if n := r.count(leastExchange); n > 0 {
		b.Exchanges = make([]seshat.Assigned, n)
	}
	for i := range b.Exchanges {
		x := &b.Exchanges[i]
		r.id((*[16]byte)(&x.Session))
		if r.broken {
			return nil, errTail
		}
		var err error
		if x.Observation, r.rest, err = observations.Decode(r.rest); err != nil {
			return nil, errors.Join(errTail, err)
		}
	}
	if n := r.count(leastFacts); n > 0 {
		b.Sessions = make([]seshat.SessionFacts, n)
	}
	for i := range b.Sessions {
		r.facts(&b.Sessions[i])
	}
	if n := r.count(leastLink); n > 0 {
		b.Links = make([]seshat.Link, n)
	}
	for i := range b.Links {
		r.link(&b.Links[i])
	}
	if n := r.count(leastState); n > 0 {
		b.State = make([]store.StateRecord, n)
	}
	for i := range b.State {
		r.id((*[16]byte)(&b.State[i].Key))
		if n := r.natural(); n > 0 {
			b.State[i].Value = append([]byte{}, r.bytes(n-1)...)
		}
	}
	if r.broken || len(r.rest) > 0 {
		return nil, errTail
	}
	return b, nil
}

// tailReader reads the parts of an entry. After something broken it reads nothing but zeros, so that only the end needs
// to ask.
type tailReader struct {
	rest   []byte
	broken bool
}

func (r *tailReader) facts(f *seshat.SessionFacts) {
	r.id((*[16]byte)(&f.ID))
	r.id((*[16]byte)(&f.Previous))
	r.id((*[16]byte)(&f.MergedInto))
	f.Version = r.natural()
	f.User = r.text()
	if n := r.count(1); n > 0 {
		f.Roles = make([]string, n)
	}
	for i := range f.Roles {
		f.Roles[i] = r.text()
	}
	f.Started, f.EndedAt = r.time(), r.time()
	f.EndedBy = seshat.EndReason(r.text())
	f.ExpiresAt = r.time()
	f.IdleTimeout = time.Duration(r.integer())
	f.IdentifiedBy = r.text()
	f.Origin = seshat.Origin(r.byte())
	f.Confidence = math.Float64frombits(r.fixed())
}

func (r *tailReader) link(l *seshat.Link) {
	r.id((*[16]byte)(&l.Session))
	r.id((*[16]byte)(&l.From))
	r.id((*[16]byte)(&l.To))
	l.Masked = r.text()
	l.Kind = seshat.IDKind(r.byte())
	l.Name = r.text()
	l.Evidence = seshat.Evidence(r.text())
	l.Score = math.Float64frombits(r.fixed())
	l.Time = r.time()
	l.Exchange = seshat.ExchangeKey(r.fixed())
	l.ExpiresAt = r.time()
}

func (r *tailReader) fail() { r.broken, r.rest = true, nil }

func (r *tailReader) bytes(n uint64) []byte {
	if n > uint64(len(r.rest)) {
		r.fail()
		return nil
	}
	b := r.rest[:n]
	r.rest = r.rest[n:]
	return b
}

func (r *tailReader) byte() byte {
	if b := r.bytes(1); b != nil {
		return b[0]
	}
	return 0
}

func (r *tailReader) fixed() uint64 {
	if b := r.bytes(8); b != nil {
		return binary.LittleEndian.Uint64(b)
	}
	return 0
}

func (r *tailReader) id(to *[16]byte) { copy(to[:], r.bytes(uint64(len(to)))) }

func (r *tailReader) natural() uint64 {
	n, size := binary.Uvarint(r.rest)
	if size <= 0 {
		r.fail()
		return 0
	}
	r.rest = r.rest[size:]
	return n
}

func (r *tailReader) integer() int64 {
	n, size := binary.Varint(r.rest)
	if size <= 0 {
		r.fail()
		return 0
	}
	r.rest = r.rest[size:]
	return n
}

// count reads how many parts of at least so many bytes follow.
func (r *tailReader) count(least uint64) uint64 {
	n := r.natural()
	if n > uint64(len(r.rest))/least {
		r.fail()
		return 0
	}
	return n
}

func (r *tailReader) text() string { return string(r.bytes(r.natural())) }

func (r *tailReader) time() time.Time {
	seconds, nanoseconds := r.integer(), r.natural()
	if nanoseconds >= uint64(time.Second) {
		r.fail()
		return time.Time{}
	}
	return time.Unix(seconds, int64(nanoseconds)).UTC() //nolint:gosec // below a second
}
