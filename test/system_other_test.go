//go:build !unix

package test

import (
	"os"
	"testing"
)

// peakOf is not known here.
func peakOf(*os.ProcessState) int64 { return 0 }

// makePipe makes a named pipe, where there are any.
func makePipe(t testing.TB, _ string) {
	t.Helper()
	skip(t, "this system has no named pipes")
}
