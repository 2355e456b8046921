package natsserver

import (
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/nats-io/nats.go"
)

// connectTimeout is how long connecting to a server elsewhere may take.
const connectTimeout = 5 * time.Second

// DialOptions say how to sign in to NATS servers elsewhere. At most one of Token and Credentials is set; user and password
// may be a part of the URL.
type DialOptions struct {
	Token       string
	Credentials string // a file of credentials, as the nsc tool writes them
	// RootCAs, Certificate and Key are files in PEM; empty for the system's authorities, and for no client certificate.
	RootCAs, Certificate, Key string
	// Logger gets what happens to the connection; nil drops it.
	Logger *slog.Logger
}

// Dial connects to the servers at url, such as "nats://a.example:4222,nats://b.example:4222". The connection comes back
// by itself when it breaks. Errors hold no password.
func Dial(url string, o DialOptions) (*nats.Conn, error) {
	options := []nats.Option{
		nats.Name(defaultName), nats.MaxReconnects(-1), nats.Timeout(connectTimeout),
		nats.DisconnectErrHandler(func(_ *nats.Conn, err error) {
			if o.Logger != nil && err != nil {
				o.Logger.Warn("the connection to NATS broke", "error", err)
			}
		}),
		nats.ErrorHandler(logErrors(o.Logger)),
		nats.ReconnectHandler(func(conn *nats.Conn) {
			if o.Logger != nil {
				o.Logger.Info("connected to NATS again", "server", conn.ConnectedServerName())
			}
		}),
	}
	if o.Token != "" && o.Credentials != "" {
		return nil, errors.New("connect to NATS: either a token or credentials, not both")
	}
	if o.Token != "" {
		options = append(options, nats.Token(o.Token))
	}
	if o.Credentials != "" {
		options = append(options, nats.UserCredentials(o.Credentials))
	}
	if o.RootCAs != "" {
		options = append(options, nats.RootCAs(o.RootCAs))
	}
	if o.Certificate != "" {
		options = append(options, nats.ClientCert(o.Certificate, o.Key))
	}
	conn, err := nats.Connect(url, options...)
	if err != nil {
		return nil, fmt.Errorf("connect to NATS: %w", err)
	}
	return conn, nil
}

// logErrors handles what goes wrong beside the calls, such as a consumer that is gone with its server and is made anew.
// Without a handler the library prints it, past the format of the logs.
func logErrors(logger *slog.Logger) nats.ErrHandler {
	return func(_ *nats.Conn, _ *nats.Subscription, err error) {
		if logger != nil && err != nil {
			logger.Warn("something went wrong at NATS", "error", err)
		}
	}
}
