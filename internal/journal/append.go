package journal

import (
	"encoding/binary"
	"net/netip"
	"time"

	"github.com/seshat-project/seshat"
)

// lengthBytes is how many bytes an observation's length takes: fixed, so that it can be filled in afterwards.
const lengthBytes = 4

// Append appends o to dst.
func Append(dst []byte, o *seshat.Observation) []byte {
	start := len(dst)
	dst = append(dst, 0, 0, 0, 0)
	dst = binary.LittleEndian.AppendUint64(dst, uint64(o.Key))
	dst = appendText(dst, o.ID)
	dst = appendTime(dst, o.Time)
	dst = binary.AppendVarint(dst, int64(o.Duration))
	dst = appendText(dst, o.Environment)
	dst = appendText(dst, o.Service)
	dst = appendText(dst, o.Method)
	dst = appendText(dst, o.Scheme)
	dst = appendText(dst, o.Host)
	dst = appendText(dst, o.Path)
	dst = appendText(dst, o.Endpoint)
	dst = appendText(dst, o.HTTPVersion)
	dst = binary.AppendVarint(dst, int64(o.Status))
	dst = binary.AppendVarint(dst, o.RequestBytes)
	dst = binary.AppendVarint(dst, o.ResponseBytes)
	dst = appendAddress(dst, o.ClientIP)
	dst = appendText(dst, o.UserAgent)
	dst = appendText(dst, o.JA4)
	dst = appendDigest(dst, o.Device)
	dst = appendText(dst, o.Origin)
	dst = appendText(dst, o.TraceID)
	dst = binary.AppendUvarint(dst, uint64(len(o.IDs)))
	for i := range o.IDs {
		dst = appendID(dst, &o.IDs[i])
	}
	dst = binary.AppendVarint(dst, int64(o.Grouping))
	dst = binary.AppendUvarint(dst, uint64(len(o.Parameters)))
	for i := range o.Parameters {
		p := &o.Parameters[i]
		dst = append(dst, byte(p.Type), byte(p.Side), flag(p.Weak))
		dst = appendText(dst, p.Name)
		dst = appendText(dst, p.Value)
	}
	dst = binary.AppendUvarint(dst, uint64(len(o.Flows)))
	for i := range o.Flows {
		dst = appendText(dst, o.Flows[i].Name)
		dst = appendText(dst, string(o.Flows[i].Type))
	}
	if v := &o.Verdict; v.Action != 0 || v.By != "" || len(v.Tags) > 0 { // most requests are simply allowed
		dst = append(dst, byte(v.Action))
		dst = appendText(dst, v.By)
		dst = binary.AppendUvarint(dst, uint64(len(v.Tags)))
		for _, tag := range v.Tags {
			dst = appendText(dst, tag)
		}
	}
	size := len(dst) - start - lengthBytes
	binary.LittleEndian.PutUint32(dst[start:], uint32(size)) //nolint:gosec // an observation has no gigabytes
	return dst
}

func appendID(dst []byte, id *seshat.ObservedID) []byte {
	var has byte
	if !id.Digest.IsZero() {
		has |= hasDigest
	}
	if !id.Rule.IsZero() {
		has |= hasRule
	}
	if !id.ExpiresAt.IsZero() {
		has |= hasExpiry
	}
	if id.Lifetime != 0 {
		has |= hasLifetime
	}
	if id.Token != (seshat.ObservedClaims{}) {
		has |= hasToken
	}
	if id.Deleted {
		has |= isDeleted
	}
	dst = append(dst, has, byte(id.Origin), byte(id.Kind), byte(id.Side), byte(id.Where))
	if has&hasDigest != 0 {
		dst = append(dst, id.Digest[:]...)
	}
	if has&hasRule != 0 {
		dst = append(dst, id.Rule[:]...)
	}
	dst = binary.AppendVarint(dst, int64(id.Index))
	dst = appendText(dst, id.Name)
	dst = appendText(dst, id.Key)
	dst = appendText(dst, id.Masked)
	if has&hasExpiry != 0 {
		dst = appendTime(dst, id.ExpiresAt)
	}
	if has&hasLifetime != 0 {
		dst = binary.AppendVarint(dst, int64(id.Lifetime))
	}
	if has&hasToken != 0 {
		dst = append(dst, flag(id.Token.IsToken))
		dst = appendText(dst, id.Token.Issuer)
		dst = appendText(dst, id.Token.Subject)
		dst = appendDigest(dst, id.Token.SessionID)
		dst = appendTime(dst, id.Token.IssuedAt)
		dst = appendTime(dst, id.Token.ExpiresAt)
	}
	return dst
}

func appendText(dst []byte, s string) []byte {
	if len(s) < 0x80 {
		return append(append(dst, byte(len(s))), s...)
	}
	return append(binary.AppendUvarint(dst, uint64(len(s))), s...)
}

// appendTime appends seconds since 1970 and nanoseconds, so that every time survives, the zero time too.
func appendTime(dst []byte, t time.Time) []byte {
	dst = binary.AppendVarint(dst, t.Unix())
	return binary.AppendUvarint(dst, uint64(t.Nanosecond())) //nolint:gosec // never negative
}

// appendDigest appends a digest, or a single 0 for none.
func appendDigest(dst []byte, d seshat.Digest) []byte {
	if d.IsZero() {
		return append(dst, 0)
	}
	return append(append(dst, byte(len(d))), d[:]...)
}

// appendAddress appends the address with its length, and its zone.
func appendAddress(dst []byte, a netip.Addr) []byte {
	switch {
	case a.Is4():
		b := a.As4()
		return append(append(dst, byte(len(b))), b[:]...)
	case a.Is6():
		b := a.As16()
		return appendText(append(append(dst, byte(len(b))), b[:]...), a.Zone())
	default:
		return append(dst, 0)
	}
}

func flag(b bool) byte {
	if b {
		return 1
	}
	return 0
}
