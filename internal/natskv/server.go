package natskv

import (
	"fmt"
	"log/slog"
	"os"
	"time"

	"github.com/nats-io/nats-server/v2/server"
	"github.com/nats-io/nats.go"
)

const (
	// startTimeout is how long the server may take to start. It needs some milliseconds; a large or damaged store,
	// which is checked first, needs longer.
	startTimeout = 30 * time.Second
	// maxPayload is the largest message of the server within this process: a value of the contract is below 1 MiB, and
	// batches of a journal that shares the server may be larger.
	maxPayload = 8 << 20
	// maxStore and maxMemory are what the streams of the server may use. The server reserves nothing, and would else
	// allow only what happens to be free at the start.
	maxStore  = 1 << 40
	maxMemory = 64 << 20
	// defaultSyncInterval is after how long written data is on the disk for good: what a power loss may cost.
	defaultSyncInterval = time.Second
)

// ServerOptions say how a NATS server within this process is run.
type ServerOptions struct {
	// Dir is the folder of its files. It is created with mode 0700. Only one process may use it at a time; the caller
	// sees to that.
	Dir string
	// SyncInterval is after how long written data is on the disk for good; one second when it is 0. A crash of this
	// process loses nothing, only a power loss does.
	SyncInterval time.Duration
	// SyncAlways puts every write on the disk before it is acknowledged, instead.
	SyncAlways bool
	// Logger gets the server's warnings and errors, and its other messages at debug level; nil drops them all.
	Logger *slog.Logger
}

// Server is a NATS server with JetStream within this process. It listens on nothing: the only way to it is Connect.
type Server struct{ server *server.Server }

// StartServer starts a server and returns once it can be used.
func StartServer(o ServerOptions) (*Server, error) {
	if err := os.MkdirAll(o.Dir, 0o700); err != nil {
		return nil, fmt.Errorf("create the folder of the NATS server: %w", err)
	}
	if err := os.Chmod(o.Dir, 0o700); err != nil { //nolint:gosec // a folder needs the x bit
		return nil, fmt.Errorf("close the folder of the NATS server to others: %w", err)
	}
	if o.SyncInterval == 0 {
		o.SyncInterval = defaultSyncInterval
	}
	s, err := server.NewServer(&server.Options{
		ServerName: "seshat", DontListen: true, NoSigs: true, NoSystemAccount: true,
		JetStream: true, StoreDir: o.Dir, JetStreamMaxStore: maxStore, JetStreamMaxMemory: maxMemory,
		SyncInterval: o.SyncInterval, SyncAlways: o.SyncAlways, MaxPayload: maxPayload, MaxPending: 8 * maxPayload,
		NoLog: o.Logger == nil,
	})
	if err != nil {
		return nil, fmt.Errorf("set up the NATS server: %w", err)
	}
	if o.Logger != nil {
		s.SetLoggerV2(serverLog{o.Logger}, false, false, false)
	}
	s.Start()
	if !s.ReadyForConnections(startTimeout) || !s.JetStreamEnabled() {
		s.Shutdown()
		s.WaitForShutdown()
		return nil, fmt.Errorf("start the NATS server in %s: JetStream did not start", o.Dir)
	}
	return &Server{s}, nil
}

// Connect returns a new connection to the server, through memory.
func (s *Server) Connect() (*nats.Conn, error) {
	conn, err := nats.Connect("", nats.InProcessServer(s.server), nats.MaxReconnects(0))
	if err != nil {
		return nil, fmt.Errorf("connect to the NATS server within this process: %w", err)
	}
	return conn, nil
}

// Close stops the server, after everything that was written to it is in its files. Connections must be closed before.
func (s *Server) Close() {
	s.server.Shutdown()
	s.server.WaitForShutdown()
}

// serverLog writes the log of a NATS server to slog. Nobody follows the notices of a server that is a part of another
// program, so that they are of debug level.
type serverLog struct{ logger *slog.Logger }

func (l serverLog) Noticef(format string, v ...any) {
	l.logger.Debug("nats: " + fmt.Sprintf(format, v...))
}                                                  //nolint:sloglint // texts of another program
func (l serverLog) Debugf(format string, v ...any) { l.Noticef(format, v...) }
func (l serverLog) Tracef(format string, v ...any) { l.Noticef(format, v...) }
func (l serverLog) Warnf(format string, v ...any) {
	l.logger.Warn("nats: " + fmt.Sprintf(format, v...))
} //nolint:sloglint // as above

func (l serverLog) Errorf(format string, v ...any) {
	l.logger.Error("nats: " + fmt.Sprintf(format, v...))
} //nolint:sloglint // as above

// Fatalf logs only: what ends a server of its own must not end this process, and JetStream's failure is returned.
func (l serverLog) Fatalf(format string, v ...any) { l.Errorf(format, v...) }
