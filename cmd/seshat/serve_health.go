package main

import (
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"time"

	"github.com/seshat-project/seshat/internal/api/wire"
)

// status says how the instance is. It does not wait.
func (s *service) status() wire.Status {
	out := wire.Status{State: wire.StateOK, Version: version(), PID: os.Getpid(), Started: s.started}
	check := func(name, state, detail string) {
		out.Checks = append(out.Checks, wire.Check{Name: name, State: state, Detail: detail})
		if out.State != wire.StateFailing && state != wire.StateOK {
			out.State = state
		}
	}
	s.checkJournal(&out, check)
	s.checkRecorder(&out, check)
	s.checkDisk(&out, check)
	if err := s.node.ResourcesError(); err != nil {
		check("resources", wire.StateDegraded, "the newest are not in force: "+err.Error())
	} else {
		check("resources", wire.StateOK, "")
	}
	counts := s.node.Inline.Stats()
	out.Gateway = &wire.GatewayStatus{
		Exchanges: counts.Allowed + counts.Tagged + counts.Limited + counts.Blocked + counts.Observed,
		Refused:   counts.Limited + counts.Blocked,
	}
	for _, g := range s.gateways {
		out.Gateway.Addresses = append(out.Gateway.Addresses, g.address)
	}
	return out
}

func (s *service) checkJournal(out *wire.Status, check func(name, state, detail string)) {
	p := s.node.Publisher.Stats()
	out.Journal = &wire.JournalStatus{
		Kind: "embedded", Queued: p.Appended - p.Acknowledged, Dropped: p.Dropped, Batches: p.Batches,
	}
	if s.config.NATS != nil || s.config.Cluster != nil {
		out.Journal.Kind = "cluster"
	}
	switch {
	case p.LastError != nil && s.config.Journal.FailClosed:
		check("journal", wire.StateFailing, "it takes nothing, and traffic is refused: "+p.LastError.Error())
	case p.LastError != nil:
		check("journal", wire.StateDegraded, "it takes nothing, and exchanges are dropped when the queue is full: "+p.LastError.Error())
	case p.Dropped > 0:
		check("journal", wire.StateOK, fmt.Sprintf("%d exchanges were dropped since the start", p.Dropped))
	default:
		check("journal", wire.StateOK, "")
	}
}

func (s *service) checkRecorder(out *wire.Status, check func(name, state, detail string)) {
	if s.node.Recorder == nil {
		return
	}
	r := s.node.Recorder.Stats()
	out.Recorder = &wire.RecorderStatus{Pending: int64(r.Read - r.Settled), LagSeconds: s.behind().Seconds(), Stored: r.Stored} //nolint:gosec // settled is behind read
	switch err := s.node.RecorderError(); {
	case err != nil:
		check("recorder", wire.StateDegraded, "nothing is recorded any more; the journal keeps what comes: "+err.Error())
	case r.LastError != nil:
		check("recorder", wire.StateDegraded, "what is in the journal cannot be stored: "+r.LastError.Error())
	default:
		check("recorder", wire.StateOK, "")
	}
}

// behind is how far the store is behind what the sources have told; 0 when nothing waits.
func (s *service) behind() time.Duration {
	r := s.node.Recorder.Stats()
	if r.Newest.IsZero() || r.Waiting == 0 && r.Read == r.Settled {
		return 0
	}
	return max(s.app.now().Sub(r.Newest), 0)
}

// healthz says that the process lives.
func (s *service) healthz(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	_, _ = fmt.Fprintln(w, "ok")
}

// readyz says whether traffic can be taken: 503 when it would be refused. Whoever asks is told no more than that: what
// is wrong is for those who may ask the API.
func (s *service) readyz(w http.ResponseWriter, _ *http.Request) {
	status := s.status()
	type part struct {
		Name  string `json:"name"`
		State string `json:"state"`
	}
	short := struct {
		State  string `json:"state"`
		Checks []part `json:"checks"`
	}{State: status.State}
	for _, c := range status.Checks {
		short.Checks = append(short.Checks, part{c.Name, c.State})
	}
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Cache-Control", "no-store")
	if s.ending.Load() {
		short.State = "ending"
	}
	if status.State == wire.StateFailing || s.ending.Load() {
		w.WriteHeader(http.StatusServiceUnavailable)
	}
	_ = json.NewEncoder(w).Encode(short)
}
