package duckdb

import (
	"database/sql/driver"
	"net/netip"
	"testing"
	"time"

	"github.com/seshat-project/seshat"
)

// TestAlike: exchanges that share their lists have the numbers that they have with lists of their own, in whatever else they
// differ.
func TestAlike(t *testing.T) {
	s, err := Open(t.Context(), t.TempDir(), Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = s.Close() }()
	base := seshat.Observation{
		Time: time.Unix(1, 0).UTC(), ClientIP: netip.MustParseAddr("192.0.2.1"),
		IDs: []seshat.ObservedID{
			{Digest: seshat.Digest{1}, Masked: "a", Name: "cookie"},
			{Digest: seshat.Digest{2}, Masked: "192.0.2.1", Name: "ip", Origin: seshat.OriginFallback, Kind: seshat.KindAddress},
		},
		Parameters: []seshat.Parameter{{Name: "user", Value: "alice"}, {Name: "role", Value: "admin"}},
		Flows:      []seshat.FlowMatch{{Name: "login"}},
		Verdict:    seshat.ObservedVerdict{Tags: []string{"Limit/a", "Limit/b"}},
	}
	change := func(f func(*seshat.Observation)) seshat.Observation {
		o := base
		f(&o)
		return o
	}
	kinds := []seshat.Observation{
		base,
		change(func(o *seshat.Observation) { o.Grouping = 1 }),
		change(func(o *seshat.Observation) { o.Device = seshat.Digest{3} }),
		change(func(o *seshat.Observation) { o.ClientIP = netip.Addr{} }),
		change(func(o *seshat.Observation) { o.IDs = o.IDs[:1] }),
		change(func(o *seshat.Observation) { o.IDs = nil }),
		change(func(o *seshat.Observation) { o.Parameters = o.Parameters[:1] }),
		change(func(o *seshat.Observation) { o.Parameters = nil }),
		change(func(o *seshat.Observation) { o.Flows = nil }),
		change(func(o *seshat.Observation) { o.Verdict.Action = seshat.ActionLimit }),
		change(func(o *seshat.Observation) { o.Verdict.By = "Limit/a" }),
		change(func(o *seshat.Observation) { o.Verdict.Tags = o.Verdict.Tags[:1] }),
		change(func(o *seshat.Observation) { o.Path = "/only/this" }),
	}
	err = s.conn.Raw(func(conn any) error {
		b := newBulk(conn.(driver.Conn))
		w := s.writer
		type numbers struct{ identity, context int64 }
		var want []numbers
		for i := range kinds {
			want = append(want, numbers{w.identity(b, &kinds[i]), w.context(b, &kinds[i])})
		}
		for round := range 3 {
			for i := range kinds {
				for j := range kinds { // each behind each
					for _, at := range []int{j, i} {
						identity, context := w.numbers(b, &kinds[at])
						if got := (numbers{identity, context}); got != want[at] {
							t.Fatalf("round %d, kind %d: numbers %v, want %v", round, at, got, want[at])
						}
					}
				}
			}
		}
		return b.close()
	})
	if err != nil {
		t.Fatal(err)
	}
}
