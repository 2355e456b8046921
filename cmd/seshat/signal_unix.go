//go:build unix

package main

import (
	"os"
	"os/signal"
	"syscall"
)

// ignoreFileSizeSignal makes writing beyond the limit for the size of a file (ulimit -f) an error that is reported like
// that of a full disk. By default the signal ends the process in the middle of its work.
func ignoreFileSizeSignal() { signal.Ignore(syscall.SIGXFSZ) }

// hangups delivers SIGHUP until stop is called.
func hangups() (signals <-chan os.Signal, stop func()) {
	c := make(chan os.Signal, 1)
	signal.Notify(c, syscall.SIGHUP)
	return c, func() { signal.Stop(c) }
}
