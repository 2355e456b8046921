package audit

import (
	"slices"
	"strings"
	"time"
)

// Query narrows the log. What is zero does not.
type Query struct {
	By, Action, Subject string // Action also by its beginning, as in "user."
	Means               Means
	Outcome             Outcome
	Since, Until        time.Time
	// Before is the ID of an event: only older ones are wanted.
	Before string
	Limit  int
}

// List returns events, the newest first, and whether there are more.
func (l *Log) List(q Query) (out []Event, more bool) {
	events, attempts := l.events.older(q.Before), l.attempts.older(q.Before)
	out = []Event{}
	for len(events) > 0 || len(attempts) > 0 {
		h, from := &l.events, &events
		if len(events) == 0 || len(attempts) > 0 && attempts[len(attempts)-1] > events[len(events)-1] {
			h, from = &l.attempts, &attempts
		}
		id := (*from)[len(*from)-1]
		*from = (*from)[:len(*from)-1]
		item, ok := h.Get(id)
		if !ok {
			continue // removed meanwhile
		}
		if e := item.Value; !q.Since.IsZero() && e.Time.Before(q.Since) {
			break
		} else if q.matches(e) {
			if len(out) == q.Limit && q.Limit > 0 {
				return out, true
			}
			out = append(out, *e)
		}
	}
	return out, false
}

// older are the IDs before one, in order.
func (h *half) older(than string) []string {
	h.mu.Lock()
	defer h.mu.Unlock()
	end := len(h.ids)
	if than != "" {
		end, _ = slices.BinarySearch(h.ids, than)
	}
	return slices.Clone(h.ids[:end])
}

func (q *Query) matches(e *Event) bool {
	switch {
	case q.By != "" && e.By != q.By, q.Subject != "" && e.Subject != q.Subject, q.Means != "" && e.Means != q.Means,
		q.Outcome != "" && e.Outcome != q.Outcome, !q.Until.IsZero() && !e.Time.Before(q.Until):
		return false
	case q.Action == "" || e.Action == q.Action:
		return true
	default:
		return strings.HasSuffix(q.Action, ".") && strings.HasPrefix(e.Action, q.Action)
	}
}
