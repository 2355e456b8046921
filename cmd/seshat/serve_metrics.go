package main

import (
	"strings"
	"time"

	"github.com/seshat-project/seshat/internal/gateway"
	"github.com/seshat-project/seshat/internal/telemetry"
)

// metrics are what the instance counts. Labels have values from the configuration and from fixed sets only. Every
// metric is in docs/observability.md.
func (s *service) metrics() *telemetry.Metrics {
	m := telemetry.NewMetrics()
	m.Gauge("seshat_build_info", "What runs, with the value 1.", []string{"version"}, func(emit telemetry.Emit) { emit(1, version()) })
	s.decisionMetrics(m)
	s.journalMetrics(m)
	if s.node.Recorder != nil {
		s.recorderMetrics(m)
	}
	if s.gateway != nil {
		s.gatewayMetrics(m)
	}
	s.sourceMetrics(m)
	return m
}

func (s *service) decisionMetrics(m *telemetry.Metrics) {
	m.Counter("seshat_exchanges_total", "Exchanges by what was decided on them; observed ones were not decided on.",
		[]string{"verdict"}, func(emit telemetry.Emit) {
			c := s.node.Inline.Stats()
			emit(float64(c.Allowed), "allow")
			emit(float64(c.Tagged), "tag")
			emit(float64(c.Limited), "limit")
			emit(float64(c.Blocked), "block")
			emit(float64(c.Observed), "observed")
		})
	m.Counter("seshat_rule_decisions_total", "Requests that a limit or validation of tokens judged, tagged or refused; all "+
		"entries of the denylist together are Denylist.", []string{"by", "outcome"}, func(emit telemetry.Emit) {
		for by, n := range s.ruleDecisions() {
			emit(float64(n.Hits), by, "judged")
			emit(float64(n.Tagged), by, "tagged")
			emit(float64(n.Refused), by, "refused")
			emit(float64(n.Untracked), by, "untracked")
		}
	})
	m.Gauge("seshat_table_entries", "Entries of the tables that decisions are made on.", []string{"table"}, func(emit telemetry.Emit) {
		for _, t := range s.node.Enforcer.Stats().Tables {
			emit(float64(t.Entries), t.Name)
		}
	})
	m.Counter("seshat_table_evicted_total", "Entries that were given up before their time since a table was full.",
		[]string{"table"}, func(emit telemetry.Emit) {
			for _, t := range s.node.Enforcer.Stats().Tables {
				emit(float64(t.Evicted), t.Name)
			}
		})
	m.Gauge("seshat_resources_current", "1 when the newest resources are in force.", nil, func(emit telemetry.Emit) {
		emit(truth(s.node.ResourcesError() == nil))
	})
}

// decisions are what one rule did.
type decisions struct{ Hits, Tagged, Refused, Untracked uint64 }

// ruleDecisions are the counts of limits and validations by name. Entries of the denylist come and go by the thousand, so
// that they count together.
func (s *service) ruleDecisions() map[string]decisions {
	out := map[string]decisions{}
	for _, r := range s.node.Enforcer.Stats().Rules {
		by := r.By
		if kind, _, _ := strings.Cut(by, "/"); kind == "Denylist" {
			by = kind
		}
		d := out[by]
		out[by] = decisions{d.Hits + r.Hits, d.Tagged + r.Tagged, d.Refused + r.Refused, d.Untracked + r.Untracked}
	}
	return out
}

func (s *service) journalMetrics(m *telemetry.Metrics) {
	stats := s.node.Publisher.Stats
	m.Counter("seshat_journal_exchanges_total", "Exchanges by what became of them on the way into the journal.",
		[]string{"outcome"}, func(emit telemetry.Emit) {
			p := stats()
			emit(float64(p.Appended), "taken")
			emit(float64(p.Acknowledged), "acknowledged")
			emit(float64(p.Dropped), "dropped")
		})
	m.Counter("seshat_journal_batches_total", "Batches in the journal.", nil, func(emit telemetry.Emit) { emit(float64(stats().Batches)) })
	m.Gauge("seshat_journal_queue_bytes", "What waits to be written to the journal.", nil, func(emit telemetry.Emit) {
		emit(float64(stats().QueueBytes))
	})
	m.Gauge("seshat_journal_ack_seconds", "How long the journal took for the last batch.", nil, func(emit telemetry.Emit) {
		emit(stats().AckLatency.Seconds())
	})
	m.Gauge("seshat_journal_failing", "1 while the journal takes nothing.", nil, func(emit telemetry.Emit) {
		emit(truth(stats().LastError != nil))
	})
}

func (s *service) recorderMetrics(m *telemetry.Metrics) {
	stats := s.node.Recorder.Stats
	m.Counter("seshat_stored_exchanges_total", "Exchanges that were stored.", nil, func(emit telemetry.Emit) { emit(float64(stats().Stored)) })
	m.Counter("seshat_duplicate_exchanges_total", "Exchanges in the journal that were stored already.", nil, func(emit telemetry.Emit) {
		emit(float64(stats().Duplicates))
	})
	m.Counter("seshat_store_commits_total", "Transactions of the store.", nil, func(emit telemetry.Emit) { emit(float64(stats().Commits)) })
	m.Gauge("seshat_store_commit_seconds", "How long the last transaction took.", nil, func(emit telemetry.Emit) {
		emit(stats().LastCommit.Seconds())
	})
	m.Counter("seshat_recorder_errors_total", "Attempts of the store or the journal that failed; they are made again.", nil,
		func(emit telemetry.Emit) { emit(float64(stats().Errors)) })
	m.Counter("seshat_sessions_total", "Sessions that began, less those that turned out to be one.", nil, func(emit telemetry.Emit) {
		emit(float64(stats().Sessions))
	})
	m.Gauge("seshat_recorder_waiting_exchanges", "Exchanges that were read from the journal and are not stored yet.", nil,
		func(emit telemetry.Emit) { emit(float64(stats().Waiting)) })
	m.Gauge("seshat_recorder_unsettled_entries", "Entries of the journal that were read and are not stored yet.", nil,
		func(emit telemetry.Emit) { r := stats(); emit(float64(r.Read - r.Settled)) })
	m.Gauge("seshat_recorder_behind_seconds", "How far the store is behind the newest exchange.", nil, func(emit telemetry.Emit) {
		emit(s.behind().Seconds())
	})
}

func (s *service) gatewayMetrics(m *telemetry.Metrics) {
	m.Gauge("seshat_connections", "Connections of clients.", nil, func(emit telemetry.Emit) {
		n := 0
		for _, l := range s.gateway.listeners {
			n += l.Stats().Connections
		}
		emit(float64(n))
	})
	m.Counter("seshat_connections_total", "Connections of clients by what became of them.", []string{"outcome"}, func(emit telemetry.Emit) {
		sums := map[string]uint64{}
		for _, l := range s.gateway.listeners {
			t := l.Stats()
			sums["http1"] += t.HTTP1
			sums["http2"] += t.HTTP2
			sums["full"] += t.RefusedFull
			sums["full_per_ip"] += t.RefusedPerIP
			sums["handshake_failed"] += t.HandshakeError
			sums["proxy_untrusted"] += t.ProxyUntrusted
			sums["proxy_malformed"] += t.ProxyMalformed
			sums["silent"] += t.Silent
		}
		for outcome, n := range sums {
			emit(float64(n), outcome)
		}
	})
	stats := s.gateway.stats
	m.Counter("seshat_gateway_responses_total", "Responses by HTTP/1.1 by the class of their status.", []string{"status_class"}, func(emit telemetry.Emit) {
		for class, n := range stats().http1.Responses {
			emit(float64(n), [...]string{"none", "1xx", "2xx", "3xx", "4xx", "5xx"}[class])
		}
	})
	m.Counter("seshat_gateway_http2_requests_total", "Requests by HTTP/2 by what became of them.", []string{"outcome"}, func(emit telemetry.Emit) {
		h := stats().http2
		emit(float64(h.Requests-h.Refused-h.Unrouted-h.Failed-h.Aborted), "answered")
		emit(float64(h.Refused), "refused")
		emit(float64(h.Unrouted), "unrouted")
		emit(float64(h.Failed), "failed")
		emit(float64(h.Aborted), "aborted")
	})
	m.Counter("seshat_gateway_refused_heads_total", "Requests whose head was refused, by reason.", []string{"reason"}, func(emit telemetry.Emit) {
		for reason, n := range stats().http1.Refused {
			emit(float64(n), reason)
		}
	})
	m.Counter("seshat_gateway_bytes_total", "Bytes from and to clients by HTTP/1.1.", []string{"direction"}, func(emit telemetry.Emit) {
		t := stats().http1
		emit(float64(t.BytesIn), "in")
		emit(float64(t.BytesOut), "out")
	})
	m.Counter("seshat_gateway_cut_total", "Requests by HTTP/1.1 that did not end well, by who or what cut them.", []string{"by"}, func(emit telemetry.Emit) {
		t := stats().http1
		emit(float64(t.Aborted), "client")
		emit(float64(t.SlowHeads), "slow_head")
		emit(float64(t.CutHeads), "cut_head")
		emit(float64(t.CutBodies), "cut_body")
		emit(float64(t.CutResponses), "server")
		emit(float64(t.Unrecorded), "journal")
		emit(float64(t.Panics), "panic")
	})
	m.Gauge("seshat_gateway_tunnels", "WebSockets and other tunnels that are open.", nil, func(emit telemetry.Emit) {
		emit(float64(stats().http1.Tunnels))
	})
	bounds := make([]float64, 0, gateway.LatencyBuckets)
	for _, b := range gateway.LatencyBounds() {
		bounds = append(bounds, b.Seconds())
	}
	m.Histogram("seshat_gateway_upstream_seconds", "How long servers took until the head of their response.", []string{"upstream"},
		func(emit func(telemetry.Buckets, ...string)) {
			for _, p := range s.pools() {
				out := telemetry.Buckets{Bounds: bounds, Sum: p.LatencySum.Seconds()}
				for _, n := range p.Latency {
					out.Counts = append(out.Counts, uint64(max(n, 0)))
				}
				emit(out, p.Name)
			}
		})
	m.Counter("seshat_gateway_retries_total", "Requests that were sent again after a failure.", []string{"upstream"}, func(emit telemetry.Emit) {
		for _, p := range s.pools() {
			emit(float64(p.Retries), p.Name)
		}
	})
	m.Gauge("seshat_gateway_servers", "Servers of an upstream that get requests, and those that do not.", []string{"upstream", "state"},
		func(emit telemetry.Emit) {
			for _, p := range s.pools() {
				well := 0
				for i := range p.Servers {
					if p.Servers[i].Healthy && !p.Servers[i].Ejected {
						well++
					}
				}
				emit(float64(well), p.Name, "up")
				emit(float64(len(p.Servers)-well), p.Name, "down")
			}
		})
}

// pools are the counts of the upstreams in force.
func (s *service) pools() (out []gateway.PoolStats) {
	for _, p := range s.gateway.upstreams.Load().pools {
		out = append(out, p.Stats())
	}
	return out
}

func (s *service) sourceMetrics(m *telemetry.Metrics) {
	if len(s.followers) > 0 {
		m.Counter("seshat_log_lines_total", "Lines of access logs that are followed, by what became of them.", []string{"outcome"},
			func(emit telemetry.Emit) {
				var taken, bad, refused int64
				for _, f := range s.followers {
					t := f.Stats()
					taken, bad, refused = taken+t.Lines, bad+t.Bad, refused+t.Refused
				}
				emit(float64(taken), "taken")
				emit(float64(bad), "bad")
				emit(float64(refused), "refused")
			})
	}
	if s.extProcServer != nil {
		m.Counter("seshat_ext_proc_requests_total", "Requests that Envoy asked about, by what became of them.", []string{"outcome"},
			func(emit telemetry.Emit) {
				t := s.extProcServer.Stats()
				emit(float64(t.Streams), "asked")
				emit(float64(t.Refused), "refused")
				emit(float64(t.Cut), "cut")
				emit(float64(t.Malformed), "malformed")
				emit(float64(t.Failed), "failed")
			})
	}
	if s.forwardAuthHandler != nil {
		m.Counter("seshat_forward_auth_questions_total", "Questions of proxies, by what became of them.", []string{"outcome"},
			func(emit telemetry.Emit) {
				t := s.forwardAuthHandler.Stats()
				emit(float64(t.Asked), "answered")
				emit(float64(t.Bad), "bad")
				emit(float64(t.Untrusted), "untrusted")
			})
	}
	if s.events != nil {
		m.Counter("seshat_events_total", "Starts and ends of sessions, by whether they were written.", []string{"outcome"},
			func(emit telemetry.Emit) {
				written, dropped := s.events.Counts()
				emit(float64(written), "written")
				emit(float64(dropped), "dropped")
			})
	}
	m.Gauge("seshat_uptime_seconds", "How long the instance has run.", nil, func(emit telemetry.Emit) {
		emit(time.Since(s.started).Seconds())
	})
}

func truth(b bool) float64 {
	if b {
		return 1
	}
	return 0
}
