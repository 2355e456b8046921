// Package memory is a store that keeps everything in memory and adds nothing up until it is asked: the twin that
// says what the engines have to answer. It is for tests and for looking at a file without keeping it.
package memory

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/seshat-project/seshat"
	"github.com/seshat-project/seshat/internal/filter"
	"github.com/seshat-project/seshat/internal/store"
)

// Store implements [store.Store].
type Store struct {
	now func() time.Time

	mu        sync.RWMutex
	exchanges []exchange
	facts     map[seshat.SessionID]seshat.SessionFacts
	merges    map[seshat.SessionID]merge
	links     []seshat.Link
	state     map[seshat.Digest]stored
	positions map[string][]byte
}

type exchange struct {
	seshat.Assigned
	day time.Time
}

type merge struct {
	version uint64
	into    seshat.SessionID
}

type stored struct {
	value []byte
	day   time.Time
}

var _ store.Store = (*Store)(nil)

// New returns an empty store. Now is the clock by which [Store.Session] tells active from idle; time.Now when nil.
func New(now func() time.Time) *Store {
	if now == nil {
		now = time.Now
	}
	return &Store{
		now:       now,
		facts:     make(map[seshat.SessionID]seshat.SessionFacts),
		merges:    make(map[seshat.SessionID]merge),
		state:     make(map[seshat.Digest]stored),
		positions: make(map[string][]byte),
	}
}

// Commit implements [store.Store].
func (s *Store) Commit(ctx context.Context, batch *store.Batch) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	today := day(batch.StoredAt)
	for _, x := range batch.Exchanges {
		s.exchanges = append(s.exchanges, exchange{
			Assigned: seshat.Assigned{Observation: kept(x.Observation), Session: x.Session}, day: today,
		})
	}
	for _, f := range batch.Sessions {
		f.Roles = texts(f.Roles)
		f.User, f.IdentifiedBy = store.Text(f.User), store.Text(f.IdentifiedBy)
		f.EndedAt, f.ExpiresAt = store.Time(f.EndedAt), store.Time(f.ExpiresAt)
		f.IdleTimeout = f.IdleTimeout.Truncate(time.Microsecond)
		if before, ok := s.facts[f.ID]; !ok || f.Version >= before.Version {
			s.facts[f.ID] = f
		}
		if before, ok := s.merges[f.ID]; !f.MergedInto.IsZero() && (!ok || f.Version >= before.version) {
			s.merges[f.ID] = merge{version: f.Version, into: f.MergedInto}
		}
	}
	for _, l := range batch.Links {
		l.Masked, l.Name = store.Text(l.Masked), store.Text(l.Name)
		if store.IsFallback(l.Kind) {
			l.To, l.Masked = seshat.Digest{}, ""
		}
		l.Time, l.ExpiresAt = store.Time(l.Time), store.Time(l.ExpiresAt)
		s.links = append(s.links, l)
	}
	for _, r := range batch.State {
		if r.Value == nil {
			delete(s.state, r.Key)
			continue
		}
		s.state[r.Key] = stored{value: bytes.Clone(r.Value), day: today}
	}
	if batch.Source != "" {
		s.positions[batch.Source] = bytes.Clone(batch.Position)
	}
	return nil
}

func day(t time.Time) time.Time { return t.UTC().Truncate(24 * time.Hour) }

func texts(list []string) []string {
	clean := make([]string, len(list))
	for i, t := range list {
		clean[i] = store.Text(t)
	}
	if len(clean) == 0 {
		return nil
	}
	return clean
}

// Known implements [store.Store].
func (s *Store) Known(_ context.Context, keys []seshat.ExchangeKey, _ []time.Time) ([]bool, error) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	stored := make(map[seshat.ExchangeKey]bool, len(s.exchanges))
	for i := range s.exchanges {
		stored[s.exchanges[i].Key] = true
	}
	known := make([]bool, len(keys))
	for i, key := range keys {
		known[i] = stored[key]
	}
	return known, nil
}

// LoadState implements [store.Store].
func (s *Store) LoadState(_ context.Context, keys []seshat.Digest) (map[seshat.Digest][]byte, error) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	found := make(map[seshat.Digest][]byte)
	for _, key := range keys {
		if r, ok := s.state[key]; ok {
			found[key] = bytes.Clone(r.value)
		}
	}
	return found, nil
}

// Position implements [store.Store].
func (s *Store) Position(_ context.Context, source string) ([]byte, error) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	return bytes.Clone(s.positions[source]), nil
}

// canonical is the session that id belongs to now.
func (s *Store) canonical(id seshat.SessionID) seshat.SessionID {
	for range store.MaxMerges {
		m, merged := s.merges[id]
		if !merged {
			break
		}
		id = m.into
	}
	return id
}

// newestFirst is the order of exchanges.
func newestFirst(a, b *seshat.Assigned) int {
	return cmp.Or(b.Time.Compare(a.Time), cmp.Compare(b.Key, a.Key))
}

// Exchanges implements [store.Store].
func (s *Store) Exchanges(ctx context.Context, q store.Query, yield func(*seshat.Assigned) bool) error {
	for _, x := range s.selectExchanges(q) {
		if err := ctx.Err(); err != nil {
			return err
		}
		if !yield(&x) {
			return nil
		}
	}
	return nil
}

func (s *Store) selectExchanges(q store.Query) []seshat.Assigned {
	s.mu.RLock()
	defer s.mu.RUnlock()
	var list []seshat.Assigned
	for i := range s.exchanges {
		x := s.exchanges[i].Assigned
		x.Session = s.canonical(x.Session)
		if !q.Since.IsZero() && x.Time.Before(store.Time(q.Since)) || !q.Until.IsZero() && !x.Time.Before(store.Time(q.Until)) {
			continue
		}
		if !q.Session.IsZero() && x.Session != s.canonical(q.Session) || !filter.Match(q.Filter, store.ExchangeRow{Assigned: &x}) {
			continue
		}
		o := *x.Observation
		if q.Light {
			o.IDs, o.Parameters, o.Flows, o.Device, o.Grouping = nil, nil, nil, seshat.Digest{}, 0
			o.Verdict = seshat.ObservedVerdict{}
		}
		x.Observation = &o
		list = append(list, x)
	}
	slices.SortFunc(list, func(a, b seshat.Assigned) int {
		if q.OldestFirst {
			return newestFirst(&b, &a)
		}
		return newestFirst(&a, &b)
	})
	if q.Limit > 0 && len(list) > q.Limit {
		list = list[:q.Limit]
	}
	return list
}

// Exchange implements [store.Store].
func (s *Store) Exchange(_ context.Context, id string) (*seshat.Assigned, error) {
	list := s.selectExchanges(store.Query{})
	for i := range list {
		if list[i].ID == store.Text(id) && id != "" {
			return &list[i], nil
		}
	}
	if key, err := strconv.ParseUint(id, 16, 64); err == nil && len(id) == 16 {
		for i := range list {
			if list[i].Key == seshat.ExchangeKey(key) {
				return &list[i], nil
			}
		}
	}
	return nil, &seshat.Error{Kind: seshat.ErrorNotFound, Op: "read exchange " + id, Err: errors.New("there is no such exchange")}
}

// Lineage implements [store.Store].
func (s *Store) Lineage(_ context.Context, id seshat.SessionID) ([]seshat.Link, error) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	var links []seshat.Link
	for _, l := range s.links {
		if l.Session = s.canonical(l.Session); l.Session == s.canonical(id) {
			if store.IsFallback(l.Kind) {
				l.Masked = s.fallbackMasked(&l)
			}
			links = append(links, l)
		}
	}
	slices.SortStableFunc(links, func(a, b seshat.Link) int {
		return cmp.Or(a.Time.Compare(b.Time), cmp.Compare(a.Exchange, b.Exchange),
			bytes.Compare(a.To[:], b.To[:]), bytes.Compare(a.From[:], b.From[:]), strings.Compare(string(a.Evidence), string(b.Evidence)))
	})
	return links, nil
}

// fallbackMasked is made of the exchange of a link, while there is one.
func (s *Store) fallbackMasked(l *seshat.Link) string {
	for i := range s.exchanges {
		if x := &s.exchanges[i]; x.Key == l.Exchange && x.Time.Equal(l.Time) {
			return store.FallbackMasked(l.Kind, x.ClientIP, x.UserAgent)
		}
	}
	return ""
}

// Span implements [store.Store].
func (s *Store) Span(context.Context) (store.Span, error) {
	return s.spanOf(store.Query{}), nil
}

// Export implements [store.Store]. Memory writes no files.
func (s *Store) Export(context.Context, store.Dataset, string, store.Query, string) (int64, error) {
	return 0, &seshat.Error{Kind: seshat.ErrorUnsupported, Op: "export", Err: errors.New("a store in memory writes no files")}
}

// Close implements [store.Store].
func (s *Store) Close() error { return nil }

// kept is what a store keeps of an observation.
func kept(o *seshat.Observation) *seshat.Observation {
	k := *o
	k.Time, k.Duration = store.Time(k.Time), k.Duration.Truncate(time.Microsecond)
	for _, text := range []*string{
		&k.ID, &k.Environment, &k.Service, &k.Method, &k.Scheme, &k.Host, &k.Path, &k.Endpoint, &k.HTTPVersion,
		&k.UserAgent, &k.JA4, &k.Origin, &k.TraceID,
	} {
		*text = store.Text(*text)
	}
	k.Endpoint = store.EndpointPath(&k)
	if k.Path == "" {
		k.Path = k.Endpoint
	}
	if k.ClientIP.IsValid() {
		k.ClientIP = k.ClientIP.Unmap().WithZone("")
	}
	k.IDs = slices.Clone(k.IDs)
	for i := range k.IDs {
		id := &k.IDs[i]
		id.Masked, id.Name, id.Key = store.Text(id.Masked), store.Text(id.Name), store.Text(id.Key)
		id.Token.Issuer, id.Token.Subject = store.Text(id.Token.Issuer), store.Text(id.Token.Subject)
		id.ExpiresAt, id.Lifetime = store.Time(id.ExpiresAt), id.Lifetime.Truncate(time.Microsecond)
		id.Token.IssuedAt, id.Token.ExpiresAt = store.Time(id.Token.IssuedAt), store.Time(id.Token.ExpiresAt)
		if id.Origin == seshat.OriginFallback {
			id.Digest = seshat.Digest{}
			if masked := store.FallbackMasked(id.Kind, k.ClientIP, k.UserAgent); masked != "" {
				id.Masked = masked
			}
		}
	}
	k.Parameters = slices.Clone(k.Parameters)
	for i := range k.Parameters {
		p := &k.Parameters[i]
		p.Name, p.Value = store.Text(p.Name), store.Text(p.Value)
	}
	k.Flows = slices.Clone(k.Flows)
	for i := range k.Flows {
		f := &k.Flows[i]
		f.Name, f.Type = store.Text(f.Name), seshat.FlowType(store.Text(string(f.Type)))
	}
	k.Verdict.By, k.Verdict.Tags = store.Text(k.Verdict.By), texts(k.Verdict.Tags)
	return &k
}
