package api_test

import (
	"time"

	"github.com/seshat-project/seshat/internal/live"
)

// endedFeed is a feed whose streams end at once.
func endedFeed() *live.Feed {
	f := live.NewFeed(func() time.Time { return start.Add(time.Hour) })
	f.Close()
	return f
}
