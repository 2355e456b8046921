package identify

import "github.com/seshat-project/seshat"

const (
	// tokenLength is how long a value must be to be a token under a name that may mean something else: 96 bits in Base64.
	tokenLength = 16
	// handleLength is the same for the handles of sessions, which some servers make shorter.
	handleLength = 8
)

// sessionParameters are session handles in queries, paths, forms and JSON, and in the bodies that issue them.
func sessionParameters() []entry {
	var out []entry
	for _, name := range []string{"session_token", "sessionToken", "session_id", "sessionId", "sessionid", "sid", "PHPSESSID"} {
		out = append(out, entry{name: "query:" + name, at: seshat.LocationQuery, key: equals(name), least: handleLength})
	}
	for _, name := range []string{"session_token", "sessionToken", "session_id", "sessionId", "sessionid"} {
		out = append(out, entry{name: "body:" + name, in: both, at: seshat.LocationBody, key: equals(name), least: handleLength})
	}
	for _, name := range []string{"jsessionid", "JSESSIONID", "sessionid", "phpsessid"} {
		out = append(out, entry{name: "path:" + name, at: seshat.LocationPathParameter, key: equals(name), least: handleLength})
	}
	return out
}

// tokenParameters are access tokens in queries and bodies, and in the bodies that issue them.
func tokenParameters() []entry {
	var out []entry
	for _, name := range []string{"access_token", "accessToken", "auth_token", "authToken", "jwt"} {
		out = append(out,
			entry{name: "query:" + name, at: seshat.LocationQuery, key: equals(name), least: tokenLength, kind: seshat.KindAccessToken},
			entry{name: "body:" + name, in: both, at: seshat.LocationBody, key: equals(name), least: tokenLength, kind: seshat.KindAccessToken},
		)
	}
	// "token" alone may mean anything in a request: a CSRF token, a voucher, a push token. A revocation or introspection
	// (RFC 7009, RFC 7662) says what it means; elsewhere it has to be a JWT.
	hint := equals("token_type_hint")
	return append(out,
		entry{name: "query:token", at: seshat.LocationQuery, key: equals("token"), token: true, kind: seshat.KindAccessToken},
		entry{name: "body:token", in: response, at: seshat.LocationBody, key: equals("token"), least: tokenLength, kind: seshat.KindAccessToken},
		entry{
			name: "body:token (hinted)", at: seshat.LocationBody, key: equals("token"), least: tokenLength, kind: seshat.KindAccessToken,
			when: []seshat.Condition{{In: "request", Extract: seshat.Extract{Location: "body", Key: &hint}}},
		},
		redirected("access_token", seshat.KindAccessToken),
		redirected("id_token", seshat.KindTransaction),
	)
}

// linkingParameters are used once: refresh tokens and authorization codes.
func linkingParameters() []entry {
	var out []entry
	for _, name := range []string{"refresh_token", "refreshToken"} {
		out = append(out, entry{
			name: "body:" + name, in: both, at: seshat.LocationBody, key: equals(name), least: tokenLength, kind: seshat.KindRefreshToken,
		})
	}
	state, grant, code := equals("state"), equals("grant_type"), equals("authorization_code")
	return append(out,
		// A "code" that comes back with the state of an authorization request (RFC 6749, section 4.1.2), and the token
		// request that redeems it (section 4.1.3). Elsewhere a code is a country or a coupon.
		entry{
			name: "query:code", at: seshat.LocationQuery, key: equals("code"), least: handleLength, kind: seshat.KindAuthorizationCode,
			when: []seshat.Condition{{In: "request", Extract: seshat.Extract{Location: "query", Key: &state}}},
		},
		entry{
			name: "body:code", at: seshat.LocationBody, key: equals("code"), least: handleLength, kind: seshat.KindAuthorizationCode,
			when: []seshat.Condition{{In: "request", Extract: seshat.Extract{Location: "body", Key: &grant, Value: &code}}},
		},
		redirected("code", seshat.KindAuthorizationCode),
	)
}

// redirected is a parameter of the URL that a response redirects to, in its query or fragment.
func redirected(name string, kind seshat.IDKind) entry {
	value := matches(`[?&#]` + name + `=[^&#]{8,}`)
	if name == "code" { // only next to a state, as above
		value = matches(`[?&#]code=[^&#]{8,}.*[?&#]state=|[?&#]state=.*[?&#]code=[^&#]{8,}`)
	}
	return entry{
		name: "location:" + name, in: response, at: seshat.LocationHeader, key: equals("Location"), value: &value, kind: kind,
		then: []seshat.Transformation{
			{Regex: &seshat.RegexTransformation{Pattern: `[?&#]` + name + `=([^&#]{8,})`}},
			{URLDecode: &seshat.EmptyTransformation{}},
		},
	}
}
