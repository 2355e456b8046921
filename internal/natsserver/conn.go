package natsserver

import "github.com/nats-io/nats.go"

// Conn is a connection to NATS servers, for those who hand it on and need not know what it is.
type Conn = nats.Conn
