package gateway

import (
	"context"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"time"
)

func TestHealth(t *testing.T) {
	both(t, func(t *testing.T, two bool) {
		var sick atomic.Bool
		var asked atomic.Int32
		server := origin(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			asked.Add(1)
			if r.URL.Path != "/healthz" || r.Host != "shop.example" || sick.Load() {
				w.WriteHeader(http.StatusServiceUnavailable)
			}
		}), two)
		pool, err := NewPool(PoolConfig{Name: "shop", Servers: []ServerConfig{
			{Address: server.Listener.Addr().String()}, {Address: closedPort(t)},
		}})
		if err != nil {
			t.Fatal(err)
		}
		defer pool.Close()
		type change struct {
			server, reason string
			well           bool
		}
		changes := make(chan change, 10)
		h, err := NewHealth(pool, HealthConfig{
			Path: "/healthz", Host: "shop.example", Interval: 5 * time.Millisecond, Timeout: time.Second, UnhealthyAfter: 3, HTTP2: two,
		}, func(server string, well bool, reason string) { changes <- change{server, reason, well} })
		if err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithCancel(t.Context())
		ended := make(chan struct{})
		go func() {
			h.Run(ctx)
			close(ended)
		}()
		next := func(place int, well bool, reason string) {
			t.Helper()
			select {
			case c := <-changes:
				if b := pool.Servers()[place]; c.server != b.Address || c.well != well || b.Healthy() != well || !strings.Contains(c.reason, reason) {
					t.Errorf("%+v", c)
				}
			case <-time.After(patience):
				t.Fatal("nothing changes")
			}
		}
		next(1, false, "refused")
		if stats := h.Stats(); !stats[0].Healthy || stats[1].Healthy || stats[1].Failed < 3 || stats[1].Last == "" {
			t.Errorf("%+v", stats)
		}
		sick.Store(true)
		next(0, false, "503")
		sick.Store(false)
		next(0, true, "")
		cancel()
		<-ended
	})
}

func TestHealthFaults(t *testing.T) {
	pool, err := NewPool(PoolConfig{Name: "shop", Servers: []ServerConfig{{Address: "127.0.0.1:1"}}})
	if err != nil {
		t.Fatal(err)
	}
	defer pool.Close()
	f := func(config HealthConfig) {
		t.Helper()
		if _, err := NewHealth(pool, config, nil); err == nil || !strings.Contains(err.Error(), "shop") {
			t.Errorf("%+v: %v", config, err)
		}
	}
	f(HealthConfig{})
	f(HealthConfig{Path: "healthz"})
	f(HealthConfig{Path: "/", Interval: -1})
}
