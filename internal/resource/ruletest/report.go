package ruletest

import (
	"bufio"
	"fmt"
	"io"
	"strings"
)

// WriteText prints the report for people: one line for each test, and under it what is wrong with it.
func (r *Report) WriteText(out io.Writer) error {
	b := bufio.NewWriter(out)
	for _, fault := range r.Faults {
		fmt.Fprintln(b, fault.String())
	}
	passed, failed, skipped := 0, 0, 0
	for i := range r.Results {
		result := &r.Results[i]
		switch {
		case result.Skipped != "":
			skipped++
			fmt.Fprintf(b, "skip  %s (%s)\n", result.Name, result.Skipped)
		case result.Passed():
			passed++
			fmt.Fprintf(b, "ok    %s\n", result.Name)
		default:
			failed++
			fmt.Fprintf(b, "FAIL  %s\n", result.Name)
			writeFailures(b, result.Failures)
		}
	}
	fmt.Fprintf(b, "%s: %d passed, %d failed, %d skipped\n", r.File, passed, failed, skipped)
	return b.Flush()
}

func writeFailures(b *bufio.Writer, failures []Failure) {
	for _, f := range failures {
		fmt.Fprintf(b, "  %s:%d:%d: %s\n    want %s\n    got  %s\n", f.File, f.Line, f.Column, f.Field, f.Want, f.Got)
	}
	if len(failures) == 0 || failures[0].Because == "" {
		return
	}
	// All failures of one test have the same explanation.
	fmt.Fprintln(b, "  because")
	for line := range strings.Lines(failures[0].Because) {
		fmt.Fprint(b, "    "+line)
	}
}
