//go:build unix

package main

import (
	"os/signal"
	"syscall"
)

// ignoreFileSizeSignal makes writing beyond the limit for the size of a file (ulimit -f) an error that is reported like
// that of a full disk. By default the signal ends the process in the middle of its work.
func ignoreFileSizeSignal() { signal.Ignore(syscall.SIGXFSZ) }
