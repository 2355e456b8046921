// Package telemetry shows how a process is doing: metrics for Prometheus, spans for OpenTelemetry.
package telemetry

import (
	"net/http"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"
)

// Metrics are what a process counts. Nothing is counted here: each metric is read, when it is asked for, from whoever
// counts anyway, so that metrics cost nothing on the way of an exchange. Label values must come from the configuration
// or from a fixed set, never from traffic.
type Metrics struct{ registry *prometheus.Registry }

// NewMetrics returns metrics of the Go runtime and of the process.
func NewMetrics() *Metrics {
	m := &Metrics{registry: prometheus.NewRegistry()}
	m.registry.MustRegister(
		collectors.NewGoCollector(),
		collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}),
	)
	return m
}

// Handler serves the metrics in the text format.
func (m *Metrics) Handler() http.Handler {
	return promhttp.HandlerFor(m.registry, promhttp.HandlerOpts{MaxRequestsInFlight: maxScrapes})
}

// maxScrapes is how many scrapes are served at once. There is one every some seconds, of one or two servers.
const maxScrapes = 4

// Emit takes a value with the values of the labels in their order.
type Emit func(value float64, labels ...string)

// Read is called at every scrape and calls emit for each value.
type Read func(emit Emit)

// Counter adds a metric that only grows. Its name ends in "_total", after its unit.
func (m *Metrics) Counter(name, help string, labels []string, read Read) {
	m.registry.MustRegister(&collector{prometheus.NewDesc(name, help, labels, nil), prometheus.CounterValue, read})
}

// Gauge adds a metric that goes up and down.
func (m *Metrics) Gauge(name, help string, labels []string, read Read) {
	m.registry.MustRegister(&collector{prometheus.NewDesc(name, help, labels, nil), prometheus.GaugeValue, read})
}

type collector struct {
	desc *prometheus.Desc
	kind prometheus.ValueType
	read Read
}

// Describe implements [prometheus.Collector].
func (c *collector) Describe(to chan<- *prometheus.Desc) { to <- c.desc }

// Collect implements [prometheus.Collector].
func (c *collector) Collect(to chan<- prometheus.Metric) {
	c.read(func(value float64, labels ...string) {
		to <- prometheus.MustNewConstMetric(c.desc, c.kind, value, labels...)
	})
}

// Buckets are the counts of a histogram: how many values were at most each bound, and how many there were in all.
type Buckets struct {
	Bounds []float64
	Counts []uint64 // of each bound alone, not cumulated; one more than Bounds for what is beyond
	Sum    float64
}

// Histogram adds a metric of a distribution.
func (m *Metrics) Histogram(name, help string, labels []string, read func(emit func(b Buckets, labels ...string))) {
	m.registry.MustRegister(&histogram{prometheus.NewDesc(name, help, labels, nil), read})
}

type histogram struct {
	desc *prometheus.Desc
	read func(emit func(b Buckets, labels ...string))
}

// Describe implements [prometheus.Collector].
func (h *histogram) Describe(to chan<- *prometheus.Desc) { to <- h.desc }

// Collect implements [prometheus.Collector].
func (h *histogram) Collect(to chan<- prometheus.Metric) {
	h.read(func(b Buckets, labels ...string) {
		cumulated, total := make(map[float64]uint64, len(b.Bounds)), uint64(0)
		for i, n := range b.Counts {
			total += n
			if i < len(b.Bounds) {
				cumulated[b.Bounds[i]] = total
			}
		}
		to <- prometheus.MustNewConstHistogram(h.desc, total, b.Sum, cumulated, labels...)
	})
}
