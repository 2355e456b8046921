package middleware

import (
	"cmp"
	"context"
	"errors"
	"log/slog"
	"net"
	"net/http"
	"os"
	"time"

	"github.com/seshat-project/seshat"
	"github.com/seshat-project/seshat/internal/api"
	"github.com/seshat-project/seshat/internal/api/wire"
	"github.com/seshat-project/seshat/internal/instance"
)

// The bounds of the server of the API, which commands use.
const (
	anyPort       = "127.0.0.1:0"
	headerTimeout = 10 * time.Second
	idleTimeout   = 2 * time.Minute
	headerBytes   = 64 << 10
	apiGrace      = 2 * time.Second
	version       = "middleware"
)

// serveAPI lets commands see and change what goes on in this process: it has the data directory, and they cannot open it.
func (p *process) serveAPI(ctx context.Context) error {
	var open net.ListenConfig
	socket, err := open.Listen(ctx, "tcp", cmp.Or(p.config.API, anyPort))
	if err != nil {
		return &seshat.Error{
			Kind: seshat.ErrorUnavailable, Op: "serve Config.API", Err: err, Hint: "leave it empty to have a free port chosen",
		}
	}
	token := instance.NewToken()
	o := api.Options{
		Registry: p.node.Registry, Denylist: p.node.Denylist, Digester: p.node.Digester,
		Authenticator: api.NewInstanceToken(token), Status: func(context.Context) wire.Status { return p.status() },
		TempDir: p.path("spool"), Version: version, Logger: p.config.Logger, Now: time.Now,
	}
	if p.store != nil {
		o.Store = p.store
	}
	handler, err := api.New(o)
	if err != nil {
		return errors.Join(err, socket.Close())
	}
	server := &http.Server{
		Handler: handler, ReadHeaderTimeout: headerTimeout, IdleTimeout: idleTimeout, MaxHeaderBytes: headerBytes,
		ErrorLog: slog.NewLogLogger(p.config.Logger.Handler(), slog.LevelDebug),
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		if err := server.Serve(socket); !errors.Is(err, http.ErrServerClosed) {
			p.config.Logger.Error("commands cannot reach this process any more", "error", err)
		}
	}()
	p.onClose(func(ctx context.Context) error {
		ending, stop := context.WithTimeout(ctx, apiGrace)
		defer stop()
		err := server.Shutdown(ending)
		if err != nil { // somebody follows a tail
			err = server.Close()
		}
		<-done
		return err
	})
	return p.claim.Announce(instance.Info{
		PID: os.Getpid(), Address: socket.Addr().String(), Token: token, Started: p.started, Version: version,
	})
}

// status is how the process is.
func (p *process) status() wire.Status {
	check := func(name string, err error) wire.Check {
		if err != nil {
			return wire.Check{Name: name, State: wire.StateFailing, Detail: err.Error()}
		}
		return wire.Check{Name: name, State: wire.StateOK}
	}
	published, decided := p.node.Publisher.Stats(), p.node.Inline.Stats()
	out := wire.Status{
		State: wire.StateOK, Version: version, PID: os.Getpid(), Started: p.started,
		Checks: []wire.Check{check("journal", published.LastError), check("resources", p.node.ResourcesError())},
		Gateway: &wire.GatewayStatus{
			Exchanges: decided.Allowed + decided.Tagged + decided.Limited + decided.Blocked, Refused: decided.Limited + decided.Blocked,
		},
		Journal: &wire.JournalStatus{Kind: "embedded", Dropped: published.Dropped, Batches: published.Batches},
	}
	if p.config.NATS != "" {
		out.Journal.Kind = "cluster"
	}
	for _, c := range out.Checks {
		if c.State != wire.StateOK {
			out.State = wire.StateFailing
		}
	}
	return out
}
