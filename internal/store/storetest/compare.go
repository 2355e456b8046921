package storetest

import (
	"context"
	"net/netip"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/seshat-project/seshat"
	"github.com/seshat-project/seshat/internal/filter"
	"github.com/seshat-project/seshat/internal/store"
)

// compareOptions take an empty list for an absent one.
func compareOptions() cmp.Options {
	return cmp.Options{cmpopts.EquateEmpty(), cmp.Comparer(func(a, b netip.Addr) bool { return a == b })}
}

// Equal fails the test when two stores answer a query differently, about sessions or exchanges.
func Equal(t testing.TB, got, want store.Store, what string, q store.Query) {
	t.Helper()
	sessions := q
	if diff := cmp.Diff(Sessions(t, want, sessions), Sessions(t, got, sessions), compareOptions()); diff != "" {
		t.Errorf("sessions, %s: -want +got\n%s", what, diff)
	}
	if diff := cmp.Diff(Exchanges(t, want, q), Exchanges(t, got, q), compareOptions()); diff != "" {
		t.Errorf("exchanges, %s: -want +got\n%s", what, diff)
	}
}

// EqualSessions and EqualExchanges compare what two stores find for a filter.
func EqualSessions(t testing.TB, got, want store.Store, text string, now time.Time) {
	t.Helper()
	q := store.Query{Filter: parse(t, text, filter.Sessions(), now), Now: now}
	ids := func(s store.Store) (list []string) {
		for _, session := range Sessions(t, s, q) {
			list = append(list, session.ID.String())
		}
		return list
	}
	if diff := cmp.Diff(ids(want), ids(got), compareOptions()); diff != "" {
		t.Errorf("sessions with %q: -want +got\n%s", text, diff)
	}
}

// EqualExchanges compares which exchanges two stores find for a filter.
func EqualExchanges(t testing.TB, got, want store.Store, text string, now time.Time) {
	t.Helper()
	q := store.Query{Filter: parse(t, text, filter.Exchanges(), now), Light: true}
	keys := func(s store.Store) (list []seshat.ExchangeKey) {
		for _, x := range Exchanges(t, s, q) {
			list = append(list, x.Key)
		}
		return list
	}
	if diff := cmp.Diff(keys(want), keys(got), compareOptions()); diff != "" {
		t.Errorf("exchanges with %q: -want +got\n%s", text, diff)
	}
}

// Sessions collects what a query yields.
func Sessions(t testing.TB, s store.Store, q store.Query) []seshat.Session {
	t.Helper()
	var list []seshat.Session
	if err := s.Sessions(context.Background(), q, func(session *seshat.Session) bool {
		list = append(list, *session)
		return true
	}); err != nil {
		t.Fatalf("Sessions(%+v): %v", q, err)
	}
	return list
}

// Exchanges collects what a query yields.
func Exchanges(t testing.TB, s store.Store, q store.Query) []seshat.Assigned {
	t.Helper()
	var list []seshat.Assigned
	if err := s.Exchanges(context.Background(), q, func(x *seshat.Assigned) bool {
		o := *x.Observation
		o.IDs, o.Parameters, o.Flows = slices.Clone(o.IDs), slices.Clone(o.Parameters), slices.Clone(o.Flows)
		list = append(list, seshat.Assigned{Observation: &o, Session: x.Session})
		return true
	}); err != nil {
		t.Fatalf("Exchanges(%+v): %v", q, err)
	}
	return list
}
