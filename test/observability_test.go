package test

import (
	"net/http"
	"strconv"
	"strings"
	"testing"
)

// series are the values of /metrics by name and labels, as they stand there.
func series(t testing.TB, r *running) map[string]float64 {
	t.Helper()
	a := ask(t, client(t), http.MethodGet, r.api+"/metrics", "")
	if a.status != http.StatusOK {
		t.Fatalf("/metrics gives %d: %s", a.status, a.body)
	}
	out := map[string]float64{}
	for line := range strings.Lines(a.body) {
		line = strings.TrimSpace(line)
		if line == "" || line[0] == '#' {
			continue
		}
		at := strings.LastIndexByte(line, ' ')
		value, err := strconv.ParseFloat(line[at+1:], 64)
		if err != nil {
			t.Fatalf("%q is no line of metrics: %v", line, err)
		}
		out[line[:at]] = value
	}
	return out
}

// metric is the value of one of the series.
func metric(t testing.TB, r *running, name string) float64 {
	t.Helper()
	value, found := series(t, r)[name]
	if !found {
		t.Fatalf("there is no metric %s", name)
	}
	return value
}
