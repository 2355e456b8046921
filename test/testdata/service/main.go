// Command service is a program of somebody's own that has Seshat inside, for TestMiddleware: a shop in a few lines.
package main

import (
	"context"
	"errors"
	"fmt"
	"log"
	"net"
	"net/http"
	"os"
	"os/signal"
	"strings"
	"syscall"
	"time"

	"github.com/seshat-project/seshat/middleware"
)

func main() {
	if err := run(os.Args[1]); err != nil {
		log.Fatal(err)
	}
}

func run(data string) error {
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM)
	defer stop()
	sessions, err := middleware.New(ctx, middleware.Config{Data: data, Service: "shop"})
	if err != nil {
		return err
	}
	mux := http.NewServeMux()
	mux.HandleFunc("POST /login", func(w http.ResponseWriter, r *http.Request) {
		value := "of-" + r.FormValue("username") + "-Zk3vQ9xTt1LmN8pR2s"
		http.SetCookie(w, &http.Cookie{Name: "SHOPSESS", Value: value, Path: "/", HttpOnly: true})
		http.Redirect(w, r, "/account", http.StatusSeeOther)
	})
	mux.HandleFunc("GET /account", func(w http.ResponseWriter, r *http.Request) {
		cookie, err := r.Cookie("SHOPSESS")
		if err != nil || !strings.HasPrefix(cookie.Value, "of-") {
			http.Error(w, "sign in first", http.StatusUnauthorized)
			return
		}
		fmt.Fprintln(w, "the account")
	})
	mux.HandleFunc("GET /session", func(w http.ResponseWriter, r *http.Request) {
		s, _ := middleware.SessionFrom(r.Context())
		fmt.Fprintln(w, s.ID)
	})
	mux.HandleFunc("/", func(w http.ResponseWriter, _ *http.Request) { fmt.Fprintln(w, "hello") })

	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	server := &http.Server{Handler: sessions.Handler(mux), ReadHeaderTimeout: 5 * time.Second}
	fmt.Fprintf(os.Stderr, "Serving on http://%s\n", listener.Addr())
	served := make(chan error, 1)
	go func() { served <- server.Serve(listener) }()
	select {
	case err = <-served:
	case <-ctx.Done():
		err = server.Shutdown(context.Background())
	}
	return errors.Join(err, sessions.Close(context.Background()))
}
