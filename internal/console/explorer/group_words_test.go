package explorer

import (
	"testing"

	"github.com/seshat-project/seshat/internal/api/wire"
)

func TestGroupHeadings(t *testing.T) {
	for _, c := range []struct{ name, want string }{
		{"endpoint", "Endpoint"},
		{"status_class", "Class of status"},
		{"session_id", "Session"},
		{"user_agent", "User agent"},
		{"attr.tenant_id", "tenant_id"},
		{"time:5m", "Time, every 5\u00a0min"},
	} {
		if got := dimensionWords(c.name); got != c.want {
			t.Errorf("grouped by %s: the heading is %q, want %q", c.name, got, c.want)
		}
	}
	for _, c := range []struct{ name, want string }{
		{"count", "Exchanges"},
		{"unique:session_id", "Unique sessions"},
		{"unique:ip", "Unique addresses"},
		{"approx_unique:user", "About how many users"},
		{"p99.9:duration", "p99.9 of duration"},
		{"max:response_bytes", "Greatest of response size"},
		{"avg:attr.cart_size", "Mean of cart_size"},
	} {
		if got := measureWords(c.name); got != c.want {
			t.Errorf("the measure %s: the heading is %q, want %q", c.name, got, c.want)
		}
	}
}

func TestGroupCells(t *testing.T) {
	number := func(unit string, n float64) string { return number(&wire.Measured{Unit: unit}, &n) }
	value := func(field, kind string, v wire.GroupValue) string {
		return groupValue(&wire.GroupedBy{Field: field, Type: kind}, v)
	}
	for _, c := range []struct{ got, want string }{
		{number("ms", 1500), "1.5\u00a0s"},
		{number("bytes", 2048), "2.0 KiB"},
		{number("", 12345), "12,345"},
		{number("", 1.25), "1.2"},
		{value("user", "text", wire.GroupValue{Absent: true}), "anonymous"},
		{value("role", "text", wire.GroupValue{Absent: true}), "none"},
		{value("time", "time", wire.GroupValue{Value: "2026-05-01T10:05:00Z"}), "2026-05-01 10:05:00"},
		{value("endpoint", "endpoint", wire.GroupValue{Value: "GET a/b"}), "GET a/b"},
	} {
		if c.got != c.want {
			t.Errorf("a cell is %q, want %q", c.got, c.want)
		}
	}
}
