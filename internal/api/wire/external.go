package wire

import "time"

// SignInMethods are the ways to sign in to the console.
type SignInMethods struct {
	Password bool `json:"password" doc:"With a name and a password, or the code of a link."`
	// NoUsers says that nobody can sign in yet but by the link that the first start prints.
	NoUsers  bool            `json:"no_users,omitempty" doc:"There is no user yet: the first one is made by the one-time link that the instance printed."`
	External *ExternalMethod `json:"external,omitempty" doc:"With an OpenID provider."`
}

// ExternalMethod is an OpenID provider that people sign in with.
type ExternalMethod struct {
	Name string `json:"name" doc:"What people call it." example:"Company SSO"`
	// SignOutURL is where a browser may go after it signed out here.
	SignOutURL string `json:"sign_out_url,omitempty" doc:"Where a browser signs out of the provider too, if it offers that."`
}

// ExternalBegin begins a sign-in with the OpenID provider.
type ExternalBegin struct {
	Next string `json:"next,omitempty" maxLength:"1536" doc:"Where in the console to go afterwards: it comes back at the end."`
}

// ExternalAttempt is a sign-in that was begun.
type ExternalAttempt struct {
	URL       string    `json:"url" doc:"Where the browser goes."`
	Attempt   string    `json:"attempt" doc:"What the browser keeps, as a cookie that no other has, until it is back. It cannot be read."`
	ExpiresAt time.Time `json:"expires_at"`
}

// ExternalAnswer is what a browser brings back from the OpenID provider.
type ExternalAnswer struct {
	Attempt string `json:"attempt" maxLength:"4096" doc:"What the browser kept."`
	State   string `json:"state,omitempty" maxLength:"512"`
	Code    string `json:"code,omitempty" maxLength:"4096"`
	Issuer  string `json:"iss,omitempty" maxLength:"2048"`
	Error   string `json:"error,omitempty" maxLength:"512"`
}

// ExternalSignedIn is a session of the console that began with the OpenID provider.
type ExternalSignedIn struct {
	SignedIn
	Next string `json:"next,omitempty" doc:"As it was at the beginning."`
}
