package memory

import (
	"bytes"
	"sync"

	"github.com/seshat-project/seshat/internal/journal"
)

// Hub connects the members of a bus within one process.
type Hub struct {
	mu      sync.Mutex
	members map[*member]struct{}
}

// NewHub returns a bus without members.
func NewHub() *Hub { return &Hub{members: map[*member]struct{}{}} }

// member implements [journal.Bus].
type member struct {
	hub *Hub

	mu   sync.Mutex
	subs map[*subscriber]struct{}
}

// waiting is how many messages wait for a subscriber. The bus is lossy: what comes beyond them is dropped.
const waiting = 64

type subscriber struct {
	messages chan []byte
	stopped  chan struct{}
}

// Join returns a new member of the bus.
func (h *Hub) Join() journal.Bus {
	m := &member{hub: h, subs: map[*subscriber]struct{}{}}
	h.mu.Lock()
	defer h.mu.Unlock()
	h.members[m] = struct{}{}
	return m
}

// Publish implements [journal.Bus].
func (m *member) Publish(data []byte) error {
	m.hub.mu.Lock()
	defer m.hub.mu.Unlock()
	for other := range m.hub.members {
		if other != m {
			other.deliver(data)
		}
	}
	return nil
}

func (m *member) deliver(data []byte) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for s := range m.subs {
		select {
		case s.messages <- bytes.Clone(data):
		default:
		}
	}
}

// Subscribe implements [journal.Bus].
func (m *member) Subscribe(f func(data []byte)) (stop func(), err error) {
	s := &subscriber{messages: make(chan []byte, waiting), stopped: make(chan struct{})}
	m.mu.Lock()
	m.subs[s] = struct{}{}
	m.mu.Unlock()
	go func() {
		for {
			select {
			case data := <-s.messages:
				f(data)
			case <-s.stopped:
				return
			}
		}
	}()
	return sync.OnceFunc(func() {
		m.mu.Lock()
		defer m.mu.Unlock()
		delete(m.subs, s)
		close(s.stopped)
	}), nil
}

// Close implements [journal.Bus].
func (m *member) Close() error {
	m.hub.mu.Lock()
	defer m.hub.mu.Unlock()
	delete(m.hub.members, m)
	return nil
}
