// Package middleware has a Go program see its users' sessions, and act on them, without a proxy in front of it.
//
//	seshat, err := middleware.New(ctx, middleware.Config{Data: "/var/lib/myservice/seshat"})
//	if err != nil {
//		return err
//	}
//	defer seshat.Close(context.Background())
//	server.Handler = seshat.Handler(mux)
//
// Every request goes through the rules of the data directory, as in Seshat's gateway: which session it belongs to is
// worked out, limits and the denylist are applied, and what happened is recorded. "seshat sessions", "seshat apply" and
// "seshat revoke" with the same data directory show it and change it while the program runs.
//
// The next handler finds the session in the request's context:
//
//	if s, ok := middleware.SessionFrom(r.Context()); ok {
//		log.Println(s.ID, s.User)
//	}
//
// Requests and responses go through as they are: streams, WebSockets, trailers, HTTP/2, full duplex, [http.ResponseController]
// and panics work as without it. A body is looked at only where a rule in scope wants it, and then at most 64 KiB of it, and
// the next handler reads all of it. Only a request that is refused does not reach the next handler: it is answered with
// 429, 401 or 403, and a problem of RFC 9457.
//
// A middleware that wraps this one sees the answers to refused requests too; one that is wrapped by it does not. It belongs
// outside of what compresses responses: bodies are decoded where they have to be read, but that is work.
package middleware
