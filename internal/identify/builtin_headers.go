package identify

import "github.com/seshat-project/seshat"

func header(name string, in sides, kind seshat.IDKind) entry {
	return entry{name: "header:" + name, in: in, at: seshat.LocationHeader, key: equals(name), kind: kind}
}

// sessionHeaders carry session handles. A response that has one issues it, so that both sides count.
func sessionHeaders() []entry {
	var out []entry
	for _, name := range []string{
		"X-Session-Token", "X-Session-Id", "X-SessionId", "Session-Id", "Session-Token", "X-Session-Key",
		"Mcp-Session-Id",          // Model Context Protocol
		"X-Amz-Security-Token-Id", // sessions of gateways that name them so
		"X-Transmission-Session-Id",
		"X-Parse-Session-Token", // Parse
		"X-XSRF-Session",
	} {
		out = append(out, header(name, both, seshat.KindSession))
	}
	return out
}

// bearerHeaders carry access tokens, with their scheme or as they are.
func bearerHeaders() []entry {
	authorization := func(name, scheme string, kind seshat.IDKind) entry {
		return entry{name: name, at: seshat.LocationHeader, key: equals("Authorization"), scheme: scheme, kind: kind}
	}
	out := []entry{
		authorization("bearer", "Bearer", seshat.KindAccessToken),
		authorization("authorization:dpop", "DPoP", seshat.KindAccessToken),
		authorization("authorization:token", "Token", seshat.KindAccessToken),
		authorization("authorization:jwt", "JWT", seshat.KindAccessToken),
		authorization("authorization:oauth", "OAuth", seshat.KindAccessToken),
		authorization("authorization:bare", bareScheme, seshat.KindAccessToken),
	}
	for _, name := range []string{"X-Auth-Token", "X-Access-Token", "X-Id-Token", "X-Jwt-Token", "X-Jwt-Assertion", "X-Goog-Iap-Jwt-Assertion", "Private-Token"} {
		out = append(out, header(name, both, seshat.KindAccessToken))
	}
	out = append(out, header("Cf-Access-Jwt-Assertion", request, seshat.KindSession))
	return out
}

// serviceCredentials are credentials that stand for a service, or for a person without a session: the same on every
// request, from every address.
func serviceCredentials() []entry {
	out := []entry{}
	for _, name := range []string{
		"X-Api-Key", "Api-Key", "ApiKey", "X-ApiKey", "X-Api-Token", "Api-Token", "X-App-Key", "X-Client-Key", "X-Goog-Api-Key",
		"Ocp-Apim-Subscription-Key", "X-Functions-Key", "Cf-Access-Client-Id",
	} {
		out = append(out, header(name, request, seshat.KindAPIKey))
	}
	for _, name := range []string{"api_key", "apikey", "apiKey", "api-key"} {
		out = append(out, entry{
			name: "query:" + name, at: seshat.LocationQuery, key: equals(name), least: tokenLength, kind: seshat.KindAPIKey,
		})
	}
	return append(out,
		entry{
			name: "authorization:apikey", at: seshat.LocationHeader, key: equals("Authorization"), scheme: "ApiKey",
			kind: seshat.KindAPIKey,
		},
		// At a token endpoint, Basic authenticates the client application (RFC 6749, section 2.3.1), which all of its
		// users share: there it says nothing about the session.
		entry{
			name: "basic", at: seshat.LocationHeader, key: equals("Authorization"), scheme: "Basic", kind: seshat.KindAPIKey,
			when: []seshat.Condition{absent("grant_type"), absent("token_type_hint"), absent("token")},
		},
	)
}

// absent holds when the request's form has no such field.
func absent(field string) seshat.Condition {
	yes, key := true, equals(field)
	return seshat.Condition{In: "request", Extract: seshat.Extract{Location: "body", Key: &key, Value: &seshat.Match{NotExists: &yes}}}
}

// sharedClaims are claims that the tokens of one session share, whatever token is used. "sub" is not among them: two
// devices of one user share it. It names the user instead, and "jti" names nothing that the token itself does not.
func sharedClaims() []entry {
	claim := func(name, key, scheme, claim string, at seshat.Location) entry {
		return entry{
			name: name, at: at, key: equals(key), scheme: scheme, kind: seshat.KindClaim,
			then: []seshat.Transformation{{JWTClaim: claim}},
		}
	}
	var out []entry
	for _, c := range []string{"sid", "session_state"} {
		out = append(out,
			claim("bearer:"+c, "Authorization", "*", c, seshat.LocationHeader),
			claim("cookie:KEYCLOAK_IDENTITY:"+c, "KEYCLOAK_IDENTITY", "", c, seshat.LocationCookie),
		)
		for _, name := range []string{"access_token", "id_token"} {
			e := claim("body:"+name+":"+c, name, "", c, seshat.LocationBody)
			e.in = response
			out = append(out, e)
		}
	}
	return out
}
