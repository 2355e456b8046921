package ruletest

import (
	"fmt"
	"slices"
	"strings"

	"github.com/seshat-project/seshat"
)

// runSequence runs a test of several exchanges: which of them make up a session.
func (r *runner) runSequence(t *test, path string, result Result) (Result, seshat.Faults) {
	want, faults := r.wantedGroups(t, path)
	exchanges := make([]seshat.Exchange, len(t.Exchanges))
	for i := range t.Exchanges {
		x, field, err := t.Exchanges[i].build(i)
		if err != nil {
			faults = append(faults, r.fault(fmt.Sprintf("%s.exchanges[%d].%s", path, i, field), err.Error(), ""))
		}
		exchanges[i] = x
	}
	if len(faults) > 0 {
		return result, faults
	}
	if r.options.Correlate == nil {
		result.Skipped = "sequences need correlation"
		return result, nil
	}
	sessions, err := r.options.Correlate(r.rules, exchanges)
	if err != nil || len(sessions) != len(exchanges) {
		return result, seshat.Faults{r.fault(path, fmt.Sprintf("correlation gave %d sessions: %v", len(sessions), err), "")}
	}
	got := groupBySession(sessions)
	if !slices.EqualFunc(want, got, slices.Equal) {
		line, column := r.document.Place(path + ".sessions")
		result.Failures = append(result.Failures, Failure{
			File: r.file, Line: line, Column: column, Field: "sessions", Want: formatGroups(want), Got: formatGroups(got),
			Because: r.groupingIDs(exchanges),
		})
	}
	return result, nil
}

// wantedGroups returns the groups of a test in the order of their first exchanges. Each exchange must be in one.
func (r *runner) wantedGroups(t *test, path string) ([][]int, seshat.Faults) {
	seen := make([]bool, len(t.Exchanges))
	var out [][]int
	for i, group := range t.Sessions {
		for j, exchange := range group {
			field := fmt.Sprintf("%s.sessions[%d][%d]", path, i, j)
			if exchange < 0 || exchange >= len(seen) {
				return nil, seshat.Faults{r.fault(field, fmt.Sprintf("there is no exchange %d", exchange), "they are counted from 0")}
			}
			if seen[exchange] {
				return nil, seshat.Faults{r.fault(field, fmt.Sprintf("exchange %d is in two sessions", exchange), "")}
			}
			seen[exchange] = true
		}
		out = append(out, slices.Sorted(slices.Values(group)))
	}
	if missing := slices.Index(seen, false); missing >= 0 {
		return nil, seshat.Faults{r.fault(path+".sessions", fmt.Sprintf("exchange %d is in no session", missing), "")}
	}
	slices.SortFunc(out, slices.Compare)
	return out, nil
}

// groupBySession returns the positions of equal sessions, in the order in which they begin.
func groupBySession(sessions []seshat.SessionID) [][]int {
	var out [][]int
	group := make(map[seshat.SessionID]int)
	for i, session := range sessions {
		at, ok := group[session]
		if !ok {
			at = len(out)
			group[session] = at
			out = append(out, nil)
		}
		out[at] = append(out[at], i)
	}
	return out
}

func formatGroups(groups [][]int) string {
	out := make([]string, len(groups))
	for i, group := range groups {
		out[i] = strings.ReplaceAll(fmt.Sprint(group), " ", ", ")
	}
	return "[" + strings.Join(out, ", ") + "]"
}

// groupingIDs says by which ID each exchange was identified.
func (r *runner) groupingIDs(exchanges []seshat.Exchange) string {
	var out strings.Builder
	worker := r.engine.NewWorker()
	for i := range exchanges {
		var id seshat.Identity
		worker.Identify(&exchanges[i], &id)
		fmt.Fprintf(&out, "exchange %d: %s\n", i, describe(&id.IDs[id.Grouping]))
	}
	return out.String()
}
