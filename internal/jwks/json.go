package jwks

import (
	"errors"
	"fmt"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
)

// parseJSON reads a set, or a single key.
func (b *builder) parseJSON(data []byte) error {
	var document struct {
		Keys    *[]jsontext.Value `json:"keys"`
		KeyType jsontext.Value    `json:"kty"`
	}
	if err := json.Unmarshal(data, &document); err != nil {
		return notJSON(err)
	}
	if document.Keys == nil {
		if document.KeyType == nil {
			return errors.New(`not a JSON Web Key Set: it has no "keys"`)
		}
		document.Keys = &[]jsontext.Value{data}
	}
	for _, raw := range *document.Keys {
		id, key, err := parseKey(raw)
		if err := b.add(id, key, err); err != nil {
			return err
		}
	}
	return nil
}

// notJSON says what is wrong without quoting the document, which may hold private keys.
func notJSON(err error) error {
	if errors.Is(err, jsontext.ErrDuplicateName) {
		return errors.New("an object has two members of one name")
	}
	if syntax, ok := errors.AsType[*jsontext.SyntacticError](err); ok {
		return fmt.Errorf("not JSON at byte %d", syntax.ByteOffset)
	}
	if semantic, ok := errors.AsType[*json.SemanticError](err); ok && semantic.JSONPointer != "" {
		return fmt.Errorf("%s has a value of a wrong type", semantic.JSONPointer)
	}
	return errors.New("not a JSON Web Key Set")
}
