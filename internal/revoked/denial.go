package revoked

import (
	"encoding/hex"
	"errors"
	"hash/fnv"
	"net/http"
	"strings"
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
// for the user or the time. They have names, which are derived from what they are about: to ask for the same twice makes
// one entry.
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
			d.IssuedBefore = r.IssuedBefore.UTC().Truncate(time.Microsecond)
		}
		out = append(out, d)
	}
	if len(out) == 0 {
		return nil, invalid("it is not said what", "a session, a client session ID, a user or a time")
	}
	for i := range out {
		out[i].Name = NameOf(&out[i])
	}
	return out, nil
}

// NameOf derives the name of an entry from what it is about: a DNS label that one can type, such as session-3f1c2a9e-….
func NameOf(d *seshat.Denial) string {
	switch {
	case !d.Session.IsZero():
		return "session-" + d.Session.String()
	case !d.ClientSessionID.IsZero():
		return "id-" + d.ClientSessionID.String()
	case d.User != "" && d.IssuedBefore.IsZero():
		return "user-" + label(d.User)
	case d.User != "":
		return "before-user-" + label(d.User)
	case d.Issuer != "":
		return "before-issuer-" + label(d.Issuer)
	default:
		return "before"
	}
}

// mostReadable is how much of a text is in a name: with the prefix and the digits behind it a label has at most 63.
const mostReadable = 32

// label makes a part of a DNS label of a text. What cannot be in a label becomes "-"; digits behind it keep texts apart
// that would look the same.
func label(text string) string {
	readable := strings.Trim(strings.Map(func(r rune) rune {
		switch {
		case r >= 'a' && r <= 'z', r >= '0' && r <= '9':
			return r
		case r >= 'A' && r <= 'Z':
			return r + 'a' - 'A'
		default:
			return '-'
		}
	}, text), "-")
	if readable == text && len(text) <= mostReadable {
		return text
	}
	sum := fnv.New64a()
	_, _ = sum.Write([]byte(text)) // never fails
	digits := hex.EncodeToString(sum.Sum(nil))
	readable = strings.Trim(readable[:min(len(readable), mostReadable)], "-")
	if readable == "" {
		return digits
	}
	return readable + "-" + digits
}
