package memory_test

import (
	"testing"
	"time"

	"github.com/seshat-project/seshat/internal/store"
	"github.com/seshat-project/seshat/internal/store/memory"
	"github.com/seshat-project/seshat/internal/store/storetest"
)

func TestConformance(t *testing.T) {
	storetest.Run(t, func(_ testing.TB, now time.Time) store.Store {
		return memory.New(func() time.Time { return now })
	})
}

func TestFields(t *testing.T) { storetest.Fields(t) }
