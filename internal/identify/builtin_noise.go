package identify

import "strings"

// Names that look as if they held a session and do not: analytics, consent, protection against forgery, language,
// tracing, devices. No pattern of the built-in set takes them, and there is no exact entry for them. They outlive
// sessions, are shared between users, or change with every request.

// noisePrefixes and noiseParts are in lower case.
var (
	noisePrefixes = [...]string{
		"_ga", "_gid", "_gat", "_gcl", "__utm", "_fb", "ajs_", "amplitude", "amp_", "mp_", "optanon", "onetrust", "cookieconsent",
		"cookie_consent", "intercom-", "_hj", "_pk_", "_uet", "_cl", "hubspot", "__hs", "hstc", "_mkto", "_dc_", "_rdt", "_tt_", "_ym",
		"__cf", "cf_clearance", "bm_", "ak_", "_abck", "datadome", "incap_", "visid_", "nlbi_", "awsalb", "aws-", "arraffinity", "route",
		"trace", "x-request", "x-device", "lang", "locale", "theme", "tz", "timezone", "currency", "device", "visitor", "_vis", "_vwo", "_dd_s", "_sp_",
		"rl_", "ph_", "__stripe", "li_", "_lr_", "ab_", "experiment", "utm_",
	}
	noiseParts    = [...]string{"csrf", "xsrf", "consent", "gdpr", "captcha", "analytics", "tracking", "nonce", "_ref", "expires", "expiry", "timeout", "last_", "count"}
	noiseSuffixes = [...]string{".sig", "-sig", "_sig", ".signature"} // signatures of other cookies
)

// isNoise reports whether name is one of those.
func isNoise(name string) bool {
	name = strings.ToLower(name)
	for _, p := range noisePrefixes {
		if strings.HasPrefix(name, p) {
			return true
		}
	}
	for _, p := range noiseParts {
		if strings.Contains(name, p) {
			return true
		}
	}
	for _, p := range noiseSuffixes {
		if strings.HasSuffix(name, p) {
			return true
		}
	}
	return false
}

// isPlaceholder reports whether value only says that there is nothing, as servers and scripts write it. Such a value
// is shared by everybody who has none.
func isPlaceholder(value string) bool {
	if len(value) > len("[object Object]") {
		return false
	}
	switch value {
	case "", "-", "0", "1", "null", "NULL", "nil", "none", "None", "undefined", "deleted", "delete", "expired", "invalid",
		"true", "false", "anonymous", "guest", "[object Object]", "{}", "[]", "NaN":
		return true
	}
	return strings.TrimSpace(value) == ""
}

// isOpaque reports whether value looks like an ID: at least so long, printable ASCII, no spaces.
func isOpaque(value string, least int) bool {
	for i := 0; i < len(value); i++ {
		if c := value[i]; c <= ' ' || c > '~' {
			return false
		}
	}
	return len(value) >= least
}
