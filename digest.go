package seshat

import (
	"crypto/sha1" //nolint:gosec // name-based UUIDs only; nothing is protected by it
	"encoding/hex"
	"errors"
)

// ClientSessionID is a session ID as it was found in traffic. It is a secret: it is never stored, logged or shown
// unless its identifier says "obfuscate: false". What is kept of it is a [Digest] and a masked form.
type ClientSessionID string

// Digest is a keyed digest (HMAC-SHA-256 truncated to 128 bits) of a secret value. Equal values have equal digests
// under one key, wherever they were found.
type Digest [16]byte

// IsZero reports whether d is the zero digest, which stands for "no value".
func (d Digest) IsZero() bool { return d == Digest{} }

// String is d in lower-case hexadecimal, 32 characters.
func (d Digest) String() string { return hex.EncodeToString(d[:]) }

// MarshalText implements [encoding.TextMarshaler].
func (d Digest) MarshalText() ([]byte, error) { return []byte(d.String()), nil }

// ErrBadDigest is returned for text that is not a digest.
var ErrBadDigest = errors.New("not a digest: 32 hexadecimal digits")

// UnmarshalText implements [encoding.TextUnmarshaler].
func (d *Digest) UnmarshalText(text []byte) error {
	if len(text) != 2*len(d) {
		return ErrBadDigest
	}
	var out Digest
	if _, err := hex.Decode(out[:], text); err != nil {
		return ErrBadDigest
	}
	*d = out
	return nil
}

// SessionID is Seshat's own ID of a session: a UUIDv8 derived from the session's first client session ID and its
// start. It stays the same while client session IDs are refreshed.
type SessionID [16]byte

// IsZero reports whether id is the zero value, which stands for "no session".
func (id SessionID) IsZero() bool { return id == SessionID{} }

// String is id in the canonical UUID form, 36 characters.
func (id SessionID) String() string { return formatUUID(id) }

// MarshalText implements [encoding.TextMarshaler]. The zero ID is the empty text.
func (id SessionID) MarshalText() ([]byte, error) {
	if id.IsZero() {
		return nil, nil
	}
	return []byte(id.String()), nil
}

// UnmarshalText implements [encoding.TextUnmarshaler].
func (id *SessionID) UnmarshalText(text []byte) error {
	if len(text) == 0 {
		*id = SessionID{}
		return nil
	}
	parsed, err := ParseSessionID(string(text))
	if err != nil {
		return err
	}
	*id = parsed
	return nil
}

// ErrBadUUID is returned for text that is not a UUID in its canonical form.
var ErrBadUUID = errors.New("not a UUID of the form xxxxxxxx-xxxx-xxxx-xxxx-xxxxxxxxxxxx")

// ParseSessionID reads the canonical UUID form.
func ParseSessionID(s string) (SessionID, error) {
	u, err := parseUUID(s)
	return SessionID(u), err
}

// RuleID is the UUID of a session rule. It is derived from the rule's name unless the rule sets one, so that the
// same rule has the same ID, and its attributes the same names, wherever it is applied.
type RuleID [16]byte

// IsZero reports whether id is the zero value, which stands for "no rule".
func (id RuleID) IsZero() bool { return id == RuleID{} }

// String is id in the canonical UUID form.
func (id RuleID) String() string { return formatUUID(id) }

// ParseRuleID reads the canonical UUID form.
func ParseRuleID(s string) (RuleID, error) {
	u, err := parseUUID(s)
	return RuleID(u), err
}

// RuleIDFor derives the ID of the rule called name: a UUIDv5 (RFC 9562, section 5.5).
func RuleIDFor(name string) RuleID {
	// The UUIDv5 of "https://github.com/seshat-project/seshat/session-rule" in the URL name space.
	namespace := [16]byte{0xce, 0xe7, 0xba, 0x58, 0x84, 0x57, 0x5b, 0x6d, 0xa4, 0x1d, 0x25, 0x3d, 0xeb, 0xd4, 0x80, 0xf5}
	h := sha1.New() //nolint:gosec // see the import
	h.Write(namespace[:])
	h.Write([]byte(name))
	var id RuleID
	copy(id[:], h.Sum(nil))
	id[6] = id[6]&0x0f | 0x50
	id[8] = id[8]&0x3f | 0x80
	return id
}

func formatUUID(u [16]byte) string {
	var out [36]byte
	hex.Encode(out[0:8], u[0:4])
	hex.Encode(out[9:13], u[4:6])
	hex.Encode(out[14:18], u[6:8])
	hex.Encode(out[19:23], u[8:10])
	hex.Encode(out[24:36], u[10:16])
	out[8], out[13], out[18], out[23] = '-', '-', '-', '-'
	return string(out[:])
}

func parseUUID(s string) ([16]byte, error) {
	var u [16]byte
	if len(s) != 36 || s[8] != '-' || s[13] != '-' || s[18] != '-' || s[23] != '-' {
		return u, ErrBadUUID
	}
	digits := s[0:8] + s[9:13] + s[14:18] + s[19:23] + s[24:36]
	if _, err := hex.Decode(u[:], []byte(digits)); err != nil {
		return [16]byte{}, ErrBadUUID
	}
	return u, nil
}
