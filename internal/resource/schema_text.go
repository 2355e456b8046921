package resource

// typeDescription says what a type is, for the schema.
func typeDescription(name string) string {
	switch name {
	case "SessionRule":
		return "Where to look for client session IDs, in order."
	case "ContextParameter":
		return "A value that is kept with each exchange."
	case "Flow":
		return "Marks exchanges as part of a sensitive business flow."
	case "MaskRule":
		return "Removes values before anything else sees them."
	case "Limit":
		return "Bounds how many requests of one key pass within a window."
	case "JWTValidation":
		return "Says which tokens are good."
	case "Settings":
		return "The settings of a whole installation. There is one, called default."
	case "Scope":
		return "Limits a resource to some exchanges. Lists that are not there do not limit."
	case "Match":
		return "A condition on one text: an object with one operator, or a plain text, which is short for equals."
	case "Transformation":
		return "Turns one value into another: an object with one field, or a plain word for those without parameters. One that does not apply means no match."
	case "RegexTransformation":
		return "Takes what a capture group of an RE2 expression matched. A plain text is the pattern."
	case "Duration":
		return "A length of time, such as 30m, 1h30m or 7d (days of 24 hours)."
	case "Identifier":
		return "Where to look for one client session ID: extract, or one of the short forms header, cookie and jwtClaim."
	case "Extract":
		return "Where a value is."
	case "Condition":
		return "Must hold for an identifier to be tried."
	case "Expiration":
		return "When a client session ID ends."
	case "ExpirationAttribute":
		return "Finds an expiry in a response."
	case "JWTClaimShort":
		return "A claim of the token in a header or cookie."
	case "Metadata":
		return "Names a resource."
	case "InferenceSettings":
		return "Govern links between IDs that are inferred rather than certain."
	default:
		return ""
	}
}

// fieldDescription says what a field is, for the schema.
func fieldDescription(f field) string {
	switch f.owner.Name() + "." + f.name {
	case "Resource.apiVersion":
		return "The version of the format."
	case "Resource.kind":
		return "The kind of the resource."
	case "Resource.metadata":
		return "Its name."
	case "Resource.spec":
		return "Its content."
	case "Metadata.name":
		return "A lower-case DNS label of at most 63 characters, unique within the kind."
	case "Metadata.uid":
		return "The UUID of the resource. Derived from the name when it is not there."
	case "Metadata.description":
		return "A text for people."
	case "Metadata.labels":
		return "Texts by name, for people and tools."
	case "Scope.environments":
		return "Environments; all when there are none."
	case "Scope.services":
		return "Services; all when there are none, future ones included."
	case "Scope.urls":
		return "RE2 expressions that are searched for in scheme://host/path. One of them must match."
	case "Match.equals":
		return "The text is this one. Header names are compared without regard to case."
	case "Match.notEquals":
		return "The text is another one."
	case "Match.contains":
		return "The text has this in it."
	case "Match.notContains":
		return "The text does not have this in it."
	case "Match.startsWith":
		return "The text begins with this."
	case "Match.endsWith":
		return "The text ends with this."
	case "Match.matches":
		return "The RE2 expression is found in the text."
	case "Match.notMatches":
		return "The RE2 expression is not found in the text."
	case "Match.in":
		return "The text is one of these."
	case "Match.exists":
		return "There is a text (true), or there is none (false)."
	case "Match.notExists":
		return "There is no text."
	case "Extract.location":
		return "The part of the exchange. Status is for conditions only."
	case "Extract.key":
		return "The name of the header, cookie, query or path parameter, form or multipart field."
	case "Extract.jsonPath":
		return "An RFC 9535 query into a JSON body. The first node that is a string, number or boolean counts."
	case "Extract.segment":
		return "The position of a path segment: 0 is the first, -1 the last."
	case "Extract.value":
		return "A condition on the value."
	default:
		return ruleDescription(f.owner.Name() + "." + f.name)
	}
}

// ruleDescription goes on with the fields of the kinds.
func ruleDescription(name string) string {
	switch name {
	case "Condition.in", "ContextParameterSpec.in":
		return "The side to look at: that of the identifier, or the request, when it is not there."
	case "Transformation.regex":
		return "Takes what a capture group of an RE2 expression matched."
	case "Transformation.base64Decode":
		return "Decodes Base64: standard or URL-safe, padded or not."
	case "Transformation.jsonPath":
		return "Takes a value of a JSON text, by an RFC 9535 query."
	case "Transformation.jwtClaim":
		return "Takes a claim of a JWT: its name, or a JSONPath into the payload when it begins with $."
	case "Transformation.urlDecode":
		return "Decodes percent-encoding."
	case "Transformation.lowercase":
		return "Turns letters into lower-case ones."
	case "Transformation.hash":
		return "Replaces the value by its keyed digest, in hexadecimal."
	case "RegexTransformation.pattern":
		return "An RE2 expression."
	case "RegexTransformation.group":
		return "The number or name of a capture group: 1 when it is not there, or the whole match when there is no group."
	case "Expiration.jwt":
		return "By the token's own claim exp."
	case "Expiration.attribute":
		return "By a value of the response."
	case "ExpirationAttribute.transformations", "Identifier.transformations", "ContextParameterSpec.transformations":
		return "Are applied to the value, in order."
	case "ExpirationAttribute.format":
		return "What the value is. A duration counts from the first time the ID was seen."
	case "Identifier.in":
		return "The side to look at; request when it is not there."
	case "Identifier.conditions":
		return "Must all hold."
	case "Identifier.extract":
		return "Where the ID is."
	case "Identifier.obfuscate":
		return "Whether only a digest and a masked form of the ID are kept; true when it is not there."
	case "Identifier.expiration":
		return "When the ID ends."
	case "Identifier.type":
		return "What the ID is for; session when it is not there."
	case "Identifier.header":
		return "Short form: the value of this header. The scheme of Authorization, such as Bearer, is removed."
	case "Identifier.cookie":
		return "Short form: this cookie, in the request and in Set-Cookie of the response."
	case "Identifier.jwtClaim":
		return "Short form: a claim of the token in a header or cookie."
	case "JWTClaimShort.header":
		return "The header that has the token."
	case "JWTClaimShort.cookie":
		return "The cookie that has the token."
	case "JWTClaimShort.claim":
		return "The name of the claim, or a JSONPath into the payload when it begins with $."
	default:
		return specDescription(name)
	}
}

// specDescription goes on with the fields of the specs.
func specDescription(name string) string {
	switch name {
	case "SessionRuleSpec.enabled", "ContextParameterSpec.enabled", "FlowSpec.enabled", "MaskRuleSpec.enabled", "LimitSpec.enabled",
		"JWTValidationSpec.enabled":
		return "Whether the resource is in use; true when it is not there."
	case "SessionRuleSpec.scope", "ContextParameterSpec.scope", "FlowSpec.scope", "MaskRuleSpec.scope", "LimitSpec.scope",
		"JWTValidationSpec.scope":
		return "The exchanges that the resource is about."
	case "SessionRuleSpec.priority":
		return "Lower numbers are tried first, equal ones by name; 100 when it is not there."
	case "SessionRuleSpec.identifiers":
		return "Where to look, in order. The next is tried only when the one before found nothing."
	case "SessionRuleSpec.idleTimeout":
		return "Ends a session that was not seen for so long."
	case "SessionRuleSpec.absoluteLifetime":
		return "Ends a session after so long, however active it is."
	case "ContextParameterSpec.conditions", "FlowSpec.conditions":
		return "Must all hold."
	case "ContextParameterSpec.extract":
		return "Where the value is."
	case "ContextParameterSpec.type":
		return "What the value means: plain when it is not there; user and role name the actor of the session."
	case "ContextParameterSpec.hash":
		return "Keep only the keyed digest."
	case "FlowSpec.type":
		return "authentication, logout, token-refresh, account-creation, billing, admin, messaging, ai, or any other lower-case name."
	case "FlowSpec.endpoints", "LimitSpec.endpoints", "JWTValidationSpec.endpoints":
		return "Patterns such as 'POST */login': method and host/path; * stands for anything but a space. One must match."
	case "MaskRuleSpec.in":
		return "The side to mask; both when it is not there."
	case "MaskRuleSpec.location":
		return "The part of the exchange."
	case "MaskRuleSpec.key":
		return "The names of what is removed."
	case "MaskRuleSpec.jsonPath":
		return "An RFC 9535 query: the nodes of a JSON body that are removed."
	case "SettingsSpec.retention":
		return "How long exchanges are kept, from when they were stored; 7d when it is not there."
	case "SettingsSpec.fallbackIdleTimeout":
		return "After how long without an exchange a session that is known by address only ends; 30m when it is not there."
	case "SettingsSpec.idleTimeout":
		return "After how long a session without an idle timeout of its own counts as idle. It does not end."
	case "SettingsSpec.graceTime":
		return "How long a rotated ID may still be used before that counts as reuse; 60s when it is not there."
	case "SettingsSpec.lateness":
		return "How late, in event time, an exchange may come and still be put in order; 10s when it is not there."
	case "SettingsSpec.inference":
		return "Links between IDs that are inferred rather than certain."
	case "SettingsSpec.autoIdentifier":
		return "Whether Authorization becomes an identifier by itself on hosts that use it."
	case "SettingsSpec.builtIn":
		return "Whether the built-in set of identifiers is in use."
	case "InferenceSettings.enabled":
		return "Whether such links are made."
	case "InferenceSettings.minimumScore":
		return "The score that such a link needs, from 0 to 1."
	default:
		return actingDescription(name)
	}
}

// actingDescription goes on with the fields of the kinds that act on requests.
func actingDescription(name string) string {
	switch name {
	case "LimitSpec.conditions":
		return "On the request. Must all hold."
	case "LimitSpec.key":
		return "What is counted apart: session, user, clientSessionID, ip, parameter:NAME (a context parameter) or claim:NAME (of the token that identifies the session). Several are counted by their combination."
	case "LimitSpec.count":
		return "How many requests of one key pass within any window."
	case "LimitSpec.window":
		return "The window, from 1s to 7d. It slides."
	case "LimitSpec.action":
		return "What happens to further requests: limit (429) when it is not there, block (403), or tag, which lets them pass."
	case "LimitSpec.for":
		return "How long a key is refused once it went over; until the window has room again when it is not there."
	case "JWTValidationSpec.token":
		return "Where the token is: header, cookie or query. The header Authorization when it is not there. A scheme such as Bearer in front of the token is removed."
	case "JWTValidationSpec.required":
		return "Whether requests without a token are not accepted either."
	case "JWTValidationSpec.jwksURL":
		return "Where the issuer publishes its keys: an address with https."
	case "JWTValidationSpec.jwks":
		return "The keys: a JSON Web Key Set as JSON, or public keys in PEM."
	case "JWTValidationSpec.issuers":
		return "The values of iss that are accepted; all when there are none."
	case "JWTValidationSpec.audiences":
		return "aud must hold one of them; anything when there are none."
	case "JWTValidationSpec.action":
		return "What happens to requests whose token is not accepted: block when it is not there, or tag, which lets them pass."
	case "JWTValidationSpec.status":
		return "The status of a block: 401 when it is not there, or 403."
	default:
		return ""
	}
}
