package main

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/seshat-project/seshat"
	"github.com/seshat-project/seshat/internal/filter"
)

// parseFilter reads the filter that the arguments of a command make up. Words that the shell took apart belong
// together, so that quotes are needed only where the shell would touch the text itself.
func (a *app) parseFilter(args []string, fields *filter.Fields) (filter.Expr, error) {
	words := make([]string, len(args))
	for i, arg := range args {
		words[i] = strings.TrimPrefix(arg, " ") // see shieldNegated; the error shows what was typed
	}
	expr, err := filter.Parse(strings.Join(words, " "), fields, a.now())
	if err != nil {
		return nil, &seshat.Error{Kind: seshat.ErrorUsage, Op: "read the filter", Err: err}
	}
	return expr, nil
}

// checkFormat returns an error of usage unless format is one of formats.
func checkFormat(format string, formats ...string) error {
	return checkWord("--format", format, formats...)
}

func checkWord(flag, word string, words ...string) error {
	if slices.Contains(words, word) {
		return nil
	}
	return usageError(flag, `"`+word+`" is not one of them`, strings.Join(words, ", "))
}

func checkLimit(limit int) error {
	if limit < 0 {
		return usageError("--limit", "a limit cannot be negative", "0 is no limit")
	}
	return nil
}

// formatFlag adds --format with its completion.
func formatFlag(cmd *cobra.Command, to *string, formats ...string) {
	cmd.Flags().StringVar(to, "format", formats[0], "`form` of the output: "+strings.Join(formats, ", "))
	completeFlag(cmd, "format", formats...)
}

func completeFlag(cmd *cobra.Command, flag string, words ...string) {
	// It fails only for a flag that is not there.
	_ = cmd.RegisterFlagCompletionFunc(flag, cobra.FixedCompletions(words, cobra.ShellCompDirectiveNoFileComp))
}

// fieldsHelp lists the fields of a filter for the help of a command.
func fieldsHelp(fields *filter.Fields) string {
	var b strings.Builder
	for _, f := range fields.All() {
		name := f.Name
		if f.Family {
			name += ".NAME"
		}
		fmt.Fprintf(&b, "  %-22s %s\n", name, f.Example)
	}
	return b.String()
}

// rfc3339 is a time as it is written for machines. Microseconds are what is kept.
func rfc3339(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.UTC().Format("2006-01-02T15:04:05.999999Z07:00")
}
