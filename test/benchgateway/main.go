// Command benchgateway measures what a proxy in front of an API costs: the processor time that its processes spend on
// a request, and how long a request takes at a fixed rate. All proxies are measured in one run, in turns, in front of the
// same origin and under the same load: requests on connections that are kept, with cookie and bearer header fields, answered
// by 350 bytes of JSON.
package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"slices"
	"strings"
	"time"
)

func main() {
	if err := run(); err != nil {
		fmt.Fprintln(os.Stderr, "benchgateway:", err)
		os.Exit(1)
	}
}

// options say what is measured and how long.
type options struct {
	seshat, nginx, caddy, envoy, empty string
	only                               string
	rounds, requests, connections      int
	rate                               int
	rateFor                            time.Duration
	memory                             time.Duration
	serve                              string
	to                                 string
}

func run() error {
	var o options
	flag.StringVar(&o.seshat, "seshat", "bin/seshat", "the `program` seshat")
	flag.StringVar(&o.nginx, "nginx", "nginx", "the `program` nginx; empty leaves it out")
	flag.StringVar(&o.caddy, "caddy", "", "the `program` caddy; empty leaves it out")
	flag.StringVar(&o.envoy, "envoy", "", "the `program` envoy; empty leaves it out")
	flag.StringVar(&o.empty, "empty-ext-proc", "", "the `program` of an external processor that does nothing")
	flag.StringVar(&o.only, "only", "", "measure only those whose `names`, separated by commas, are given")
	flag.IntVar(&o.rounds, "rounds", 6, "how often each is measured")
	flag.IntVar(&o.requests, "requests", 40_000, "requests of each measurement")
	flag.IntVar(&o.connections, "connections", 32, "connections that are kept")
	flag.IntVar(&o.rate, "rate", 3000, "requests a second for the latency")
	flag.DurationVar(&o.rateFor, "rate-for", 10*time.Second, "how long the latency is measured; 0 leaves it out")
	flag.DurationVar(&o.memory, "memory", 0, "instead: watch the memory of seshat under load for so long")
	flag.StringVar(&o.serve, "serve", "", "internal: be the net/http ReverseProxy at this `address`")
	flag.StringVar(&o.to, "to", "", "internal: the origin of -serve")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if o.serve != "" {
		return reverseProxy(o.serve, o.to)
	}
	dir, err := os.MkdirTemp("", "benchgateway-")
	if err != nil {
		return err
	}
	defer func() { _ = os.RemoveAll(dir) }()
	origin, err := startOrigin()
	if err != nil {
		return err
	}
	defer origin.close()
	var subjects []*subject
	for _, s := range all(&o, filepath.Clean(dir), origin.address) {
		if o.only == "" || slices.Contains(strings.Split(o.only, ","), s.name) {
			subjects = append(subjects, s)
		}
	}
	for _, s := range subjects {
		if err := s.start(ctx); err != nil {
			return fmt.Errorf("start %s: %w", s.name, err)
		}
		defer s.stop()
	}
	if o.memory > 0 {
		return watchMemory(ctx, subjects[0], &o)
	}
	return measure(ctx, subjects, &o)
}

// measurePaced measures at a fixed rate, as traffic comes to a gateway: not as fast as it goes.
func (s *subject) measurePaced(ctx context.Context, o *options) error {
	before, err := s.cpu()
	if err != nil {
		return err
	}
	latencies, err := s.paced(ctx, o.rate, o.rateFor, o.connections)
	if err != nil {
		return err
	}
	if err := s.settle(ctx); err != nil {
		return err
	}
	after, err := s.cpu()
	if err != nil {
		return err
	}
	s.paceCost = float64((after - before).Nanoseconds()) / 1e3 / float64(len(latencies))
	s.p50, s.p99 = latencies.quantile(0.5), latencies.quantile(0.99)
	return nil
}

// measure prints the table.
func measure(ctx context.Context, subjects []*subject, o *options) error {
	for _, s := range subjects { // warm: caches, connections, and the code itself
		if _, err := s.load(ctx, o.requests/4, o.connections); err != nil {
			return err
		}
	}
	for range o.rounds {
		for _, s := range subjects {
			before, err := s.cpu()
			if err != nil {
				return err
			}
			if _, err := s.load(ctx, o.requests, o.connections); err != nil {
				return fmt.Errorf("%s: %w", s.name, err)
			}
			if err := s.settle(ctx); err != nil {
				return err
			}
			after, err := s.cpu()
			if err != nil {
				return err
			}
			s.costs = append(s.costs, float64((after-before).Nanoseconds())/1e3/float64(o.requests))
		}
	}
	if o.rateFor > 0 {
		for _, s := range subjects {
			if err := s.measurePaced(ctx, o); err != nil {
				return fmt.Errorf("%s: %w", s.name, err)
			}
		}
	}
	report(subjects, o)
	return ctx.Err()
}

func report(subjects []*subject, o *options) {
	cost, paced := map[string]float64{}, map[string]float64{}
	for _, s := range subjects {
		cost[s.name], paced[s.name] = median(s.costs), s.paceCost
	}
	fmt.Printf("Processor time per request, on %d connections: at %d requests a second, and as fast as they go\n"+
		"(median of %d rounds of %d requests, least to most); latency at %[2]d requests a second.\n\n", o.connections, o.rate, o.rounds, o.requests)
	fmt.Printf("| proxy | µs paced | × NGINX | × Caddy | µs at full load | least to most | × NGINX | × Caddy | p50 ms | p99 ms | MB |\n" +
		"|---|--:|--:|--:|--:|--:|--:|--:|--:|--:|--:|\n")
	for _, s := range subjects {
		fmt.Printf("| %s | %.1f | %s | %s | %.1f | %.1f to %.1f | %s | %s | %.2f | %.2f | %.0f |\n", s.title,
			paced[s.name], ratio(paced[s.name], paced["nginx"]), ratio(paced[s.name], paced["caddy"]), cost[s.name],
			slices.Min(s.costs), slices.Max(s.costs), ratio(cost[s.name], cost["nginx"]), ratio(cost[s.name], cost["caddy"]),
			ms(s.p50), ms(s.p99), s.memory())
	}
	if e, b := paced["envoy-seshat"], paced["envoy-empty"]; e > 0 && b > 0 {
		fmt.Printf("\nEnvoy with Seshat's external processor costs %.2f times Envoy with an empty one.\n", e/b)
	}
}

func ratio(a, b float64) string {
	if b == 0 {
		return ""
	}
	return fmt.Sprintf("%.2f", a/b)
}

func ms(d time.Duration) float64 { return float64(d.Microseconds()) / 1e3 }

func median(v []float64) float64 {
	if len(v) == 0 {
		return 0
	}
	v = slices.Sorted(slices.Values(v))
	return (v[(len(v)-1)/2] + v[len(v)/2]) / 2
}
