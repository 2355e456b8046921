package main

import (
	"errors"
	"fmt"
	"strings"

	"github.com/seshat-project/seshat"
	"github.com/seshat-project/seshat/internal/filter"
	"github.com/seshat-project/seshat/internal/terminal"
)

// The exit codes. They are part of the interface: scripts depend on them.
const (
	exitDone        = 0
	exitFailed      = 1
	exitUsage       = 2
	exitInterrupted = 130 // what a shell makes of a program that SIGINT ended
)

// exitCode is the one place that maps errors to exit codes.
func exitCode(err error) int {
	switch {
	case err == nil:
		return exitDone
	case errors.Is(err, errInterrupted):
		return exitInterrupted
	}
	switch seshat.KindOfError(err) {
	case seshat.ErrorUsage:
		return exitUsage
	case seshat.ErrorInternal, seshat.ErrorInvalid, seshat.ErrorNotFound, seshat.ErrorConflict,
		seshat.ErrorUnavailable, seshat.ErrorUnsupported:
		return exitFailed
	default:
		return exitFailed
	}
}

// errReported is an error that was printed already; only the exit code is left to say.
var errReported = errors.New("reported")

// usageError is an error of the command line.
func usageError(op, what, hint string) error {
	return &seshat.Error{Kind: seshat.ErrorUsage, Op: op, Err: errors.New(what), Hint: hint}
}

// printError writes err as lines that begin with "seshat: ", or with the place where the fault is, so that editors
// find it.
func (a *app) printError(err error) {
	var faults seshat.Faults
	var bad *filter.Error
	// Only errors that were joined here are taken apart: one further down belongs to what is said around it.
	if several, ok := err.(interface{ Unwrap() []error }); ok { //nolint:errorlint // see above
		for _, one := range several.Unwrap() {
			a.printError(one)
		}
		return
	}
	switch {
	case err == nil, errors.Is(err, errReported):
	case errors.As(err, &bad):
		a.complain(bad.Error())
		// The lines between message and hint: the filter, and a caret below the column.
		lines := strings.Split(bad.Detail(), "\n")
		fmt.Fprintf(a.stderr, "%s\n%s\n", terminal.Escape(lines[1]), lines[2])
	case errors.As(err, &faults):
		for i := range faults {
			if a.told != nil {
				a.told.Error(faults[i].String())
				continue
			}
			fmt.Fprintln(a.stderr, terminal.Escape(faults[i].String()))
		}
		a.complain(terminal.Plural(int64(len(faults)), "fault", "faults"))
	default:
		a.complain(err.Error())
	}
}

// complain writes one line about something that went wrong.
func (a *app) complain(text string) {
	if a.told != nil {
		a.told.Error(text)
		return
	}
	fmt.Fprintln(a.stderr, "seshat: "+terminal.Escape(text))
}

// note writes one line beside the result, unless --quiet is given.
func (a *app) note(format string, args ...any) {
	if a.told != nil {
		a.told.Info(fmt.Sprintf(format, args...))
		return
	}
	if !a.quiet {
		fmt.Fprintln(a.stderr, terminal.Escape(fmt.Sprintf(format, args...)))
	}
}
