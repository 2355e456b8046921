package natsjournal

import (
	"context"
	"fmt"
	"time"

	"github.com/nats-io/nats.go"
)

// Ask asks the other members of the bus a question, and returns what they answer within wait, at most as many answers as
// are wanted. Nobody has to answer.
func (b *Bus) Ask(ctx context.Context, question []byte, wanted int, wait time.Duration) ([][]byte, error) {
	if !b.conn.IsConnected() {
		return nil, nats.ErrDisconnected
	}
	inbox := b.conn.NewRespInbox()
	sub, err := b.conn.SubscribeSync(inbox)
	if err != nil {
		return nil, fmt.Errorf("ask on %s: %w", b.subject, err)
	}
	defer func() { _ = sub.Unsubscribe() }() // the connection is closed, and with it the subscription
	message := &nats.Msg{Subject: b.subject, Reply: inbox, Data: question, Header: nats.Header{memberField: {b.member}}}
	if err := b.conn.PublishMsg(message); err != nil {
		return nil, fmt.Errorf("ask on %s: %w", b.subject, err)
	}
	waiting, cancel := context.WithTimeout(ctx, wait)
	defer cancel()
	var out [][]byte
	for len(out) < wanted {
		answer, err := sub.NextMsgWithContext(waiting)
		if err != nil {
			break // the time is over
		}
		if len(answer.Data) > 0 { // else the server says that nobody is there
			out = append(out, answer.Data)
		} else if answer.Header.Get("Status") != "" {
			break
		}
	}
	return out, ctx.Err()
}

// Answer calls f, at any time and in goroutines of its own, with each question of another member; what it returns is the
// answer, nil is none.
func (b *Bus) Answer(f func(question []byte) []byte) (stop func(), err error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.closed {
		return nil, ErrClosed
	}
	sub, err := b.conn.Subscribe(b.subject, func(message *nats.Msg) {
		if message.Reply == "" || message.Header.Get(memberField) == b.member {
			return
		}
		go func() {
			if answer := f(message.Data); answer != nil {
				_ = message.Respond(answer) // who asked may be gone
			}
		}()
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
