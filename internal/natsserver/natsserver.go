// Package natsserver runs a NATS server with JetStream within this process, which the key-value store and the journal
// share, and connects to servers elsewhere.
package natsserver

import (
	"cmp"
	"crypto/rand"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/url"
	"os"
	"strconv"
	"time"

	"github.com/nats-io/nats-server/v2/server"
	"github.com/nats-io/nats.go"
)

const (
	// startTimeout is how long the server may take to start. It needs some milliseconds; a large or damaged store,
	// which is checked first, needs longer.
	startTimeout = 30 * time.Second
	// maxPayload is the largest message of the server within this process: a value of the key-value store is below
	// 1 MiB, and so is an entry of the journal; both travel with their headers.
	maxPayload = 8 << 20
	// maxStore and maxMemory are what the streams of the server may use. The server reserves nothing, and would else
	// allow only what happens to be free at the start. Each stream has a bound of its own.
	maxStore  = 1 << 40
	maxMemory = 64 << 20
	// defaultSyncInterval is after how long written data is on the disk for good: what a power loss may cost.
	defaultSyncInterval = time.Second
	// defaultName is that of a server that stands alone.
	defaultName = "seshat"
)

// Options say how a NATS server within this process is run.
type Options struct {
	// Dir is the folder of its files. It is created with mode 0700. Only one process may use it at a time; the caller
	// sees to that.
	Dir string
	// Name tells the servers of a cluster apart; "seshat" when it is empty.
	Name string
	// SyncInterval is after how long written data is on the disk for good; one second when it is 0. A crash of this
	// process loses nothing, only a power loss does.
	SyncInterval time.Duration
	// SyncAlways puts every write on the disk before it is acknowledged, instead.
	SyncAlways bool
	// MaxStore is how many bytes all streams together may use; 1 TiB when it is 0.
	MaxStore int64
	// Listen is the address, as in "10.0.0.1:4222", on which processes elsewhere may connect with Token. Empty: the
	// server listens on nothing, and the only way to it is Connect.
	Listen string
	// Token is what processes elsewhere must present. Required with Listen.
	Token string
	// Cluster makes the server one of several that keep replicas of what is written.
	Cluster *Cluster
	// Logger gets the server's warnings and errors, and its other messages at debug level; nil drops them all.
	Logger *slog.Logger
}

// Cluster says how the servers of a cluster find each other. The network between them must be a trusted one: what they
// send is not encrypted.
type Cluster struct {
	Name string // the same on all servers; "seshat" when it is empty
	// Listen is the address, as in "10.0.0.1:6222", on which the other servers connect.
	Listen string
	// Routes are the addresses of the others, as in "10.0.0.2:6222". One that is reached is enough.
	Routes []string
	// User and Password are the same on all servers. Both are required.
	User, Password string
}

// Server is a NATS server with JetStream within this process.
type Server struct {
	server *server.Server
	token  string
	dir    string
	logger *slog.Logger // nil when there is none
}

// Start starts a server and returns once it can be used. One of a cluster may still be without its leader then.
func Start(o Options) (*Server, error) {
	if err := os.MkdirAll(o.Dir, 0o700); err != nil {
		return nil, fmt.Errorf("create the folder of the NATS server: %w", err)
	}
	if err := os.Chmod(o.Dir, 0o700); err != nil { //nolint:gosec // a folder needs the x bit
		return nil, fmt.Errorf("close the folder of the NATS server to others: %w", err)
	}
	options, err := serverOptions(&o)
	if err != nil {
		return nil, err
	}
	s, err := server.NewServer(options)
	if err != nil {
		return nil, fmt.Errorf("set up the NATS server: %w", err)
	}
	if o.Logger != nil {
		s.SetLoggerV2(serverLog{o.Logger}, false, false, false)
	}
	if o.Listen == "" && o.Cluster == nil {
		s.Start()
	} else {
		go s.Start() // it returns when the server ends
	}
	if !s.ReadyForConnections(startTimeout) || !s.JetStreamEnabled() {
		s.Shutdown()
		s.WaitForShutdown()
		return nil, fmt.Errorf("start the NATS server in %s: it did not get ready; is the address in use, or the folder damaged?", o.Dir)
	}
	return &Server{server: s, token: options.Authorization, dir: o.Dir, logger: o.Logger}, nil
}

func serverOptions(o *Options) (*server.Options, error) {
	options := &server.Options{
		ServerName: cmp.Or(o.Name, defaultName), NoSigs: true,
		JetStream: true, StoreDir: o.Dir, JetStreamMaxStore: cmp.Or(o.MaxStore, maxStore), JetStreamMaxMemory: maxMemory,
		SyncInterval: cmp.Or(o.SyncInterval, defaultSyncInterval), SyncAlways: o.SyncAlways,
		MaxPayload: maxPayload, MaxPending: 8 * maxPayload,
		NoLog: o.Logger == nil,
	}
	switch {
	case o.Listen != "":
		if o.Token == "" {
			return nil, errors.New("set up the NATS server: a token is required to listen on " + o.Listen)
		}
		var err error
		if options.Host, options.Port, err = splitAddress(o.Listen); err != nil {
			return nil, fmt.Errorf("set up the NATS server: %w", err)
		}
		options.Authorization = o.Token
	case o.Cluster != nil:
		// The library opens its routes only after it listens for clients: on a port that nobody is told, with a token
		// that nobody knows.
		options.Host, options.Port, options.Authorization = "127.0.0.1", server.RANDOM_PORT, rand.Text()
	default:
		options.DontListen = true
	}
	if o.Cluster == nil {
		options.NoSystemAccount = true // only a cluster needs one
		return options, nil
	}
	return options, clusterOptions(options, o.Cluster)
}

func clusterOptions(options *server.Options, c *Cluster) error {
	if c.User == "" || c.Password == "" {
		return errors.New("set up the NATS cluster: user and password are required")
	}
	host, port, err := splitAddress(c.Listen)
	if err != nil {
		return fmt.Errorf("set up the NATS cluster: %w", err)
	}
	options.Cluster = server.ClusterOpts{
		Name: cmp.Or(c.Name, defaultName), Host: host, Port: port, Username: c.User, Password: c.Password, NoAdvertise: true,
	}
	for _, route := range c.Routes {
		if _, _, err := splitAddress(route); err != nil {
			return fmt.Errorf("set up the NATS cluster: %w", err)
		}
		options.Routes = append(options.Routes, &url.URL{Scheme: "nats", Host: route, User: url.UserPassword(c.User, c.Password)})
	}
	return nil
}

func splitAddress(address string) (string, int, error) {
	host, text, err := net.SplitHostPort(address)
	if err != nil {
		return "", 0, fmt.Errorf("%q is not an address such as 10.0.0.1:4222: %w", address, err)
	}
	port, err := strconv.ParseUint(text, 10, 16)
	if err != nil {
		return "", 0, fmt.Errorf("%q is not an address such as 10.0.0.1:4222: %w", address, err)
	}
	if port == 0 {
		return host, server.RANDOM_PORT, nil
	}
	return host, int(port), nil
}

// Connect returns a new connection to the server, through memory. It must be closed before the server is.
func (s *Server) Connect() (*nats.Conn, error) {
	options := []nats.Option{
		nats.InProcessServer(s.server), nats.MaxReconnects(0),
		nats.ErrorHandler(logErrors(s.logger)),
	}
	if s.token != "" {
		options = append(options, nats.Token(s.token))
	}
	conn, err := nats.Connect("", options...)
	if err != nil {
		return nil, fmt.Errorf("connect to the NATS server within this process: %w", err)
	}
	return conn, nil
}

// Address is where the server listens for clients; empty when it does not.
func (s *Server) Address() string {
	if address := s.server.Addr(); address != nil {
		return address.String()
	}
	return ""
}

// Close stops the server, after everything that was written to it is in its files. Connections must be closed before.
func (s *Server) Close() {
	s.server.Shutdown()
	s.server.WaitForShutdown()
}
