package seshat

import "time"

// APIVersion is the version of the resource format.
const APIVersion = "seshat/v1"

// Kind is the kind of a resource.
type Kind string

// The kinds of resources.
const (
	KindSessionRule      Kind = "SessionRule"
	KindContextParameter Kind = "ContextParameter"
	KindFlow             Kind = "Flow"
	KindMaskRule         Kind = "MaskRule"
	KindLimit            Kind = "Limit"
	KindJWTValidation    Kind = "JWTValidation"
	KindSettings         Kind = "Settings"
)

// Metadata names a resource. Names are lower-case DNS labels of at most 63 characters, unique within their kind.
type Metadata struct {
	Name string `json:"name"`
	// UID is the resource's UUID. Derived from the name when it is empty.
	UID         string            `json:"uid,omitempty"`
	Description string            `json:"description,omitempty"`
	Labels      map[string]string `json:"labels,omitempty"`
}

// Resource is one piece of declared configuration. Spec is a pointer to the spec type of Kind, such as
// *[SessionRuleSpec].
type Resource struct {
	APIVersion string   `json:"apiVersion"`
	Kind       Kind     `json:"kind"`
	Metadata   Metadata `json:"metadata"`
	Spec       Spec     `json:"spec"`
}

// Spec is implemented by the spec types of all kinds and by nothing else.
type Spec interface{ resourceKind() Kind }

// Scope limits a resource to some exchanges. Empty lists do not limit.
type Scope struct {
	Environments []string `json:"environments,omitempty"`
	Services     []string `json:"services,omitempty"`
	// URLs are RE2 expressions that are searched for in scheme://host/path. One of them must match.
	URLs []string `json:"urls,omitempty"`
}

// Match is a condition on one text. Exactly one field is set. A nil Match holds for every text.
type Match struct {
	Equals      *string  `json:"equals,omitempty"`
	NotEquals   *string  `json:"notEquals,omitempty"`
	Contains    *string  `json:"contains,omitempty"`
	NotContains *string  `json:"notContains,omitempty"`
	StartsWith  *string  `json:"startsWith,omitempty"`
	EndsWith    *string  `json:"endsWith,omitempty"`
	Matches     *string  `json:"matches,omitempty"`    // RE2, searched for
	NotMatches  *string  `json:"notMatches,omitempty"` // RE2
	In          []string `json:"in,omitempty"`
	Exists      *bool    `json:"exists,omitempty"`    // true, or false with the meaning of notExists
	NotExists   *bool    `json:"notExists,omitempty"` // true
}

// Extract says where a value is.
type Extract struct {
	// Location is one of header, cookie, query, pathSegment, pathParameter, body, clientIP, userAgent, ja4, and, in
	// conditions, status.
	Location string `json:"location"`
	// Key is the name of the header, cookie, query or path parameter, form or multipart field. Not with jsonPath,
	// pathSegment, status, clientIP, userAgent, ja4. A plain string is short for equals.
	Key *Match `json:"key,omitempty"`
	// JSONPath is an RFC 9535 query into a JSON body. The first node that is a string, number or boolean counts.
	JSONPath string `json:"jsonPath,omitempty"`
	// Segment is the position of a path segment: 0 is the first, -1 the last.
	Segment *int   `json:"segment,omitempty"`
	Value   *Match `json:"value,omitempty"`
}

// Condition must hold for an identifier to be tried. In is "request" or "response"; the identifier's own when empty.
type Condition struct {
	In      string `json:"in,omitempty"`
	Extract `json:",inline"`
}

// Transformation turns one value into another. Exactly one field is set. One that does not apply means no match.
type Transformation struct {
	Regex        *RegexTransformation `json:"regex,omitempty"`
	Base64Decode *EmptyTransformation `json:"base64Decode,omitempty"` // standard or URL-safe, padded or not
	JSONPath     string               `json:"jsonPath,omitempty"`
	// JWTClaim is the name of a claim, or a JSONPath into the payload when it starts with "$".
	JWTClaim  string               `json:"jwtClaim,omitempty"`
	URLDecode *EmptyTransformation `json:"urlDecode,omitempty"`
	Lowercase *EmptyTransformation `json:"lowercase,omitempty"`
	Hash      *EmptyTransformation `json:"hash,omitempty"` // keyed digest, hexadecimal
}

// EmptyTransformation is a transformation without parameters. In YAML, "base64Decode: {}" or "- base64Decode".
type EmptyTransformation struct{}

// RegexTransformation takes what a capture group of an RE2 expression matched.
type RegexTransformation struct {
	Pattern string `json:"pattern"`
	// Group is a number or a name. Empty means 1, or the whole match when the expression has no group.
	Group string `json:"group,omitempty"`
}

// Expiration says when a client session ID ends. Exactly one of JWT and Attribute is set.
type Expiration struct {
	JWT       bool                 `json:"jwt,omitempty"` // by the token's own "exp"
	Attribute *ExpirationAttribute `json:"attribute,omitempty"`
}

// ExpirationAttribute finds an expiry in a response.
type ExpirationAttribute struct {
	Extract         `json:",inline"`
	Transformations []Transformation `json:"transformations,omitempty"`
	// Format is durationSeconds, durationMilliseconds, epochSeconds or epochMilliseconds.
	Format string `json:"format"`
}

// Identifier says where to look for a client session ID. Either Extract or one of the short forms is set.
type Identifier struct {
	// In is "request" (the default) or "response".
	In              string           `json:"in,omitempty"`
	Conditions      []Condition      `json:"conditions,omitempty"`
	Extract         *Extract         `json:"extract,omitempty"`
	Transformations []Transformation `json:"transformations,omitempty"`
	// Obfuscate is true unless it is set to false: then the raw ID may be stored and shown.
	Obfuscate  *bool       `json:"obfuscate,omitempty"`
	Expiration *Expiration `json:"expiration,omitempty"`
	// Type is what the ID is for: session (the default), accessToken, refreshToken, authorizationCode, apiKey,
	// claim or transaction.
	Type string `json:"type,omitempty"`

	// Short forms.
	Header   string         `json:"header,omitempty"` // a leading "Bearer " or other scheme of Authorization is removed
	Cookie   string         `json:"cookie,omitempty"` // in the request, and in Set-Cookie of the response
	JWTClaim *JWTClaimShort `json:"jwtClaim,omitempty"`
}

// JWTClaimShort is the short form for a claim of a token in a header or cookie.
type JWTClaimShort struct {
	Header string `json:"header,omitempty"`
	Cookie string `json:"cookie,omitempty"`
	Claim  string `json:"claim"`
}

// SessionRuleSpec is a named, scoped, ordered list of session identifiers.
type SessionRuleSpec struct {
	Enabled *bool `json:"enabled,omitempty"` // true unless it is set to false
	// Priority orders rules: lower numbers are tried first, equal ones by name. 100 when it is not set.
	Priority    *int         `json:"priority,omitempty"`
	Scope       Scope        `json:"scope,omitempty"`
	Identifiers []Identifier `json:"identifiers"`
	// IdleTimeout ends a session that was not seen for so long; AbsoluteLifetime ends it however active it is.
	// Durations as in "30m". Not set: no idle end, no absolute end.
	IdleTimeout      *Duration `json:"idleTimeout,omitempty"`
	AbsoluteLifetime *Duration `json:"absoluteLifetime,omitempty"`
}

// ContextParameterSpec is a value that is kept with each exchange.
type ContextParameterSpec struct {
	Enabled         *bool            `json:"enabled,omitempty"`
	Scope           Scope            `json:"scope,omitempty"`
	In              string           `json:"in,omitempty"`
	Conditions      []Condition      `json:"conditions,omitempty"`
	Extract         Extract          `json:"extract"`
	Transformations []Transformation `json:"transformations,omitempty"`
	Type            string           `json:"type,omitempty"` // plain (the default), user or role
	Hash            bool             `json:"hash,omitempty"`
}

// FlowSpec marks exchanges as part of a sensitive business flow.
type FlowSpec struct {
	Enabled *bool  `json:"enabled,omitempty"`
	Type    string `json:"type"` // one of the flow types, or any other lower-case name
	Scope   Scope  `json:"scope,omitempty"`
	// Endpoints are patterns such as "POST */login": method and host/path, "*" stands for anything but a space.
	// One of them must match. None means every endpoint.
	Endpoints  []string    `json:"endpoints,omitempty"`
	Conditions []Condition `json:"conditions,omitempty"` // all must hold
}

// MaskRuleSpec removes values before anything else sees them.
type MaskRuleSpec struct {
	Enabled *bool  `json:"enabled,omitempty"`
	Scope   Scope  `json:"scope,omitempty"`
	In      string `json:"in,omitempty"` // request, response, or both when it is empty
	// Location is header, cookie, query, pathParameter or body.
	Location string `json:"location"`
	Key      *Match `json:"key,omitempty"`
	JSONPath string `json:"jsonPath,omitempty"`
}

// LimitSpec bounds how many requests of one key pass within a window.
type LimitSpec struct {
	Enabled *bool `json:"enabled,omitempty"`
	Scope   Scope `json:"scope,omitempty"`
	// Endpoints are patterns as in [FlowSpec]. One of them must match. None means every endpoint.
	Endpoints  []string    `json:"endpoints,omitempty"`
	Conditions []Condition `json:"conditions,omitempty"` // on the request; all must hold
	// Key is what is counted apart: session, user, clientSessionID, ip, "parameter:NAME" (a context parameter) or
	// "claim:NAME" (of the token that identifies the session). Several are counted by their combination. A request
	// that lacks one of them is not counted, but that a session always exists.
	Key []string `json:"key"`
	// Count requests pass within any Window.
	Count  int      `json:"count"`
	Window Duration `json:"window"`
	// Action is limit (429, the default), block (403), or tag, which lets requests pass and counts those it would
	// have refused.
	Action string `json:"action,omitempty"`
	// For is how long the key is refused once it went over; until the window has room again when it is not set.
	For *Duration `json:"for,omitempty"`
}

// JWTValidationSpec says which tokens are good.
type JWTValidationSpec struct {
	Enabled   *bool    `json:"enabled,omitempty"`
	Scope     Scope    `json:"scope,omitempty"`
	Endpoints []string `json:"endpoints,omitempty"` // as in [FlowSpec]
	// Token is where the token is: header (with a scheme such as "Bearer" in front of it), cookie or query. The header
	// Authorization when it is not set.
	Token *Extract `json:"token,omitempty"`
	// Required acts on requests without a token too. Otherwise they pass.
	Required bool `json:"required,omitempty"`
	// JWKSURL is where the issuer publishes its keys; JWKS holds them as JSON. One of the two is set.
	JWKSURL   string   `json:"jwksURL,omitempty"`
	JWKS      string   `json:"jwks,omitempty"`
	Issuers   []string `json:"issuers,omitempty"`   // the accepted values of "iss"; none accepts all
	Audiences []string `json:"audiences,omitempty"` // "aud" must hold one of them; none accepts all
	// Action is block (the default) or tag.
	Action string `json:"action,omitempty"`
	Status *int   `json:"status,omitempty"` // of a block: 401 (the default) or 403
}

// SettingsSpec are the settings of a whole installation. There is one Settings resource, called "default".
type SettingsSpec struct {
	Retention *Duration `json:"retention,omitempty"` // how long exchanges are kept, from when they were stored
	// FallbackIdleTimeout ends sessions that are known by address only.
	FallbackIdleTimeout *Duration `json:"fallbackIdleTimeout,omitempty"`
	// IdleTimeout is after how long a session without an idle timeout of its own counts as idle (it does not end).
	IdleTimeout *Duration `json:"idleTimeout,omitempty"`
	// GraceTime is how long a rotated ID may still be used before that counts as reuse.
	GraceTime *Duration `json:"graceTime,omitempty"`
	// Lateness is how late, in event time, an exchange may arrive and still be put in order.
	Lateness *Duration `json:"lateness,omitempty"`
	// Inference switches links that are inferred rather than certain on or off, and sets the score they need.
	Inference *InferenceSettings `json:"inference,omitempty"`
	// AutoIdentifier switches the automatic use of Authorization on or off.
	AutoIdentifier *bool `json:"autoIdentifier,omitempty"`
	// BuiltIn switches the built-in set of identifiers on or off.
	BuiltIn *bool `json:"builtIn,omitempty"`
}

// InferenceSettings govern inferred links.
type InferenceSettings struct {
	Enabled      *bool    `json:"enabled,omitempty"`
	MinimumScore *float64 `json:"minimumScore,omitempty"` // 0 to 1
}

// Duration is a [time.Duration] that is written as in "1h30m" or, in whole days, "7d".
type Duration time.Duration

func (*SessionRuleSpec) resourceKind() Kind      { return KindSessionRule }
func (*ContextParameterSpec) resourceKind() Kind { return KindContextParameter }
func (*FlowSpec) resourceKind() Kind             { return KindFlow }
func (*MaskRuleSpec) resourceKind() Kind         { return KindMaskRule }
func (*LimitSpec) resourceKind() Kind            { return KindLimit }
func (*JWTValidationSpec) resourceKind() Kind    { return KindJWTValidation }
func (*SettingsSpec) resourceKind() Kind         { return KindSettings }

// KindOf returns the kind that spec belongs to.
func KindOf(spec Spec) Kind { return spec.resourceKind() }
