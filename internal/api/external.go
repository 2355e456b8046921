package api

import (
	"context"
	"errors"
	"net/http"
	"strings"

	"github.com/seshat-project/seshat/internal/account"
	"github.com/seshat-project/seshat/internal/api/wire"
)

// External is an OpenID provider that people sign in with. What it takes from a browser it checks by itself.
type External interface {
	// Method says what it is called, and where one signs out of it.
	Method() wire.ExternalMethod
	// Begin begins a sign-in.
	Begin(ctx context.Context, in wire.ExternalBegin) (wire.ExternalAttempt, error)
	// End ends it, and returns who signed in and where they wanted to go.
	End(ctx context.Context, in wire.ExternalAnswer) (who account.Identity, next string, err error)
}

func (s *server) registerExternal() {
	register(s, s.operation("GET", "/api/v1/sign-in/methods", "list-sign-in-methods", tagSignIn, "Say which ways there are to sign in"), s.signInMethods)
	register(s, s.operation("POST", "/api/v1/sign-in/external", "begin-external-sign-in", tagSignIn, "Begin a sign-in with the OpenID provider"), s.beginExternal)
	end := s.operation("POST", "/api/v1/sign-in/external/end", "end-external-sign-in", tagSignIn, "Sign in with what the OpenID provider answered")
	end.DefaultStatus = http.StatusCreated
	register(s, end, s.endExternal)
}

func (s *server) signInMethods(context.Context, *struct{}) (*output[wire.SignInMethods], error) {
	out := &output[wire.SignInMethods]{wire.SignInMethods{Password: s.Accounts != nil && !s.NoPasswords}}
	if s.Accounts != nil {
		out.Body.NoUsers = !s.Accounts.HasUsers()
	}
	if s.External != nil {
		method := s.External.Method()
		out.Body.External = &method
	}
	return out, nil
}

func (s *server) beginExternal(ctx context.Context, in *struct{ Body wire.ExternalBegin }) (*output[wire.ExternalAttempt], error) {
	if s.External == nil {
		return nil, unavailable("sign in with an OpenID provider")
	}
	attempt, err := s.External.Begin(ctx, in.Body)
	return &output[wire.ExternalAttempt]{attempt}, err
}

// endExternal begins a session of who the provider says has signed in. The session that the browser had before ends.
func (s *server) endExternal(ctx context.Context, in *struct{ Body wire.ExternalAnswer }) (*output[wire.ExternalSignedIn], error) {
	k, err := s.keeper("sign in")
	if err != nil {
		return nil, err
	}
	if s.External == nil {
		return nil, unavailable("sign in with an OpenID provider")
	}
	who, next, err := s.External.End(ctx, in.Body)
	if err != nil {
		return nil, err
	}
	who.Name = usableName(who.Name)
	c := callerOf(ctx)
	done, err := k.SignInIdentity(ctx, who, c.session, c.Client)
	if errors.Is(err, account.ErrRefused) {
		return nil, &wire.Problem{
			Status: http.StatusForbidden, Title: http.StatusText(http.StatusForbidden), Kind: "invalid",
			Detail: "Your account cannot be used here.", Hint: "ask who looks after this console: the audit log says why",
		}
	}
	if err != nil {
		return nil, err
	}
	return &output[wire.ExternalSignedIn]{wire.ExternalSignedIn{SignedIn: *newSignedIn(done), Next: next}}, nil
}

// usableName is a name that a provider gives, as one that a user can have here: what names do not have becomes a dash.
func usableName(name string) string {
	if _, err := account.NormaliseName(name); err == nil {
		return name
	}
	clean := strings.Map(func(r rune) rune {
		if r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || strings.ContainsRune("._-+@", r) {
			return r
		}
		return '-'
	}, name)
	return strings.Trim(clean, "._-+@")
}

// passwordsOff is what somebody is told who signs in with a password where those are off. It is the same whoever it is.
func passwordsOff() error {
	return &wire.Problem{
		Status: http.StatusForbidden, Title: http.StatusText(http.StatusForbidden), Kind: "invalid",
		Detail: "Nobody signs in with a password here.", Hint: "sign in with the OpenID provider",
	}
}
