package terminal

import (
	"fmt"
	"time"

	"github.com/schollz/progressbar/v3"
)

// plainEvery is how often progress is said where there is no terminal: often enough to see that something happens,
// seldom enough for a log.
const plainEvery = 10 * time.Second

// Progress shows how far something is: a bar on a terminal, now and then a line elsewhere. It belongs to one goroutine.
type Progress struct {
	screen *Screen
	now    func() time.Time
	hidden bool

	what string
	bar  *progressbar.ProgressBar
	said time.Time
}

// NewProgress returns a progress that is shown on screen, or nowhere if hidden is set. now is the clock that says when
// the next plain line is due.
func NewProgress(screen *Screen, hidden bool, now func() time.Time) *Progress {
	return &Progress{screen: screen, hidden: hidden, now: now, said: now()}
}

// Bytes says that done of total bytes are read; total is 0 when it is not known.
func (p *Progress) Bytes(what string, done, total int64) { p.show(what, done, total, true) }

// Count says that done of total things are done; total is 0 when it is not known.
func (p *Progress) Count(what string, done, total int64) { p.show(what, done, total, false) }

func (p *Progress) show(what string, done, total int64, bytes bool) {
	if p.hidden {
		return
	}
	if p.screen.IsTerminal() {
		p.showBar(what, done, total, bytes)
		return
	}
	now := p.now()
	if now.Sub(p.said) < plainEvery {
		return
	}
	p.said = now
	amount := Count(done)
	if bytes {
		amount = Size(done)
	}
	if total > 0 {
		amount += fmt.Sprintf(" (%d %%)", 100*done/total)
	}
	fmt.Fprintf(p.screen, "%s: %s\n", what, amount)
}

func (p *Progress) showBar(what string, done, total int64, bytes bool) {
	const (
		barWidth = 30
		throttle = 100 * time.Millisecond
	)
	most := total
	if most <= 0 {
		most = -1 // a spinner
	}
	if p.bar == nil || p.what != what {
		p.Clear()
		p.what = what
		p.bar = progressbar.NewOptions64(most,
			progressbar.OptionSetWriter(p.screen), progressbar.OptionSetWidth(barWidth),
			progressbar.OptionSetDescription(what), progressbar.OptionThrottle(throttle),
			progressbar.OptionShowBytes(bytes), progressbar.OptionShowCount(),
			progressbar.OptionSetPredictTime(true), progressbar.OptionClearOnFinish())
	} else if p.bar.GetMax64() != most {
		p.bar.ChangeMax64(most)
	}
	_ = p.bar.Set64(done) // what cannot be shown is not worth stopping for
}

// Clear takes the bar off the terminal, so that a line can be written; the next report shows it again.
func (p *Progress) Clear() {
	if p.bar != nil {
		_ = p.bar.Clear()
	}
}

// Done takes the bar off the terminal for good.
func (p *Progress) Done() {
	p.Clear()
	p.bar = nil
}

// Size is a number of bytes as people read it: "512 B", "1.5 MiB".
func Size(n int64) string {
	const unit = 1024
	if n < unit {
		return Count(n) + " B"
	}
	value, names := float64(n)/unit, "KMGTPE"
	i := 0
	for value >= unit && i < len(names)-1 {
		value /= unit
		i++
	}
	return fmt.Sprintf("%.1f %ciB", value, names[i])
}
