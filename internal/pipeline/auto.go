package pipeline

import (
	"slices"
	"strings"

	"github.com/seshat-project/seshat"
	"github.com/seshat-project/seshat/internal/identify"
	"github.com/seshat-project/seshat/internal/rule"
)

// autoIdentifier counts where Authorization could identify sessions, and where a session rule does so already.
type autoIdentifier struct {
	counts     *identify.AutoIdentifier
	configured map[string]struct{} // hosts, in lower case
}

// maxConfigured bounds the hosts that are remembered as configured. Rules are written for a few.
const maxConfigured = 10_000

func (a *autoIdentifier) observe(x *seshat.Exchange, o *seshat.Observation) {
	a.counts.Observe(x)
	for i := range o.IDs {
		if o.IDs[i].Origin != seshat.OriginRule {
			continue
		}
		host := strings.ToLower(rule.Host(x))
		if _, known := a.configured[host]; !known && len(a.configured) < maxConfigured {
			a.configured[host] = struct{}{}
		}
		return
	}
}

// suggested are the hosts for which nothing was configured.
func (a *autoIdentifier) suggested() []string {
	return slices.DeleteFunc(a.counts.Suggested(), func(host string) bool {
		_, configured := a.configured[host]
		return configured
	})
}
