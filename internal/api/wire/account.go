package wire

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"time"
)

// What browsers and the console's pages say who they are with.
const (
	// SessionCookie holds the token of a session of the console. Browsers take a cookie of such a name only from this host
	// itself, for all of it, and over what they hold for safe (RFC 6265bis, section 4.1.3.2).
	SessionCookie = "__Host-seshat"
	// CSRFHeader must have the session's CSRF token wherever the cookie says who asks and something may change.
	CSRFHeader = "X-Seshat-CSRF"
)

// CSRFToken is the CSRF token of the session that has a token: nobody can make it who does not have that, and nobody can
// get that from it.
func CSRFToken(session string) string {
	mac := hmac.New(sha256.New, []byte(session))
	_, _ = mac.Write([]byte("seshat csrf token, version 1")) // never fails
	return base64.RawURLEncoding.EncodeToString(mac.Sum(nil))
}

// Me is who asks.
type Me struct {
	Name        string   `json:"name"`
	DisplayName string   `json:"display_name,omitempty"`
	Role        string   `json:"role" enum:"viewer,analyst,admin,owner" doc:"owner is whoever can read the data directory."`
	Means       string   `json:"means" enum:"console,token,owner" doc:"How they show who they are."`
	Permissions []string `json:"permissions" nullable:"false"`
	Scopes      []string `json:"scopes" nullable:"false" doc:"Which of them an API token of theirs may have."`
	// HasPassword says that they can sign in with a password, and change it.
	HasPassword bool            `json:"has_password"`
	CSRF        string          `json:"csrf,omitempty" doc:"Of a session of the console: what X-Seshat-CSRF must be where the cookie says who asks."`
	Session     *ConsoleSession `json:"session,omitempty"`
	Token       *APIToken       `json:"token,omitempty"`
}

// User is somebody who may sign in.
type User struct {
	Name        string    `json:"name"`
	DisplayName string    `json:"display_name,omitempty"`
	Role        string    `json:"role" enum:"viewer,analyst,admin"`
	Disabled    bool      `json:"disabled,omitempty"`
	HasPassword bool      `json:"has_password"`
	PasswordAt  time.Time `json:"password_at,omitzero"`
	Issuer      string    `json:"issuer,omitempty" doc:"Of who signs in with an OpenID provider."`
	Subject     string    `json:"subject,omitempty"`
	CreatedAt   time.Time `json:"created_at"`
	CreatedBy   string    `json:"created_by,omitempty"`
	ChangedAt   time.Time `json:"changed_at"`
	ChangedBy   string    `json:"changed_by,omitempty"`
	Revision    uint64    `json:"revision" doc:"As the ETag."`
}

// NewUser is a user to be made.
type NewUser struct {
	Name        string `json:"name" maxLength:"128" doc:"An e-mail address or a plain name, in ASCII; upper case becomes lower case." example:"ann@shop.example"`
	DisplayName string `json:"display_name,omitempty" maxLength:"128"`
	Role        string `json:"role" enum:"viewer,analyst,admin"`
	Password    string `json:"password,omitempty" maxLength:"1024" doc:"None lets them sign in by a link or an OpenID provider only."`
	Issuer      string `json:"issuer,omitempty" maxLength:"512"`
	Subject     string `json:"subject,omitempty" maxLength:"512"`
}

// UserChange is what is to change of a user. What is absent stays.
type UserChange struct {
	DisplayName *string `json:"display_name,omitempty" maxLength:"128"`
	Role        *string `json:"role,omitempty" enum:"viewer,analyst,admin" doc:"Ends the user's sessions when it changes."`
	Disabled    *bool   `json:"disabled,omitempty" doc:"Ends the user's sessions when it changes."`
}

// PasswordChange is a new password.
type PasswordChange struct {
	Password string `json:"password" maxLength:"1024"`
	Current  string `json:"current,omitempty" maxLength:"1024" doc:"Needed for one's own."`
}

// PasswordChanged says what came of it. All sessions of the user have ended.
type PasswordChanged struct {
	// SignedIn is the session that begins in place of the one that asked, where that was one of the user's own.
	SignedIn *SignedIn `json:"signed_in,omitempty"`
}

// SignIn is how somebody signs in: with name and password, or with the code of a one-time link.
type SignIn struct {
	User        string `json:"user,omitempty" maxLength:"256" doc:"With a code: the name of the user who is made, where the link makes one."`
	Password    string `json:"password,omitempty" maxLength:"1024" doc:"With a code: the password to be set."`
	Code        string `json:"code,omitempty" maxLength:"256"`
	DisplayName string `json:"display_name,omitempty" maxLength:"128"`
}

// SignedIn is a session of the console that has just begun.
type SignedIn struct {
	Token   string         `json:"token" doc:"A secret, shown this once: the value of the cookie __Host-seshat, or a bearer token."`
	CSRF    string         `json:"csrf"`
	User    string         `json:"user"`
	Role    string         `json:"role" enum:"viewer,analyst,admin,owner"`
	Session ConsoleSession `json:"session"`
}

// ConsoleSession is a session of the console.
type ConsoleSession struct {
	ID        string    `json:"id"`
	User      string    `json:"user"`
	CreatedAt time.Time `json:"created_at"`
	LastUsed  time.Time `json:"last_used"`
	IdleEnd   time.Time `json:"idle_end" doc:"When it ends unless it is used."`
	End       time.Time `json:"end" doc:"When it ends anyway."`
	Address   string    `json:"address,omitempty" doc:"Where the sign-in came from."`
	UserAgent string    `json:"user_agent,omitempty"`
	How       string    `json:"how" enum:"password,link,oidc,owner"`
	Current   bool      `json:"current,omitempty" doc:"It is the one that asks."`
}

// NewAPIToken is an API token to be made.
type NewAPIToken struct {
	Name   string   `json:"name" minLength:"1" maxLength:"64" doc:"What it is for." example:"nightly export"`
	Scopes []string `json:"scopes" minItems:"1" maxItems:"64" doc:"The permissions that it has, as far as its user has them when it is used." example:"exchanges:read"`
	For    string   `json:"for,omitempty" maxLength:"32" doc:"How long it is good for: up to 366d; 90d when it is absent. never makes one that does not end." example:"30d"`
	User   string   `json:"user,omitempty" maxLength:"128" doc:"Whose it is, if somebody else's: for who may change users."`
}

// APIToken is an API token, without its secret.
type APIToken struct {
	ID        string    `json:"id"`
	Name      string    `json:"name"`
	User      string    `json:"user"`
	Scopes    []string  `json:"scopes" nullable:"false"`
	CreatedAt time.Time `json:"created_at"`
	ExpiresAt time.Time `json:"expires_at,omitzero" doc:"Absent of one that does not end."`
	LastUsed  time.Time `json:"last_used,omitzero" doc:"To a minute."`
}

// CreatedToken is a token that was just made.
type CreatedToken struct {
	APIToken
	Token string `json:"token" doc:"The secret: shown this once."`
}

// NewSignInLink is a one-time link to be made.
type NewSignInLink struct {
	User  string `json:"user,omitempty" maxLength:"128" doc:"Whose password it sets. Absent, it makes a new administrator."`
	Owner bool   `json:"owner,omitempty" doc:"It signs in as the owner of the data directory, without a user, until the instance ends. For the owner only."`
}

// SignInLink is a one-time link.
type SignInLink struct {
	Kind      string    `json:"kind" enum:"first,admin,password,owner" doc:"first and admin make an administrator, password sets the password of the user, owner asks for nothing."`
	User      string    `json:"user,omitempty"`
	Code      string    `json:"code,omitempty" doc:"A secret: shown this once."`
	Path      string    `json:"path,omitempty" doc:"Where in the console it is used."`
	ExpiresAt time.Time `json:"expires_at,omitzero"`
}

// LinkCode is the code of a link.
type LinkCode struct {
	Code string `json:"code" maxLength:"256"`
}

// AuditEvent is an entry of the audit log.
type AuditEvent struct {
	ID      string    `json:"id"`
	Time    time.Time `json:"time"`
	By      string    `json:"by,omitempty" doc:"The user, or the person that the owner of the data directory acts for."`
	Means   string    `json:"means,omitempty" enum:",console,token,provider,owner" doc:"How they showed who they are; absent of attempts to sign in."`
	Token   string    `json:"token,omitempty" doc:"The name of the API token."`
	Address string    `json:"address,omitempty"`
	Action  string    `json:"action" doc:"Such as resource.apply."`
	Subject string    `json:"subject,omitempty"`
	Before  uint64    `json:"before,omitempty" doc:"Revision of the subject before."`
	After   uint64    `json:"after,omitempty" doc:"Revision of the subject after."`
	Outcome string    `json:"outcome" enum:"begun,done,refused,failed" doc:"begun stays where the instance ended meanwhile."`
	Detail  string    `json:"detail,omitempty"`
}
