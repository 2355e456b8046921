package account

import (
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base32"
	"encoding/binary"
	"encoding/hex"
	"hash/crc32"
	"strings"
	"time"
)

// The form of an API token: "seshat_", the ID, "_", the secret, and a checksum of all that, so that scanners of secrets
// know one when they see it, without asking anybody. See docs/formats/api-token.md.
const (
	TokenPrefix = "seshat_"

	tokenIDBytes = 8 // 13 characters
	tokenIDChars = 13
	sumBytes     = 4 // CRC-32
	secretChars  = 52
	sumChars     = 7
	tokenChars   = len(TokenPrefix) + tokenIDChars + 1 + secretChars + sumChars
)

// tokenText is base32 in lower case: it survives being read aloud, and a double click takes all of it.
func tokenText() *base32.Encoding {
	return base32.NewEncoding("abcdefghijklmnopqrstuvwxyz234567").WithPadding(base32.NoPadding)
}

// newToken returns the ID and the text of a token, and the digest of its secret.
func newToken() (id, text, digest string) {
	random := make([]byte, tokenIDBytes+secretBytes)
	_, _ = rand.Read(random) // never fails
	encoding := tokenText()
	id = encoding.EncodeToString(random[:tokenIDBytes])
	secret := encoding.EncodeToString(random[tokenIDBytes:])
	text = TokenPrefix + id + "_" + secret
	return id, text + checksum(text), digestKey(secret)
}

func checksum(text string) string {
	return tokenText().EncodeToString(binary.BigEndian.AppendUint32(nil, crc32.ChecksumIEEE([]byte(text))))
}

// parseToken takes a token apart. Not ok is what no token can be.
func parseToken(text string) (id, secret string, ok bool) {
	if len(text) != tokenChars || !strings.HasPrefix(text, TokenPrefix) {
		return "", "", false
	}
	body, sum := text[:len(text)-sumChars], text[len(text)-sumChars:]
	id, secret, found := strings.Cut(body[len(TokenPrefix):], "_")
	if !found || len(id) != tokenIDChars || len(secret) != secretChars || checksum(body) != sum {
		return "", "", false
	}
	return id, secret, true
}

// sameDigest compares digests in a time that does not depend on them.
func sameDigest(a, b string) bool { return subtle.ConstantTimeCompare([]byte(a), []byte(b)) == 1 }

// Token is an API token, without its secret.
type Token struct {
	ID        string    `json:"id"`
	Name      string    `json:"name"`
	User      string    `json:"user"` // whose it is
	Scopes    []string  `json:"scopes"`
	CreatedAt time.Time `json:"created_at"`
	// ExpiresAt is zero for a token that does not end by itself.
	ExpiresAt time.Time `json:"expires_at,omitzero"`
	LastUsed  time.Time `json:"last_used,omitzero"`
}

// tokenRecord is a token as it is stored.
type tokenRecord struct {
	Version int `json:"version"`
	Token
	UID    string `json:"uid"` // of the user
	Digest string `json:"digest"`
}

func (r *tokenRecord) check(key string) error {
	digest, err := hex.DecodeString(r.Digest)
	if r.Version != formatVersion || r.ID != key || r.User == "" || err != nil || len(digest) != sha256.Size {
		return errFormat
	}
	return nil
}
