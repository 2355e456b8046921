package seshat

import (
	"net/netip"
	"time"
)

// Exchange is one HTTP request and, where it was seen, its response, as a source read it.
//
// An Exchange holds secrets (tokens, cookies, bodies) and never leaves the process that read it: engines turn it
// into an [Observation]. Its strings and slices may alias a buffer of the source, so nothing of it may be kept
// after the call that received it returns, unless it is copied.
type Exchange struct {
	// ID is the exchange's own identifier where the input had one, such as the "id" field of an NDJSON exchange.
	// At most [MaxExchangeID] bytes. Empty means that the input had none.
	ID string
	// Time is when the request started. It is the event time that every engine works with.
	Time time.Time
	// Duration is from the start of the request until the response was complete; 0 when it is not known.
	Duration time.Duration
	// Environment and Service label the exchange. Service is where the request was going; the request's host when
	// the source says nothing better.
	Environment string
	Service     string
	Client      Client
	Request     Request
	Response    Response
	// TraceID is the W3C trace ID in lower-case hexadecimal, or empty.
	TraceID string
}

// MaxExchangeID is how many bytes an exchange's own ID may have. Longer ones are refused by sources: the ID is
// stored with every exchange, and no format that is read here needs more.
const MaxExchangeID = 128

// Client is the peer that sent a request.
type Client struct {
	IP netip.Addr // the invalid address when it is not known
	// JA4 is the TLS client fingerprint (FoxIO JA4), or empty.
	JA4 string
}

// Field is one header field line, with name and value as they were sent. Repeated fields stay separate and in order.
type Field struct {
	Name  string
	Value string
}

// Request is the request half of an exchange.
type Request struct {
	Method string
	Scheme string // "http" or "https"; empty when it is not known
	Host   string // host and, where it was sent, port
	Path   string // as sent, not decoded, without query
	Query  string // as sent, not decoded, without "?"
	// HTTPVersion is "1.0", "1.1", "2" or "3", or empty when it is not known.
	HTTPVersion string
	Header      []Field
	Body        Body
}

// Response is the response half of an exchange. Status 0 means that no response was seen.
type Response struct {
	Status int
	Header []Field
	Body   Body
}

// Body is the content of a message as far as it was captured, with content codings already removed.
type Body struct {
	Bytes []byte
	// Size is how many bytes the whole body had, before any cut; it may exceed len(Bytes).
	Size int64
	// Truncated says that Bytes is only the beginning of the body.
	Truncated bool
}
