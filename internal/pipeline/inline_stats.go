package pipeline

import (
	"sync/atomic"

	"github.com/seshat-project/seshat"
	"github.com/seshat-project/seshat/internal/enforce"
)

// InlineStats count what was decided since the start.
type InlineStats struct {
	Allowed  int64
	Tagged   int64
	Limited  int64
	Blocked  int64
	Observed int64 // recorded without being decided on
}

// inlineCounts are the counters behind InlineStats, each alone on its cache line: every request writes one.
type inlineCounts struct {
	actions  [4]paddedCount
	observed paddedCount
}

type paddedCount struct {
	atomic.Int64
	_ [56]byte
}

func (c *inlineCounts) decided(d *enforce.Decision) {
	action := d.Verdict.Action
	if action == seshat.ActionAllow && len(d.Verdict.Tags) > 0 {
		action = seshat.ActionTag
	}
	c.actions[action&3].Add(1)
}

// Stats returns the counts.
func (p *Inline) Stats() InlineStats {
	c := &p.counts
	return InlineStats{
		Allowed:  c.actions[seshat.ActionAllow].Load(),
		Tagged:   c.actions[seshat.ActionTag].Load(),
		Limited:  c.actions[seshat.ActionLimit].Load(),
		Blocked:  c.actions[seshat.ActionBlock].Load(),
		Observed: c.observed.Load(),
	}
}
