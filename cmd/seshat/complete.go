package main

import (
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/seshat-project/seshat/internal/filter"
)

// completeWait is how long completion waits for another process: the shell stands still meanwhile.
const completeWait = 200 * time.Millisecond

// completeMost is how many session IDs are offered.
const completeMost = 40

// completeFilter offers the names of fields for the word that is being typed.
func completeFilter(fields *filter.Fields) cobra.CompletionFunc {
	return func(_ *cobra.Command, _ []string, word string) ([]string, cobra.ShellCompDirective) {
		before := ""
		if i := strings.LastIndexAny(word, " (-"); i >= 0 {
			before, word = word[:i+1], word[i+1:]
		}
		var out []string
		for _, f := range fields.All() {
			name := f.Name + ":"
			if f.Family {
				name = f.Name + "."
			}
			if strings.HasPrefix(name, word) {
				out = append(out, before+name)
			}
		}
		return out, cobra.ShellCompDirectiveNoSpace | cobra.ShellCompDirectiveNoFileComp
	}
}

// completeSessions offers session IDs. It says nothing when the store cannot be had.
func (a *app) completeSessions(cmd *cobra.Command, args []string, word string) ([]string, cobra.ShellCompDirective) {
	const directive = cobra.ShellCompDirectiveNoFileComp
	if len(args) > 0 || a.checkGlobals() != nil {
		return nil, directive
	}
	if s, err := a.openWithin(cmd.Context(), completeWait); err == nil {
		defer func() { _ = s.Close() }() // it was only read
		ids, err := s.FindSessions(cmd.Context(), word, completeMost)
		if err != nil {
			return nil, directive
		}
		out := make([]string, len(ids))
		for i, id := range ids {
			out[i] = id.String()
		}
		return out, directive
	}
	return nil, directive
}

// completeColumns offers columns of explore behind the last comma.
func completeColumns(_ *cobra.Command, _ []string, word string) ([]string, cobra.ShellCompDirective) {
	before := ""
	if i := strings.LastIndexByte(word, ','); i >= 0 {
		before, word = word[:i+1], word[i+1:]
	}
	var out []string
	for _, c := range exchangeColumns() {
		if strings.HasPrefix(c.name, word) {
			out = append(out, before+c.name)
		}
	}
	return out, cobra.ShellCompDirectiveNoSpace | cobra.ShellCompDirectiveNoFileComp
}
