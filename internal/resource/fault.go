package resource

import (
	"cmp"
	"fmt"
	"slices"

	"github.com/seshat-project/seshat"
)

// faultList collects the faults of one input, up to MaxFaults.
type faultList struct {
	file    string
	faults  seshat.Faults
	dropped int
}

func (l *faultList) add(at position, field, message, hint string) {
	if len(l.faults) >= MaxFaults {
		l.dropped++
		return
	}
	l.faults = append(l.faults, seshat.Fault{
		File: l.file, Line: at.line, Column: at.column, Field: field, Message: message, Hint: hint,
	})
}

// result is the list in the order of the input, closed with a line that says how many faults were left out.
func (l *faultList) result() seshat.Faults {
	slices.SortStableFunc(l.faults, func(a, b seshat.Fault) int {
		return cmp.Or(cmp.Compare(a.Line, b.Line), cmp.Compare(a.Column, b.Column))
	})
	if l.dropped > 0 {
		l.faults = append(l.faults, seshat.Fault{
			File: l.file, Message: fmt.Sprintf("%d more faults are not shown", l.dropped),
		})
		l.dropped = 0
	}
	return l.faults
}
