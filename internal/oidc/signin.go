package oidc

import (
	"context"
	"crypto/rand"
	"crypto/subtle"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/coreos/go-oidc/v3/oidc"
	"golang.org/x/oauth2"
)

// Attempt is a sign-in that begins.
type Attempt struct {
	// URL is where the browser goes.
	URL string
	// Sealed is what it has to keep until it is back, and show to nobody else.
	Sealed string
	// Ends is until when that is good.
	Ends time.Time
}

// Answer is what the provider sends the browser back with (OpenID Connect Core 1.0, sections 3.1.2.5 and 3.1.2.6).
type Answer struct {
	State, Code, Issuer, Error string
}

// Person is who signed in.
type Person struct {
	// Issuer and Subject are who it is: no other person ever has them.
	Issuer, Subject string
	// Name is the name of the user, and Display one for people to read. The provider may change them, or give them to
	// somebody else.
	Name, Display string
	Role          string
	// Next is where the sign-in was begun for.
	Next string
}

// Begin begins a sign-in, after which the browser is to go to next.
func (p *Provider) Begin(ctx context.Context, next string) (*Attempt, error) {
	d, err := p.describe(ctx)
	if err != nil {
		return nil, away(opBegin, err)
	}
	if len(next) > maxURL {
		next = ""
	}
	a := &attempt{
		State: rand.Text(), Nonce: rand.Text(), Verifier: oauth2.GenerateVerifier(), Next: next, Ends: p.o.Now().Add(AttemptTime),
	}
	sealed, err := p.sealer.seal(a)
	if err != nil {
		return nil, err
	}
	return &Attempt{
		URL:    d.oauth.AuthCodeURL(a.State, oidc.Nonce(a.Nonce), oauth2.S256ChallengeOption(a.Verifier)),
		Sealed: sealed, Ends: a.Ends,
	}, nil
}

const (
	hintAgain = "begin again, in one browser, with cookies"
	hintAsk   = "ask who looks after this console"
)

// End ends the sign-in that a browser began and kept sealed, with the answer that it brings from the provider.
func (p *Provider) End(ctx context.Context, sealed string, answer Answer) (*Person, error) {
	const foreign = "this sign-in was not begun in this browser, or too long ago"
	a, err := p.sealer.open(sealed)
	if err != nil {
		return nil, refused(foreign, hintAgain, foreignReason(err.Error()))
	}
	now := p.o.Now()
	switch {
	case subtle.ConstantTimeCompare([]byte(a.State), []byte(answer.State)) != 1:
		return nil, refused(foreign, hintAgain, foreignReason("the state is another one"))
	case !now.Before(a.Ends):
		return nil, refused(foreign, hintAgain, foreignReason("the attempt is too old"))
	case !p.used.use(a.State, a.Ends, now):
		return nil, refused("this sign-in has ended already", hintAgain, foreignReason("the state was used before"))
	}
	d, err := p.describe(ctx)
	if err != nil {
		return nil, away(opEnd, err)
	}
	// Against answers of another provider (RFC 9207, section 2.4).
	if answer.Issuer != p.o.Issuer && (answer.Issuer != "" || d.namesItself) {
		return nil, refused(foreign, hintAgain, errors.New("the answer is of another issuer"))
	}
	if answer.Error != "" {
		return nil, refused("the sign-in service says no: "+known(answer.Error), "try again, or "+hintAsk, fmt.Errorf("the answer is the error %q", known(answer.Error)))
	}
	if answer.Code == "" {
		return nil, refused(foreign, hintAgain, errors.New("the answer has no code"))
	}
	leave, err := p.enter(ctx)
	if err != nil {
		return nil, err
	}
	defer leave()
	claims, err := p.redeem(oidc.ClientContext(ctx, p.client), d, a, answer.Code)
	if err != nil {
		return nil, err
	}
	person, err := p.person(claims)
	if err != nil {
		return nil, err
	}
	person.Next = a.Next
	return person, nil
}

func foreignReason(text string) error { return fmt.Errorf("%w: %s", ErrForeign, text) }

// known is the code of an error if it is one that there is; anything else might be a text that somebody wants to be shown.
func known(code string) string {
	if slices.Contains([]string{
		"access_denied", "account_selection_required", "consent_required", "interaction_required", "invalid_client", "invalid_request",
		"invalid_scope", "login_required", "server_error", "temporarily_unavailable", "unauthorized_client", "unsupported_response_type",
	}, code) {
		return code
	}
	return "another error"
}

// redeem exchanges the code for tokens and returns the claims of who signed in.
func (p *Provider) redeem(ctx context.Context, d *description, a *attempt, code string) (claims, error) {
	const text = "the sign-in service did not say who you are"
	token, err := d.oauth.Exchange(ctx, code, oauth2.VerifierOption(a.Verifier))
	if err != nil {
		var answered *oauth2.RetrieveError
		if errors.As(err, &answered) && answered.Response != nil && answered.Response.StatusCode/100 == 4 {
			return nil, refused(text, "begin again; if that does not help, "+hintAsk, brief(err))
		}
		return nil, away(opEnd, brief(err))
	}
	raw, _ := token.Extra("id_token").(string)
	if raw == "" {
		return nil, refused(text, hintAsk, errors.New("the answer of the token endpoint has no id_token"))
	}
	id, err := d.verifier.Verify(ctx, raw)
	if err != nil {
		return nil, refused(text, hintAsk, brief(err))
	}
	var out claims
	if err := id.Claims(&out); err != nil {
		return nil, refused(text, hintAsk, brief(err))
	}
	if err := p.checkToken(id, out, a, token.AccessToken); err != nil {
		return nil, refused(text, hintAsk, err)
	}
	if !d.userInfo || p.enough(out) {
		return out, nil
	}
	info, err := d.provider.UserInfo(ctx, oauth2.StaticTokenSource(token))
	if err != nil {
		return nil, away(opEnd, fmt.Errorf("userinfo: %w", brief(err)))
	}
	var more claims
	if err := info.Claims(&more); err != nil || info.Subject != id.Subject { // OpenID Connect Core 1.0, section 5.3.2
		return nil, refused(text, hintAsk, errors.New("userinfo is not of who signed in"))
	}
	out.add(more)
	return out, nil
}

// checkToken makes the checks that the library leaves to its callers (OpenID Connect Core 1.0, section 3.1.3.7). It made those
// of signature, algorithm, issuer, audience and end.
func (p *Provider) checkToken(id *oidc.IDToken, c claims, a *attempt, access string) error {
	switch {
	case id.Subject == "":
		return errors.New("the ID token has no sub")
	case subtle.ConstantTimeCompare([]byte(id.Nonce), []byte(a.Nonce)) != 1:
		return errors.New("the ID token has another nonce")
	case id.IssuedAt.IsZero() || id.IssuedAt.Unix() == 0:
		return errors.New("the ID token has no iat")
	case id.IssuedAt.After(p.o.Now().Add(Skew)):
		return errors.New("the ID token is from the future")
	case id.IssuedAt.Before(a.Ends.Add(-AttemptTime - Skew)):
		return errors.New("the ID token was issued before the sign-in began")
	}
	if party, given := c["azp"]; given && party != p.o.ClientID {
		return errors.New("the ID token is for another party (azp)")
	} else if !given && len(id.Audience) > 1 {
		return errors.New("the ID token is for several audiences, and says no party (azp)")
	}
	if id.AccessTokenHash != "" {
		if err := id.VerifyAccessToken(access); err != nil {
			return errors.New("the access token is not the one of the ID token (at_hash)")
		}
	}
	return nil
}
