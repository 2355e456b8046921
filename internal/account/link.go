package account

import (
	"cmp"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/seshat-project/seshat"
	"github.com/seshat-project/seshat/internal/audit"
	"github.com/seshat-project/seshat/internal/kv"
	"github.com/seshat-project/seshat/internal/kv/mirror"
)

// LinkKind is what a one-time link is for.
type LinkKind string

// The kinds of links.
const (
	// LinkFirst lets its bearer become the first administrator. It is good for as long as there is no user.
	LinkFirst LinkKind = "first"
	// LinkAdmin lets its bearer become an administrator.
	LinkAdmin LinkKind = "admin"
	// LinkPassword lets its bearer set the password of a user, and signs them in.
	LinkPassword LinkKind = "password"
	// LinkOwner signs its bearer in as the owner of the data directory, without a user. It is kept in memory only, and
	// good for as long as the process runs: it is for a demo, which a browser may be closed of and opened again.
	LinkOwner LinkKind = "owner"
)

const (
	// LinkTime is how long a link is good for.
	LinkTime = 24 * time.Hour
	// maxLinks is how many links there may be at once.
	maxLinks = 200
)

// Link is a link that was made. Code is shown this once.
type Link struct {
	Kind    LinkKind
	User    string
	Code    string
	Expires time.Time
}

// linkRecord is a link as it is stored, under the SHA-256 of its code.
type linkRecord struct {
	Version   int       `json:"version"`
	Kind      LinkKind  `json:"kind"`
	User      string    `json:"user,omitempty"`
	UID       string    `json:"uid,omitempty"`
	CreatedAt time.Time `json:"created_at"`
	CreatedBy string    `json:"created_by,omitempty"`
	ExpiresAt time.Time `json:"expires_at"`
}

func (r *linkRecord) check(key string) error {
	if r.Version != formatVersion || r.Kind == "" || len(key) != 2*sha256.Size {
		return errFormat
	}
	return nil
}

// ownerLinks are the links of the kind [LinkOwner], by the digests of their codes.
type ownerLinks struct {
	mu    sync.Mutex
	codes map[string]bool
}

// NewLink makes a link. User is whose password it sets; empty for the other kinds.
func (k *Keeper) NewLink(ctx context.Context, kind LinkKind, user, by string) (Link, error) {
	const op = "make a link"
	now := k.now().UTC()
	r := &linkRecord{Version: formatVersion, Kind: kind, CreatedAt: now, CreatedBy: by, ExpiresAt: now.Add(LinkTime)}
	switch kind {
	case LinkFirst:
		if k.HasUsers() {
			return Link{}, &seshat.Error{Kind: seshat.ErrorConflict, Op: op, Err: errors.New("there are users already")}
		}
	case LinkAdmin:
	case LinkPassword:
		item, err := k.user(user)
		if err != nil {
			return Link{}, err
		}
		if item.Value.Disabled {
			return Link{}, &seshat.Error{Kind: seshat.ErrorConflict, Op: op, Err: errors.New("the user is disabled"), Hint: "enable the user first"}
		}
		r.User, r.UID = item.Value.Name, item.Value.UID
	case LinkOwner:
		code := newSecret(codeBytes)
		k.ownerLinks.mu.Lock()
		defer k.ownerLinks.mu.Unlock()
		if len(k.ownerLinks.codes) >= maxLinks {
			return Link{}, &seshat.Error{Kind: seshat.ErrorConflict, Op: op, Err: errors.New("there are too many already")}
		}
		k.ownerLinks.codes[digestKey(code)] = true
		return Link{Kind: kind, Code: code}, nil
	default:
		return Link{}, invalid(op, "there is no such kind", "")
	}
	if k.links.Len() >= maxLinks {
		k.sweepLinks(ctx)
	}
	if k.links.Len() >= maxLinks {
		return Link{}, &seshat.Error{Kind: seshat.ErrorConflict, Op: op, Err: fmt.Errorf("there are %d already", maxLinks), Hint: "each ends a day after it was made"}
	}
	code := newSecret(codeBytes)
	if _, err := k.links.Put(ctx, digestKey(code), r, kv.None); err != nil {
		return Link{}, storeError(op, err)
	}
	return Link{Kind: kind, User: r.User, Code: code, Expires: r.ExpiresAt}, nil
}

// link finds the link of a code. The error is ErrCode when there is none that is good.
func (k *Keeper) link(key string) (mirror.Item[*linkRecord], error) {
	k.ownerLinks.mu.Lock()
	owner := k.ownerLinks.codes[key]
	k.ownerLinks.mu.Unlock()
	if owner {
		return mirror.Item[*linkRecord]{Value: &linkRecord{Kind: LinkOwner}}, nil
	}
	item, ok := k.links.Get(key)
	if !ok || !k.now().Before(item.Value.ExpiresAt) || item.Value.Kind == LinkFirst && k.HasUsers() {
		return item, ErrCode
	}
	if item.Value.Kind == LinkPassword {
		user, err := k.user(item.Value.User)
		if err != nil || user.Value.UID != item.Value.UID || user.Value.Disabled {
			return item, ErrCode
		}
	}
	return item, nil
}

// CheckLink says what a code is good for, without using it up. It is limited like a sign-in.
func (k *Keeper) CheckLink(ctx context.Context, code string, c Client) (Link, error) {
	item, err := k.tryLink(ctx, code, c)
	if err != nil {
		return Link{}, err
	}
	return Link{Kind: item.Value.Kind, User: item.Value.User, Expires: item.Value.ExpiresAt}, nil
}

// tryLink finds the link of a code, and counts those who try codes.
func (k *Keeper) tryLink(ctx context.Context, code string, c Client) (mirror.Item[*linkRecord], error) {
	if err := k.sound(); err != nil {
		return mirror.Item[*linkRecord]{}, err
	}
	if err := k.attempts.begin("", c.Address, k.now()); err != nil {
		return mirror.Item[*linkRecord]{}, k.refuse(ctx, actionLink, "", c, "too many attempts", err)
	}
	item, err := k.link(digestKey(code))
	if err != nil {
		return item, k.refuse(ctx, actionLink, "", c, "the code is not good", err)
	}
	k.attempts.succeed("", c.Address)
	return item, nil
}

// Redemption is what the bearer of a link says: the user that is made of them, where the link makes one, and the password.
type Redemption struct {
	Code              string
	Name, DisplayName string
	Password          string
}

// Redeem uses a link up and begins a session. What is wrong with the name or the password is said before, and leaves the link
// as good as it was.
func (k *Keeper) Redeem(ctx context.Context, r Redemption, replaced string, c Client) (*SignedIn, error) {
	item, err := k.tryLink(ctx, r.Code, c)
	if err != nil {
		return nil, err
	}
	link := item.Value
	if link.Kind == LinkOwner {
		err := k.options.Audit.Record(ctx, audit.Event{
			By: ownerName, Means: audit.MeansOwner, Address: c.Address, Action: actionSignIn, Subject: ownerName, Outcome: audit.Done, Detail: "by " + HowLink,
		})
		if err != nil {
			return nil, err
		}
		if replaced != "" {
			k.end(ctx, replaced)
		}
		return k.beginOwned(c), nil
	}
	name := cmp.Or(link.User, r.Name)
	if r.Password == "" {
		return nil, invalid("password", "it is missing", "choose one")
	}
	var made *userRecord
	if link.Kind != LinkPassword {
		in := NewUser{Name: r.Name, DisplayName: r.DisplayName, Role: RoleAdmin, Password: r.Password}
		if made, err = k.newUser(ctx, &in, cmp.Or(link.CreatedBy, ownerName)); err != nil {
			return nil, err
		}
		name = made.Name
		if _, taken := k.users.Get(name); taken {
			return nil, &seshat.Error{Kind: seshat.ErrorConflict, Op: "add a user", Err: errors.New("there is a user of that name"), Hint: "choose another one"}
		}
	} else if wrong := checkPassword(r.Password, name); wrong != "" {
		return nil, invalid("password", wrong, "12 characters or more that nobody would guess: four words that do not belong together will do")
	}
	entry, err := k.options.Audit.Begin(ctx, audit.Event{
		By: name, Means: audit.MeansConsole, Address: c.Address, Action: actionLink, Subject: name, Detail: "a link of the kind " + string(link.Kind),
	})
	if err != nil {
		return nil, err
	}
	in, err := k.redeem(ctx, digestKey(r.Code), item, made, r.Password, replaced, c)
	if err != nil {
		entry.End(ctx, audit.Failed, nil)
		return nil, err
	}
	entry.End(ctx, audit.Done, func(e *audit.Event) { e.Detail += ", session " + in.Access.Session.ID })
	return in, nil
}

// redeem does what a link is for. It is used up first: of several who have the code, one gets through.
func (k *Keeper) redeem(ctx context.Context, key string, item mirror.Item[*linkRecord], made *userRecord, password, replaced string, c Client) (*SignedIn, error) {
	k.first.Lock() // of several codes for the first administrator too
	defer k.first.Unlock()
	if item.Value.Kind == LinkFirst && k.HasUsers() {
		return nil, ErrCode
	}
	if err := k.links.Delete(ctx, key, item.Revision); err != nil {
		if errors.Is(err, kv.ErrNotFound) || errors.Is(err, kv.ErrConflict) {
			return nil, ErrCode
		}
		return nil, storeError("use a link", err)
	}
	var user User
	var err error
	if made != nil {
		_, err = k.users.Put(ctx, made.Name, made, kv.None)
		user, err = made.User, storeError("add a user", err)
	} else {
		user, _, err = k.SetPassword(ctx, item.Value.User, password, item.Value.User)
	}
	if err != nil {
		return nil, err
	}
	k.attempts.succeed(user.Name, c.Address)
	return k.begin(ctx, &user, HowLink, c, replaced)
}

// sweepLinks removes the links that are good for nothing any more.
func (k *Keeper) sweepLinks(ctx context.Context) {
	var gone []string
	k.links.Each(func(key string, _ mirror.Item[*linkRecord]) bool {
		gone = append(gone, key)
		return true
	})
	for _, key := range gone {
		if _, err := k.link(key); err == nil {
			continue
		}
		if err := k.links.Delete(ctx, key, kv.Any); err != nil && !errors.Is(err, kv.ErrNotFound) {
			k.logger.WarnContext(ctx, "a link that has ended stays", "error", err)
			return
		}
	}
}
