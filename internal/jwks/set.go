package jwks

import (
	"bytes"
	"errors"
	"fmt"
	"strings"

	"github.com/seshat-project/seshat/internal/jwt"
)

// MaxSize is how many bytes a key set may have. Sets with chains of certificates, as some issuers publish them, have
// 20 to 50 KiB.
const MaxSize = 1 << 20

// Set is the keys of a document, and those that are not used.
type Set struct {
	Keys    *jwt.KeySet
	Skipped []Skipped
}

// Skipped is a key that is not used.
type Skipped struct {
	Index  int    // its place in the document, from 0
	ID     string // its "kid", or empty
	Reason string
	// Leaked says that the private part is in the document: somebody should hear of it.
	Leaked bool
}

func (s Skipped) String() string {
	if s.ID == "" {
		return fmt.Sprintf("key %d is not used: %s", s.Index+1, s.Reason)
	}
	return fmt.Sprintf("key %d, %q, is not used: %s", s.Index+1, s.ID, s.Reason)
}

// Parse reads keys: a JSON Web Key Set, a single JSON Web Key, or PEM. A document without a key that can be used is an
// error, which says why each cannot. Errors hold no key material.
func Parse(data []byte) (*Set, error) {
	if len(data) > MaxSize {
		return nil, fmt.Errorf("more than %d KiB", MaxSize>>10)
	}
	trimmed := bytes.TrimSpace(data)
	var b builder
	var err error
	switch {
	case len(trimmed) == 0:
		return nil, errors.New("empty")
	case trimmed[0] == '{':
		err = b.parseJSON(trimmed)
	case bytes.Contains(trimmed, []byte("-----BEGIN ")):
		err = b.parsePEM(trimmed)
	default:
		return nil, errors.New("neither a JSON Web Key Set nor PEM")
	}
	if err != nil {
		return nil, err
	}
	return b.set()
}

// builder gathers the keys of a document.
type builder struct {
	keys    []*jwt.Key
	skipped []Skipped
	index   int
}

// add takes the next key, or the reason why it is not used.
func (b *builder) add(id string, key *jwt.Key, err error) error {
	if b.index == jwt.MaxKeys {
		return fmt.Errorf("more than %d keys", jwt.MaxKeys)
	}
	if err != nil {
		b.skipped = append(b.skipped, Skipped{Index: b.index, ID: id, Reason: err.Error(), Leaked: errors.Is(err, errPrivate)})
	} else {
		b.keys = append(b.keys, key)
	}
	b.index++
	return nil
}

// maxReasons is how many keys an error says the reason of: a set of strangers' keys may be long.
const maxReasons = 5

func (b *builder) set() (*Set, error) {
	if len(b.keys) == 0 {
		if len(b.skipped) == 0 {
			return nil, errors.New("there is no key in it")
		}
		reasons := make([]string, 0, maxReasons)
		for _, s := range b.skipped[:min(len(b.skipped), maxReasons)] {
			reasons = append(reasons, s.String())
		}
		return nil, errors.New("there is no key in it that can be used: " + strings.Join(reasons, "; "))
	}
	keys, err := jwt.NewKeySet(b.keys...)
	if err != nil {
		return nil, err
	}
	return &Set{Keys: keys, Skipped: b.skipped}, nil
}
