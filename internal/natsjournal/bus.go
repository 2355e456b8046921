package natsjournal

import (
	"crypto/rand"
	"fmt"
	"sync"

	"github.com/nats-io/nats.go"

	"github.com/seshat-project/seshat/internal/journal"
)

const (
	// pendingMessages and pendingBytes are what waits for a subscriber. The bus is lossy: what comes beyond is dropped.
	pendingMessages = 1024
	pendingBytes    = 8 << 20
	// memberField is the header field with the member that sent a message.
	memberField = "Seshat-Member"
)

// Bus is a [journal.Bus] on a subject of NATS. Nothing is kept of it.
type Bus struct {
	conn    *nats.Conn
	subject string
	member  string

	mu     sync.Mutex
	subs   map[*nats.Subscription]struct{}
	closed bool
}

var _ journal.Bus = (*Bus)(nil)

// NewBus returns a new member of the bus on a subject. The connection stays the caller's, who closes it after the bus.
func NewBus(conn *nats.Conn, subject string) *Bus {
	return &Bus{conn: conn, subject: subject, member: rand.Text(), subs: map[*nats.Subscription]struct{}{}}
}

// Publish implements [journal.Bus]. While the connection is broken, messages are dropped.
func (b *Bus) Publish(data []byte) error {
	if !b.conn.IsConnected() {
		return nats.ErrDisconnected
	}
	message := &nats.Msg{Subject: b.subject, Data: data, Header: nats.Header{memberField: {b.member}}}
	if err := b.conn.PublishMsg(message); err != nil {
		return fmt.Errorf("publish on %s: %w", b.subject, err)
	}
	return nil
}

// Subscribe implements [journal.Bus].
func (b *Bus) Subscribe(f func(data []byte)) (stop func(), err error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.closed {
		return nil, ErrClosed
	}
	sub, err := b.conn.Subscribe(b.subject, func(message *nats.Msg) {
		if message.Header.Get(memberField) != b.member {
			f(message.Data)
		}
	})
	if err != nil {
		return nil, fmt.Errorf("subscribe to %s: %w", b.subject, err)
	}
	if err := sub.SetPendingLimits(pendingMessages, pendingBytes); err != nil {
		return nil, fmt.Errorf("subscribe to %s: %w", b.subject, err)
	}
	b.subs[sub] = struct{}{}
	return func() {
		b.mu.Lock()
		defer b.mu.Unlock()
		b.leave(sub)
	}, nil
}

func (b *Bus) leave(sub *nats.Subscription) {
	if _, there := b.subs[sub]; there {
		delete(b.subs, sub)
		_ = sub.Unsubscribe() // the connection is closed, and with it the subscription
	}
}

// Close implements [journal.Bus].
func (b *Bus) Close() error {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.closed = true
	for sub := range b.subs {
		b.leave(sub)
	}
	return nil
}
