package memory

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"slices"
	"strings"
	"time"

	"github.com/seshat-project/seshat"
	"github.com/seshat-project/seshat/internal/filter"
	"github.com/seshat-project/seshat/internal/store"
)

// Sessions implements [store.Store].
func (s *Store) Sessions(ctx context.Context, q store.Query, yield func(*seshat.Session) bool) error {
	for _, session := range s.selectSessions(q) {
		if err := ctx.Err(); err != nil {
			return err
		}
		if !yield(session) {
			return nil
		}
	}
	return nil
}

func (s *Store) selectSessions(q store.Query) []*seshat.Session {
	rows := s.sessionRows(q)
	list := make([]*seshat.Session, len(rows))
	for i := range rows {
		list[i] = rows[i].Session
	}
	slices.SortFunc(list, func(a, b *seshat.Session) int {
		order := cmp.Or(b.LastSeen.Compare(a.LastSeen), bytes.Compare(b.ID[:], a.ID[:]))
		if q.OldestFirst {
			return -order
		}
		return order
	})
	if q.Limit > 0 && len(list) > q.Limit {
		list = list[:q.Limit]
	}
	return list
}

// sessionRows are the sessions that q asks for, in no order, with their exchanges.
func (s *Store) sessionRows(q store.Query) []store.SessionRow {
	groups := make(map[seshat.SessionID][]seshat.Assigned)
	for _, x := range s.selectExchanges(store.Query{OldestFirst: true}) {
		groups[x.Session] = append(groups[x.Session], x)
	}
	s.mu.RLock()
	defer s.mu.RUnlock()
	var list []store.SessionRow
	for id, all := range groups {
		session, clientIDs := s.addUp(id, all, store.Time(q.Now))
		if !q.Since.IsZero() && session.LastSeen.Before(store.Time(q.Since)) ||
			!q.Until.IsZero() && !session.FirstSeen.Before(store.Time(q.Until)) {
			continue
		}
		row := store.SessionRow{Session: session, All: all, ClientIDs: clientIDs}
		if !q.Session.IsZero() && id != s.canonical(q.Session) || !filter.Match(q.Filter, row) {
			continue
		}
		list = append(list, row)
	}
	return list
}

// addUp makes a session of its exchanges, oldest first, and returns all its client session IDs, masked.
func (s *Store) addUp(id seshat.SessionID, all []seshat.Assigned, now time.Time) (*seshat.Session, []string) {
	session := &seshat.Session{
		ID: id, FirstSeen: all[0].Time, LastSeen: all[len(all)-1].Time, Exchanges: int64(len(all)),
	}
	services, endpoints, ips, agents, clientIDs := set{}, set{}, set{}, set{}, set{}
	flows := make(map[string]int64)
	for _, x := range all {
		if x.Status >= 400 {
			session.Errors++
		}
		if x.Verdict.Action.Refuses() {
			session.Refused++
		}
		if x.Environment != "" && (session.Environment == "" || x.Environment < session.Environment) {
			session.Environment = x.Environment
		}
		services.add(x.Service)
		endpoints.add(store.EndpointName(x.Observation))
		if x.ClientIP.IsValid() {
			ips.add(x.ClientIP.String())
		}
		agents.add(x.UserAgent)
		named := set{}
		for _, f := range x.Flows {
			if !named[f.Name] {
				flows[f.Name]++
			}
			named[f.Name] = true
		}
	}
	for _, l := range s.links {
		if s.canonical(l.Session) == id && !store.IsFallback(l.Kind) {
			clientIDs.add(l.Masked)
		}
	}
	session.Services, session.Endpoints, session.IPs = services.listed(), endpoints.listed(), ips.listed()
	session.UserAgents, session.ClientSessionIDs = agents.listed(), clientIDs.listed()
	for name, exchanges := range flows {
		session.Flows = append(session.Flows, seshat.FlowShare{Name: name, Exchanges: exchanges})
	}
	store.SortFlows(session.Flows, session.Exchanges)
	facts := s.facts[id]
	if !facts.Previous.IsZero() {
		if facts.Previous = s.canonical(facts.Previous); facts.Previous == id {
			facts.Previous = seshat.SessionID{}
		}
	}
	store.ApplyFacts(session, &facts, now)
	return session, clientIDs.sorted()
}

// set is a set of texts.
type set map[string]bool

func (s set) add(text string) {
	if text != "" {
		s[text] = true
	}
}

func (s set) sorted() []string {
	var list []string
	for text := range s {
		list = append(list, text)
	}
	slices.Sort(list)
	return list
}

func (s set) listed() []string {
	list := s.sorted()
	return list[:min(len(list), store.MaxListed)]
}

// Session implements [store.Store].
func (s *Store) Session(_ context.Context, id seshat.SessionID) (*seshat.Session, error) {
	list := s.selectSessions(store.Query{Session: id, Now: s.now()})
	if len(list) == 0 {
		return nil, &seshat.Error{Kind: seshat.ErrorNotFound, Op: "read session " + id.String(), Err: errors.New("there is no such session")}
	}
	return list[0], nil
}

// FindSessions implements [store.Store].
func (s *Store) FindSessions(_ context.Context, prefix string, limit int) ([]seshat.SessionID, error) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	found := make(map[seshat.SessionID]bool)
	for i := range s.exchanges {
		if id := s.exchanges[i].Session; strings.HasPrefix(id.String(), strings.ToLower(prefix)) {
			found[id] = true
		}
	}
	var list []seshat.SessionID
	for id := range found {
		list = append(list, id)
	}
	slices.SortFunc(list, func(a, b seshat.SessionID) int { return bytes.Compare(a[:], b[:]) })
	return list[:min(len(list), limit)], nil
}

// DropBefore implements [store.Store].
func (s *Store) DropBefore(_ context.Context, before time.Time) (int64, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	before = day(before)
	count := len(s.exchanges)
	s.exchanges = slices.DeleteFunc(s.exchanges, func(x exchange) bool { return x.day.Before(before) })
	for key, r := range s.state {
		if r.day.Before(before) {
			delete(s.state, key)
		}
	}
	alive := make(map[seshat.SessionID]bool)
	for i := range s.exchanges {
		alive[s.canonical(s.exchanges[i].Session)] = true
	}
	gone := func(id seshat.SessionID) bool { return !alive[s.canonical(id)] }
	s.links = slices.DeleteFunc(s.links, func(l seshat.Link) bool { return gone(l.Session) })
	for id := range s.facts {
		if gone(id) {
			delete(s.facts, id)
		}
	}
	for id := range s.merges {
		if gone(id) {
			defer delete(s.merges, id) // the others still resolve through it
		}
	}
	return int64(count - len(s.exchanges)), nil
}
