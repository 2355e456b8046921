package oidc

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/rand"
	"encoding/base64"
	"encoding/json"
	"errors"
	"sync"
	"time"
)

// attempt is a sign-in that was begun: what has to be the same at its end. It is known to the browser that began it only,
// which cannot read it.
type attempt struct {
	State    string    `json:"s"`
	Nonce    string    `json:"n"`
	Verifier string    `json:"v"` // of PKCE (RFC 7636)
	Next     string    `json:"x,omitempty"`
	Ends     time.Time `json:"e"`
}

// sealer encrypts attempts under a key of this process: who begins a sign-in before a restart begins it again.
type sealer struct {
	aead    cipher.AEAD
	context []byte
}

func newSealer(context string) (*sealer, error) {
	var key [32]byte
	_, _ = rand.Read(key[:]) // it does not fail
	block, err := aes.NewCipher(key[:])
	if err != nil {
		return nil, err
	}
	// Nonces of 96 random bits: 2^32 attempts under one key have a chance of 2^-32 of meeting.
	aead, err := cipher.NewGCMWithRandomNonce(block)
	if err != nil {
		return nil, err
	}
	return &sealer{aead: aead, context: []byte(context)}, nil
}

func (s *sealer) seal(a *attempt) (string, error) {
	text, err := json.Marshal(a)
	if err != nil {
		return "", err
	}
	return base64.RawURLEncoding.EncodeToString(s.aead.Seal(nil, nil, text, s.context)), nil //nolint:gosec // the nonce is random, and made there
}

// maxSealed is more than an attempt with the longest address after it has.
const maxSealed = 4096

var errNotSealed = errors.New("what the browser kept is missing, or not from here")

func (s *sealer) open(sealed string) (*attempt, error) {
	if len(sealed) > maxSealed {
		return nil, errNotSealed
	}
	raw, err := base64.RawURLEncoding.DecodeString(sealed)
	if err != nil {
		return nil, errNotSealed
	}
	text, err := s.aead.Open(nil, nil, raw, s.context)
	if err != nil {
		return nil, errNotSealed
	}
	var a attempt
	if err := json.Unmarshal(text, &a); err != nil {
		return nil, errNotSealed
	}
	return &a, nil
}

// maxUsed is how many ended attempts are remembered. With more within their time the oldest is forgotten; then the provider
// is who refuses a code that is used twice, as it has to anyway (RFC 6749, section 4.1.2).
const maxUsed = 10_000

// usedStates are the states of attempts that ended, until they would be too old anyway.
type usedStates struct {
	mu    sync.Mutex
	ends  map[string]time.Time
	order []string // oldest first
}

// use reports whether the state was not used before.
func (u *usedStates) use(state string, ends, now time.Time) bool {
	u.mu.Lock()
	defer u.mu.Unlock()
	if u.ends == nil {
		u.ends = map[string]time.Time{}
	}
	for len(u.order) > 0 && (len(u.order) >= maxUsed || u.ends[u.order[0]].Before(now)) {
		delete(u.ends, u.order[0])
		u.order = u.order[1:]
	}
	if _, again := u.ends[state]; again {
		return false
	}
	u.ends[state] = ends
	u.order = append(u.order, state)
	return true
}
