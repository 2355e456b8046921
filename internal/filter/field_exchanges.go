package filter

import "github.com/seshat-project/seshat"

// Exchanges returns the table of the fields of exchanges.
func Exchanges() *Fields {
	return &Fields{Dataset: "exchanges", list: []Field{
		{Name: "id", Aliases: []string{"exchange_id"}, Type: TypeText, Doc: "The exchange's own ID, as the input had it.", Example: `id:e1`},
		{Name: "session_id", Aliases: []string{"session"}, Type: TypeText, Fold: true, Groups: true, Doc: "Seshat's ID of the session the exchange belongs to.", Example: `session:3f1c*`},
		{Name: "time", Aliases: []string{"timestamp"}, Type: TypeTime, Groups: true, Doc: "When the request started.", Example: `time:>=now-15m`},
		{Name: "duration", Aliases: []string{"latency"}, Type: TypeDuration, Measures: true, Doc: "From the start of the request until the response was complete.", Example: `duration:>250ms`},
		{Name: "method", Type: TypeText, Fold: true, Groups: true, Doc: "The request's method.", Example: `method:(PUT,PATCH,DELETE)`},
		{Name: "host", Type: TypeText, Fold: true, Free: true, Groups: true, Doc: "The host the request was sent to.", Example: `host:*.shop.example`},
		{Name: "path", Type: TypeText, Free: true, Groups: true, Doc: "The request's path, with the identifiers in it masked.", Example: `path:/admin/*`},
		{Name: "endpoint", Type: TypeEndpoint, Free: true, Groups: true, Doc: "Method, host and path template.", Example: `endpoint:"GET */orders/{var1}"`},
		{Name: "status", Aliases: []string{"code"}, Type: TypeNumber, Groups: true, Measures: true, Doc: "The response's status; absent when no response was seen.", Example: `status:>=500`},
		{Name: "service", Type: TypeText, Fold: true, Free: true, Groups: true, Doc: "Where the request was going.", Example: `service:shop`},
		{Name: "environment", Aliases: []string{"env"}, Type: TypeText, Fold: true, Groups: true, Doc: "The environment the exchange was seen in.", Example: `env:prod`},
		{Name: "ip", Aliases: []string{"client_ip", "address"}, Type: TypeIP, Groups: true, Doc: "The client's address.", Example: `ip:10.0.0.0/8`},
		{Name: "user_agent", Aliases: []string{"ua", "agent"}, Type: TypeText, Fold: true, Free: true, Groups: true, Doc: "The request's User-Agent.", Example: `ua:curl/*`},
		{Name: "ja4", Type: TypeText, Groups: true, Doc: "The client's TLS fingerprint (JA4).", Example: `ja4:t13d*`},
		{Name: "user", Aliases: []string{"actor"}, Type: TypeText, Many: true, Fold: true, Free: true, Groups: true, Doc: "The user that the exchange itself names.", Example: `user:alice`},
		{Name: "role", Aliases: []string{"roles"}, Type: TypeText, Many: true, Fold: true, Groups: true, Doc: "A role that the exchange itself names.", Example: `role:admin`},
		{Name: "flow", Aliases: []string{"flows"}, Type: TypeText, Many: true, Fold: true, Groups: true, Doc: "A flow the exchange is part of, by name or by type.", Example: `-flow:billing`},
		{Name: "trace_id", Aliases: []string{"trace"}, Type: TypeText, Fold: true, Groups: true, Doc: "The W3C trace ID.", Example: `trace:4bf92f3577b34da6a3ce929d0e0e4736`},
		{Name: "request_bytes", Aliases: []string{"bytes_in"}, Type: TypeBytes, Measures: true, Doc: "The size of the request's body.", Example: `request_bytes:>1MiB`},
		{Name: "response_bytes", Aliases: []string{"bytes_out", "size"}, Type: TypeBytes, Measures: true, Doc: "The size of the response's body.", Example: `response_bytes:>=10KiB`},
		{Name: "origin", Type: TypeEnum, Values: originNames(), Groups: true, Doc: "Which set of identifiers gave the session: rule, built-in or fallback.", Example: `origin:fallback`},
		{Name: "identifier", Aliases: []string{"identified_by"}, Type: TypeText, Fold: true, Groups: true, Doc: "The name of the rule or built-in identifier that gave the session.", Example: `identifier:ip*`},
		{Name: "rule", Aliases: []string{"rules"}, Type: TypeText, Many: true, Fold: true, Groups: true, Doc: "The name of a rule or built-in identifier that found a client session ID, whichever gave the session.", Example: `rule:shop-*`},
		{Name: "attr", Aliases: []string{"attribute"}, Type: TypeText, Many: true, Family: true, Groups: true, Doc: "An attribute by name: a context parameter, or a client session ID (masked) under `seshat.session.<rule_id>.<identifier_index>.id`. The name may have wildcards.", Example: `attr.seshat.session.*.0.id:*`},
		{Name: "verdict", Aliases: []string{"action"}, Type: TypeEnum, Values: actionNames(), Groups: true, Doc: "What Seshat did with the request: allow, tag, limit or block.", Example: `verdict:(limit,block)`},
		{Name: "verdict.by", Aliases: []string{"verdict_by"}, Type: TypeText, Fold: true, Groups: true, Doc: "What decided that, such as Limit/login; absent for allow.", Example: `verdict.by:Limit/*`},
		{Name: "tag", Aliases: []string{"tags"}, Type: TypeText, Many: true, Fold: true, Groups: true, Doc: "What would have acted on the request if it were not set to tag only.", Example: `tag:Limit/login`},
	}}
}

func actionNames() []string {
	return names(seshat.ActionAllow.String(), seshat.ActionTag.String(), seshat.ActionLimit.String(), seshat.ActionBlock.String())
}

func originNames() []string {
	return names(seshat.OriginRule.String(), seshat.OriginBuiltIn.String(), seshat.OriginFallback.String())
}
