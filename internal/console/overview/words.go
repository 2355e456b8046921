package overview

import (
	"strconv"
	"strings"
	"time"

	"github.com/seshat-project/seshat/internal/api/wire"
	"github.com/seshat-project/seshat/internal/console/ui"
	"github.com/seshat-project/seshat/internal/console/web"
)

// by is what decided, or would have.
func by(v *wire.RecentVerdict) string {
	if v.By != "" {
		return v.By
	}
	return strings.Join(v.Tags, ", ")
}

// source is who it was decided about.
func source(v *wire.RecentVerdict) string {
	switch {
	case v.User != "":
		return v.User
	case v.IP.IsValid():
		return v.IP.String()
	default:
		return ui.Abbreviate(v.SessionID)
	}
}

// sourceFilter finds the exchanges of a source with several sessions.
func sourceFilter(v *wire.RecentVerdict) string {
	out := "ip:" + strconv.Quote(v.IP.String())
	switch {
	case v.By != "":
		out += " verdict.by:" + strconv.Quote(v.By)
	case len(v.Tags) > 0:
		out += " tag:" + strconv.Quote(v.Tags[0])
	}
	return out
}

// byAddress holds of the sessions that are known by their address only.
const byAddress = `identified_by:("ip","ip+user-agent")`

// identified and fallback are the lists of the active sessions that are known by an ID, and of the others.
func identified() string { return activeSessions("-" + byAddress) }

func fallback() string { return activeSessions(byAddress) }

// once is the list of those that have one exchange only.
func once() string { return activeSessions("exchanges:1") }

func activeSessions(which string) string {
	return web.Address("/sessions", map[string][]string{"filter": {"state:active " + which}, "since": {"all"}})
}

// latency is a length of time that is 0 when nothing came.
func latency(ms float64) string {
	if ms <= 0 {
		return "–"
	}
	return ui.Length(time.Duration(ms * float64(time.Millisecond)))
}
