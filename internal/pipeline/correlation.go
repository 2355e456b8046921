package pipeline

import (
	"encoding/binary"
	"time"

	"github.com/seshat-project/seshat"
	"github.com/seshat-project/seshat/internal/correlate"
	"github.com/seshat-project/seshat/internal/protect"
	"github.com/seshat-project/seshat/internal/rule"
)

// sessionLabel is the label of the digests that session IDs are made of.
const sessionLabel = "session"

// NewSessionID derives session IDs: a UUIDv8 (RFC 9562, section 5.8) of a keyed digest over the first client session
// ID and the start. So the same traffic has the same sessions on every node, and an ID says nothing of what it was made
// of. The function may be called at the same time.
func NewSessionID(d *protect.Digester) func(first seshat.Digest, start time.Time) seshat.SessionID {
	return func(first seshat.Digest, start time.Time) seshat.SessionID {
		at := binary.BigEndian.AppendUint64(nil, uint64(start.UnixMicro()))
		id := seshat.SessionID(d.HashLabelled(sessionLabel, string(first[:]), string(at)))
		id[6] = id[6]&0x0f | 0x80
		id[8] = id[8]&0x3f | 0x80
		return id
	}
}

// Correlation is how sessions are made by the settings and by the ends that rules set.
func Correlation(rules *rule.Ruleset, digester *protect.Digester) correlate.Config {
	config := correlate.DefaultConfig(NewSessionID(digester))
	settings := rules.Settings()
	for _, set := range []struct {
		to   *time.Duration
		from *seshat.Duration
	}{
		{&config.GraceTime, settings.GraceTime},
		{&config.FallbackIdleTimeout, settings.FallbackIdleTimeout},
		{&config.IdleTimeout, settings.IdleTimeout},
	} {
		if set.from != nil {
			*set.to = time.Duration(*set.from)
		}
	}
	if inference := settings.Inference; inference != nil {
		if inference.Enabled != nil {
			config.Inference = *inference.Enabled
		}
		if inference.MinimumScore != nil {
			config.MinimumScore = *inference.MinimumScore
		}
	}
	config.RuleEnds = make(map[seshat.RuleID]correlate.RuleEnds)
	for _, r := range rules.Rules() {
		if r.IdleTimeout > 0 || r.AbsoluteLifetime > 0 {
			config.RuleEnds[r.ID] = correlate.RuleEnds{IdleTimeout: r.IdleTimeout, AbsoluteLifetime: r.AbsoluteLifetime}
		}
	}
	return config
}
