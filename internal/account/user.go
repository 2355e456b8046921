package account

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/seshat-project/seshat"
	"github.com/seshat-project/seshat/internal/kv"
)

// The bounds of what a user is.
const (
	maxName     = 128 // bytes: as an e-mail address that a mail server would take, nearly
	maxDisplay  = 128 // bytes
	maxIdentity = 1024
	// MaxUsers is how many users there may be. All are in memory, in some kilobytes each.
	MaxUsers = 10_000
)

// ownerName is the name of who signs in by a link of the data directory's owner. No user can have it.
const ownerName = "owner"

// User is somebody who may sign in.
type User struct {
	// UID tells a user from another one who had the name before.
	UID         string `json:"uid"`
	Name        string `json:"name"` // as [NormaliseName] gives it
	DisplayName string `json:"display_name,omitempty"`
	Role        Role   `json:"role"`
	Disabled    bool   `json:"disabled,omitempty"`
	// Issuer and Subject are who the user is to an OpenID provider; empty for those who sign in with a password only.
	Issuer  string `json:"issuer,omitempty"`
	Subject string `json:"subject,omitempty"`
	// Epoch grows with each change that ends the sessions of the user: they are of an earlier one.
	Epoch     uint64    `json:"epoch"`
	CreatedAt time.Time `json:"created_at"`
	CreatedBy string    `json:"created_by,omitempty"`
	ChangedAt time.Time `json:"changed_at"`
	ChangedBy string    `json:"changed_by,omitempty"`
	// PasswordAt is when the password was set; zero when there is none.
	PasswordAt time.Time `json:"password_at,omitzero"`
}

// userRecord is a user as it is stored.
type userRecord struct {
	Version int `json:"version"`
	User
	Hash string `json:"hash,omitempty"` // of the password; empty when there is none
}

// formatVersion is the version of all records; see docs/formats/accounts.md.
const formatVersion = 1

// record is what the records have in common.
type record interface{ check(key string) error }

var errFormat = errors.New("its format is of another version, or it is not under its own key")

func (r *userRecord) check(key string) error {
	if r.Version != formatVersion || r.Name != key || r.UID == "" || !r.Role.Valid() {
		return errFormat
	}
	return nil
}

// decodeRecord reads a record that is under prefix. The error does not hold what was read.
func decodeRecord[T any, P interface {
	*T
	record
}](prefix string) func(kv.Entry) (P, error) {
	return func(entry kv.Entry) (P, error) {
		r := P(new(T))
		if err := json.Unmarshal(entry.Value, r); err != nil {
			return nil, errors.New("it is not the JSON that it should be")
		}
		return r, r.check(strings.TrimPrefix(entry.Key, prefix))
	}
}

func invalid(op, what, hint string) error {
	return &seshat.Error{Kind: seshat.ErrorInvalid, Op: op, Err: errors.New(what), Hint: hint}
}

// NormaliseName returns the name of a user as it is kept: an e-mail address or a plain name, in lower case. It holds ASCII
// only, so that no name looks like another one.
func NormaliseName(name string) (string, error) {
	const op, hint = "name of the user", "letters, digits and . _ - + @, as in ann or ann@shop.example"
	name = strings.ToLower(strings.TrimSpace(name))
	switch {
	case name == "":
		return "", invalid(op, "it is empty", hint)
	case len(name) > maxName:
		return "", invalid(op, fmt.Sprintf("it has more than %d bytes", maxName), "")
	case name == ownerName || name == "instance" || name == "current":
		return "", invalid(op, "it means something else already", "choose another one")
	}
	for i := range len(name) {
		c := name[i]
		letter := c >= 'a' && c <= 'z' || c >= '0' && c <= '9'
		if !letter && (i == 0 || i == len(name)-1 || !strings.ContainsRune("._-+@", rune(c))) {
			return "", invalid(op, "it has a character that names do not have, or not there", hint)
		}
	}
	return name, nil
}

// cleanDisplay returns a display name as it is kept.
func cleanDisplay(name string) (string, error) {
	name = strings.Join(strings.Fields(name), " ")
	switch {
	case len(name) > maxDisplay:
		return "", invalid("display name of the user", fmt.Sprintf("it has more than %d bytes", maxDisplay), "")
	case !utf8.ValidString(name) || strings.ContainsFunc(name, func(r rune) bool { return !unicode.IsPrint(r) }):
		return "", invalid("display name of the user", "it has characters that cannot be shown", "")
	}
	return name, nil
}

func checkRole(role Role) error {
	if role.Valid() {
		return nil
	}
	return invalid("role of the user", "there is no such role", "viewer, analyst or admin")
}
