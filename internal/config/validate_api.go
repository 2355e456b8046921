package config

import (
	"cmp"
	"fmt"
	"net"
	"net/url"
	"strconv"
	"strings"
	"time"
)

func (a *API) validate(f *faultList) {
	a.validateReach(f)
	for i, host := range a.Hosts {
		if !isHostName(host) {
			f.add(fmt.Sprintf("api.hosts[%d]", i), strconv.Quote(host)+" is no host", `a name or an address without port, such as "console.example"`)
		}
	}
	if a.TLS != nil {
		oneOf(f, "api.tls.minVersion", a.TLS.MinVersion, "", "1.2", "1.3")
	}
	if a.URL != "" {
		a.validateURL(f)
	}
	a.SignIn.validate(f)
	if a.SignIn.OIDC != nil && a.URL == "" && !a.Loopback() {
		f.add("api.url", "is needed for api.signIn.oidc", "the provider sends browsers back there: write it as in https://console.example")
	}
}

// validateReach checks that no password or cookie crosses a network in plain text, and that requests find the API.
func (a *API) validateReach(f *faultList) {
	if a.TLS != nil && a.TLSAtProxy {
		f.add("api.tlsAtProxy", "api.tls encrypts already", "leave out one of the two")
	}
	host, _, err := net.SplitHostPort(a.Address)
	if err != nil || loopbackHost(host) {
		return // what is no address was said
	}
	switch {
	case a.TLS == nil && !a.TLSAtProxy:
		f.add("api.address", a.Address+" is reached from other machines, and passwords and tokens would be sent there in plain text",
			"set api.tls, or api.tlsAtProxy where a proxy in front encrypts, or serve it on 127.0.0.1")
	case a.TLSAtProxy && a.URL == "":
		f.add("api.url", "is needed with api.tlsAtProxy", "where browsers reach the proxy: write it as in https://console.example")
	case anyHost(host) && a.URL == "" && len(a.Hosts) == 0:
		f.add("api.hosts", "no request would be answered: the name that it is sent to has to be known",
			"set api.url to where browsers reach it, or name the hosts")
	}
}

func (a *API) validateURL(f *faultList) {
	u, err := url.Parse(a.URL)
	if err == nil && u.Port() != "" {
		var port uint64
		if port, err = strconv.ParseUint(u.Port(), 10, 16); port == 0 {
			err = cmp.Or(err, strconv.ErrRange)
		}
	}
	switch {
	case err != nil || u.Scheme != "http" && u.Scheme != "https" || !isHostName(strings.Trim(u.Hostname(), "[]")) || u.User != nil ||
		u.RawQuery != "" || u.Fragment != "" || u.Path != "" && u.Path != "/":
		f.add("api.url", strconv.Quote(redact(a.URL))+" is not where browsers reach the console", "write it as in https://console.example, without a path")
	case u.Scheme == "http" && (a.TLS != nil || a.TLSAtProxy):
		f.add("api.url", "is not https, and the address is", "write it as in https://console.example")
	case u.Scheme == "http" && !loopbackHost(u.Hostname()):
		f.add("api.url", "is not https", "browsers keep the cookie of a sign-in for https only, except on this machine")
	}
}

func (s *SignIn) validate(f *faultList) {
	idle, lifetime := time.Duration(*s.Idle), time.Duration(*s.Lifetime)
	if idle < leastIdle || idle > mostLifetime {
		f.add("api.signIn.idle", s.Idle.String()+" is out of range", "from 1m to 30d")
	}
	if lifetime < leastIdle || lifetime > mostLifetime {
		f.add("api.signIn.lifetime", s.Lifetime.String()+" is out of range", "from 1m to 30d")
	} else if idle > lifetime {
		f.add("api.signIn.idle", s.Idle.String()+" is longer than the lifetime of "+s.Lifetime.String(), "make it shorter, or raise api.signIn.lifetime")
	}
	if !*s.Password && s.OIDC == nil {
		f.add("api.signIn.password", "nobody could sign in", "leave it out, or configure api.signIn.oidc")
	}
	if s.OIDC != nil {
		s.OIDC.validate(f)
	}
}

// maxOIDCText is longer than any name of a client, claim or group: the header of a request has to take them.
const maxOIDCText = 512

func (o *OIDC) validate(f *faultList) {
	const field = "api.signIn.oidc"
	checkIssuer(f, field+".issuer", o.Issuer)
	text(f, field+".clientID", o.ClientID, "the provider says it when the client is registered")
	text(f, field+".name", o.Name, "what the button says, such as Company SSO")
	for i, scope := range o.Scopes {
		if !isScope(scope) {
			f.add(fmt.Sprintf("%s.scopes[%d]", field, i), strconv.Quote(scope)+" is no scope", "one word each")
		}
	}
	text(f, field+".claims.name", o.Claims.Name, "leave it out for the default")
	if o.Claims.User != "" {
		text(f, field+".claims.user", o.Claims.User, "leave it out for the default")
	}
	r, given := &o.Roles, 0
	seen := map[string]string{}
	for _, role := range []struct {
		name   string
		values []string
	}{{"admin", r.Admin}, {"analyst", r.Analyst}, {"viewer", r.Viewer}} {
		given += len(role.values)
		for i, value := range role.values {
			at := fmt.Sprintf("%s.roles.%s[%d]", field, role.name, i)
			text(f, at, value, "a value of the claim, such as the name of a group")
			if before, twice := seen[value]; twice {
				f.add(at, strconv.Quote(value)+" is in "+before+" too", "it gives one role")
			}
			seen[value] = at
		}
	}
	oneOf(f, field+".roles.default", r.Default, DefaultRoleViewer, DefaultRoleNone)
	switch {
	case given > 0 && r.Claim == "":
		f.add(field+".roles.claim", "is empty", "name the claim that has the values, such as groups")
	case r.Claim != "":
		text(f, field+".roles.claim", r.Claim, "such as groups, or realm_access.roles")
	}
	if given == 0 && r.Default == DefaultRoleNone {
		f.add(field+".roles", "nobody could sign in: nothing gives a role",
			"such as {claim: groups, admin: [seshat-admins]}, or {default: viewer} for everybody whom the provider knows")
	}
}

// checkIssuer checks an issuer (OpenID Connect Discovery 1.0, section 3): https, and http for this host only, since who is
// on the way could sign in as anybody.
func checkIssuer(f *faultList, field, value string) {
	u, err := url.Parse(value)
	switch {
	case err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "" || u.User != nil || u.RawQuery != "" || u.Fragment != "":
		f.add(field, strconv.Quote(redact(value))+" is no issuer", "write it as the provider does, such as https://id.example/realms/company")
	case strings.HasSuffix(u.Path, "/.well-known/openid-configuration"):
		f.add(field, "is the address of the description of an issuer", "leave out /.well-known/openid-configuration")
	case u.Scheme == "http" && !loopbackHost(u.Hostname()):
		f.add(field, "is not https", "who is on the way could sign in as anybody; http is for this machine only")
	}
}

// text checks a value that is sent to others, or looked for in what they send.
func text(f *faultList, field, value, hint string) {
	switch {
	case strings.TrimSpace(value) == "":
		f.add(field, "is empty", hint)
	case len(value) > maxOIDCText:
		f.add(field, fmt.Sprintf("has more than %d bytes", maxOIDCText), hint)
	case strings.ContainsFunc(value, func(r rune) bool { return r < ' ' || r == 0x7f || r == 0xfffd }):
		f.add(field, "has control characters", hint)
	}
}

// isScope reports whether s is a scope-token (RFC 6749, section 3.3).
func isScope(s string) bool {
	return s != "" && !strings.ContainsFunc(s, func(r rune) bool { return r <= ' ' || r >= 0x7f || r == '"' || r == '\\' })
}

// isHostName reports whether s can be in a Host field without a port.
func isHostName(s string) bool {
	if strings.Contains(s, ":") {
		return net.ParseIP(s) != nil
	}
	return s != "" && !strings.ContainsFunc(s, func(r rune) bool {
		return (r < 'a' || r > 'z') && (r < 'A' || r > 'Z') && (r < '0' || r > '9') && r != '-' && r != '.' && r != '_'
	})
}
