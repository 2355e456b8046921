package jwt

import "fmt"

// Bounds of key sets.
const (
	// MaxKeys is how many keys a set may have. Issuers publish two to five; a federation that publishes those of all its
	// members some dozens.
	MaxKeys = 256
	// MaxTried is how many keys are tried for one token. More than one is only tried when the token does not say
	// which, or several have no ID or the same one; each costs whoever verifies 30 µs (RSA) to 1.5 ms (P-521).
	MaxTried = 8
)

// KeySet is an immutable set of keys. A nil set is empty.
type KeySet struct {
	keys    []*Key
	byID    map[string][]*Key
	unnamed []*Key
}

// NewKeySet returns a set of keys. Several keys may have one ID (RFC 7517, section 4.5).
func NewKeySet(keys ...*Key) (*KeySet, error) {
	if len(keys) > MaxKeys {
		return nil, fmt.Errorf("%d keys; a set has at most %d", len(keys), MaxKeys)
	}
	s := &KeySet{keys: append([]*Key(nil), keys...), byID: make(map[string][]*Key, len(keys))}
	for _, k := range keys {
		if k.id == "" {
			s.unnamed = append(s.unnamed, k)
		} else {
			s.byID[k.id] = append(s.byID[k.id], k)
		}
	}
	return s, nil
}

// Len returns the number of keys.
func (s *KeySet) Len() int {
	if s == nil {
		return 0
	}
	return len(s.keys)
}

// Keys returns the keys; they must not be changed.
func (s *KeySet) Keys() []*Key {
	if s == nil {
		return nil
	}
	return s.keys
}

// candidates returns the keys that may have signed a token with this header: those of its ID, those without an ID when
// no key has its ID, and all when the token has none; of these the ones that are for its algorithm. Named says that the
// token named the keys.
func (s *KeySet) candidates(dst []*Key, h *Header) (fitting []*Key, named bool, err error) {
	if s.Len() == 0 {
		return nil, false, refuseStale(UnknownKey, "there are no keys")
	}
	from := s.keys
	if h.hasKeyID {
		from = s.byID[h.KeyID]
		if named = len(from) > 0; !named {
			from = s.unnamed
		}
		if len(from) == 0 {
			return nil, false, refuseStale(UnknownKey, "no key has the ID %s", quote(h.KeyID))
		}
	}
	fitting = dst
	for _, k := range from {
		if !k.Allows(h.Algorithm) {
			continue
		}
		if len(fitting) == MaxTried {
			return nil, named, refuse(UnknownKey, "more than %d keys may have signed the token, and it does not say which", MaxTried)
		}
		fitting = append(fitting, k)
	}
	switch {
	case len(fitting) > 0:
		return fitting, named, nil
	case named:
		return nil, named, refuse(WrongAlgorithm, "the key %s is not for %s", quote(h.KeyID), h.Algorithm)
	default:
		return nil, named, refuseStale(UnknownKey, "no key is for %s", h.Algorithm)
	}
}
