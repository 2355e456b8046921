package revoked

import (
	"errors"
	"net/http"
	"time"

	"github.com/seshat-project/seshat"
)

// Request says what is to be refused.
type Request struct {
	Sessions         []seshat.SessionID
	ClientSessionIDs []seshat.Digest
	User             string
	IssuedBefore     time.Time
	Issuer           string
	For              time.Duration // 0 is for good
	Status           int           // 0 is 401
	Reason           string
	By               string
}

// Denials returns the entries of the denylist that a request makes: one for each session and client session ID, and one
// for the user or the time. They have no names yet: the
// denylist derives them from what they are about, so that to ask for the same twice makes one entry.
func (r *Request) Denials(now time.Time) ([]seshat.Denial, error) {
	invalid := func(what, hint string) error {
		return &seshat.Error{Kind: seshat.ErrorUsage, Op: "revoke", Err: errors.New(what), Hint: hint}
	}
	if r.Status != 0 && r.Status != http.StatusUnauthorized && r.Status != http.StatusForbidden {
		return nil, invalid("the status is neither 401 nor 403", "401 asks to sign in again, 403 does not")
	}
	if r.Issuer != "" && r.IssuedBefore.IsZero() {
		return nil, invalid("an issuer goes together with a time", "issued_before says which of its tokens are refused")
	}
	if r.Issuer != "" && r.User != "" {
		return nil, invalid("a user and an issuer exclude each other", "make two revocations")
	}
	if r.For < 0 {
		return nil, invalid("it ends before it begins", "such as 30m or 7d")
	}
	entry := seshat.Denial{Status: r.Status, Reason: r.Reason, By: r.By, At: now.UTC().Truncate(time.Microsecond)}
	if entry.Status == 0 {
		entry.Status = http.StatusUnauthorized
	}
	if r.For > 0 {
		entry.Until = entry.At.Add(r.For)
	}
	var out []seshat.Denial
	for _, id := range r.Sessions {
		d := entry
		d.Session = id
		out = append(out, d)
	}
	for _, digest := range r.ClientSessionIDs {
		d := entry
		d.ClientSessionID = digest
		out = append(out, d)
	}
	if r.User != "" || !r.IssuedBefore.IsZero() {
		d := entry
		d.User, d.Issuer = r.User, r.Issuer
		if !r.IssuedBefore.IsZero() {
			// Tokens say when they were issued in whole seconds. What was issued within the second that is named is refused
			// too: better that somebody signs in twice than that a stolen token passes.
			d.IssuedBefore = r.IssuedBefore.UTC().Add(time.Second - 1).Truncate(time.Second)
		}
		out = append(out, d)
	}
	if len(out) == 0 {
		return nil, invalid("it is not said what", "a session, a client session ID, a user or a time")
	}
	return out, nil
}
