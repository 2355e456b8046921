package pipeline

import (
	"context"
	"fmt"
	"sync"

	"github.com/seshat-project/seshat"
	"github.com/seshat-project/seshat/internal/correlate"
	"github.com/seshat-project/seshat/internal/journal"
)

const (
	// maxNoticeBytes is how many notices wait for a log that is slow: gateways learn the same again when the sessions go on.
	maxNoticeBytes = 16 << 20
	// maxTold is of how many sessions it is remembered what was told, at some 60 bytes each. Then all is told once more.
	maxTold = 1 << 17
)

// noticeQueue tells the others what correlation found out: in order, and again until the log has it. What a crash leaves
// untold is told when its exchanges are correlated again, so that notices are made before the store has the batch.
type noticeQueue struct {
	log      journal.Log
	append   func(dst []byte, sessions []seshat.SessionFacts, links []seshat.Link) []byte
	recorder *Recorder
	prefix   string // of the ids of entries
	told     map[seshat.SessionID]toldOf
	wake     chan struct{}

	mu      sync.Mutex
	waiting [][]byte
	bytes   int
}

// toldOf is what gateways act on of a session.
type toldOf struct {
	user   uint64
	merged bool
	ended  seshat.EndReason
}

func newNoticeQueue(log journal.Log, f func([]byte, []seshat.SessionFacts, []seshat.Link) []byte, r *Recorder) *noticeQueue {
	return &noticeQueue{
		log: log, append: f, recorder: r, prefix: fmt.Sprintf("notices-%x-", r.config.Source),
		told: map[seshat.SessionID]toldOf{}, wake: make(chan struct{}, 1),
	}
}

// tell has the recorder's changes told.
func (rec *recording) tell(changes *correlate.Changes) {
	if rec.config.Events != nil && len(changes.Events) > 0 {
		rec.config.Events(changes.Events)
	}
	if q := rec.notices; q != nil {
		q.add(q.news(changes.Sessions, changes.Links), changes.Links, 0)
	}
}

// news are the sessions of which something else was told before, or nothing. Facts change with every exchange, and most of
// it is nothing to act on.
func (q *noticeQueue) news(sessions []seshat.SessionFacts, links []seshat.Link) []seshat.SessionFacts {
	if len(q.told)+len(sessions) > maxTold {
		clear(q.told)
	}
	linked := make(map[seshat.SessionID]struct{}, len(links))
	for i := range links {
		linked[links[i].Session] = struct{}{}
	}
	var news []seshat.SessionFacts
	for i := range sessions {
		s := &sessions[i]
		now := toldOf{user: hashOf(s.User), merged: !s.MergedInto.IsZero(), ended: s.EndedBy}
		_, isLinked := linked[s.ID]
		if before, known := q.told[s.ID]; known && before == now && !isLinked {
			continue
		}
		q.told[s.ID] = now
		news = append(news, *s)
	}
	return news
}

// add makes notices of what is new, as many entries as it takes. Depth is how often it was divided.
func (q *noticeQueue) add(sessions []seshat.SessionFacts, links []seshat.Link, depth int) {
	notices := q.append(nil, sessions, links)
	switch {
	case len(notices) == 0:
		return
	case len(notices) > journal.MaxEntry && depth < maxDivisions:
		var parts [2]struct {
			sessions []seshat.SessionFacts
			links    []seshat.Link
		}
		for i := range sessions {
			part := &parts[half(sessions[i].ID, depth)]
			part.sessions = append(part.sessions, sessions[i])
		}
		for i := range links {
			part := &parts[half(links[i].Session, depth)]
			part.links = append(part.links, links[i])
		}
		for i := range parts {
			q.add(parts[i].sessions, parts[i].links, depth+1)
		}
		return
	case len(notices) > journal.MaxEntry:
		q.recorder.lostNotices()
		return
	}
	q.mu.Lock()
	defer q.mu.Unlock()
	q.waiting = append(q.waiting, notices)
	q.bytes += len(notices)
	for q.bytes > maxNoticeBytes && len(q.waiting) > 1 {
		q.bytes -= len(q.waiting[0])
		q.waiting = q.waiting[1:]
		q.recorder.lostNotices()
	}
	select {
	case q.wake <- struct{}{}:
	default:
	}
}

// maxDivisions is how often notices are divided: what is of one session stays together, and is far below an entry's bound.
const maxDivisions = 32

// half divides sessions into two halves, each time by another bit of their IDs.
func half(id seshat.SessionID, depth int) byte { return id[depth/8] >> (depth % 8) & 1 }

// hashOf is FNV-1a, 64 bits.
func hashOf(s string) uint64 {
	h := uint64(14695981039346656037)
	for i := range len(s) {
		h = (h ^ uint64(s[i])) * 1099511628211
	}
	return h
}

// run appends notices until ctx is done, and then what is left.
func (q *noticeQueue) run(ctx context.Context) {
	for n := uint64(1); ; n++ {
		notices := q.next(ctx)
		if notices == nil {
			return
		}
		id := fmt.Sprint(q.prefix, n)
		for pause := firstRetry; ; pause = min(2*pause, lastRetry) {
			sending, cancel := context.WithTimeout(context.WithoutCancel(ctx), appendTimeout)
			_, err := q.log.Append(sending, id, notices)
			cancel()
			if err == nil {
				q.recorder.worked("the notices")
				break
			}
			q.recorder.failed("the notices", err)
			if !sleep(ctx, pause) {
				return
			}
		}
	}
}

// next waits for the next notices; nil when ctx is done and nothing is left.
func (q *noticeQueue) next(ctx context.Context) []byte {
	for {
		q.mu.Lock()
		if len(q.waiting) > 0 {
			notices := q.waiting[0]
			q.waiting[0] = nil
			q.waiting = q.waiting[1:]
			q.bytes -= len(notices)
			q.mu.Unlock()
			return notices
		}
		q.mu.Unlock()
		select {
		case <-q.wake:
		case <-ctx.Done():
			q.mu.Lock()
			left := len(q.waiting)
			q.mu.Unlock()
			if left == 0 {
				return nil
			}
		}
	}
}

func (r *Recorder) lostNotices() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.stats.LostNotices++
}
