//go:build !unix

package duckdb_test

import (
	"errors"
	"time"
)

// processorTime is not known here.
func processorTime() time.Duration { return 0 }

func fill(string) error { return errors.ErrUnsupported }
