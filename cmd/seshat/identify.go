package main

import (
	"context"
	"encoding/binary"
	"errors"
	"io/fs"
	"os"
	"time"

	"github.com/seshat-project/seshat"
	"github.com/seshat-project/seshat/internal/correlate"
	"github.com/seshat-project/seshat/internal/identify"
	"github.com/seshat-project/seshat/internal/pipeline"
	"github.com/seshat-project/seshat/internal/protect"
	"github.com/seshat-project/seshat/internal/rule"
	"github.com/seshat-project/seshat/internal/store/duckdb"
)

// sessionLabel is the label of the digests that session IDs are made of.
const sessionLabel = "session"

// newSessionID derives session IDs: a UUIDv8 (RFC 9562, section 5.8) of a keyed digest over the first client session
// ID and the start. So the same traffic has the same sessions, and an ID says nothing of what it was made of.
func newSessionID(d *protect.Digester) func(seshat.Digest, time.Time) seshat.SessionID {
	return func(first seshat.Digest, start time.Time) seshat.SessionID {
		at := binary.BigEndian.AppendUint64(nil, uint64(start.UnixMicro()))
		id := seshat.SessionID(d.HashLabelled(sessionLabel, string(first[:]), string(at)))
		id[6] = id[6]&0x0f | 0x80
		id[8] = id[8]&0x3f | 0x80
		return id
	}
}

// engines are what turns exchanges into sessions, by the rules of the data directory.
type engines struct {
	rules       *rule.Ruleset
	digester    *protect.Digester
	engine      *identify.Engine
	correlation correlate.Config
}

// engines reads the rules and the key of the data directory; the key is made when there is none.
func (a *app) engines(ctx context.Context) (*engines, error) {
	rules, err := a.ruleset(ctx)
	if err != nil {
		return nil, err
	}
	a.warnOfLostKey()
	ring, err := protect.LoadOrCreateKey(a.path(keyFile), a.now())
	if err != nil {
		return nil, err
	}
	return newEngines(rules, ring.Digester()), nil
}

// warnOfLostKey says that the key is gone with which what is stored was made into sessions. A new one is made then: the
// traffic goes on, and is not lost because of it.
func (a *app) warnOfLostKey() {
	_, noKey := os.Lstat(a.path(keyFile))
	_, noStore := os.Stat(a.path(duckdb.FileName))
	if errors.Is(noKey, fs.ErrNotExist) && noStore == nil {
		a.complain("warning: " + a.path(keyFile) + " is gone, and a new key is made: sessions that are stored do not go on, " +
			"and cannot be found by a client session ID (better restore the file from a backup before anything is imported)")
	}
}

func newEngines(rules *rule.Ruleset, digester *protect.Digester) *engines {
	return &engines{
		rules: rules, digester: digester, engine: identify.New(rules, digester),
		correlation: correlation(rules, digester),
	}
}

// correlation is how sessions are made by the settings and by the ends that rules set.
func correlation(rules *rule.Ruleset, digester *protect.Digester) correlate.Config {
	config := correlate.DefaultConfig(newSessionID(digester))
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

// correlateAll gives each exchange its session, as an import of just these exchanges would.
func correlateAll(e *engines, exchanges []seshat.Exchange) []seshat.SessionID {
	observer := pipeline.NewObserver(e.engine, e.digester)
	correlator := correlate.New(e.correlation)
	sessions := make([]seshat.SessionID, len(exchanges))
	for i := range exchanges {
		o := observer.Observe(&exchanges[i])
		o.Key = seshat.ExchangeKey(i + 1)
		sessions[i] = correlator.Process(o)
	}
	// A link may show later that two sessions were one.
	into := make(map[seshat.SessionID]seshat.SessionID)
	for _, facts := range correlator.Flush().Sessions {
		if !facts.MergedInto.IsZero() {
			into[facts.ID] = facts.MergedInto
		}
	}
	for i := range sessions {
		for next, merged := into[sessions[i]]; merged; next, merged = into[sessions[i]] {
			sessions[i] = next
		}
	}
	return sessions
}
