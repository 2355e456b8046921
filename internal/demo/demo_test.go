package demo

import (
	"context"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/seshat-project/seshat/internal/resource"
	"github.com/seshat-project/seshat/internal/rule"
)

// TestResources checks that what the shop declares can be applied.
func TestResources(t *testing.T) {
	shop, err := NewShop(time.Now)
	if err != nil {
		t.Fatal(err)
	}
	parsed, faults := resource.Parse("demo.yaml", shop.Resources())
	if len(faults) == 0 {
		_, faults = rule.Compile(resource.Resources(parsed))
	}
	if len(faults) > 0 {
		t.Fatal(faults)
	}
}

// TestClientsPlayTheirParts lets all clients work on the shop until each has done what it is there for.
func TestClientsPlayTheirParts(t *testing.T) {
	shop, err := NewShop(time.Now)
	if err != nil {
		t.Fatal(err)
	}
	wanted := []string{
		"POST /login 303", "POST /login 401", "POST /logout 303", "POST /orders 303", "GET /account 200",
		"POST /api/login 200", "GET /api/me 200", "GET /api/orders/{id} 403",
		"GET /api/inventory/{id} 200", "GET /api/search 200", "GET /api/events 200", "thief: GET /account 200",
	}
	ctx, stop := context.WithTimeout(t.Context(), 30*time.Second)
	defer stop()
	var mu sync.Mutex
	seen, addresses := map[string]bool{}, map[string]bool{}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		recorder := &statusRecorder{ResponseWriter: w, status: http.StatusOK}
		defer func() {
			mu.Lock()
			defer mu.Unlock()
			_, pattern := shop.mux.Handler(r)
			did := strings.Replace(pattern, "{$}", "", 1) + " " + strconv.Itoa(recorder.status)
			seen[did] = true
			if r.Header.Get("X-Forwarded-For") == ThiefAddress {
				seen["thief: "+did] = true
			}
			addresses[r.Header.Get("X-Forwarded-For")] = true
			for _, w := range wanted {
				if !seen[w] {
					return
				}
			}
			stop()
		}()
		if strings.HasSuffix(r.URL.Path, "/events") { // which takes seconds
			recorder.status = http.StatusOK
			return
		}
		shop.ServeHTTP(recorder, r)
	}))
	defer server.Close()
	(&Clients{Base: server.URL, Pace: time.Millisecond, Seed: 7}).Run(ctx)
	mu.Lock()
	defer mu.Unlock()
	for _, w := range wanted {
		if !seen[w] {
			t.Errorf("no client did %q", w)
		}
	}
	if len(addresses) < 5 {
		t.Errorf("all clients came from %d addresses", len(addresses))
	}
}

type statusRecorder struct {
	http.ResponseWriter
	status int
}

func (r *statusRecorder) WriteHeader(status int) {
	r.status = status
	r.ResponseWriter.WriteHeader(status)
}

func (r *statusRecorder) Unwrap() http.ResponseWriter { return r.ResponseWriter }
