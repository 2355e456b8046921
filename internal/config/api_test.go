package config

import (
	"slices"
	"strings"
	"testing"
	"time"
)

const oneUpstream = "upstreams: [{name: a, servers: [\"http://127.0.0.1:3000\"]}]\n"

func TestAPI(t *testing.T) {
	c, faults := Parse("seshat.yaml", []byte(oneUpstream+`
api:
  address: "10.0.0.5:9180"
  tls: {certificates: [{certificate: c.pem, key: k.pem}]}
  hosts: [console.internal]
  url: https://console.example:8443
  signIn:
    idle: 15m
    oidc:
      issuer: https://id.example/realms/company
      clientID: seshat
      roles: {claim: realm_access.roles, admin: [ops], viewer: [staff]}
`))
	if len(faults) > 0 {
		t.Fatal(faults)
	}
	if got, want := c.API.Names(), []string{"console.internal", "10.0.0.5", "console.example"}; !slices.Equal(got, want) {
		t.Errorf("the names are %q, want %q", got, want)
	}
	in := c.API.SignIn
	if time.Duration(*in.Idle) != 15*time.Minute || time.Duration(*in.Lifetime) != DefaultLifetime || !*in.Password {
		t.Errorf("idle %v, lifetime %v, password %v", in.Idle, in.Lifetime, *in.Password)
	}
	if o := in.OIDC; o.Claims.User != "" || o.Claims.Name != "name" || o.Roles.Default != DefaultRoleNone || !*o.EndSession ||
		!slices.Equal(o.Scopes, []string{"email", "profile"}) {
		t.Errorf("defaults of oidc: %+v", o)
	}
	if c.API.Loopback() {
		t.Error("10.0.0.5 is said to be a loopback address")
	}
}

func TestAPINames(t *testing.T) {
	f := func(a API, want ...string) {
		t.Helper()
		if got := a.Names(); !slices.Equal(got, want) {
			t.Errorf("names of %+v: %q, want %q", a, got, want)
		}
	}
	f(API{Address: ":9180"})
	f(API{Address: "[::]:9180", URL: "https://a.example/"}, "a.example")
	f(API{Address: "0.0.0.0:9180", URL: "https://[2001:db8::1]:8443"}, "2001:db8::1")
	f(API{Address: "[2001:db8::1]:9180", Hosts: []string{"b"}}, "b", "2001:db8::1")
}

// TestAPIIsNotOpen accepts only what keeps passwords off the network, and finds what cannot work.
func TestAPIIsNotOpen(t *testing.T) {
	good := func(api string) {
		t.Helper()
		if _, faults := Parse("seshat.yaml", []byte("api: "+api+"\n"+oneUpstream)); len(faults) > 0 {
			t.Errorf("%s: %v", api, faults)
		}
	}
	const certificates = "tls: {certificates: [{certificate: c, key: k}]}"
	good(`{address: "127.0.0.1:0"}`)
	good(`{address: "[::1]:9180"}`)
	good(`{address: "localhost:9180", url: "http://localhost:9180"}`)
	good(`{address: "127.0.0.1:9180", url: "https://console.example"}`) // a proxy on this machine
	good(`{address: ":9180", tlsAtProxy: true, url: "https://console.example"}`)
	good(`{address: ":9180", ` + certificates + `, hosts: [console.example, 10.0.0.1, "2001:db8::1"]}`)
	good(`{address: "console.example:9180", ` + certificates + `}`)
	good(`{signIn: {password: false, oidc: {issuer: "http://127.0.0.1:3000", clientID: a, roles: {default: viewer}}}}`)

	f := func(api, want string) {
		t.Helper()
		_, faults := Parse("seshat.yaml", []byte("api: "+api+"\n"+oneUpstream))
		if len(faults) == 0 {
			t.Errorf("%s is accepted; want %s", api, want)
		} else if got := faults.Error(); !strings.Contains(got, want) {
			t.Errorf("%s:\n got %s\nwant %s", api, got, want)
		}
	}
	f(`{address: ":9180"}`, `seshat.yaml:1:16: api.address: :9180 is reached from other machines, and passwords and tokens would be sent there in plain text (set api.tls`)
	f(`{address: "0.0.0.0:9180"}`, `api.address: 0.0.0.0:9180 is reached from other machines`)
	f(`{address: "[::ffff:10.0.0.1]:9180"}`, `is reached from other machines`)
	f(`{address: "console.example:9180"}`, `is reached from other machines`)
	f(`{address: "localhost.example:9180"}`, `is reached from other machines`)
	f(`{address: ":9180", tlsAtProxy: true}`, `api.url: is needed with api.tlsAtProxy`)
	f(`{address: ":9180", tlsAtProxy: true, url: "http://console.example"}`, `api.url: is not https, and the address is`)
	f(`{tlsAtProxy: true, `+certificates+`}`, `api.tlsAtProxy: api.tls encrypts already`)
	f(`{address: ":9180", `+certificates+`}`, `api.hosts: no request would be answered`)
	f(`{tls: {certificates: []}}`, `api.tls.certificates: the list is empty`)
	f(`{tls: {certificates: [{certificate: c, key: k}], minVersion: "1.1"}}`, `api.tls.minVersion: "1.1" is not one of them (1.2, 1.3)`)
	f(`{hosts: ["https://a"]}`, `api.hosts[0]: "https://a" is no host`)
	f(`{hosts: ["a:80"]}`, `api.hosts[0]: "a:80" is no host`)
	f(`{hosts: ["*.a"]}`, `"*.a" is no host`)
	f(`{url: "console.example"}`, `api.url: "console.example" is not where browsers reach the console`)
	f(`{url: "https://a.example/console"}`, `without a path`)
	f(`{url: "https://u:hunter2@a.example"}`, `api.url: "…@a.example" is not where`)
	f(`{url: "https://a.example:0"}`, `is not where browsers`)
	f(`{url: "http://a.example"}`, `api.url: is not https (browsers keep the cookie`)

	const oidc = `signIn: {oidc: {issuer: "https://id.example", clientID: a, `
	f(`{signIn: {idle: 1s}}`, `api.signIn.idle: 1s is out of range (from 1m to 30d)`)
	f(`{signIn: {lifetime: 31d}}`, `api.signIn.lifetime: 31d is out of range`)
	f(`{signIn: {idle: 2h, lifetime: 1h}}`, `api.signIn.idle: 2h is longer than the lifetime of 1h`)
	f(`{signIn: {password: false}}`, `api.signIn.password: nobody could sign in`)
	f(`{address: "10.0.0.1:9180", `+certificates+`, `+oidc+`roles: {default: viewer}}}}`, `api.url: is needed for api.signIn.oidc`)
	f(`{signIn: {oidc: {clientID: a}}}`, `api.signIn.oidc.issuer: `)
	f(`{signIn: {oidc: {issuer: "https://id.example"}}}`, `api.signIn.oidc.clientID: `)
	f(`{signIn: {oidc: {issuer: "https://id.example", clientID: a, clientSecret: hunter2}}}`, `unknown field (did you mean clientSecretFile?)`)
	f(`{signIn: {oidc: {issuer: "http://id.example", clientID: a}}}`, `api.signIn.oidc.issuer: is not https`)
	f(`{signIn: {oidc: {issuer: "https://id.example/.well-known/openid-configuration", clientID: a}}}`, `leave out /.well-known/openid-configuration`)
	f(`{signIn: {oidc: {issuer: "https://id.example?a=b", clientID: a}}}`, `is no issuer`)
	f(`{signIn: {oidc: {issuer: "https://id.example", clientID: " "}}}`, `api.signIn.oidc.clientID: is empty`)
	f(`{`+oidc+`scopes: ["a b"]}}}`, `api.signIn.oidc.scopes[0]: "a b" is no scope`)
	f(`{`+oidc+`scopes: [a]}}}`, `api.signIn.oidc.roles: nobody could sign in`)
	f(`{`+oidc+`roles: {admin: [a]}}}}`, `api.signIn.oidc.roles.claim: is empty`)
	f(`{`+oidc+`roles: {claim: g, admin: [a], viewer: [a]}}}}`, `api.signIn.oidc.roles.viewer[0]: "a" is in api.signIn.oidc.roles.admin[0] too`)
	f(`{`+oidc+`roles: {claim: g, admin: [""]}}}}`, `api.signIn.oidc.roles.admin[0]: is empty`)
	f(`{`+oidc+`roles: {default: admin}}}}`, `api.signIn.oidc.roles.default: "admin" is not one of them (viewer, none)`)
	f(`{`+oidc+`claims: {user: "`+strings.Repeat("x", maxOIDCText+1)+`"}, roles: {default: viewer}}}}`, `api.signIn.oidc.claims.user: has more than 512 bytes`)
	f(`{`+oidc+`name: "a\u0000b", roles: {default: viewer}}}}`, `api.signIn.oidc.name: has control characters`)
}
