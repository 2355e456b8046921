package accuracy

import (
	"fmt"
	"io"
	"slices"
	"strings"
)

// WriteText writes the report as a table for people.
func (r *Report) WriteText(w io.Writer) error {
	var b strings.Builder
	fmt.Fprintf(&b, "%-34s %9s %9s %9s   %-17s   %-17s %6s %9s %6s\n", "", "exchanges", "true", "predicted",
		"B-cubed P/R/F1", "pairwise P/R/F1", "mixed", "signed-in", "split")
	line := func(name string, s Score) {
		fmt.Fprintf(&b, "%-34s %9d %9d %9d   %s   %s %6d %9d %6d\n", name, s.Exchanges, s.TrueSessions, s.PredictedSessions,
			s.BCubed, s.Pairwise, s.MixedUsers, s.MixedSignedIn, s.Split)
	}
	line("all", r.Score)
	section := func(kind string, parts map[string]Score) {
		names := make([]string, 0, len(parts))
		for name := range parts {
			names = append(names, name)
		}
		slices.Sort(names)
		for _, name := range names {
			line(kind+" "+name, parts[name])
		}
	}
	section("service", r.ByService)
	section("label", r.ByLabel)
	if r.Missing > 0 {
		fmt.Fprintf(&b, "\n%d exchanges of the truth have no prediction; each counts as a session of its own.\n", r.Missing)
	}
	if r.Unknown > 0 {
		fmt.Fprintf(&b, "\n%d predictions are of exchanges that the truth does not have; they do not count.\n", r.Unknown)
	}
	if len(r.Mixed) > 0 {
		b.WriteString("\nSessions with two or more users that have an account, not known by the fallback alone:\n")
		for _, m := range r.Mixed {
			fmt.Fprintf(&b, "  %s: %s\n", m.Session, strings.Join(m.Users, ", "))
		}
	}
	_, err := io.WriteString(w, b.String())
	return err
}

// String is precision, recall and F1 with three places, as in "0.519/0.791/0.627".
func (r Ratio) String() string { return fmt.Sprintf("%.3f/%.3f/%.3f", r.Precision, r.Recall, r.F1) }
