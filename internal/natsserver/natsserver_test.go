package natsserver_test

import (
	"bytes"
	"errors"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/nats-io/nats.go"

	"github.com/seshat-project/seshat/internal/natsserver"
)

func TestNoListener(t *testing.T) {
	s, err := natsserver.Start(natsserver.Options{Dir: t.TempDir()})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	if conn, err := nats.Connect(nats.DefaultURL, nats.Timeout(time.Second)); err == nil {
		name := conn.ConnectedServerName()
		conn.Close()
		if name == "seshat" {
			t.Error("the server within this process listens on TCP")
		}
	}
}

func TestLogs(t *testing.T) {
	var log bytes.Buffer
	logger := slog.New(slog.NewTextHandler(&log, &slog.HandlerOptions{Level: slog.LevelDebug}))
	s, err := natsserver.Start(natsserver.Options{Dir: t.TempDir(), Logger: logger})
	if err != nil {
		t.Fatal(err)
	}
	s.Close()
	if !strings.Contains(log.String(), "level=DEBUG msg=\"nats: ") {
		t.Errorf("nothing of the server's in the log:\n%s", &log)
	}
}

// TestErrorsBesideCalls: what the library reports by itself goes to the log, and not to standard error.
func TestErrorsBesideCalls(t *testing.T) {
	var log bytes.Buffer
	logger := slog.New(slog.NewTextHandler(&log, nil))
	s, err := natsserver.Start(natsserver.Options{Dir: t.TempDir(), Listen: "127.0.0.1:0", Token: "secret-token", Logger: logger})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	for _, connect := range []func() (*nats.Conn, error){
		s.Connect,
		func() (*nats.Conn, error) {
			return natsserver.Dial("nats://"+s.Address(), natsserver.DialOptions{Token: "secret-token", Logger: logger})
		},
	} {
		conn, err := connect()
		if err != nil {
			t.Fatal(err)
		}
		log.Reset()
		if handler := conn.ErrorHandler(); handler == nil {
			t.Error("the library prints its errors")
		} else if handler(conn, nil, nats.ErrConsumerNotActive); !strings.Contains(log.String(), "level=WARN") {
			t.Errorf("the log is %q", &log)
		}
		conn.Close()
	}
}

// TestListen: processes elsewhere get in with the token only, and this process in any case.
func TestListen(t *testing.T) {
	s, err := natsserver.Start(natsserver.Options{Dir: t.TempDir(), Listen: "127.0.0.1:0", Token: "secret-token"})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	url := "nats://" + s.Address()
	if conn, err := natsserver.Dial(url, natsserver.DialOptions{}); err == nil {
		conn.Close()
		t.Error("connected without the token")
	}
	if conn, err := natsserver.Dial(url, natsserver.DialOptions{Token: "another"}); err == nil {
		conn.Close()
		t.Error("connected with another token")
	} else if strings.Contains(err.Error(), "another") {
		t.Errorf("the error has the token: %v", err)
	}
	for _, connect := range []func() (*nats.Conn, error){
		s.Connect,
		func() (*nats.Conn, error) { return natsserver.Dial(url, natsserver.DialOptions{Token: "secret-token"}) },
	} {
		conn, err := connect()
		if err != nil {
			t.Fatal(err)
		}
		if err := conn.FlushTimeout(10 * time.Second); err != nil {
			t.Error(err)
		}
		conn.Close()
	}
}

func TestRefusedOptions(t *testing.T) {
	cluster := func(c natsserver.Cluster) natsserver.Options { return natsserver.Options{Cluster: &c} }
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	f := func(o natsserver.Options, want string) {
		t.Helper()
		if o.Dir == "" {
			o.Dir = t.TempDir()
		}
		s, err := natsserver.Start(o)
		if err == nil {
			s.Close()
			t.Errorf("%+v was accepted", o)
		} else if !strings.Contains(err.Error(), want) {
			t.Errorf("%+v: %v, want something of %q", o, err, want)
		}
	}
	f(natsserver.Options{Dir: file}, "folder")
	f(natsserver.Options{Listen: "127.0.0.1:0"}, "token")
	f(natsserver.Options{Listen: "127.0.0.1", Token: "t"}, "not an address")
	f(natsserver.Options{Listen: "127.0.0.1:99999", Token: "t"}, "not an address")
	f(cluster(natsserver.Cluster{Listen: "127.0.0.1:0"}), "password")
	f(cluster(natsserver.Cluster{Listen: "x", User: "u", Password: "p"}), "not an address")
	f(cluster(natsserver.Cluster{Listen: "127.0.0.1:0", Routes: []string{"x"}, User: "u", Password: "p"}), "not an address")
	_, err := natsserver.Dial("nats://127.0.0.1:1", natsserver.DialOptions{Token: "a", Credentials: "b"})
	if err == nil || errors.Is(err, nats.ErrNoServers) {
		t.Errorf("two ways to sign in: %v", err)
	}
}

func TestRoom(t *testing.T) {
	s, err := natsserver.Start(natsserver.Options{Dir: t.TempDir()})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	if err := s.Room(); err != nil {
		t.Errorf("no room: %v", err)
	}
}
