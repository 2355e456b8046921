package main

import (
	"testing"
	"time"

	"github.com/seshat-project/seshat"
)

func TestTimeRange(t *testing.T) {
	now := time.Date(2026, 3, 10, 12, 0, 0, 0, time.UTC)
	f := func(since, until, wantSince, wantUntil string) {
		t.Helper()
		from, to, err := (&timeRange{since, until}).bounds(now)
		if err != nil || rfc3339(from) != wantSince || rfc3339(to) != wantUntil {
			t.Errorf("--since %q --until %q is %s to %s, %v; want %s to %s", since, until, rfc3339(from), rfc3339(to), err, wantSince, wantUntil)
		}
	}
	f("", "", "2026-03-09T12:00:00Z", "")
	f("all", "", "", "")
	f("all", "all", "", "")
	f("90m", "", "2026-03-10T10:30:00Z", "")
	f("now-7d", "now", "2026-03-03T12:00:00Z", "2026-03-10T12:00:00Z")
	f("2h", "1h", "2026-03-10T10:00:00Z", "2026-03-10T11:00:00Z")
	f("2026-01-02", "2026-01-02", "2026-01-02T00:00:00Z", "2026-01-03T00:00:00Z")
	f("2026-01-02T03:04", "2026-01-02T03:04", "2026-01-02T03:04:00Z", "2026-01-02T03:05:00Z")
	f("2026-01-02 03:04:05Z", "2026-01-02 03:04:05", "2026-01-02T03:04:05Z", "2026-01-02T03:04:06Z")
	f("2026-01-02T03:04:05.678+02:00", "", "2026-01-02T01:04:05.678Z", "")
	f("", "2026-01-02", "2026-01-02T00:00:00Z", "2026-01-03T00:00:00Z")

	bad := func(since, until string) {
		t.Helper()
		if _, _, err := (&timeRange{since, until}).bounds(now); seshat.KindOfError(err) != seshat.ErrorUsage {
			t.Errorf("--since %q --until %q: %v; want an error of usage", since, until, err)
		}
	}
	bad("yesterday", "")
	bad("", "-1h")
	bad("2026-13-01", "")
	bad("1h", "2h")
	bad("2026-01-02T00:00:00Z", "2026-01-02T00:00:00Z")
}
