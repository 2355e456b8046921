package main

import (
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/seshat-project/seshat"
)

// slowStore closes when it may.
type slowStore struct {
	may chan struct{}
	err error
}

func (c slowStore) Close() error {
	<-c.may
	return c.err
}

func TestCloseWithin(t *testing.T) {
	failed := errors.New("the disk is full")
	synctest.Test(t, func(t *testing.T) {
		open := make(chan struct{})
		close(open)
		if err := closeWithin(time.Second, slowStore{open, failed}); !errors.Is(err, failed) {
			t.Errorf("closing that fails: %v", err)
		}
		never, start := make(chan struct{}), time.Now()
		if err := closeWithin(time.Minute, slowStore{never, nil}); seshat.KindOfError(err) != seshat.ErrorUnavailable {
			t.Errorf("closing that does not end: %v", err)
		}
		if took := time.Since(start); took != time.Minute {
			t.Errorf("it was given up after %s", took)
		}
		close(never)
	})
}
