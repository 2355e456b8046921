package api

import (
	"context"
	"slices"

	"github.com/seshat-project/seshat/internal/account"
	"github.com/seshat-project/seshat/internal/api/wire"
)

const tagAccount = "Account"

func (s *server) registerMe() {
	op := s.operation("GET", "/api/v1/me", "get-me", tagAccount, "Say who asks, and what they may do")
	register(s, op, s.getMe)
}

func (s *server) getMe(ctx context.Context, _ *struct{}) (*output[wire.Me], error) {
	p := principalOf(ctx)
	me := wire.Me{
		Name: p.Name, DisplayName: p.DisplayName, Role: p.Role, Means: string(p.Means), Permissions: names(p.Permissions),
		Scopes: []string{}, CSRF: p.csrf,
	}
	for _, scope := range Scopes() {
		if slices.Contains(p.Permissions, scope) {
			me.Scopes = append(me.Scopes, string(scope))
		}
	}
	if p.Session != nil {
		session := newConsoleSession(p.Session, p.Session.ID)
		me.Session = &session
	}
	if p.Token != nil {
		token := newAPIToken(p.Token)
		me.Token = &token
	}
	if s.Accounts != nil && p.Role != RoleOwner {
		if user, _, err := s.Accounts.User(p.Name); err == nil {
			me.HasPassword = !user.PasswordAt.IsZero()
		}
	}
	return &output[wire.Me]{me}, nil
}

// keeper is the accounts, where there are some.
func (s *server) keeper(op string) (*account.Keeper, error) {
	if s.Accounts == nil {
		return nil, unavailable(op)
	}
	return s.Accounts, nil
}
