package overview

import (
	"strings"
	"time"

	"github.com/seshat-project/seshat/internal/api/wire"
	"github.com/seshat-project/seshat/internal/console/ui"
)

// by is what decided, or would have.
func by(v *wire.RecentVerdict) string {
	if v.By != "" {
		return v.By
	}
	return strings.Join(v.Tags, ", ")
}

// latency is a length of time that is 0 when nothing came.
func latency(ms float64) string {
	if ms <= 0 {
		return "–"
	}
	return ui.Length(time.Duration(ms * float64(time.Millisecond)))
}
