package wire

import (
	"errors"
	"time"

	"github.com/seshat-project/seshat"
	"github.com/seshat-project/seshat/internal/revoked"
)

// Revocation says what is to be refused from now on. What is said of sessions, users and client session IDs each makes
// an entry of the denylist; IssuedBefore goes together with User or Issuer, or stands alone.
type Revocation struct {
	SessionIDs []string `json:"session_ids,omitempty" maxItems:"1000" doc:"Sessions, by their whole IDs."`
	User       string   `json:"user,omitempty" maxLength:"512"`
	// ClientSessionIDs are secrets: they are in the body of the request and nowhere else, and only their digests are kept.
	ClientSessionIDs []string         `json:"client_session_ids,omitempty" maxItems:"100" doc:"Client session IDs as they are in traffic. Only their keyed digests are kept."`
	IssuedBefore     time.Time        `json:"issued_before,omitzero" doc:"Refuse tokens that were issued before, and sessions that started before."`
	Issuer           string           `json:"issuer,omitempty" maxLength:"2048" doc:"The iss of the tokens that issued_before speaks of."`
	For              *seshat.Duration `json:"for,omitempty" doc:"How long, as in 30m or 7d; for good when it is absent."`
	Status           int              `json:"status,omitempty" doc:"What is answered: 401 (the default), which asks to sign in again, or 403."`
	Reason           string           `json:"reason,omitempty" maxLength:"1024" doc:"For those who look at the list."`
}

// Request is what r asks for, with digests in place of secrets. Its By is for the caller to set.
func (r *Revocation) Request(digest func(secret string) (seshat.Digest, error)) (*revoked.Request, error) {
	out := &revoked.Request{
		User: r.User, IssuedBefore: r.IssuedBefore, Issuer: r.Issuer, Status: r.Status, Reason: r.Reason,
	}
	if r.For != nil {
		out.For = time.Duration(*r.For)
		if out.For <= 0 {
			return nil, usage("it ends as soon as it begins", "leave the length of time out to revoke for good")
		}
	}
	for _, text := range r.SessionIDs {
		id, err := seshat.ParseSessionID(text)
		if err != nil {
			return nil, usage("a session ID is not one", "a UUID, such as seshat sessions shows it")
		}
		out.Sessions = append(out.Sessions, id)
	}
	for _, secret := range r.ClientSessionIDs {
		if secret == "" {
			return nil, usage("a client session ID is empty", "")
		}
		d, err := digest(secret)
		if err != nil {
			return nil, err
		}
		out.ClientSessionIDs = append(out.ClientSessionIDs, d)
	}
	return out, nil
}

func usage(what, hint string) error {
	return &seshat.Error{Kind: seshat.ErrorUsage, Op: "revoke", Err: errors.New(what), Hint: hint}
}

// Revoked is what a revocation put on the denylist.
type Revoked struct {
	Denials []seshat.Denial `json:"denials" nullable:"false"`
}
