//go:build unix

package test

import (
	"os"
	"runtime"
	"syscall"
	"testing"
)

// peakOf is the most memory that a process that ended ever had, in bytes.
func peakOf(state *os.ProcessState) int64 {
	usage, ok := state.SysUsage().(*syscall.Rusage)
	if !ok {
		return 0
	}
	if runtime.GOOS == "darwin" {
		return usage.Maxrss // bytes there, kibibytes elsewhere
	}
	return usage.Maxrss * 1024
}

// makePipe makes a named pipe.
func makePipe(t testing.TB, path string) {
	t.Helper()
	if err := syscall.Mkfifo(path, 0o600); err != nil {
		t.Fatal(err)
	}
}
