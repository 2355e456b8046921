package account

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/seshat-project/seshat"
	"github.com/seshat-project/seshat/internal/kv"
	"github.com/seshat-project/seshat/internal/kv/mirror"
)

const (
	// DefaultTokenTime is how long a token is good for where nothing is said: one that nobody looks after is found by others.
	DefaultTokenTime = 90 * 24 * time.Hour
	// MaxTokenTime is how long one may be good for, unless it is said that it must not end: a year.
	MaxTokenTime = 366 * 24 * time.Hour
	// maxTokens is how many tokens a user may have.
	maxTokens = 100
	// keepToken is for how long a token that has ended is shown, so that its owner sees why something stopped.
	keepToken    = 30 * 24 * time.Hour
	maxTokenName = 64
	maxScopes    = 64
	maxScope     = 64
)

// NewToken is an API token to be made.
type NewToken struct {
	Name   string
	User   string
	Scopes []string
	// For is how long it is good for; DefaultTokenTime when it is 0. Never, which must be said, makes one that does not
	// end by itself.
	For   time.Duration
	Never bool
}

// CreateToken makes a token and returns it with its text, which is shown this once.
func (k *Keeper) CreateToken(ctx context.Context, in NewToken) (Token, string, error) {
	const op = "make a token"
	user, err := k.user(in.User)
	if err != nil {
		return Token{}, "", err
	}
	name := strings.Join(strings.Fields(in.Name), " ")
	switch {
	case name == "" || len(name) > maxTokenName || bound(name, maxTokenName) != name:
		return Token{}, "", invalid(op, "its name is empty, longer than 64 bytes, or has characters that cannot be shown", "say what it is for")
	case len(in.Scopes) == 0 || len(in.Scopes) > maxScopes || slices.ContainsFunc(in.Scopes, func(s string) bool { return len(s) > maxScope }):
		return Token{}, "", invalid(op, "it has no scopes, or too many", "name the permissions that it needs")
	case in.Never && in.For != 0:
		return Token{}, "", invalid(op, "it cannot both end and never end", "")
	case in.For < 0 || in.For > MaxTokenTime:
		return Token{}, "", invalid(op, "it would be good for longer than a year, or not at all", "up to 366d")
	}
	own := 0
	for _, t := range k.Tokens(user.Value.Name) {
		if own++; t.Name == name {
			return Token{}, "", &seshat.Error{Kind: seshat.ErrorConflict, Op: op, Err: errors.New("there is one of that name"), Hint: "revoke it, or choose another name"}
		}
	}
	if own >= maxTokens {
		return Token{}, "", &seshat.Error{Kind: seshat.ErrorConflict, Op: op, Err: fmt.Errorf("the user has %d already", maxTokens), Hint: "revoke some"}
	}
	now := k.now().UTC()
	id, text, digest := newToken()
	r := &tokenRecord{Version: formatVersion, UID: user.Value.UID, Digest: digest, Token: Token{
		ID: id, Name: name, User: user.Value.Name, Scopes: slices.Compact(slices.Sorted(slices.Values(in.Scopes))), CreatedAt: now,
	}}
	if !in.Never {
		r.ExpiresAt = now.Add(cmp.Or(in.For, DefaultTokenTime))
	}
	if _, err := k.tokens.Put(ctx, id, r, kv.None); err != nil {
		return Token{}, "", storeError(op, err)
	}
	return r.Token, text, nil
}

// noDigest is compared with where there is no token.
const noDigest = "0000000000000000000000000000000000000000000000000000000000000000"

// AuthenticateToken returns who an API token is of; use notes that it is used. The error is ErrUnknown when it lets nobody in. What
// it may do is for the caller to find: its scopes, as far as the role of its user has them now.
func (k *Keeper) AuthenticateToken(text string, use bool) (*Access, error) {
	if err := k.sound(); err != nil {
		return nil, err
	}
	id, secret, ok := parseToken(text)
	if !ok {
		return nil, ErrUnknown
	}
	now := k.now()
	item, found := k.tokens.Get(id)
	digest := noDigest
	if found {
		digest = item.Value.Digest
	}
	if !sameDigest(digestKey(secret), digest) || !found || item.Value.over(now) {
		return nil, ErrUnknown
	}
	user, ok := k.users.Get(item.Value.User)
	if !ok || user.Value.Disabled || user.Value.UID != item.Value.UID {
		return nil, ErrUnknown
	}
	token := item.Value.Token
	if use {
		k.uses.mu.Lock()
		k.uses.tokens[id] = now
		k.uses.mu.Unlock()
		token.LastUsed = now
	}
	return &Access{Name: user.Value.Name, DisplayName: user.Value.DisplayName, Role: user.Value.Role, Token: &token}, nil
}

func (t *Token) over(now time.Time) bool { return !t.ExpiresAt.IsZero() && !now.Before(t.ExpiresAt) }

// Tokens returns the tokens of a user, or of all users when it is empty: the newest first.
func (k *Keeper) Tokens(user string) []Token {
	out := []Token{}
	k.tokens.Each(func(_ string, item mirror.Item[*tokenRecord]) bool {
		if user == "" || item.Value.User == user {
			out = append(out, item.Value.Token)
		}
		return true
	})
	k.uses.mu.Lock()
	for i := range out {
		out[i].LastUsed = later(out[i].LastUsed, k.uses.tokens[out[i].ID])
	}
	k.uses.mu.Unlock()
	slices.SortFunc(out, func(a, b Token) int { return cmp.Or(b.CreatedAt.Compare(a.CreatedAt), cmp.Compare(a.ID, b.ID)) })
	return out
}

// RevokeToken ends a token; only if it is of user, unless that is empty. It returns what it was.
func (k *Keeper) RevokeToken(ctx context.Context, id, user string) (Token, error) {
	const op = "revoke a token"
	item, ok := k.tokens.Get(id)
	if !ok || user != "" && item.Value.User != user {
		return Token{}, &seshat.Error{Kind: seshat.ErrorNotFound, Op: op, Err: errors.New("there is no such token")}
	}
	if err := k.tokens.Delete(ctx, id, kv.Any); err != nil && !errors.Is(err, kv.ErrNotFound) {
		return Token{}, storeError(op, err)
	}
	return item.Value.Token, nil
}
