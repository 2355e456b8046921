package denylist

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/seshat-project/seshat"
)

// Bounds of an entry. They are far above what is real, and keep the whole list in some ten megabytes.
const (
	maxName   = 63 // a DNS label (RFC 1035, section 2.3.4)
	maxUser   = 256
	maxIssuer = 2048
	maxReason = 1024
	maxBy     = 256
	// maxAhead is how far the time of issued-before may be ahead: clocks differ, and now is rounded up. A later one would
	// refuse whoever signs in until then.
	maxAhead = time.Minute
)

// Check completes an entry and says what is wrong with it: a name is derived from what is denied, the status is 401, and
// the entry was made now, unless it says something else.
func Check(d *seshat.Denial, now time.Time) error {
	if err := checkSubject(d); err != nil {
		return err
	}
	if d.Status == 0 {
		d.Status = 401
	}
	if d.At.IsZero() {
		d.At = now
	}
	if d.Name == "" {
		d.Name = nameOf(d)
	}
	switch {
	case !validName(d.Name):
		return invalid("lower-case letters, digits and hyphens, at most 63 characters", "%q is not a name", d.Name)
	case d.Status != 401 && d.Status != 403:
		return invalid("401 asks to sign in again, 403 does not", "the status %d is neither 401 nor 403", d.Status)
	case d.Expired(now):
		return invalid("leave the end out to deny for good", "it would have ended at %s", d.Until.UTC().Format(time.RFC3339))
	case d.IssuedBefore.After(now.Add(maxAhead)):
		return invalid("a time that is over, or now", "%s is in the future: nobody could sign in until then", d.IssuedBefore.UTC().Format(time.RFC3339))
	case len(d.User) > maxUser:
		return invalid("", "the user has %d bytes; at most %d are allowed", len(d.User), maxUser)
	case len(d.Issuer) > maxIssuer:
		return invalid("", "the issuer has %d bytes; at most %d are allowed", len(d.Issuer), maxIssuer)
	case len(d.Reason) > maxReason:
		return invalid("", "the reason has %d bytes; at most %d are allowed", len(d.Reason), maxReason)
	case len(d.By) > maxBy:
		return invalid("", "who denies it has %d bytes; at most %d are allowed", len(d.By), maxBy)
	}
	return nil
}

// checkSubject checks that an entry is about exactly one thing.
func checkSubject(d *seshat.Denial) error {
	const hint = "one of session, client session ID, user and issued-before; issued-before may go together with a user or an issuer"
	subjects := 0
	for _, set := range [...]bool{!d.Session.IsZero(), !d.ClientSessionID.IsZero(), d.User != "" && d.IssuedBefore.IsZero(), !d.IssuedBefore.IsZero()} {
		if set {
			subjects++
		}
	}
	switch {
	case subjects == 0 && d.Issuer != "":
		return invalid(hint, "an issuer alone denies nothing")
	case subjects == 0:
		return invalid(hint, "it denies nothing")
	case subjects > 1:
		return invalid(hint, "it denies several things")
	case d.Issuer != "" && d.IssuedBefore.IsZero():
		return invalid(hint, "an issuer goes together with issued-before only")
	case d.Issuer != "" && d.User != "":
		return invalid("make two entries", "issued-before goes together with a user or an issuer, not both")
	}
	return nil
}

func invalid(hint, format string, args ...any) error {
	return &seshat.Error{Kind: seshat.ErrorInvalid, Op: "deny", Hint: hint, Err: fmt.Errorf(format, args...)}
}

// widen makes an entry deny what one before it about the same thing denied, too: as long, and as much. Whoever revokes
// wants something refused; that it brings back what somebody else has refused, nobody expects.
func widen(d, before *seshat.Denial) {
	if !d.Until.IsZero() && (before.Until.IsZero() || before.Until.After(d.Until)) {
		d.Until = before.Until
	}
	if before.IssuedBefore.After(d.IssuedBefore) {
		d.IssuedBefore = before.IssuedBefore
	}
}

// nameOf derives the name of an entry from what it denies, so that denying it again makes no second one.
func nameOf(d *seshat.Denial) string {
	switch {
	case !d.Session.IsZero():
		return "session-" + d.Session.String()
	case !d.ClientSessionID.IsZero():
		return "id-" + d.ClientSessionID.String()
	case d.IssuedBefore.IsZero():
		return named("user", strings.ToLower(d.User))
	case d.User != "":
		return named("issued-before-for", strings.ToLower(d.User))
	case d.Issuer != "":
		return named("issued-before-by", d.Issuer)
	default:
		return "issued-before"
	}
}

// named makes a name of a text that may hold anything: what can be kept of it, for people, and a part of its hash.
func named(what, text string) string {
	const digits = 12 // of the hash: two users of one name are one in 2⁴⁸
	sum := sha256.Sum256([]byte(text))
	var b strings.Builder
	b.WriteString(what)
	b.WriteByte('-')
	for _, c := range []byte(text) {
		if b.Len() >= maxName-digits-1 {
			break
		}
		switch {
		case c-'a' < 26, c-'0' < 10:
			b.WriteByte(c)
		case !strings.HasSuffix(b.String(), "-"):
			b.WriteByte('-')
		}
	}
	return strings.TrimRight(b.String(), "-") + "-" + hex.EncodeToString(sum[:])[:digits]
}

func validName(name string) bool {
	if name == "" || len(name) > maxName || name[0] == '-' || name[len(name)-1] == '-' {
		return false
	}
	for _, c := range []byte(name) {
		if c != '-' && c-'a' >= 26 && c-'0' >= 10 {
			return false
		}
	}
	return true
}

var errFull = errors.New("the denylist is full")
