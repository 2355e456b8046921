package account

import (
	"context"
	"errors"
	"fmt"

	"github.com/seshat-project/seshat"
	"github.com/seshat-project/seshat/internal/audit"
	"github.com/seshat-project/seshat/internal/kv"
)

// SignedIn is a session that has just begun. Token is shown this once.
type SignedIn struct {
	Token  string
	Access *Access
}

// ErrRefused is returned for a name and password, or a code, that let nobody in. It does not say why.
var ErrRefused = errors.New("the name or the password is wrong")

// ErrCode is returned for a code that is good for nothing: it never was, was used, or is too old.
var ErrCode = errors.New("the code is not good, or not any more")

// The actions of the audit log that are written here.
const (
	actionSignIn = "session.sign-in"
	actionLink   = "link.redeem"
)

// SignIn begins a session of a user who has a password. Replaced is the token of a session that the browser has had before;
// it ends. The error is ErrRefused, or a [LimitedError] after too many of those. Whether there is such a user does not
// show, neither in the error nor in the time that it takes.
func (k *Keeper) SignIn(ctx context.Context, name, password, replaced string, c Client) (*SignedIn, error) {
	if err := k.sound(); err != nil {
		return nil, err
	}
	shown := bound(name, maxName)
	user, errName := NormaliseName(name)
	if errName != nil {
		user = shown // counted like any other
	}
	item, found := k.users.Get(user)
	if !found {
		shown = "" // people type their password where the name belongs
	}
	if err := k.attempts.begin(user, c.Address, k.now()); err != nil {
		return nil, k.refuse(ctx, actionSignIn, shown, c, "too many attempts", err)
	}
	hash := ""
	if found {
		hash = item.Value.Hash
	}
	if len(password) > maxPassword {
		password = password[:maxPassword] + "…" // longer than any that is kept
	}
	good, outdated, err := k.hasher.verify(ctx, hash, password)
	if err != nil {
		k.attempts.undo(user, c.Address)
		return nil, err
	}
	if !good || item.Value.Disabled {
		why := "no such user"
		switch {
		case found && good:
			why = "the user is disabled"
		case found && hash == "":
			why = "the user has no password"
		case found:
			why = "wrong password"
		}
		return nil, k.refuse(ctx, actionSignIn, shown, c, why, ErrRefused)
	}
	k.attempts.succeed(user, c.Address)
	if outdated {
		k.renew(ctx, item.Value, item.Revision, password)
	}
	return k.signIn(ctx, &item.Value.User, HowPassword, c, replaced)
}

// renew makes the digest of a password anew, at the cost of today. That it cannot is of no concern to who signs in.
func (k *Keeper) renew(ctx context.Context, r *userRecord, revision kv.Revision, password string) {
	hash, err := k.hasher.hash(ctx, password)
	if err == nil {
		renewed := *r
		renewed.Hash = hash
		_, err = k.users.Put(ctx, r.Name, &renewed, revision)
	}
	if err != nil {
		k.logger.WarnContext(ctx, "the digest of a password stays at its old cost", "error", err)
	}
}

// signIn begins a session once it is in the audit log.
func (k *Keeper) signIn(ctx context.Context, user *User, how string, c Client, replaced string) (*SignedIn, error) {
	entry, err := k.options.Audit.Begin(ctx, audit.Event{
		By: user.Name, Means: audit.MeansConsole, Address: c.Address, Action: actionSignIn, Subject: user.Name, Detail: "by " + how,
	})
	if err != nil {
		return nil, err
	}
	in, err := k.begin(ctx, user, how, c, replaced)
	if err != nil {
		entry.End(ctx, audit.Failed, nil)
		return nil, err
	}
	entry.End(ctx, audit.Done, func(e *audit.Event) { e.Detail += ", session " + in.Access.Session.ID })
	return in, nil
}

// refuse writes a failed attempt down and returns err. Where it cannot be written, that is the error.
func (k *Keeper) refuse(ctx context.Context, action, subject string, c Client, why string, err error) error {
	failed := k.options.Audit.Record(ctx, audit.Event{
		Means: audit.MeansNone, Address: c.Address, Action: action, Subject: subject, Outcome: audit.Refused, Detail: why,
	})
	if failed != nil {
		return failed
	}
	return err
}

// Identity is who somebody is to an OpenID provider, once its ID token was found good.
type Identity struct {
	Issuer, Subject   string
	Name, DisplayName string // for a user that is not there yet
	// Role is what the provider says; when it is empty, a user keeps the role, and a new one is not made.
	Role Role
}

// byProvider is who makes and changes users by what an OpenID provider says.
const byProvider = "OpenID provider"

// SignInIdentity begins a session of the user who is somebody to an OpenID provider. There is made one where there is none
// and the provider says which role they have; never is a user of the same name taken for them, who may be somebody else. The
// error is ErrRefused for who may not sign in.
func (k *Keeper) SignInIdentity(ctx context.Context, id Identity, replaced string, c Client) (*SignedIn, error) {
	if err := k.sound(); err != nil {
		return nil, err
	}
	shown := bound(id.Name, maxName)
	if id.Issuer == "" || id.Subject == "" {
		return nil, k.refuse(ctx, actionSignIn, shown, c, "an identity without issuer or subject", ErrRefused)
	}
	item, found := k.byIdentity(id.Issuer, id.Subject)
	var user User
	var err error
	switch {
	case found && item.Value.Disabled:
		return nil, k.refuse(ctx, actionSignIn, item.Value.Name, c, "the user is disabled", ErrRefused)
	case found && id.Role != "" && id.Role != item.Value.Role:
		user, err = k.audited(ctx, "user.change", item.Value.Name, c, "role "+string(id.Role)+"", func() (User, kv.Revision, error) {
			return k.Change(ctx, item.Value.Name, item.Revision, Change{Role: &id.Role}, byProvider)
		})
	case found:
		user = item.Value.User
	case id.Role == "":
		return nil, k.refuse(ctx, actionSignIn, shown, c, "the OpenID provider gives no role, and there is no such user", ErrRefused)
	default:
		user, err = k.audited(ctx, "user.create", shown, c, "role "+string(id.Role)+"", func() (User, kv.Revision, error) {
			return k.Create(ctx, NewUser{Name: id.Name, DisplayName: id.DisplayName, Role: id.Role, Issuer: id.Issuer, Subject: id.Subject}, byProvider)
		})
	}
	if err != nil {
		if kind := seshat.KindOfError(err); kind == seshat.ErrorConflict || kind == seshat.ErrorInvalid {
			return nil, k.refuse(ctx, actionSignIn, shown, c, err.Error(), fmt.Errorf("%w: %w", ErrRefused, err))
		}
		return nil, err
	}
	return k.signIn(ctx, &user, HowOIDC, c, replaced)
}

// audited makes a change of a user that no request of the API makes.
func (k *Keeper) audited(ctx context.Context, action, subject string, c Client, detail string, change func() (User, kv.Revision, error)) (User, error) {
	entry, err := k.options.Audit.Begin(ctx, audit.Event{
		By: byProvider, Means: audit.MeansProvider, Address: c.Address, Action: action, Subject: subject, Detail: detail,
	})
	if err != nil {
		return User{}, err
	}
	user, revision, err := change()
	if err != nil {
		entry.End(ctx, audit.Failed, nil)
		return User{}, err
	}
	entry.End(ctx, audit.Done, func(e *audit.Event) { e.After = uint64(revision) })
	return user, nil
}

// Rotate begins a session in place of one, after its user has got another password: the old one ended with that.
func (k *Keeper) Rotate(ctx context.Context, name, how string, c Client) (*SignedIn, error) {
	item, err := k.user(name)
	if err != nil {
		return nil, err
	}
	return k.begin(ctx, &item.Value.User, how, c, "")
}

// CheckPassword checks the password of a user who is signed in already, before something that asks for it again. It is
// limited like a sign-in. The error is ErrRefused when it is not theirs.
func (k *Keeper) CheckPassword(ctx context.Context, name, password string, c Client) error {
	item, err := k.user(name)
	if err != nil {
		return err
	}
	if err := k.attempts.begin(item.Value.Name, c.Address, k.now()); err != nil {
		return err
	}
	if len(password) > maxPassword {
		password = password[:maxPassword] + "…"
	}
	good, _, err := k.hasher.verify(ctx, item.Value.Hash, password)
	switch {
	case err != nil:
		k.attempts.undo(item.Value.Name, c.Address)
		return err
	case !good:
		return k.refuse(ctx, "user.password", item.Value.Name, c, "wrong password", ErrRefused)
	}
	k.attempts.succeed(item.Value.Name, c.Address)
	return nil
}
