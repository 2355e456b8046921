package config

import (
	"net"
	"net/netip"
	"strings"
	"time"

	"github.com/seshat-project/seshat"
)

// API is where the API, the console, the metrics and the health checks are served, and who may sign in there.
type API struct {
	Address string `json:"address,omitempty"`
	TLS     *TLS   `json:"tls,omitempty"`
	// TLSAtProxy says that a proxy in front of the address encrypts, and that nobody reaches the address but by it.
	TLSAtProxy bool `json:"tlsAtProxy,omitempty"`
	// Hosts are names, without port, that requests may be sent to besides the loopback ones and those of Address and URL.
	Hosts []string `json:"hosts,omitempty"`
	// URL is where browsers reach the console, such as https://console.example. It has no path.
	URL    string `json:"url,omitempty"`
	SignIn SignIn `json:"signIn,omitempty"`
}

// SignIn is how people sign in to the console, and for how long.
type SignIn struct {
	// Password lets local users sign in with their passwords; true when it is not set.
	Password *bool `json:"password,omitempty"`
	// Idle ends a session that was not used for so long, and Lifetime every session so long after the sign-in.
	Idle     *seshat.Duration `json:"idle,omitempty"`
	Lifetime *seshat.Duration `json:"lifetime,omitempty"`
	OIDC     *OIDC            `json:"oidc,omitempty"`
}

// OIDC is an OpenID provider that people sign in with.
type OIDC struct {
	Issuer   string `json:"issuer"`
	ClientID string `json:"clientID"`
	// ClientSecretFile holds the secret of a confidential client. A public one has none: PKCE is used with both.
	ClientSecretFile string `json:"clientSecretFile,omitempty"`
	// Name is what the button says.
	Name string `json:"name,omitempty"`
	// CA is a PEM file of authorities for the provider's certificate; the system's when it is empty.
	CA string `json:"ca,omitempty"`
	// Scopes are asked for besides openid; email and profile when there are none.
	Scopes []string   `json:"scopes,omitempty"`
	Claims OIDCClaims `json:"claims,omitempty"`
	Roles  OIDCRoles  `json:"roles,omitempty"`
	// EndSession ends the session at the provider too when somebody signs out; true when it is not set.
	EndSession *bool `json:"endSession,omitempty"`
}

// OIDCClaims are the names of the claims that say who somebody is.
type OIDCClaims struct {
	// User is the claim that names users; when it is not set, a verified email, else preferred_username, else sub.
	User string `json:"user,omitempty"`
	Name string `json:"name,omitempty"` // for people to read; name when it is not set
}

// OIDCRoles maps a claim to the role that somebody has. The highest that is found counts.
type OIDCRoles struct {
	// Claim is a name, or a path such as realm_access.roles. Its value is a text or a list of texts.
	Claim   string   `json:"claim,omitempty"`
	Admin   []string `json:"admin,omitempty"`
	Analyst []string `json:"analyst,omitempty"`
	Viewer  []string `json:"viewer,omitempty"`
	// Default is for everybody else that the provider knows: viewer, or none (the default), which refuses them.
	Default string `json:"default,omitempty"`
}

// The values of OIDCRoles.Default.
const (
	DefaultRoleViewer = "viewer"
	DefaultRoleNone   = "none"
)

const (
	// DefaultIdle is a short break; what is left open over lunch needs a new sign-in.
	DefaultIdle = 30 * time.Minute
	// DefaultLifetime is a working day, so that nobody signs in twice a day and no session outlives the day after.
	DefaultLifetime = 12 * time.Hour

	leastIdle    = time.Minute
	mostLifetime = 30 * 24 * time.Hour
)

func (a *API) fill() {
	if a.Address == "" {
		a.Address = DefaultAPI
	}
	if a.SignIn.Password == nil {
		yes := true
		a.SignIn.Password = &yes
	}
	duration(&a.SignIn.Idle, DefaultIdle)
	duration(&a.SignIn.Lifetime, DefaultLifetime)
	if o := a.SignIn.OIDC; o != nil {
		o.fill()
	}
}

func (o *OIDC) fill() {
	if o.Name == "" {
		o.Name = "single sign-on"
	}
	if len(o.Scopes) == 0 {
		o.Scopes = []string{"email", "profile"}
	}
	if o.Claims.Name == "" {
		o.Claims.Name = "name"
	}
	if o.Roles.Default == "" {
		o.Roles.Default = DefaultRoleNone
	}
	if o.EndSession == nil {
		yes := true
		o.EndSession = &yes
	}
}

// Loopback reports whether nobody but this machine reaches the address.
func (a *API) Loopback() bool { return loopbackAddress(a.Address) }

// Names are the hosts, without port, that requests may be sent to besides the loopback ones.
func (a *API) Names() []string {
	names := append([]string(nil), a.Hosts...)
	if host, _, err := net.SplitHostPort(a.Address); err == nil && !anyHost(host) {
		names = append(names, host)
	}
	if _, rest, found := strings.Cut(a.URL, "://"); found {
		host := strings.TrimSuffix(rest, "/")
		if name, _, err := net.SplitHostPort(host); err == nil {
			host = name
		}
		names = append(names, strings.Trim(host, "[]"))
	}
	return names
}

func loopbackAddress(address string) bool {
	host, _, err := net.SplitHostPort(address)
	return err == nil && loopbackHost(host)
}

func loopbackHost(host string) bool {
	if strings.EqualFold(host, "localhost") { // RFC 6761, section 6.3: always this host
		return true
	}
	ip, err := netip.ParseAddr(host)
	return err == nil && ip.Unmap().IsLoopback()
}

// anyHost reports whether an address with that host is one of every interface.
func anyHost(host string) bool {
	ip, err := netip.ParseAddr(host)
	return host == "" || err == nil && ip.IsUnspecified()
}
