package correlate_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/seshat-project/seshat"
	"github.com/seshat-project/seshat/internal/correlate"
)

// BenchmarkProcess correlates requests of a thousand sessions by turns, each with a cookie and a token.
func BenchmarkProcess(b *testing.B) {
	const sessions = 1000
	observations := make([]*seshat.Observation, sessions)
	for i := range observations {
		line := fmt.Sprintf("0 device%d > c:A%d a:T%d@user%d", i, i, i, i)
		observations[i] = parseLine(&testing.T{}, i, strings.Fields(line))
	}
	c := correlate.New(correlate.DefaultConfig(newSessionID))
	b.ReportAllocs()
	for i := 0; b.Loop(); i++ {
		o := observations[i%sessions]
		o.Time = epoch.Add(time.Duration(i) * time.Millisecond)
		c.Process(o)
		if i%16384 == 16383 {
			c.Flush()
		}
	}
}

// BenchmarkStart correlates first requests: each starts a session.
func BenchmarkStart(b *testing.B) {
	c := correlate.New(correlate.DefaultConfig(newSessionID))
	o := parseLine(&testing.T{}, 0, strings.Fields("0 device > c:A"))
	b.ReportAllocs()
	for i := 0; b.Loop(); i++ {
		o.Time = epoch.Add(time.Duration(i) * time.Millisecond)
		o.IDs[0].Digest = digest(fmt.Sprint(i))
		o.IDs[1].Digest = digest("device", fmt.Sprint(i))
		c.Process(o)
		if i%16384 == 16383 {
			c.Flush()
			c.Forget()
		}
	}
}
