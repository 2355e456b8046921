package api

import (
	"context"
	"errors"
	"net/http"

	"github.com/seshat-project/seshat"
	"github.com/seshat-project/seshat/internal/account"
	"github.com/seshat-project/seshat/internal/api/wire"
	"github.com/seshat-project/seshat/internal/kv"
)

const tagUsers = "Users"

func (s *server) registerUsers() {
	const one = "/api/v1/users/{name}"
	register(s, s.operation("GET", "/api/v1/users", "list-users", tagUsers, "List users"), s.listUsers)

	op := s.operation("POST", "/api/v1/users", "add-user", tagUsers, "Add a user")
	op.DefaultStatus = http.StatusCreated
	register(s, op, s.addUser)

	register(s, s.operation("GET", one, "get-user", tagUsers, "Get a user"), s.getUser)

	op = s.operation("PATCH", one, "change-user", tagUsers, "Change a user")
	op.Description += " A change of the role, and disabling, end the user's sessions everywhere. With If-Match only when the user still has that revision. The last administrator stays one."
	register(s, op, s.changeUser)

	op = s.operation("DELETE", one, "delete-user", tagUsers, "Delete a user")
	op.Description += " With the user's sessions and tokens."
	op.DefaultStatus = http.StatusNoContent
	register(s, op, s.deleteUser)

	op = s.operation("POST", one+"/password", "set-password", tagUsers, "Set the password of a user")
	op.Description += " One's own with the current one; that of others with the permission users:write. The user's sessions end; in place of the one that asked another one begins."
	register(s, op, s.setPassword)
}

func newUser(u *account.User, revision kv.Revision) wire.User {
	return wire.User{
		Name: u.Name, DisplayName: u.DisplayName, Role: string(u.Role), Disabled: u.Disabled, HasPassword: !u.PasswordAt.IsZero(),
		PasswordAt: u.PasswordAt, Issuer: u.Issuer, Subject: u.Subject, CreatedAt: u.CreatedAt, CreatedBy: u.CreatedBy,
		ChangedAt: u.ChangedAt, ChangedBy: u.ChangedBy, Revision: uint64(revision),
	}
}

type userList struct {
	Items []wire.User `json:"items" nullable:"false"`
}

func (s *server) listUsers(context.Context, *struct{}) (*output[userList], error) {
	k, err := s.keeper("list users")
	if err != nil {
		return nil, err
	}
	out := &output[userList]{userList{Items: []wire.User{}}}
	for _, u := range k.Users() {
		if u, revision, err := k.User(u.Name); err == nil { // it may have been deleted meanwhile
			out.Body.Items = append(out.Body.Items, newUser(&u, revision))
		}
	}
	return out, nil
}

// UserName names a user.
type UserName struct {
	Name string `path:"name" maxLength:"128"`
}

type userOutput struct {
	ETag string `header:"ETag" doc:"The revision."`
	Body wire.User
}

func userAnswer(u account.User, revision kv.Revision, err error) (*userOutput, error) {
	if err != nil {
		return nil, err
	}
	return &userOutput{ETag: etag(revision), Body: newUser(&u, revision)}, nil
}

func (s *server) getUser(_ context.Context, in *UserName) (*userOutput, error) {
	k, err := s.keeper("get a user")
	if err != nil {
		return nil, err
	}
	u, revision, err := k.User(in.Name)
	return userAnswer(u, revision, err)
}

type addUserInput struct {
	Authored
	Body wire.NewUser
}

func (s *server) addUser(ctx context.Context, in *addUserInput) (*userOutput, error) {
	k, err := s.keeper("add a user")
	if err != nil {
		return nil, err
	}
	noted(ctx).subject = in.Body.Name
	u, revision, err := k.Create(ctx, account.NewUser{
		Name: in.Body.Name, DisplayName: in.Body.DisplayName, Role: account.Role(in.Body.Role), Password: in.Body.Password,
		Issuer: in.Body.Issuer, Subject: in.Body.Subject,
	}, author(ctx, in.Author))
	if n := noted(ctx); err == nil {
		n.subject, n.after, n.detail = u.Name, uint64(revision), "role "+string(u.Role)
	}
	return userAnswer(u, revision, err)
}

type changeUserInput struct {
	UserName
	Authored
	IfMatch string `header:"If-Match" doc:"The ETag that the user must still have."`
	Body    wire.UserChange
}

func (s *server) changeUser(ctx context.Context, in *changeUserInput) (*userOutput, error) {
	k, err := s.keeper("change a user")
	if err != nil {
		return nil, err
	}
	conditions := Conditions{IfMatch: in.IfMatch}
	expected, err := conditions.expected()
	if err != nil {
		return nil, err
	}
	before, revision, err := k.User(in.Name)
	if err != nil {
		return nil, err
	}
	n := noted(ctx)
	n.subject, n.before = before.Name, uint64(revision)
	change := account.Change{DisplayName: in.Body.DisplayName, Disabled: in.Body.Disabled}
	if in.Body.Role != nil {
		role := account.Role(*in.Body.Role)
		change.Role = &role
	}
	u, revision, err := k.Change(ctx, in.Name, expected, change, author(ctx, in.Author))
	if err != nil {
		return nil, conditions.changed(err)
	}
	n.after, n.detail = uint64(revision), changeText(&before, &u)
	return userAnswer(u, revision, nil)
}

// changeText says in the audit log what changed.
func changeText(before, after *account.User) string {
	switch {
	case before.Role != after.Role:
		return "role " + string(before.Role) + " to " + string(after.Role)
	case !before.Disabled && after.Disabled:
		return "disabled"
	case before.Disabled && !after.Disabled:
		return "enabled"
	default:
		return "display name"
	}
}

type deleteUserInput struct {
	UserName
	IfMatch string `header:"If-Match" doc:"The ETag that the user must still have."`
}

func (s *server) deleteUser(ctx context.Context, in *deleteUserInput) (*struct{}, error) {
	k, err := s.keeper("delete a user")
	if err != nil {
		return nil, err
	}
	conditions := Conditions{IfMatch: in.IfMatch}
	expected, err := conditions.expected()
	if err != nil {
		return nil, err
	}
	if u, revision, err := k.User(in.Name); err == nil {
		noted(ctx).subject, noted(ctx).before = u.Name, uint64(revision)
	}
	return nil, conditions.changed(k.Delete(ctx, in.Name, expected))
}

type setPasswordInput struct {
	UserName
	Authored
	Body wire.PasswordChange
}

func (s *server) setPassword(ctx context.Context, in *setPasswordInput) (*output[wire.PasswordChanged], error) {
	k, err := s.keeper("set a password")
	if err != nil {
		return nil, err
	}
	p, c := principalOf(ctx), callerOf(ctx)
	name, err := account.NormaliseName(in.Name)
	own := err == nil && name == p.Name && p.Role != RoleOwner
	noted(ctx).subject = name
	if !own {
		if err := authorize(ctx, UsersWrite); err != nil {
			return nil, err
		}
	} else if err := k.CheckPassword(ctx, name, in.Body.Current, c.Client); err != nil {
		if errors.Is(err, account.ErrRefused) {
			err = &seshat.Error{Kind: seshat.ErrorInvalid, Op: "current", Err: errors.New("it is not the password"), Hint: "who has none, or forgot it, needs a link: seshat user link"}
		}
		return nil, err
	}
	if _, _, err := k.SetPassword(ctx, in.Name, in.Body.Password, author(ctx, in.Author)); err != nil {
		return nil, err
	}
	out := &output[wire.PasswordChanged]{}
	if own && p.Session != nil {
		in, err := k.Rotate(ctx, p.Name, p.Session.How, c.Client)
		if err != nil {
			return nil, err
		}
		out.Body.SignedIn = newSignedIn(in)
	}
	return out, nil
}
