package forwardauth

import (
	"container/list"
	"context"
	"slices"
	"sync"
	"time"

	"github.com/seshat-project/seshat"
	"github.com/seshat-project/seshat/internal/httpfield"
	"github.com/seshat-project/seshat/internal/pipeline"
)

const (
	// defaultJoinWait is longer than nearly every request takes, and than proxies buffer their logs.
	defaultJoinWait = time.Minute
	sweepEvery      = time.Second
	// maxWaiting is how many halves wait: a minute of 1,000 requests a second, or 20 s of 3,000, at some 2 KB each. And
	// maxWaitingBytes is how much their texts may have. Beyond it, those that wait longest are recorded as they are.
	maxWaiting      = 60_000
	maxWaitingBytes = 256 << 20
	// halfBytes is what a half takes beside its texts.
	halfBytes = 1 << 10
	fieldSize = 32 // bytes of the two texts' headers
)

// half is a question that waits for its line.
type half struct {
	id       exchangeID
	passage  *pipeline.Passage
	exchange *seshat.Exchange
	since    time.Time
	size     int
}

// halves are those that wait, the oldest first.
type halves struct {
	mu    sync.Mutex
	byID  map[exchangeID]*list.Element
	order *list.List
	bytes int
}

func (w *halves) init() { w.byID, w.order = map[exchangeID]*list.Element{}, list.New() }

func (w *halves) waiting() int64 {
	w.mu.Lock()
	defer w.mu.Unlock()
	return int64(w.order.Len())
}

// add adds a half, and returns those that have to make room for it.
func (w *halves) add(a *half) (displaced []*half) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.byID[a.id] = w.order.PushBack(a)
	w.bytes += a.size
	for w.order.Len() > 1 && (w.order.Len() > maxWaiting || w.bytes > maxWaitingBytes) {
		displaced = append(displaced, w.remove(w.order.Front()))
	}
	return displaced
}

// remove takes an element out. The lock is held.
func (w *halves) remove(e *list.Element) *half {
	a := w.order.Remove(e).(*half)
	delete(w.byID, a.id)
	w.bytes -= a.size
	return a
}

// take returns the half with an ID, which then waits no longer; nil when there is none.
func (w *halves) take(id exchangeID) *half {
	w.mu.Lock()
	defer w.mu.Unlock()
	if e, known := w.byID[id]; known {
		return w.remove(e)
	}
	return nil
}

// oldest returns those that have waited since before a time.
func (w *halves) oldest(before time.Time) (out []*half) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for e := w.order.Front(); e != nil && e.Value.(*half).since.Before(before); e = w.order.Front() {
		out = append(out, w.remove(e))
	}
	return out
}

// hold has a question wait for its line.
func (h *Handler) hold(id exchangeID, passage *pipeline.Passage, x *seshat.Exchange) {
	x.ID = string(id)
	a := &half{id: id, passage: passage, exchange: x, since: h.config.Now(), size: halfBytes}
	for i := range x.Request.Header {
		a.size += len(x.Request.Header[i].Name) + len(x.Request.Header[i].Value) + fieldSize
	}
	a.size += len(x.Request.Path) + len(x.Request.Query)
	for _, displaced := range h.halves.add(a) {
		h.counts.displaced.Add(1)
		h.end(context.Background(), displaced)
	}
}

// end records a half. An error says that the journal does not take it: nobody waits for this answer any more, and it is
// counted there.
func (h *Handler) end(ctx context.Context, a *half) { _ = a.passage.End(ctx, a.exchange) }

func (h *Handler) sweep(ctx context.Context) {
	expired := h.halves.oldest(h.config.Now().Add(-h.config.JoinWait))
	for _, a := range expired {
		h.counts.expired.Add(1)
		h.end(ctx, a)
	}
	if len(expired) > 0 {
		h.config.Logger.Warn("requests were recorded without their response: the access log did not name them in time",
			"requests", len(expired), "wait", h.config.JoinWait, "field", ExchangeField)
	}
}

// finish records everything that waits.
func (h *Handler) finish(ctx context.Context) {
	const never = 1 << 62
	for _, a := range h.halves.oldest(time.Unix(0, never)) {
		h.counts.expired.Add(1)
		h.end(ctx, a)
	}
}

// Observe takes a line of the access log of a proxy that asks here. It ends the half that the line names; a line of a
// request that nobody asked about is recorded for itself. x is used during the call only.
func (h *Handler) Observe(ctx context.Context, x *seshat.Exchange) error {
	text, asked, ours := h.takeExchangeID(x)
	if !ours {
		h.counts.alone.Add(1)
		return h.config.Inline.Observe(ctx, x)
	}
	if a := h.halves.take(exchangeID(text)); a != nil {
		h.counts.joined.Add(1)
		a.complete(x)
		return a.passage.End(ctx, a.exchange)
	}
	if !h.config.Join || !asked.Before(h.started) {
		h.counts.late.Add(1)
		return nil // it was recorded when it was asked, or when it had waited for too long
	}
	// It was asked of a process that is gone. Whether that recorded the half is not known here, but it did so under this
	// ID and time.
	h.counts.alone.Add(1)
	x.ID, x.Time = text, asked
	return h.config.Inline.Observe(ctx, x)
}

// takeExchangeID removes the ID of the question from a line, and returns it with when it was asked. A field of that name
// with another value is a client's.
func (h *Handler) takeExchangeID(x *seshat.Exchange) (id string, asked time.Time, ours bool) {
	for _, header := range [...]*[]seshat.Field{&x.Request.Header, &x.Response.Header} {
		*header = slices.DeleteFunc(*header, func(f seshat.Field) bool {
			if !httpfield.EqualFold(f.Name, ExchangeField) {
				return false
			}
			if at, ok := parseID(h.config.Digester, f.Value); ok && !ours {
				id, asked, ours = f.Value, at, true
			}
			return true
		})
	}
	return id, asked, ours
}

// complete adds what the line knows and the question did not: the response, and how long it took. The texts of the line
// are valid as long as the call of End.
func (a *half) complete(line *seshat.Exchange) {
	x := a.exchange
	x.Response, x.Duration = line.Response, line.Duration
	if x.Request.HTTPVersion == "" {
		x.Request.HTTPVersion = line.Request.HTTPVersion
	}
	if x.Request.Body.Size == 0 {
		x.Request.Body = line.Request.Body
	}
	if x.TraceID == "" {
		x.TraceID = line.TraceID
	}
	if x.Client.JA4 == "" {
		x.Client.JA4 = line.Client.JA4
	}
}
