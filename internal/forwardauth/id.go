package forwardauth

import (
	"encoding/base64"
	"encoding/binary"
	"math/rand/v2"
	"time"

	"github.com/seshat-project/seshat/internal/protect"
)

// exchangeID names a question and, through the access log, the exchange that it is about:
//
//	8 bytes  when it was asked, in nanoseconds since 1970, big-endian
//	8 bytes  at random
//	8 bytes  of a keyed digest of both
//
// The time makes the exchange of a line the same one as that of the question, even if the process that was asked is gone:
// the key under which an exchange is stored is made from its ID and its time. The digest keeps clients from making IDs up,
// to have their lines passed over.
type exchangeID string

const (
	idTime   = 8
	idPlain  = 16 // time and random bytes
	idBytes  = 24
	idLength = idBytes / 3 * 4 // in base64
	idLabel  = "forward-auth exchange"
)

// issue makes an ID for a question that was asked at a time.
func issue(digester *protect.Digester, asked time.Time) exchangeID {
	var b [idBytes]byte
	binary.BigEndian.PutUint64(b[:idTime], uint64(asked.UnixNano()))
	binary.BigEndian.PutUint64(b[idTime:idPlain], rand.Uint64())
	seal(digester, &b)
	return exchangeID(base64.RawURLEncoding.EncodeToString(b[:]))
}

// seal puts the digest of an ID to its end.
func seal(digester *protect.Digester, b *[idBytes]byte) {
	digest := digester.HashLabelled(idLabel, string(b[:idPlain]))
	copy(b[idPlain:], digest[:])
}

// parseID returns when the question was asked that text is the ID of, if it is one under the digester's key.
func parseID(digester *protect.Digester, text string) (asked time.Time, ok bool) {
	if len(text) != idLength {
		return time.Time{}, false
	}
	var b [idBytes]byte
	if _, err := base64.RawURLEncoding.Strict().Decode(b[:], []byte(text)); err != nil {
		return time.Time{}, false
	}
	sealed := b
	seal(digester, &sealed)
	if sealed != b { // 64 bits that can be tried over the network only: no need for constant time
		return time.Time{}, false
	}
	return time.Unix(0, int64(binary.BigEndian.Uint64(b[:idTime]))).UTC(), true
}
