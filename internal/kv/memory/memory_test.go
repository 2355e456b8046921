package memory_test

import (
	"testing"
	"time"

	"github.com/seshat-project/seshat/internal/kv"
	"github.com/seshat-project/seshat/internal/kv/kvtest"
	"github.com/seshat-project/seshat/internal/kv/memory"
)

func TestStore(t *testing.T) {
	kvtest.Run(t, func(_ *testing.T) kv.Store { return memory.New(time.Now) })
}
