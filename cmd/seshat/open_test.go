package main

import (
	"bytes"
	"errors"
	"testing"
)

type closer struct{ err error }

func (c closer) Close() error { return c.err }

func TestCloseRead(t *testing.T) {
	f := func(err error, want string) {
		t.Helper()
		var stderr bytes.Buffer
		(&app{stderr: &stderr}).closeRead(closer{err})
		if stderr.String() != want {
			t.Errorf("closing with %v says %q; want %q", err, stderr.String(), want)
		}
	}
	f(nil, "")
	f(errors.New("the disk is full"), "seshat: warning: the disk is full\n")
}
