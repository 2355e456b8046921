package account

import (
	"cmp"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/seshat-project/seshat"
	"github.com/seshat-project/seshat/internal/kv"
	"github.com/seshat-project/seshat/internal/kv/mirror"
)

// NewUser is a user to be made.
type NewUser struct {
	Name, DisplayName string
	Role              Role
	Password          string // none when it is empty
	Issuer, Subject   string
}

// Change is what is to change of a user; what is nil stays.
type Change struct {
	DisplayName *string
	Role        *Role
	Disabled    *bool
}

// HasUsers reports whether anybody can sign in at all.
func (k *Keeper) HasUsers() bool { return k.users.Len() > 0 }

// Users returns all users, by name.
func (k *Keeper) Users() []User {
	out := []User{}
	k.users.Each(func(_ string, item mirror.Item[*userRecord]) bool {
		out = append(out, item.Value.User)
		return true
	})
	slices.SortFunc(out, func(a, b User) int { return cmp.Compare(a.Name, b.Name) })
	return out
}

// User returns one user with the revision.
func (k *Keeper) User(name string) (User, kv.Revision, error) {
	item, err := k.user(name)
	if err != nil {
		return User{}, 0, err
	}
	return item.Value.User, item.Revision, nil
}

func (k *Keeper) user(name string) (mirror.Item[*userRecord], error) {
	name, err := NormaliseName(name)
	if err != nil {
		return mirror.Item[*userRecord]{}, notFoundUser()
	}
	item, ok := k.users.Get(name)
	if !ok {
		return item, notFoundUser()
	}
	return item, nil
}

func notFoundUser() error {
	return &seshat.Error{Kind: seshat.ErrorNotFound, Op: "user", Err: errors.New("there is no such user"), Hint: "seshat user list shows who there is"}
}

// Create makes a user. The error is of kind [seshat.ErrorConflict] when there is one of that name.
func (k *Keeper) Create(ctx context.Context, in NewUser, by string) (User, kv.Revision, error) {
	const op = "add a user"
	r, err := k.newUser(ctx, &in, by)
	if err != nil {
		return User{}, 0, err
	}
	k.changing.Lock()
	defer k.changing.Unlock()
	if k.users.Len() >= MaxUsers {
		return User{}, 0, &seshat.Error{Kind: seshat.ErrorConflict, Op: op, Err: fmt.Errorf("there are %d users already", MaxUsers), Hint: "delete some"}
	}
	if in.Issuer != "" {
		if other, found := k.byIdentity(in.Issuer, in.Subject); found {
			return User{}, 0, &seshat.Error{Kind: seshat.ErrorConflict, Op: op, Err: fmt.Errorf("%s signs in as that already", other.Value.Name)}
		}
	}
	revision, err := k.users.Put(ctx, r.Name, r, kv.None)
	if errors.Is(err, kv.ErrConflict) {
		err = &seshat.Error{Kind: seshat.ErrorConflict, Op: op, Err: errors.New("there is a user of that name")}
	}
	return r.User, revision, storeError(op, err)
}

// newUser checks what a user is to be, and makes the record.
func (k *Keeper) newUser(ctx context.Context, in *NewUser, by string) (*userRecord, error) {
	name, err := NormaliseName(in.Name)
	if err != nil {
		return nil, err
	}
	display, err := cleanDisplay(in.DisplayName)
	if err != nil {
		return nil, err
	}
	if err := checkRole(in.Role); err != nil {
		return nil, err
	}
	if (in.Issuer == "") != (in.Subject == "") || len(in.Issuer)+len(in.Subject) > maxIdentity {
		return nil, invalid("identity of the user", "issuer and subject go together, and have at most 1024 bytes", "")
	}
	now := k.now().UTC()
	r := &userRecord{Version: formatVersion, User: User{
		UID: newUID(), Name: name, DisplayName: display, Role: in.Role, Issuer: in.Issuer, Subject: in.Subject,
		CreatedAt: now, CreatedBy: by, ChangedAt: now, ChangedBy: by,
	}}
	if in.Password != "" {
		if err := k.setPassword(ctx, r, in.Password); err != nil {
			return nil, err
		}
	}
	return r, nil
}

// newUID is 130 random bits in lower case.
func newUID() string { return strings.ToLower(rand.Text()) }

// setPassword checks a password and puts its digest into a record that is not stored yet.
func (k *Keeper) setPassword(ctx context.Context, r *userRecord, password string) error {
	if wrong := checkPassword(password, r.Name); wrong != "" {
		return invalid("password", wrong, "12 characters or more that nobody would guess: four words that do not belong together will do")
	}
	hash, err := k.hasher.hash(ctx, password)
	if err != nil {
		return err
	}
	r.Hash, r.PasswordAt = hash, k.now().UTC()
	return nil
}

// Change changes a user if it has the expected revision. A change of the role, and disabling, end the user's sessions.
func (k *Keeper) Change(ctx context.Context, name string, expected kv.Revision, c Change, by string) (User, kv.Revision, error) {
	return k.update(ctx, "change a user", name, expected, by, func(r *userRecord) error {
		if c.DisplayName != nil {
			display, err := cleanDisplay(*c.DisplayName)
			if err != nil {
				return err
			}
			r.DisplayName = display
		}
		if c.Role != nil && *c.Role != r.Role {
			if err := checkRole(*c.Role); err != nil {
				return err
			}
			r.Role = *c.Role
			r.Epoch++
		}
		if c.Disabled != nil && *c.Disabled != r.Disabled {
			r.Disabled = *c.Disabled
			r.Epoch++
		}
		return nil
	})
}

// SetPassword gives a user a password, which ends the user's sessions.
func (k *Keeper) SetPassword(ctx context.Context, name, password, by string) (User, kv.Revision, error) {
	return k.update(ctx, "set a password", name, kv.Any, by, func(r *userRecord) error {
		r.Epoch++
		return k.setPassword(ctx, r, password)
	})
}

// update changes a record.
func (k *Keeper) update(ctx context.Context, op, name string, expected kv.Revision, by string, change func(*userRecord) error) (User, kv.Revision, error) {
	k.changing.Lock()
	defer k.changing.Unlock()
	item, err := k.user(name)
	if err != nil {
		return User{}, 0, err
	}
	if expected != kv.Any && expected != item.Revision {
		return User{}, 0, storeError(op, kv.ErrConflict)
	}
	r := *item.Value
	if err := change(&r); err != nil {
		return User{}, 0, err
	}
	r.ChangedAt, r.ChangedBy = k.now().UTC(), by
	if err := k.keepsAdmin(op, item.Value, &r); err != nil {
		return User{}, 0, err
	}
	revision, err := k.users.Put(ctx, r.Name, &r, item.Revision)
	return r.User, revision, storeError(op, err)
}

// Delete deletes a user if it has the expected revision, with sessions and tokens.
func (k *Keeper) Delete(ctx context.Context, name string, expected kv.Revision) error {
	const op = "delete a user"
	k.changing.Lock()
	defer k.changing.Unlock()
	item, err := k.user(name)
	if err != nil {
		return err
	}
	if expected != kv.Any && expected != item.Revision {
		return storeError(op, kv.ErrConflict)
	}
	if err := k.keepsAdmin(op, item.Value, nil); err != nil {
		return err
	}
	if err := k.users.Delete(ctx, item.Value.Name, item.Revision); err != nil {
		return storeError(op, err)
	}
	k.sweep(ctx) // sessions and tokens ended with the user; now they are gone as well
	return nil
}

// keepsAdmin refuses a change that would leave nobody who can undo it.
func (k *Keeper) keepsAdmin(op string, before, after *userRecord) error {
	admin := func(r *userRecord) bool { return r != nil && r.Role == RoleAdmin && !r.Disabled }
	if !admin(before) || admin(after) {
		return nil
	}
	others := false
	k.users.Each(func(_ string, item mirror.Item[*userRecord]) bool {
		others = admin(item.Value) && item.Value.Name != before.Name
		return !others
	})
	if others {
		return nil
	}
	return &seshat.Error{Kind: seshat.ErrorConflict, Op: op, Err: errors.New("it is the last administrator"), Hint: "make somebody else one first"}
}

// byIdentity finds the user who is subject to an OpenID provider.
func (k *Keeper) byIdentity(issuer, subject string) (out mirror.Item[*userRecord], found bool) {
	k.users.Each(func(_ string, item mirror.Item[*userRecord]) bool {
		if item.Value.Issuer == issuer && item.Value.Subject == subject {
			out, found = item, true
		}
		return !found
	})
	return out, found
}
