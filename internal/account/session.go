package account

import (
	"cmp"
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"slices"
	"strings"
	"sync"
	"time"
	"unicode"

	"github.com/seshat-project/seshat"
	"github.com/seshat-project/seshat/internal/kv"
	"github.com/seshat-project/seshat/internal/kv/mirror"
)

// How a session began.
const (
	HowPassword = "password"
	HowLink     = "link"
	HowOIDC     = "oidc"
	HowOwner    = "owner" // a link of the data directory's owner that needs no user
)

const (
	// secretBytes is how many random bytes the tokens of sessions and of the API have.
	secretBytes = 32
	// codeBytes is how many the code of a link has: nobody guesses 144 bits in the day that it is good for, and with it the
	// link fits into a line of a terminal.
	codeBytes = 18
	// idDigits is how many digits of the digest name a session: of 2^80, no two of some thousand are the same, and nobody
	// gets from it to the token.
	idDigits = 20
	// maxSessions is how many sessions a user may have at once; one more ends the one that was used least lately.
	maxSessions = 20
	// maxUserAgent is how many bytes of a browser's name are kept.
	maxUserAgent = 256
)

// Session is a session of the console.
type Session struct {
	ID        string
	User      string
	CreatedAt time.Time
	LastUsed  time.Time
	// IdleEnd is when it ends unless it is used, and End when it ends anyway.
	IdleEnd, End time.Time
	Address      string // at the sign-in
	UserAgent    string
	How          string
}

// sessionRecord is a session as it is stored, under the SHA-256 of its token.
type sessionRecord struct {
	Version   int       `json:"version"`
	User      string    `json:"user"`
	UID       string    `json:"uid"`
	Epoch     uint64    `json:"epoch"`
	CreatedAt time.Time `json:"created_at"`
	LastUsed  time.Time `json:"last_used"`
	Address   string    `json:"address,omitempty"`
	UserAgent string    `json:"user_agent,omitempty"`
	How       string    `json:"how"`
}

func (r *sessionRecord) check(key string) error {
	if r.Version != formatVersion || r.User == "" || len(key) != 2*sha256.Size {
		return errFormat
	}
	return nil
}

// Client is where somebody signs in from.
type Client struct{ Address, UserAgent string }

func newSecret(length int) string {
	random := make([]byte, length)
	_, _ = rand.Read(random) // never fails
	return base64.RawURLEncoding.EncodeToString(random)
}

// digestKey is the key of what has a secret: its SHA-256. The secret is random and long, which nothing makes harder to
// guess, and whoever reads the store, or times a look-up, learns nothing that leads to it.
func digestKey(secret string) string {
	sum := sha256.Sum256([]byte(secret))
	return hex.EncodeToString(sum[:])
}

// owned are the sessions of the owner's links: they are in memory only, and end with the process.
type owned struct {
	mu       sync.Mutex
	sessions map[string]*sessionRecord
}

func newOwned() owned { return owned{sessions: map[string]*sessionRecord{}} }

// uses are the last uses that are not written down yet.
type uses struct {
	mu       sync.Mutex
	sessions map[string]time.Time // by key
	tokens   map[string]time.Time
}

func newUses() uses {
	return uses{sessions: map[string]time.Time{}, tokens: map[string]time.Time{}}
}

// Access is who a request comes from.
type Access struct {
	Name, DisplayName string
	Role              Role
	// Session is set for a session of the console, Token for an API token.
	Session *Session
	Token   *Token
	// Owner says that the session is one of the data directory's owner, who is no user.
	Owner bool
}

// ErrUnknown is returned for a token that lets nobody in: it never was one, or it ended.
var ErrUnknown = errors.New("not signed in")

// Authenticate returns who has a session of the console; use notes that it is used, which keeps it from becoming idle. The
// error is ErrUnknown when nobody has it.
func (k *Keeper) Authenticate(token string, use bool) (*Access, error) {
	if err := k.sound(); err != nil {
		return nil, err
	}
	key, now := digestKey(token), k.now()
	if access := k.ownerAccess(key, now, use); access != nil {
		return access, nil
	}
	item, ok := k.sessions.Get(key)
	if !ok {
		return nil, ErrUnknown
	}
	user := k.holder(item.Value)
	if user == nil {
		return nil, ErrUnknown
	}
	k.uses.mu.Lock()
	defer k.uses.mu.Unlock()
	used := later(item.Value.LastUsed, k.uses.sessions[key])
	session := k.view(key, item.Value, used)
	if session.over(now) {
		return nil, ErrUnknown
	}
	if use && now.After(used) {
		k.uses.sessions[key] = now
		session = k.view(key, item.Value, now)
	}
	return &Access{Name: user.Name, DisplayName: user.DisplayName, Role: user.Role, Session: session}, nil
}

func later(a, b time.Time) time.Time {
	if b.After(a) {
		return b
	}
	return a
}

// holder is the user whose session it is; nil when it ended with what the user was then.
func (k *Keeper) holder(r *sessionRecord) *User {
	item, ok := k.users.Get(r.User)
	if !ok || item.Value.Disabled || item.Value.UID != r.UID || item.Value.Epoch != r.Epoch {
		return nil
	}
	return &item.Value.User
}

// ownerAccess is the access of a session of the owner's.
func (k *Keeper) ownerAccess(key string, now time.Time, use bool) *Access {
	k.owned.mu.Lock()
	defer k.owned.mu.Unlock()
	r := k.owned.sessions[key]
	if r == nil {
		return nil
	}
	if k.view(key, r, r.LastUsed).over(now) {
		delete(k.owned.sessions, key)
		return nil
	}
	if use {
		r.LastUsed = later(r.LastUsed, now)
	}
	return &Access{Name: ownerName, Role: RoleAdmin, Session: k.view(key, r, r.LastUsed), Owner: true}
}

// view is a session as it is shown.
func (k *Keeper) view(key string, r *sessionRecord, used time.Time) *Session {
	s := &Session{
		ID: key[:idDigits], User: r.User, CreatedAt: r.CreatedAt, LastUsed: used, IdleEnd: used.Add(k.options.Idle),
		End: r.CreatedAt.Add(k.options.Absolute), Address: r.Address, UserAgent: r.UserAgent, How: r.How,
	}
	if s.IdleEnd.After(s.End) {
		s.IdleEnd = s.End
	}
	return s
}

func (s *Session) over(now time.Time) bool { return !now.Before(s.IdleEnd) }

// begin begins a session of a user, and ends the one that is replaced; replaced is its token, or empty.
func (k *Keeper) begin(ctx context.Context, user *User, how string, c Client, replaced string) (*SignedIn, error) {
	now := k.now().UTC()
	token := newSecret(secretBytes)
	key := digestKey(token)
	r := &sessionRecord{
		Version: formatVersion, User: user.Name, UID: user.UID, Epoch: user.Epoch, CreatedAt: now, LastUsed: now,
		Address: bound(c.Address, maxUserAgent), UserAgent: bound(c.UserAgent, maxUserAgent), How: how,
	}
	if err := k.makeRoom(ctx, user.Name); err != nil {
		return nil, err
	}
	if _, err := k.sessions.Put(ctx, key, r, kv.None); err != nil {
		return nil, storeError("sign in", err)
	}
	if replaced != "" {
		k.end(ctx, replaced)
	}
	access := &Access{Name: user.Name, DisplayName: user.DisplayName, Role: user.Role, Session: k.view(key, r, now)}
	return &SignedIn{Token: token, Access: access}, nil
}

// beginOwned begins a session of the owner's.
func (k *Keeper) beginOwned(c Client) *SignedIn {
	now := k.now().UTC()
	token := newSecret(secretBytes)
	key := digestKey(token)
	r := &sessionRecord{
		Version: formatVersion, User: ownerName, CreatedAt: now, LastUsed: now, Address: bound(c.Address, maxUserAgent),
		UserAgent: bound(c.UserAgent, maxUserAgent), How: HowOwner,
	}
	k.owned.mu.Lock()
	defer k.owned.mu.Unlock()
	for len(k.owned.sessions) >= maxSessions {
		oldest := ""
		for other, s := range k.owned.sessions {
			if oldest == "" || s.LastUsed.Before(k.owned.sessions[oldest].LastUsed) {
				oldest = other
			}
		}
		delete(k.owned.sessions, oldest)
	}
	k.owned.sessions[key] = r
	return &SignedIn{Token: token, Access: &Access{Name: ownerName, Role: RoleAdmin, Session: k.view(key, r, now), Owner: true}}
}

// bound is the beginning of a text that a client sent, as something that can be shown.
func bound(text string, most int) string {
	if len(text) > most {
		text = text[:most]
	}
	return strings.Map(func(r rune) rune {
		if r == unicode.ReplacementChar || !unicode.IsPrint(r) {
			return '?'
		}
		return r
	}, strings.ToValidUTF8(text, ""))
}

// makeRoom ends the sessions of a user that were used least lately, when there are too many.
func (k *Keeper) makeRoom(ctx context.Context, user string) error {
	own := k.keys(func(r *sessionRecord) bool { return r.User == user })
	slices.SortFunc(own, func(a, b keyed) int { return a.session.LastUsed.Compare(b.session.LastUsed) })
	for i := 0; len(own)-i >= maxSessions; i++ {
		if err := k.sessions.Delete(ctx, own[i].key, kv.Any); err != nil && !errors.Is(err, kv.ErrNotFound) {
			return storeError("sign in", err)
		}
	}
	return nil
}

type keyed struct {
	key     string
	record  *sessionRecord
	session *Session
}

// keys are the stored sessions that f wants.
func (k *Keeper) keys(f func(*sessionRecord) bool) []keyed {
	var out []keyed
	k.sessions.Each(func(key string, item mirror.Item[*sessionRecord]) bool {
		if f(item.Value) {
			out = append(out, keyed{key, item.Value, nil})
		}
		return true
	})
	k.uses.mu.Lock()
	defer k.uses.mu.Unlock()
	for i := range out {
		out[i].session = k.view(out[i].key, out[i].record, later(out[i].record.LastUsed, k.uses.sessions[out[i].key]))
	}
	return out
}

// Sessions returns the sessions of a user that go on, or of all users when it is empty: the one that was used last first.
func (k *Keeper) Sessions(user string) []Session {
	now, out := k.now(), []Session{}
	for _, one := range k.keys(func(r *sessionRecord) bool { return user == "" || r.User == user }) {
		if k.holder(one.record) != nil && !one.session.over(now) {
			out = append(out, *one.session)
		}
	}
	if user == "" || user == ownerName {
		k.owned.mu.Lock()
		for key, r := range k.owned.sessions {
			if s := k.view(key, r, r.LastUsed); !s.over(now) {
				out = append(out, *s)
			}
		}
		k.owned.mu.Unlock()
	}
	slices.SortFunc(out, func(a, b Session) int { return cmp.Or(b.LastUsed.Compare(a.LastUsed), cmp.Compare(a.ID, b.ID)) })
	return out
}

// EndSession ends the session of an ID; only if it is of user, unless that is empty.
func (k *Keeper) EndSession(ctx context.Context, id, user string) error {
	const op = "end a session"
	k.owned.mu.Lock()
	for key := range k.owned.sessions {
		if key[:idDigits] == id && (user == "" || user == ownerName) {
			delete(k.owned.sessions, key)
			k.owned.mu.Unlock()
			return nil
		}
	}
	k.owned.mu.Unlock()
	found := k.keysOfID(id)
	if len(found) == 0 || user != "" && found[0].record.User != user {
		return &seshat.Error{Kind: seshat.ErrorNotFound, Op: op, Err: errors.New("there is no such session")}
	}
	if err := k.sessions.Delete(ctx, found[0].key, kv.Any); err != nil && !errors.Is(err, kv.ErrNotFound) {
		return storeError(op, err)
	}
	return nil
}

func (k *Keeper) keysOfID(id string) []keyed {
	if len(id) != idDigits {
		return nil
	}
	var out []keyed
	k.sessions.Each(func(key string, item mirror.Item[*sessionRecord]) bool {
		if strings.HasPrefix(key, id) {
			out = append(out, keyed{key: key, record: item.Value})
		}
		return len(out) == 0
	})
	return out
}

// EndSessions ends all sessions of a user, at once and everywhere.
func (k *Keeper) EndSessions(ctx context.Context, user, by string) error {
	if user == ownerName {
		k.owned.mu.Lock()
		clear(k.owned.sessions)
		k.owned.mu.Unlock()
		return nil
	}
	_, _, err := k.update(ctx, "end the sessions of a user", user, kv.Any, by, func(r *userRecord) error {
		r.Epoch++
		return nil
	})
	return err
}

// SignOut ends the session of a token.
func (k *Keeper) SignOut(ctx context.Context, token string) error {
	key := digestKey(token)
	k.owned.mu.Lock()
	delete(k.owned.sessions, key)
	k.owned.mu.Unlock()
	if err := k.sessions.Delete(ctx, key, kv.Any); err != nil && !errors.Is(err, kv.ErrNotFound) {
		return storeError("sign out", err)
	}
	return nil
}

// end ends the session of a token that another one takes the place of. What cannot be ended ends by itself.
func (k *Keeper) end(ctx context.Context, token string) {
	if err := k.SignOut(ctx, token); err != nil {
		k.logger.WarnContext(ctx, "a session that was replaced goes on until it ends by itself", "error", err)
	}
}
