package store_test

import (
	"strings"
	"testing"

	"github.com/seshat-project/seshat"
	"github.com/seshat-project/seshat/internal/store"
)

func TestParseDimension(t *testing.T) {
	f := func(d store.Dataset, text, want string) {
		t.Helper()
		got, err := store.ParseDimension("by", text, store.FieldsOf(d))
		if err != nil || got.String() != want {
			t.Errorf("ParseDimension(%q) = %q, %v; want %q", text, got.String(), err, want)
			return
		}
		again, err := store.ParseDimension("by", got.String(), store.FieldsOf(d))
		if err != nil || again.String() != want {
			t.Errorf("%q is read again as %q, %v", want, again.String(), err)
		}
	}
	f(store.DatasetExchanges, "ENV", "environment")
	f(store.DatasetExchanges, "verdict.by", "verdict.by")
	f(store.DatasetExchanges, "Status_Class", "status_class")
	f(store.DatasetExchanges, "attr.a.b:c", "attr.a.b:c")
	f(store.DatasetExchanges, "time:90m", "time:1h30m")
	f(store.DatasetSessions, "started:24h", "first_seen:1d")
	for _, bad := range []string{"", "attr", "attr.", "time", "time:", "time:0s", "time:1ms5us", "time:-1h", "time:5000d", "duration", "user:1h", "nothing"} {
		if got, err := store.ParseDimension("by", bad, store.FieldsOf(store.DatasetExchanges)); seshat.KindOfError(err) != seshat.ErrorUsage {
			t.Errorf("ParseDimension(%q) = %q, %v; want a usage error", bad, got.String(), err)
		}
	}
}

func TestParseMeasure(t *testing.T) {
	f := func(text, want, unit string) {
		t.Helper()
		got, err := store.ParseMeasure("measure", text, store.FieldsOf(store.DatasetExchanges))
		if err != nil || got.String() != want || got.Unit() != unit {
			t.Errorf("ParseMeasure(%q) = %q in %q, %v; want %q in %q", text, got.String(), got.Unit(), err, want, unit)
		}
	}
	f("COUNT", "count", "")
	f("unique:client_ip", "unique:ip", "")
	f("approx_unique:time:1h", "approx_unique:time:1h", "")
	f("p99.90:latency", "p99.9:duration", "ms")
	f("sum:size", "sum:response_bytes", "bytes")
	f("avg:code", "avg:status", "")
	for _, bad := range []string{
		"", "count:user", "unique", "unique:", "unique:duration", "p:duration", "p0:duration", "p100:duration", "p1e1:duration", "p-5:duration", "p99.9999:duration",
		"pinf:duration", "min", "min:user", "median:duration",
	} {
		if got, err := store.ParseMeasure("measure", bad, store.FieldsOf(store.DatasetExchanges)); seshat.KindOfError(err) != seshat.ErrorUsage {
			t.Errorf("ParseMeasure(%q) = %q, %v; want a usage error", bad, got.String(), err)
		}
	}
}

func FuzzParseMeasure(f *testing.F) {
	for _, text := range []string{"count", "p99.9:duration", "unique:attr.x", "approx_unique:time:5m", "min:status"} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		for _, d := range []store.Dataset{store.DatasetExchanges, store.DatasetSessions} {
			fields := store.FieldsOf(d)
			m, err := store.ParseMeasure("measure", text, fields)
			if err != nil {
				if seshat.KindOfError(err) != seshat.ErrorUsage {
					t.Fatalf("%q: %v", text, err)
				}
				continue
			}
			again, err := store.ParseMeasure("measure", m.String(), fields)
			if err != nil || again.String() != m.String() {
				t.Fatalf("%q is %q, which is read as %q, %v", text, m.String(), again.String(), err)
			}
		}
	})
}

func TestFilterOfValue(t *testing.T) {
	f := func(d store.Dataset, dimension, value, want string) {
		t.Helper()
		fields := store.FieldsOf(d)
		one, err := store.ParseDimension("by", dimension, fields)
		if err != nil {
			t.Fatal(err)
		}
		if got := one.Filter(fields, store.Value{Text: value, Absent: value == ""}); got != want {
			t.Errorf("%s of %q: %s; want %s", dimension, value, got, want)
		}
	}
	f(store.DatasetExchanges, "user", "a*b \"c\"", `user:"a\*b \"c\""`)
	f(store.DatasetExchanges, "user", "", `-user:*`)
	f(store.DatasetExchanges, "status_class", "4xx", `status:400..499`)
	f(store.DatasetExchanges, "status_class", "other", `status:(<100,>599)`)
	f(store.DatasetExchanges, "time:1h", "2026-01-02T03:00:00Z", `time:>=2026-01-02T03:00:00Z time:<2026-01-02T04:00:00Z`)
	f(store.DatasetExchanges, "ip", "2001:db8::1", `ip:2001:db8::1`)
	f(store.DatasetExchanges, "endpoint", "GET h/orders/{var1}", `endpoint:"GET h/orders/{var1}"`)
	f(store.DatasetExchanges, "endpoint", "G T h/x y", ``) // no pattern of endpoints has that
	f(store.DatasetExchanges, "attr.cart", "x", `attr.cart:x`)
	f(store.DatasetExchanges, "attr.a*b", "x", ``) // that means others too
	f(store.DatasetExchanges, "attr.a b", "x", ``)
	f(store.DatasetSessions, "state", "active", `state:active`)
	f(store.DatasetSessions, "user", strings.Repeat("x", 9000), ``)
}
