package seshat

import "time"

// Side is the half of an exchange a value was found in.
type Side uint8

// The two halves of an exchange.
const (
	InRequest Side = iota
	InResponse
)

func (s Side) String() string {
	if s == InResponse {
		return "response"
	}
	return "request"
}

// Location is a part of an exchange in which a value can be found.
type Location uint8

// The locations. LocationNone is the zero value and never found in a valid rule.
const (
	LocationNone Location = iota
	LocationHeader
	LocationCookie        // Cookie in a request, Set-Cookie in a response
	LocationQuery         // a parameter of the query
	LocationPathSegment   // a segment of the path, by its position
	LocationPathParameter // ";name=value" behind a path segment
	LocationBody          // JSON by JSONPath, form and multipart fields by name
	LocationStatus        // of the response; in conditions only
	LocationClientIP
	LocationUserAgent
	LocationJA4
)

// Origin says which of the three ordered sets an identifier belongs to.
type Origin uint8

// The origins, in the order in which they are tried.
const (
	OriginRule     Origin = iota // a session rule of the user's
	OriginBuiltIn                // the built-in set, and identifiers that were set automatically
	OriginFallback               // address and user agent
)

func (o Origin) String() string {
	switch o {
	case OriginRule:
		return "rule"
	case OriginBuiltIn:
		return "built-in"
	default:
		return "fallback"
	}
}

// IDKind says what a client session ID is for. It decides what correlation may conclude from it.
type IDKind uint8

// The kinds of client session IDs.
const (
	KindSession           IDKind = iota // a session handle or token that stands for the session; the default
	KindAccessToken                     // a bearer token that is renewed while the session goes on
	KindRefreshToken                    // used once to obtain its successor
	KindAuthorizationCode               // used once, links the sign-in to the token request (RFC 6749, section 4.1)
	KindAPIKey                          // a credential of a service: one session whatever its addresses
	KindClaim                           // a claim that several tokens share, such as "sid"
	KindTransaction                     // a short-lived handle of one interaction, such as a sign-in form
	KindUserAgent                       // fallback: address and user agent
	KindAddress                         // fallback: address alone
)

var idKindNames = [...]string{
	"session", "accessToken", "refreshToken", "authorizationCode", "apiKey", "claim", "transaction",
	"userAgent", "address",
}

func (k IDKind) String() string {
	if int(k) < len(idKindNames) {
		return idKindNames[k]
	}
	return "unknown"
}

// TokenClaims are the registered claims (RFC 7519, section 4.1, and OpenID Connect) of a client session ID that is
// a JWT, read without verification. The zero value means that it is not a JWT.
type TokenClaims struct {
	Issuer    string
	Subject   string
	SessionID string // "sid", or "session_state"
	ID        string // "jti"
	IssuedAt  time.Time
	NotBefore time.Time
	ExpiresAt time.Time
}

// FoundID is one client session ID that one identifier found in one exchange. It holds the raw value, so the rules
// of [Exchange] apply to it.
type FoundID struct {
	Value  ClientSessionID
	Rule   RuleID // zero for the built-in set and the fallback
	Index  int    // the identifier's index within its rule; of the built-in set, its position there
	Name   string // of the rule
	Origin Origin
	Kind   IDKind
	Side   Side
	Where  Location
	// Key is the name it was found under: a header, cookie, parameter or JSONPath. It may alias the exchange.
	Key string
	// Deleted says that the response took this ID away: a Set-Cookie that expires it. Value is then the deleted
	// cookie's value in the request, or empty when the request did not carry it.
	Deleted bool
	// Clear says that the identifier has "obfuscate: false", so that the raw value may be kept.
	Clear bool
	// ExpiresAt is when the ID ends by the identifier's expiration or its cookie's own; zero when it does not say.
	ExpiresAt time.Time
	// Lifetime is a duration that counts from the first time this ID is seen; 0 when there is none.
	Lifetime time.Duration
	Token    TokenClaims
}

// Identity is everything that identification found in one exchange. It is reused from exchange to exchange; see
// [Exchange] for how long its values live.
type Identity struct {
	// IDs are all the client session IDs of the matching rules, the built-in set and the fallback, in the order in
	// which they are tried.
	IDs []FoundID
	// Grouping is the index in IDs of the one that says which session the exchange belongs to. It is always valid:
	// the fallback finds something in every exchange.
	Grouping int
	// Users and roles, and further context, in the order of their parameters.
	Parameters []FoundParameter
	Flows      []FlowMatch
}

// Reset empties i and keeps its memory.
func (i *Identity) Reset() {
	clear(i.IDs)
	clear(i.Parameters)
	i.IDs, i.Grouping, i.Parameters, i.Flows = i.IDs[:0], 0, i.Parameters[:0], i.Flows[:0]
}

// ParameterType says what a context parameter means.
type ParameterType uint8

// The types of context parameters.
const (
	ParameterPlain ParameterType = iota
	ParameterUser                // names the user of the session
	ParameterRole                // names a role of the user
)

// FoundParameter is the value of one context parameter in one exchange.
type FoundParameter struct {
	Name  string
	Type  ParameterType
	Side  Side
	Value string
	Hash  bool // only the digest of Value may be kept
	// Weak says that the value was stated by the client without proof, such as the user name of a sign-in form: it
	// counts only if the exchange succeeded.
	Weak bool
}

// FlowType is a kind of sensitive business flow.
type FlowType string

// The flow types that have a meaning to Seshat itself. Users may name others.
const (
	FlowAuthentication  FlowType = "authentication"
	FlowLogout          FlowType = "logout"
	FlowTokenRefresh    FlowType = "token-refresh"
	FlowAccountCreation FlowType = "account-creation"
	FlowBilling         FlowType = "billing"
	FlowAdmin           FlowType = "admin"
	FlowMessaging       FlowType = "messaging"
	FlowAI              FlowType = "ai"
)

// FlowMatch says that an exchange belongs to a flow.
type FlowMatch struct {
	Name string // of the flow resource, or the built-in flow
	Type FlowType
}
