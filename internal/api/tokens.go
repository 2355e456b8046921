package api

import (
	"cmp"
	"context"
	"net/http"
	"slices"
	"strings"

	"github.com/seshat-project/seshat/internal/account"
	"github.com/seshat-project/seshat/internal/api/wire"
)

const tagTokens = "Tokens"

func (s *server) registerTokens() {
	op := s.operation("GET", "/api/v1/tokens", "list-tokens", tagTokens, "List one's own API tokens")
	op.Description += " With all=true those of everybody, which needs the permission users:read."
	register(s, op, s.listTokens)

	op = s.operation("POST", "/api/v1/tokens", "make-token", tagTokens, "Make an API token")
	op.Description += " Its secret is in the answer, and nowhere else. Those of others with the permission users:write."
	op.DefaultStatus = http.StatusCreated
	register(s, op, s.makeToken)

	op = s.operation("DELETE", "/api/v1/tokens/{id}", "revoke-token", tagTokens, "Revoke an API token")
	op.Description += " One of one's own, or with the permission users:write of anybody."
	op.DefaultStatus = http.StatusNoContent
	register(s, op, s.revokeToken)
}

func newAPIToken(t *account.Token) wire.APIToken {
	return wire.APIToken{
		ID: t.ID, Name: t.Name, User: t.User, Scopes: t.Scopes, CreatedAt: t.CreatedAt.UTC(), ExpiresAt: t.ExpiresAt.UTC(), LastUsed: t.LastUsed.UTC(),
	}
}

type tokenList struct {
	Items []wire.APIToken `json:"items" nullable:"false"`
}

func (s *server) listTokens(ctx context.Context, in *AllInput) (*output[tokenList], error) {
	k, err := s.keeper("list tokens")
	if err != nil {
		return nil, err
	}
	user, err := in.subject(ctx)
	if err != nil {
		return nil, err
	}
	out := &output[tokenList]{tokenList{Items: []wire.APIToken{}}}
	for _, t := range k.Tokens(user) {
		out.Body.Items = append(out.Body.Items, newAPIToken(&t))
	}
	return out, nil
}

type makeTokenInput struct{ Body wire.NewAPIToken }

func (s *server) makeToken(ctx context.Context, in *makeTokenInput) (*output[wire.CreatedToken], error) {
	const op = "make a token"
	k, err := s.keeper(op)
	if err != nil {
		return nil, err
	}
	user, err := s.tokenUser(ctx, in.Body.User)
	if err != nil {
		return nil, err
	}
	n := noted(ctx)
	n.subject = user
	holder, _, err := k.User(user)
	if err != nil {
		return nil, err
	}
	may := RolePermissions(holder.Role)
	for _, scope := range in.Body.Scopes {
		switch p := Permission(scope); {
		case !slices.Contains(Scopes(), p):
			return nil, usage(op, "there is no such scope", "a permission, but account:own and users:write")
		case !slices.Contains(may, p):
			return nil, usage(op, "the role of the user does not have all of the scopes", "leave out what the role does not have")
		}
	}
	request := account.NewToken{Name: in.Body.Name, User: user, Scopes: in.Body.Scopes}
	if request.Never = in.Body.For == "never"; !request.Never {
		if request.For, err = durationOf("for", in.Body.For); err != nil {
			return nil, err
		}
	}
	token, text, err := k.CreateToken(ctx, request)
	if err != nil {
		return nil, err
	}
	n.detail = "token " + token.Name + " (" + token.ID + "), " + strings.Join(token.Scopes, " ")
	return &output[wire.CreatedToken]{wire.CreatedToken{APIToken: newAPIToken(&token), Token: text}}, nil
}

// tokenUser is whose a token is to be.
func (s *server) tokenUser(ctx context.Context, named string) (string, error) {
	own := ownName(ctx)
	if user, err := account.NormaliseName(cmp.Or(named, own)); err == nil && user == own {
		return own, nil
	}
	if err := authorize(ctx, UsersWrite); err != nil {
		return "", err
	}
	if named == "" {
		return "", usage("make a token", "it needs a user whose it is", "name one")
	}
	return named, nil
}

type revokeTokenInput struct {
	ID string `path:"id" maxLength:"64"`
}

func (s *server) revokeToken(ctx context.Context, in *revokeTokenInput) (*struct{}, error) {
	k, err := s.keeper("revoke a token")
	if err != nil {
		return nil, err
	}
	token, err := k.RevokeToken(ctx, in.ID, ownUnless(ctx, UsersWrite))
	if err == nil {
		noted(ctx).subject, noted(ctx).detail = token.User, "token "+token.Name+" ("+token.ID+")"
	}
	return nil, err
}
