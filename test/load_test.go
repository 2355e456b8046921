package test

import (
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"
)

// load is requests that clients send one after the other, each to a path of its own, /n/1, /n/2 …, so that what was
// answered can be compared with what is stored.
type load struct {
	t testing.TB

	mu       sync.Mutex
	next     int
	answered map[int]int // status by number; -1 for a request without a complete answer
	took     []time.Duration
	stopped  chan struct{}
	clients  sync.WaitGroup
}

func newLoad(t testing.TB) *load { return &load{t: t, answered: map[int]int{}} }

// start lets clients send requests to base until stop, or until nobody answers.
func (l *load) start(base string, clients int) {
	l.stopped = make(chan struct{})
	c := client(l.t)
	c.Transport.(*http.Transport).MaxIdleConnsPerHost = clients
	for n := range clients {
		cookie := "SHOPSESS=of-user" + strconv.Itoa(n) + "-" + loadSecret
		l.clients.Go(func() {
			for failures := 0; failures < 3; {
				select {
				case <-l.stopped:
					return
				default:
				}
				if l.one(c, base, cookie) < 0 {
					failures++
				}
			}
		})
	}
}

// loadSecret is a part of every cookie of the clients.
const loadSecret = "Zk3vQ9xTt1LmN8pR2s"

// one sends one request and returns its status.
func (l *load) one(c *http.Client, base, cookie string) int {
	l.mu.Lock()
	l.next++
	number := l.next
	l.mu.Unlock()
	path := "/n/" + strconv.Itoa(number)
	start := time.Now()
	a, err := tryAsk(c, http.MethodGet, base+path, "", "Cookie", cookie, "User-Agent", "load/1.0")
	if err != nil {
		a.status = -1
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.answered[number] = a.status
	l.took = append(l.took, time.Since(start))
	return a.status
}

// stop ends the clients and waits for them.
func (l *load) stop() {
	close(l.stopped)
	l.clients.Wait()
}

// count is how many requests were answered with the status.
func (l *load) count(status int) (n int) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, s := range l.answered {
		if s == status {
			n++
		}
	}
	return n
}

// statuses are how many requests were answered how.
func (l *load) statuses() map[int]int {
	l.mu.Lock()
	defer l.mu.Unlock()
	out := map[int]int{}
	for _, s := range l.answered {
		out[s]++
	}
	return out
}

// percentile is how long all but a share of the requests since the last call took at most.
func (l *load) percentile(share float64) time.Duration {
	l.mu.Lock()
	defer l.mu.Unlock()
	took := l.took
	l.took = nil
	if len(took) == 0 {
		return 0
	}
	slices.Sort(took)
	return took[min(int(share*float64(len(took))), len(took)-1)]
}

// check compares what was answered with what is stored: nothing twice, and of what was answered with 200 all but so many.
func (l *load) check(s *seshat, missing int) {
	l.t.Helper()
	seen := map[int]int{}
	for _, row := range s.explore("path,status", "path:/n/*", "status:200") {
		number, err := strconv.Atoi(strings.TrimPrefix(row[0], "/n/"))
		if err != nil {
			l.t.Fatalf("there is a path %q", row[0])
		}
		if seen[number]++; seen[number] == 2 {
			l.t.Errorf("/n/%d is stored twice", number)
		}
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	var lost []string
	for number, status := range l.answered {
		if status == http.StatusOK && seen[number] == 0 {
			lost = append(lost, strconv.Itoa(number))
		}
	}
	if len(lost) != missing {
		l.t.Errorf("%d requests that were answered with 200 are not stored, not %d, as %v", len(lost), missing, lost[:min(len(lost), 5)])
	}
}

// metric is the value of one metric of the instance, given with its labels.
func (r *running) metric(name string) float64 {
	r.t.Helper()
	c := client(r.t)
	defer c.CloseIdleConnections()
	for line := range strings.Lines(ask(r.t, c, http.MethodGet, r.api+"/metrics", "").body) {
		if value, found := strings.CutPrefix(line, name+" "); found {
			v, err := strconv.ParseFloat(strings.TrimSpace(value), 64)
			if err != nil {
				r.t.Fatal(err)
			}
			return v
		}
	}
	r.t.Fatalf("there is no metric %s", name)
	return 0
}

const (
	metricDropped      = `seshat_journal_exchanges_total{outcome="dropped"}`
	metricAcknowledged = `seshat_journal_exchanges_total{outcome="acknowledged"}`
	metricFailing      = `seshat_journal_failing`
	metricStored       = `seshat_stored_exchanges_total`
	metricRecorderErrs = `seshat_recorder_errors_total`
)

// settled waits until everything that the journal took is stored, what it had from before too.
func (r *running) settled() {
	r.t.Helper()
	before, since := -1.0, time.Now()
	eventually(r.t, "all that is in the journal is stored", func() bool {
		stored := r.metric(metricStored)
		done := r.metric("seshat_recorder_waiting_exchanges") == 0 && r.metric("seshat_journal_queue_bytes") == 0 &&
			r.metric("seshat_recorder_unsettled_entries") == 0 &&
			stored+r.metric("seshat_duplicate_exchanges_total") >= r.metric(metricAcknowledged)
		if !done || stored != before {
			before, since = stored, time.Now()
		}
		// What was in the journal before the start is counted when it is read.
		return done && time.Since(since) > time.Second
	})
}

// configuration is a file for one upstream, with more.
func configuration(t testing.TB, origin, more string) string {
	t.Helper()
	return file(t, "seshat.yaml", fmt.Sprintf("listen: \"127.0.0.1:0\"\nupstreams: [{name: shop, servers: [%q]}]\n%s", origin, more))
}
