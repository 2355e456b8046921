package protect

import (
	"crypto/rand"
	"encoding/base64"
	"errors"
	"fmt"
	"time"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"github.com/seshat-project/seshat"
)

const (
	// keyBytes is the length of a key: as long as the digest of SHA-256, longer ones are not stronger (RFC 2104).
	keyBytes = 32
	// keyFormat is the version of the key file's format, see docs/formats/digest-key.md.
	keyFormat = 1
)

// Key is one digest key. Its secret is not printed by any verb of package fmt, nor logged.
type Key struct {
	// ID names the key without saying anything of it: the first 32 bits of a digest under it, in hexadecimal.
	ID      string
	Created time.Time
	// Retired is when another key took its place; zero for the current key.
	Retired time.Time
	secret  [keyBytes]byte
}

// Format implements [fmt.Formatter]: only the ID is ever printed.
func (k Key) Format(f fmt.State, _ rune) { _, _ = fmt.Fprintf(f, "digest key %s", k.ID) }

// Digester returns a digester under k.
func (k Key) Digester() *Digester { return NewDigester(k.secret[:]) }

// Keyring is the current digest key, and those before it that are kept to find old digests with. It is immutable.
type Keyring struct {
	keys []Key // the current one first, then the newest first
}

// Format implements [fmt.Formatter]: only the IDs are ever printed.
func (r Keyring) Format(f fmt.State, _ rune) { _, _ = fmt.Fprint(f, r.keys) }

// NewKeyring returns a keyring with one new random key.
func NewKeyring(now time.Time) *Keyring { return &Keyring{keys: []Key{newKey(now)}} }

// Current is the key that digests are made with.
func (r *Keyring) Current() Key { return r.keys[0] }

// Keys are all the keys, the current one first, then the newest first.
func (r *Keyring) Keys() []Key { return append([]Key(nil), r.keys...) }

// Digester returns a digester under the current key.
func (r *Keyring) Digester() *Digester { return r.Current().Digester() }

// Digests returns the digests of value under all keys, the current one first: what to look for to find a value in
// exchanges from before a rotation as well.
func (r *Keyring) Digests(value []byte) []seshat.Digest {
	digests := make([]seshat.Digest, len(r.keys))
	for i, key := range r.keys {
		digests[i] = key.Digester().Hash(value)
	}
	return digests
}

// Rotate returns a keyring with a new current key; the others are kept. Digests of the new key do not match those of
// the old ones, so sessions that are going on start anew.
func (r *Keyring) Rotate(now time.Time) *Keyring {
	keys := append([]Key{newKey(now)}, r.keys...)
	keys[1].Retired = now.UTC().Truncate(time.Second)
	return &Keyring{keys: keys}
}

// Remove returns a keyring without the key called id, which must not be the current one. Values can no longer be
// found in exchanges of its time.
func (r *Keyring) Remove(id string) (*Keyring, error) {
	if r.keys[0].ID == id {
		return nil, &seshat.Error{
			Kind: seshat.ErrorConflict, Op: "remove digest key " + id, Hint: "rotate first",
			Err: errors.New("it is the current key"),
		}
	}
	for i := range r.keys {
		if r.keys[i].ID == id {
			keys := append([]Key(nil), r.keys[:i]...)
			return &Keyring{keys: append(keys, r.keys[i+1:]...)}, nil
		}
	}
	return nil, &seshat.Error{Kind: seshat.ErrorNotFound, Op: "remove digest key", Err: errors.New("there is no key with this ID")}
}

func newKey(now time.Time) Key {
	k := Key{Created: now.UTC().Truncate(time.Second)}
	_, _ = rand.Read(k.secret[:]) // never fails: the program ends when there is no randomness
	k.ID = k.makeID()
	return k
}

func (k Key) makeID() string {
	const digits = 8
	return k.Digester().HashLabelled("key id").String()[:digits]
}

// keyFile and keyEntry are the key file's format.
type keyFile struct {
	Version int        `json:"version"`
	Keys    []keyEntry `json:"keys"`
}

type keyEntry struct {
	ID      string     `json:"id"`
	Created time.Time  `json:"created"`
	Retired *time.Time `json:"retired,omitempty"`
	Key     string     `json:"key"`
}

// encode returns the content of the key file.
func (r *Keyring) encode() ([]byte, error) {
	file := keyFile{Version: keyFormat}
	for i := range r.keys {
		k := &r.keys[i]
		entry := keyEntry{ID: k.ID, Created: k.Created, Key: base64.StdEncoding.EncodeToString(k.secret[:])}
		if !k.Retired.IsZero() {
			entry.Retired = &k.Retired
		}
		file.Keys = append(file.Keys, entry)
	}
	text, err := json.Marshal(&file, jsontext.WithIndent("  "))
	return append(text, '\n'), err
}

// errNewerFormat is returned for a key file of a newer version.
var errNewerFormat = errors.New("it was made by a newer version")

// decodeKeyring reads the content of a key file. Errors do not quote it.
func decodeKeyring(text []byte) (*Keyring, error) {
	var version struct {
		Version int `json:"version"`
	}
	if err := json.Unmarshal(text, &version); err != nil {
		return nil, errors.New("it is not JSON, or has no version")
	}
	if version.Version > keyFormat {
		return nil, errNewerFormat
	}
	var file keyFile
	if err := json.Unmarshal(text, &file, json.RejectUnknownMembers(true)); err != nil || version.Version < 1 || len(file.Keys) == 0 {
		return nil, errors.New("it is not as docs/formats/digest-key.md says")
	}
	r := new(Keyring)
	for i, entry := range file.Keys {
		k := Key{ID: entry.ID, Created: entry.Created}
		secret, err := base64.StdEncoding.Strict().DecodeString(entry.Key)
		if err != nil || len(secret) != keyBytes {
			return nil, fmt.Errorf("key %d is not %d bytes in Base64", i+1, keyBytes)
		}
		copy(k.secret[:], secret)
		if k.ID != k.makeID() {
			return nil, fmt.Errorf("key %d is damaged: it does not fit its id", i+1)
		}
		if (entry.Retired == nil) != (i == 0) {
			return nil, fmt.Errorf("key %d: the first key, and no other, is current and not retired", i+1)
		}
		if entry.Retired != nil {
			k.Retired = *entry.Retired
		}
		r.keys = append(r.keys, k)
	}
	return r, nil
}
