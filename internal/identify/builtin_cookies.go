package identify

import "github.com/seshat-project/seshat"

// cookie is an entry for one cookie on both sides.
func cookie(name string, kind seshat.IDKind) entry {
	return entry{name: "cookie:" + name, in: both, at: seshat.LocationCookie, key: equals(name), kind: kind}
}

// cookies is an entry for all cookies whose names match; shown is how the pattern is written.
func cookies(shown string, key seshat.Match) entry {
	return entry{name: "cookie:" + shown, in: both, at: seshat.LocationCookie, key: key}
}

func equals(s string) seshat.Match     { return seshat.Match{Equals: &s} }
func startsWith(s string) seshat.Match { return seshat.Match{StartsWith: &s} }
func endsWith(s string) seshat.Match   { return seshat.Match{EndsWith: &s} }
func matches(s string) seshat.Match    { return seshat.Match{Matches: &s} }

// sessionCookies are the session cookies of frameworks, by exact name where there is one.
func sessionCookies() []entry {
	var out []entry
	for _, name := range []string{
		"connect.sid",          // Express
		"koa.sess", "koa:sess", // Koa
		"express:sess",       // Express cookie-session
		"PHPSESSID",          // PHP
		"JSESSIONID",         // Java servlets
		"SESSION", "session", // Spring Session; Flask, Go and others
		"SESSIONID", "SessionId", "sessionId", "session_id", "session-id",
		"SESSID", "sessid", "SESS",
		"sessionid",          // Django
		"laravel_session",    // Laravel
		"_session_id",        // Rails before 4
		"_session",           // oidc-provider, and many
		"ci_session",         // CodeIgniter
		"CAKEPHP", "symfony", // CakePHP, symfony 1
		"ASP.NET_SessionId", // ASP.NET
		".ASPXAUTH", ".AspNet.ApplicationCookie",
		"__session", // Firebase Hosting, Clerk, Remix
		"sid", "SID", "ssid",
		"beaker.session.id",     // Pylons
		"rack.session",          // Rack
		"PLAY_SESSION",          // Play
		"MoodleSession",         // Moodle
		"frontend", "adminhtml", // Magento 1
		"next-auth.session-token", "__Secure-next-auth.session-token",
		"authjs.session-token", "__Secure-authjs.session-token",
		"better-auth.session_token", "__Secure-better-auth.session_token",
		"appSession",         // Auth0
		"ory_kratos_session", // Ory Kratos
		"session_token", "sessionToken", "session-token",
	} {
		out = append(out, cookie(name, seshat.KindSession))
	}
	return append(out,
		cookies("wordpress_logged_in_*", startsWith("wordpress_logged_in_")),
		cookies("wordpress_sec_*", startsWith("wordpress_sec_")),
		cookies(".AspNetCore.*", matches(`^\.AspNetCore\.(Cookies|Session|Identity\.Application)(C\d+)?$`)),
		cookies("SESS*", matches(`^S?SESS[0-9a-f]{32}$`)), // Drupal
		cookies("ASPSESSIONID*", startsWith("ASPSESSIONID")),
		cookies("sb-*-auth-token", matches(`^sb-.+-auth-token(\.0)?$`)), // Supabase; further chunks are .1, .2
		cookies("next-auth session chunks", matches(`^(__Secure-|__Host-)?(next-auth|authjs)\.session-token\.0$`)),
		cookies("*.sid", endsWith(".sid")),                          // express-session under a name of its own
		cookies("_*_session", matches(`^_[A-Za-z0-9_-]+_session$`)), // Rails
		cookies("*_session", matches(`^[A-Za-z0-9-]+_session$`)),    // Laravel under the application's name
		cookies("__Host-*", matches(`(?i)^__(Host|Secure)-(.*[-_.])?(session|sess|sid|sessionid)$`)),
		cookies("*sess*id*", matches(`(?i)^([a-z0-9]+[-_.:])*(php|j|asp|cf|my|app|user|web|login|auth)?sess(ion)?[-_.]?id([-_.:][a-z0-9]+)*$`)),
		entry{name: "cookie:*sess*", in: both, at: seshat.LocationCookie, key: matches(`(?i)sess`), least: tokenLength},
		cookies("*session-token*", matches(`(?i)^([a-z0-9]+[-_.])*sess(ion)?[-_.]?(token|key)$`)),
	)
}

// accessCookies are cookies that hold a token of a sign-on proxy or identity provider: they stand for the person
// rather than for a session of the application, so they come after the application's own.
func accessCookies() []entry {
	var out []entry
	for _, name := range []string{
		"CF_Authorization",                // Cloudflare Access
		"_oauth2_proxy",                   // OAuth2 Proxy
		"KEYCLOAK_IDENTITY",               // Keycloak
		"AUTH_SESSION_ID",                 // Keycloak: from before the sign-in on
		"auth0", "idsrv", "idsrv.session", // Auth0, Duende IdentityServer
		"authelia_session", "authentik_session",
		"okta-oauth-state", "sessionCookie",
	} {
		out = append(out, cookie(name, seshat.KindSession))
	}
	for _, name := range []string{
		"auth_token", "authToken", "auth-token", "access_token", "accessToken", "access-token", "jwt", "JWT", "token",
		"id_token", "Authorization", "pb_auth",
	} {
		out = append(out, cookie(name, seshat.KindAccessToken))
	}
	for _, name := range []string{"refresh_token", "refreshToken", "refresh-token"} {
		out = append(out, cookie(name, seshat.KindRefreshToken))
	}
	return out
}

// transactionCookies belong to one interaction, such as the sign-in at an identity provider.
func transactionCookies() []entry {
	return []entry{
		cookie("_interaction", seshat.KindTransaction), // oidc-provider
		cookie("_interaction_resume", seshat.KindTransaction),
		cookie("AUTH_SESSION_ID_LEGACY", seshat.KindTransaction), // Keycloak
		cookie("auth0_compat", seshat.KindTransaction),
		cookie("did_compat", seshat.KindTransaction),
	}
}
