package filter

import "github.com/seshat-project/seshat"

// Sessions returns the table of the fields of sessions. A field that is also one of exchanges has the values of
// all the session's exchanges.
func Sessions() *Fields {
	return &Fields{Dataset: "sessions", list: []Field{
		{Name: "session_id", Aliases: []string{"session", "id"}, Type: TypeText, Fold: true, Doc: "Seshat's ID of the session.", Example: `session:3f1c*`},
		{Name: "previous_session_id", Aliases: []string{"previous"}, Type: TypeText, Fold: true, Doc: "The session before it in the same cookie jar.", Example: `previous:*`},
		{Name: "state", Type: TypeEnum, Values: stateNames(), Groups: true, Doc: "active, idle, ended, expired or revoked.", Example: `state:(active,idle)`},
		{Name: "user", Aliases: []string{"actor"}, Type: TypeText, Fold: true, Free: true, Groups: true, CountedBy: "users", Doc: "The user the session belongs to.", Example: `user:alice`},
		{Name: "role", Aliases: []string{"roles"}, Type: TypeText, Many: true, Fold: true, Groups: true, Doc: "A role of the user.", Example: `role:admin`},
		{Name: "flow", Aliases: []string{"flows"}, Type: TypeText, Many: true, Fold: true, Groups: true, Doc: "A flow that an exchange of the session is part of, by name or by type.", Example: `-flow:billing`},
		{Name: "endpoint", Aliases: []string{"endpoints"}, Type: TypeEndpoint, Many: true, Free: true, Groups: true, Doc: "Method, host and path template of an exchange.", Example: `endpoint:"POST /login"`},
		{Name: "service", Aliases: []string{"services"}, Type: TypeText, Many: true, Fold: true, Free: true, Groups: true, Doc: "Where an exchange was going.", Example: `service:shop`},
		{Name: "environment", Aliases: []string{"env"}, Type: TypeText, Fold: true, Groups: true, Doc: "The environment the session was seen in.", Example: `env:prod`},
		{Name: "ip", Aliases: []string{"client_ip", "address", "ips"}, Type: TypeIP, Many: true, Groups: true, CountedBy: "addresses", Doc: "An address of the client.", Example: `ip:10.0.0.0/8`},
		{Name: "user_agent", Aliases: []string{"ua", "agent"}, Type: TypeText, Many: true, Fold: true, Free: true, Groups: true, CountedBy: "user_agents", Doc: "A User-Agent of the client.", Example: `ua:*firefox*`},
		{Name: "status", Aliases: []string{"code"}, Type: TypeNumber, Many: true, Groups: true, Doc: "The status of a response.", Example: `status:>=400`},
		{Name: "method", Type: TypeText, Many: true, Fold: true, Groups: true, Doc: "The method of a request.", Example: `method:DELETE`},
		{Name: "path", Type: TypeText, Many: true, Free: true, Groups: true, Doc: "The path of a request, with the identifiers in it masked.", Example: `path:/admin/*`},
		{Name: "host", Type: TypeText, Many: true, Fold: true, Free: true, Groups: true, Doc: "The host a request was sent to.", Example: `host:*.shop.example`},
		{Name: "first_seen", Aliases: []string{"started"}, Type: TypeTime, Groups: true, Doc: "The time of the session's first exchange.", Example: `first_seen:2026-01-02`},
		{Name: "last_seen", Type: TypeTime, Groups: true, Doc: "The time of the session's last exchange.", Example: `last_seen:>now-1h`},
		{Name: "exchanges", Aliases: []string{"count"}, Type: TypeNumber, Measures: true, Doc: "How many exchanges the session has.", Example: `exchanges:100..`},
		{Name: "errors", Type: TypeNumber, Measures: true, Doc: "How many of them have a status of 400 or more.", Example: `errors:>10`},
		{Name: "refused", Type: TypeNumber, Measures: true, Doc: "How many of them Seshat refused: limited or blocked.", Example: `refused:>0`},
		{Name: "addresses", Type: TypeNumber, Measures: true, Doc: "How many different addresses of clients its exchanges have.", Example: `addresses:>1`},
		{Name: "networks", Type: TypeNumber, Measures: true, Doc: "How many different networks these are in: of IPv4 by their first 24 bits, of IPv6 by 48.", Example: `networks:>1`},
		{Name: "user_agents", Type: TypeNumber, Measures: true, Doc: "How many different User-Agents its exchanges have, with regard to case.", Example: `user_agents:>1`},
		{Name: "users", Type: TypeNumber, Measures: true, Doc: "How many different users its exchanges name, without regard to case: also those that a sign-in failed for.", Example: `users:>1`},
		{Name: "duration", Type: TypeDuration, Measures: true, Doc: "From the session's first exchange to its last.", Example: `duration:>8h`},
		{Name: "identified_by", Aliases: []string{"identifier"}, Type: TypeText, Fold: true, Groups: true, Doc: "The name of the rule or built-in identifier that the session is known by; `ip+user-agent` or `ip` for the fallback.", Example: `-identified_by:ip*`},
		{Name: "confidence", Type: TypeNumber, Measures: true, Doc: "How sure it is that the session is one, from 0 to 1.", Example: `confidence:<0.5`},
		{Name: "ended_by", Type: TypeEnum, Values: endNames(), Groups: true, Doc: "Why the session ended; absent while it has not.", Example: `ended_by:(logout,user-switch)`},
		{Name: "client_session_id", Aliases: []string{"client_session_ids"}, Type: TypeText, Many: true, Doc: "A client session ID of the session, as it is shown (masked).", Example: `client_session_id:eyJh*`},
		{Name: "verdict", Aliases: []string{"action"}, Type: TypeEnum, Many: true, Values: actionNames(), Groups: true, Doc: "What Seshat did with a request: allow, tag, limit or block.", Example: `verdict:block`},
		{Name: "verdict.by", Aliases: []string{"verdict_by"}, Type: TypeText, Many: true, Fold: true, Groups: true, Doc: "What decided that, such as Limit/login; absent for allow.", Example: `verdict.by:Denylist/*`},
		{Name: "tag", Aliases: []string{"tags"}, Type: TypeText, Many: true, Fold: true, Groups: true, Doc: "What would have acted on a request if it were not set to tag only.", Example: `tag:JWTValidation/*`},
	}}
}

func stateNames() []string {
	return names(seshat.StateActive, seshat.StateIdle, seshat.StateEnded, seshat.StateExpired, seshat.StateRevoked)
}

func endNames() []string {
	return names(seshat.EndLogout, seshat.EndUserSwitch, seshat.EndExpiry, seshat.EndIdle, seshat.EndLifetime,
		seshat.EndRefused, seshat.EndRevoked)
}

func names[T ~string](values ...T) []string {
	list := make([]string, len(values))
	for i, v := range values {
		list[i] = string(v)
	}
	return list
}
