package seshat

import (
	"net/netip"
	"time"
)

// ExchangeKey identifies an exchange within a store. It is derived from the exchange's own ID and time, or from
// its content, so that reading the same input twice stores it once.
type ExchangeKey uint64

// Observation is what Seshat keeps of one exchange. It holds no secret: client session IDs are digests with a
// masked form, parameters are plain only where a resource asked for it, the path has its identifiers masked, and
// the query is gone. It owns all its memory and is immutable once it was made.
type Observation struct {
	Key         ExchangeKey
	ID          string // as in [Exchange]; empty when the input had none
	Time        time.Time
	Duration    time.Duration
	Environment string
	Service     string

	Method string
	Scheme string
	Host   string
	Path   string // masked
	// Endpoint is the path template, such as "/orders/{var1}".
	Endpoint      string
	HTTPVersion   string
	Status        int // 0 when no response was seen
	RequestBytes  int64
	ResponseBytes int64

	ClientIP  netip.Addr
	UserAgent string
	JA4       string
	// Device is the digest of what tells clients at one address apart besides the user agent (accepted languages,
	// client hints); zero when the exchange says nothing.
	Device  Digest
	Origin  string // scheme and host that the request came from, by Origin or Referer, or empty
	TraceID string

	IDs        []ObservedID // as in [Identity]
	Grouping   int          // index in IDs
	Parameters []Parameter
	Flows      []FlowMatch

	Verdict ObservedVerdict
}

// ObservedVerdict is what is kept of a [Verdict]. The zero value is of an exchange that nothing was decided on, or that
// was allowed.
type ObservedVerdict struct {
	Action Action
	By     string   // as in [Verdict]
	Tags   []string // as in [Verdict]
}

// ObservedID is a [FoundID] without its secret.
type ObservedID struct {
	Digest Digest // of the raw value; zero only for a deletion of an ID the request did not carry
	Masked string // for showing: a few characters of the value, or all of it where the identifier says so
	Rule   RuleID
	Index  int
	Name   string
	Origin Origin
	Kind   IDKind
	Side   Side
	Where  Location
	Key    string

	Deleted   bool
	ExpiresAt time.Time
	Lifetime  time.Duration
	Token     ObservedClaims
}

// ObservedClaims are [TokenClaims] without what could be used as a credential.
type ObservedClaims struct {
	IsToken   bool
	Issuer    string
	Subject   string
	SessionID Digest // of issuer and "sid"; zero when the token has none
	IssuedAt  time.Time
	ExpiresAt time.Time
}

// Parameter is a context parameter as it is kept.
type Parameter struct {
	Name  string
	Type  ParameterType
	Side  Side
	Value string // the hexadecimal digest where the resource says "hash: true"
	Weak  bool
}

// AttributeName is the name of the attribute under which an exchange keeps the client session ID that the
// identifier at index of rule found.
func AttributeName(rule RuleID, index int) string {
	return "seshat.session." + rule.String() + "." + itoa(index) + ".id"
}

func itoa(n int) string {
	if n >= 0 && n < 10 {
		return string(rune('0' + n))
	}
	var buf [20]byte
	i := len(buf)
	for u := uint(n); ; u /= 10 { //nolint:gosec // indexes are never negative
		i--
		buf[i] = byte('0' + u%10)
		if u < 10 {
			return string(buf[i:])
		}
	}
}
