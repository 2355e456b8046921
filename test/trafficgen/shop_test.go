package main

import (
	"bytes"
	"compress/gzip"
	"io"
	"os"
	"testing"
)

// TestSampleCapture checks that the capture in the repository is what the generator makes. When the shop was changed
// on purpose, make it again as examples/README.md says.
func TestSampleCapture(t *testing.T) {
	_, want, _ := made(t, shopName, 1)
	const name = "../../examples/shop.ndjson.gz"
	file, err := os.Open(name)
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	unpacked, err := gzip.NewReader(file)
	if err != nil {
		t.Fatal(err)
	}
	got, err := io.ReadAll(unpacked)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(got, []byte(want)) {
		t.Errorf("%s is not what the generator makes: %d bytes, made %d", name, len(got), len(want))
	}
	if info, err := file.Stat(); err != nil || info.Size() > 400<<10 {
		t.Errorf("%s: %v, %v; it should stay below 400 KiB", name, info, err)
	}
}

// TestShopHasItsStories checks the truth of what the sample is there to show.
func TestShopHasItsStories(t *testing.T) {
	rows, _, _ := made(t, shopName, 1)
	sessions, labels := map[string]map[string]bool{}, map[string]map[label]bool{}
	for i := range rows {
		user := rows[i].session.user
		if sessions[user] == nil {
			sessions[user], labels[user] = map[string]bool{}, map[label]bool{}
		}
		sessions[user][rows[i].session.id] = true
		labels[user][rows[i].label] = true
	}
	f := func(user string, wantSessions int, wantLabels ...label) {
		t.Helper()
		if len(sessions[user]) != wantSessions {
			t.Errorf("%s has %d sessions, want %d", user, len(sessions[user]), wantSessions)
		}
		for _, l := range wantLabels {
			if !labels[user][l] {
				t.Errorf("%s has no exchange that is %s", user, l)
			}
		}
	}
	f("alice", 1, stolenCookie, logoutReuse)
	f("bob", 1)
	f("carol", 2)
	f("dave", 1)
	f("erin", 2, rotatedRefreshReuse)
	f("frank", 2)
	f("mallory", 1, bolaEnumeration)
	f("svc-warehouse-sync", 1)
	f("judy", 1)
}
