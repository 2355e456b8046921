// Package config reads seshat.yaml: what a process that runs serves and where it sends it. What it recognises,
// limits and denies is not configured here but declared as resources, which change while it runs.
package config

import (
	"os"

	"github.com/seshat-project/seshat"
	"github.com/seshat-project/seshat/internal/resource"
)

// Config is a configuration with every default filled in.
type Config struct {
	// Listen is short for one plain listener at an address.
	Listen    string     `json:"listen,omitempty"`
	Listeners []Listener `json:"listeners,omitempty"`
	// TrustedProxies are prefixes of addresses that are believed when they say who they speak for.
	TrustedProxies []Prefix `json:"trustedProxies,omitempty"`
	// TrustedField is where they say it: x-forwarded-for (the default, with X-Forwarded-Proto and X-Forwarded-Host),
	// forwarded (RFC 7239) or x-real-ip. Only one is read: a proxy that keeps one of them passes the others on as the client
	// sent them.
	TrustedField string `json:"trustedField,omitempty"`
	// Environment and Service label exchanges whose route says nothing else; a service is by default the host.
	Environment string     `json:"environment,omitempty"`
	Service     string     `json:"service,omitempty"`
	Routes      []Route    `json:"routes,omitempty"`
	Upstreams   []Upstream `json:"upstreams,omitempty"`
	Timeouts    Timeouts   `json:"timeouts,omitempty"`
	Input       Input      `json:"input,omitempty"`
	// ForwardedFields are the fields that tell the origin about the client: x-forwarded (the default), forwarded (RFC
	// 7239), both or none.
	ForwardedFields string `json:"forwardedFields,omitempty"`
	// Via is the pseudonym in the Via field (RFC 9110, section 7.6.3); no such field is added when it is empty.
	Via           string        `json:"via,omitempty"`
	SessionFields SessionFields `json:"sessionFields,omitempty"`
	API           API           `json:"api,omitempty"`
	ExtProc       *ExtProc      `json:"extProc,omitempty"`
	ForwardAuth   *ForwardAuth  `json:"forwardAuth,omitempty"`
	Logs          []Log         `json:"logs,omitempty"`
	Journal       Journal       `json:"journal,omitempty"`
	NATS          *NATS         `json:"nats,omitempty"`
	NATSListen    *NATSListen   `json:"natsListen,omitempty"`
	Cluster       *Cluster      `json:"cluster,omitempty"`
	// Role is all (the default), gateway, which leaves recording to another process, or recorder, which serves no
	// traffic.
	Role string `json:"role,omitempty"`
	// Recent is what is kept in memory of the last exchanges.
	Recent Recent `json:"recent,omitempty"`
	// Resources are files that are applied at the start, as by seshat apply.
	Resources     []string         `json:"resources,omitempty"`
	Tracing       *Tracing         `json:"tracing,omitempty"`
	Events        *Events          `json:"events,omitempty"`
	ShutdownGrace *seshat.Duration `json:"shutdownGrace,omitempty"`
}

// Listener is an address on which traffic is served.
type Listener struct {
	Address       string         `json:"address"`
	TLS           *TLS           `json:"tls,omitempty"`
	ProxyProtocol *ProxyProtocol `json:"proxyProtocol,omitempty"`
}

// TLS is how a listener encrypts.
type TLS struct {
	Certificates []Certificate `json:"certificates"`
	MinVersion   string        `json:"minVersion,omitempty"` // 1.2 (the default) or 1.3
}

// Certificate names two PEM files. They are read again when they change.
type Certificate struct {
	Certificate string `json:"certificate"`
	Key         string `json:"key"`
}

// ProxyProtocol says who may tell the address of a client by the PROXY protocol, which everybody on the listener then
// has to speak.
type ProxyProtocol struct {
	Trusted []Prefix `json:"trusted"`
}

// Route sends requests to an upstream. The longest of the routes that match counts.
type Route struct {
	// Hosts are names such as api.shop.example or *.shop.example; none matches every host.
	Hosts []string `json:"hosts,omitempty"`
	// Paths are prefixes of whole segments such as /orders; none matches every path.
	Paths       []string `json:"paths,omitempty"`
	Environment string   `json:"environment,omitempty"`
	Service     string   `json:"service,omitempty"`
	Upstream    string   `json:"upstream"`
	StripPrefix bool     `json:"stripPrefix,omitempty"` // the origin sees the path without the prefix that matched
}

// Upstream is a group of servers that answer alike.
type Upstream struct {
	Name string `json:"name"`
	// Servers are URLs such as http://127.0.0.1:3000 or https://10.0.0.1:8443, without a path.
	Servers     []string     `json:"servers"`
	Balance     string       `json:"balance,omitempty"` // least-busy (the default) or round-robin
	HealthCheck *HealthCheck `json:"healthCheck,omitempty"`
	// Retries is how often a request that may be repeated is sent to another server; 1 when it is not set.
	Retries  *int             `json:"retries,omitempty"`
	Timeouts UpstreamTimeouts `json:"timeouts,omitempty"`
	// HTTP2 speaks HTTP/2 to the servers, as gRPC wants it.
	HTTP2          bool         `json:"http2,omitempty"`
	TLS            *UpstreamTLS `json:"tls,omitempty"`
	MaxConnections int          `json:"maxConnections,omitempty"` // per server; 1024 when it is not set
}

// HealthCheck asks a server whether it is well.
type HealthCheck struct {
	Path           string           `json:"path"`
	Interval       *seshat.Duration `json:"interval,omitempty"`
	Timeout        *seshat.Duration `json:"timeout,omitempty"`
	HealthyAfter   int              `json:"healthyAfter,omitempty"`
	UnhealthyAfter int              `json:"unhealthyAfter,omitempty"`
}

// UpstreamTimeouts bound what is waited for.
type UpstreamTimeouts struct {
	Connect  *seshat.Duration `json:"connect,omitempty"`
	Response *seshat.Duration `json:"response,omitempty"` // until the head of the response
	Idle     *seshat.Duration `json:"idle,omitempty"`     // of a connection that is kept
}

// UpstreamTLS is how the servers of an upstream are verified.
type UpstreamTLS struct {
	CA                 string `json:"ca,omitempty"` // a PEM file; the system's authorities when it is empty
	ServerName         string `json:"serverName,omitempty"`
	InsecureSkipVerify bool   `json:"insecureSkipVerify,omitempty"`
}

// Timeouts bound what clients may take.
type Timeouts struct {
	Header    *seshat.Duration `json:"header,omitempty"`    // to send the head of a request
	Body      *seshat.Duration `json:"body,omitempty"`      // between two pieces of a body, in either direction
	KeepAlive *seshat.Duration `json:"keepAlive,omitempty"` // between two requests
	Tunnel    *seshat.Duration `json:"tunnel,omitempty"`    // without a byte in a WebSocket or another tunnel
}

// Input bounds what clients may send.
type Input struct {
	MaxHeaderBytes      *Size `json:"maxHeaderBytes,omitempty"`
	MaxHeaderFields     int   `json:"maxHeaderFields,omitempty"`
	MaxBodyBytes        *Size `json:"maxBodyBytes,omitempty"` // 0, the default, is no bound: bodies are streamed
	MaxConnections      int   `json:"maxConnections,omitempty"`
	MaxConnectionsPerIP int   `json:"maxConnectionsPerIP,omitempty"`
}

// SessionFields are the names of request header fields that tell the origin about the session. Those that are empty are
// not sent; those that are named cannot come from outside.
type SessionFields struct {
	Session string `json:"session,omitempty"`
	User    string `json:"user,omitempty"`
	Verdict string `json:"verdict,omitempty"`
}

// ExtProc is where Envoy's external processing and access log service are served.
type ExtProc struct {
	Address string `json:"address"`
	// JA4Header is the request header field that Envoy overwrites with the fingerprint of the client's TLS; it does not
	// reach the origin.
	JA4Header string `json:"ja4Header,omitempty"`
}

// ForwardAuth is where proxies ask before they forward.
type ForwardAuth struct {
	Address string `json:"address"`
	// Trusted are the proxies that may ask; loopback when there are none.
	Trusted []Prefix `json:"trusted,omitempty"`
	// Observe is auth (the default), which records what it was asked, or log, which leaves that to an access log.
	Observe string `json:"observe,omitempty"`
}

// Log is an access log that is followed while it is written.
type Log struct {
	Path        string `json:"path"`
	Format      string `json:"format,omitempty"` // as of seshat import --log-format
	Environment string `json:"environment,omitempty"`
	Service     string `json:"service,omitempty"`
}

// Journal is how exchanges are kept until they are stored.
type Journal struct {
	// SyncInterval is what a power loss may cost; a crash of the process costs nothing that was acknowledged.
	SyncInterval *seshat.Duration `json:"syncInterval,omitempty"`
	// FailClosed gives no complete answer before its exchange is in the journal, and refuses while that takes nothing.
	FailClosed bool             `json:"failClosed,omitempty"`
	MaxBytes   *Size            `json:"maxBytes,omitempty"`
	BatchDelay *seshat.Duration `json:"batchDelay,omitempty"`
	// MaxQueueBytes is what waits in memory while the journal takes nothing.
	MaxQueueBytes *Size `json:"maxQueueBytes,omitempty"`
}

// NATS is a cluster of the user's in place of the embedded server.
type NATS struct {
	URL             string `json:"url"`
	CredentialsFile string `json:"credentialsFile,omitempty"`
	TokenFile       string `json:"tokenFile,omitempty"`
	Replicas        int    `json:"replicas,omitempty"`
}

// NATSListen lets gateways in other processes join the embedded server.
type NATSListen struct {
	Address   string `json:"address"`
	TokenFile string `json:"tokenFile"`
}

// Cluster makes the embedded servers of several processes one.
type Cluster struct {
	Name      string   `json:"name"`
	Node      string   `json:"node"` // of this process, unique in the cluster
	Listen    string   `json:"listen"`
	Routes    []string `json:"routes"`
	TokenFile string   `json:"tokenFile"`
	Replicas  int      `json:"replicas,omitempty"`
}

// Tracing is where spans are sent.
type Tracing struct {
	Endpoint    string   `json:"endpoint"` // an OTLP/HTTP URL such as http://127.0.0.1:4318
	SampleRatio *float64 `json:"sampleRatio,omitempty"`
	HeadersFile string   `json:"headersFile,omitempty"` // lines of "Name: value"
}

// Events is where the starts and ends of sessions are written.
type Events struct {
	File string `json:"file"` // - is standard output
}

// maxFile is how many bytes a configuration may have; see [resource.MaxDocument].
const maxFile = resource.MaxDocument

// Load reads the file called name. The error is [seshat.Faults] when something in it is wrong.
func Load(name string) (*Config, error) {
	data, err := os.ReadFile(name) //nolint:gosec // the operator names it
	if err != nil {
		return nil, &seshat.Error{Kind: seshat.ErrorInvalid, Op: "read the configuration", Err: err}
	}
	if len(data) > maxFile {
		return nil, seshat.Faults{{File: name, Message: "the file is too large", Hint: "resources belong into files of their own"}}
	}
	c, faults := Parse(name, data)
	if len(faults) > 0 {
		return nil, faults
	}
	return c, nil
}

// Parse reads a configuration and fills in the defaults. Every fault is reported.
func Parse(name string, data []byte) (*Config, seshat.Faults) {
	var c Config
	document, faults := resource.Decode(name, data, &c)
	if len(faults) > 0 {
		return nil, faults
	}
	c.fill()
	if faults = c.validate(); len(faults) > 0 {
		for i := range faults {
			faults[i].File = name
			faults[i].Line, faults[i].Column = document.Place(faults[i].Field)
		}
		return nil, faults
	}
	return &c, nil
}
