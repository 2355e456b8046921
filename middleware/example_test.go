package middleware_test

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"

	"github.com/seshat-project/seshat/middleware"
)

// A service that limits sign-ins, and greets who is signed in.
func ExampleNew() {
	folder, err := os.MkdirTemp("", "seshat-example-")
	if err != nil {
		panic(err)
	}
	defer func() { _ = os.RemoveAll(folder) }()

	limits := filepath.Join(folder, "limits.yaml")
	err = os.WriteFile(limits, []byte(`
apiVersion: seshat/v1
kind: Limit
metadata: {name: sign-in}
spec: {endpoints: ["POST */login"], key: [ip], count: 2, window: 1m}
`), 0o600)
	if err != nil {
		panic(err)
	}

	ctx := context.Background()
	sessions, err := middleware.New(ctx, middleware.Config{
		Data:      filepath.Join(folder, "data"),
		Service:   "shop",
		Resources: []string{limits},
	})
	if err != nil {
		panic(err)
	}
	defer func() { _ = sessions.Close(ctx) }()

	mux := http.NewServeMux()
	mux.HandleFunc("POST /login", func(w http.ResponseWriter, r *http.Request) {
		session, _ := middleware.SessionFrom(r.Context())
		fmt.Fprintln(w, "a session with an ID:", !session.ID.IsZero())
	})
	server := httptest.NewServer(sessions.Handler(mux))
	defer server.Close()

	for range 3 {
		response, err := http.Post(server.URL+"/login", "text/plain", nil)
		if err != nil {
			panic(err)
		}
		body, _ := io.ReadAll(response.Body)
		_ = response.Body.Close()
		fmt.Print(response.StatusCode, " ", string(body))
		if response.StatusCode == http.StatusTooManyRequests {
			fmt.Println("Retry-After is set:", response.Header.Get("Retry-After") != "")
		}
	}
	// Output:
	// 200 a session with an ID: true
	// 200 a session with an ID: true
	// 429 {"type":"about:blank","title":"Too Many Requests","status":429,"detail":"over 2 in 1m"}
	// Retry-After is set: true
}
