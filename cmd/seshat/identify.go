package main

import (
	"context"
	"errors"
	"io/fs"
	"os"

	"github.com/seshat-project/seshat"
	"github.com/seshat-project/seshat/internal/correlate"
	"github.com/seshat-project/seshat/internal/identify"
	"github.com/seshat-project/seshat/internal/pipeline"
	"github.com/seshat-project/seshat/internal/protect"
	"github.com/seshat-project/seshat/internal/rule"
	"github.com/seshat-project/seshat/internal/store/duckdb"
)

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
		correlation: pipeline.Correlation(rules, digester),
	}
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
