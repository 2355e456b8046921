package main

import (
	"bytes"
	"context"
	"errors"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/seshat-project/seshat/internal/ingest/ndjson"
)

// made is what generate makes, as it is written.
func made(t *testing.T, shape string, seed uint64) (rows []row, text, truth string) {
	t.Helper()
	rows, err := generate(shape, "", seed, 60)
	if err != nil {
		t.Fatal(err)
	}
	var lines, table bytes.Buffer
	for i := range rows {
		line, err := rows[i].exchange.line()
		if err != nil {
			t.Fatal(err)
		}
		lines.Write(line)
	}
	if err := writeTruth(&table, rows); err != nil {
		t.Fatal(err)
	}
	return rows, lines.String(), table.String()
}

func shapeList() []string { return strings.Split(shapeNames(), ", ") }

func TestSameSeedSameBytes(t *testing.T) {
	for _, shape := range shapeList() {
		_, text, truth := made(t, shape, 5)
		_, again, truthAgain := made(t, shape, 5)
		if text != again || truth != truthAgain {
			t.Errorf("%s: one seed gives two different outputs", shape)
		}
		if _, other, _ := made(t, shape, 6); text == other {
			t.Errorf("%s: two seeds give the same output", shape)
		}
	}
}

// TestReadable reads everything back with the product's own reader.
func TestReadable(t *testing.T) {
	for _, shape := range shapeList() {
		rows, text, truth := made(t, shape, 1)
		reader := ndjson.NewReader(strings.NewReader(text))
		seen := map[string]bool{}
		for i := 0; ; i++ {
			x, _, err := reader.Read(context.Background())
			if errors.Is(err, io.EOF) {
				break
			}
			if err != nil {
				t.Fatalf("%s: exchange %d: %v", shape, i, err)
			}
			want := &rows[i]
			if seen[x.ID] || x.ID != want.exchange.ID {
				t.Fatalf("%s: exchange %d has the ID %q", shape, i, x.ID)
			}
			seen[strings.Clone(x.ID)] = true // the reader uses its memory again
			if d := x.Time.Sub(want.time); d > time.Microsecond || d < -time.Microsecond {
				t.Errorf("%s: %s is at %v, not %v", shape, x.ID, x.Time, want.time)
			}
			if !x.Client.IP.IsValid() || x.Response.Status < 200 || x.Service == "" || len(x.Request.Header) == 0 {
				t.Errorf("%s: %s is not complete: %+v", shape, x.ID, x)
			}
			if !strings.Contains(truth, "\n"+x.ID+",s") {
				t.Errorf("%s: the truth does not have %s", shape, x.ID)
			}
		}
		if len(seen) != len(rows) || strings.Count(truth, "\n") != len(rows)+1 {
			t.Errorf("%s: %d exchanges made, %d read, %d lines of truth", shape, len(rows), len(seen), strings.Count(truth, "\n"))
		}
	}
}

// TestTruthHolds checks rules of the truth that must hold whatever was drawn.
func TestTruthHolds(t *testing.T) {
	for _, shape := range shapeList() {
		for seed := range uint64(5) {
			rows, _, _ := made(t, shape, seed)
			checkTruth(t, shape, rows)
		}
	}
}

func checkTruth(t *testing.T, shape string, rows []row) {
	t.Helper()
	sessions := map[string]*session{}
	users := map[string]bool{}
	for i := range rows {
		r := &rows[i]
		if r.session == nil || r.session.user == "" || r.label == "" {
			t.Fatalf("%s: %s has no complete truth: %+v", shape, r.exchange.ID, r)
		}
		if other := sessions[r.session.id]; other != nil && other != r.session {
			t.Errorf("%s: two sessions are called %s", shape, r.session.id)
		}
		sessions[r.session.id] = r.session
		users[r.session.user] = true
	}
	// A secret never occurs in the sessions of two users: tokens and cookies are drawn, not shared.
	owner := map[string]string{}
	for i := range rows {
		r := &rows[i]
		for _, header := range r.exchange.Request.Headers {
			if header[0] != "Authorization" {
				continue
			}
			if user, ok := owner[header[1]]; ok && user != r.session.user {
				t.Errorf("%s: %s shows a token of %s, and belongs to %s", shape, r.exchange.ID, user, r.session.user)
			}
			owner[header[1]] = r.session.user
		}
	}
	if len(users) < 10 && shape != shopName {
		t.Errorf("%s: only %d users", shape, len(users))
	}
}

// TestLateness checks that lines are out of order where the shape says so, and by less than a stream may be late.
func TestLateness(t *testing.T) {
	f := func(shape string, wantLate bool) {
		t.Helper()
		rows, _, _ := made(t, shape, 2)
		newest, worst := rows[0].time, time.Duration(0)
		for i := range rows {
			worst = max(worst, newest.Sub(rows[i].time))
			if rows[i].time.After(newest) {
				newest = rows[i].time
			}
		}
		if (worst > 0) != wantLate || worst > 10*time.Second {
			t.Errorf("%s: a line is %v late", shape, worst)
		}
	}
	f("web", false)
	f("storm", true)
	f("mixed", true)
}

// TestVariety checks that the large mix has what it is there for.
func TestVariety(t *testing.T) {
	rows, err := generate("mixed", "", 1, 600)
	if err != nil {
		t.Fatal(err)
	}
	var labels []label
	addresses, users := map[string]map[string]bool{}, map[string]map[string]bool{}
	add := func(m map[string]map[string]bool, key, value string) {
		if m[key] == nil {
			m[key] = map[string]bool{}
		}
		m[key][value] = true
	}
	for i := range rows {
		if !slices.Contains(labels, rows[i].label) {
			labels = append(labels, rows[i].label)
		}
		add(addresses, rows[i].session.id, rows[i].exchange.Client.IP)
		add(users, rows[i].exchange.Client.IP, rows[i].session.user)
	}
	for _, want := range []label{benign, expiredReplay, rotatedRefreshReuse, stolenCookie, stolenToken, bolaEnumeration, credentialStuffing, logoutReuse, scraper} {
		if !slices.Contains(labels, want) {
			t.Errorf("no exchange is labelled %s", want)
		}
	}
	roaming, shared := 0, 0
	for _, a := range addresses {
		if len(a) > 1 {
			roaming++
		}
	}
	for _, u := range users {
		if len(u) >= 5 {
			shared++
		}
	}
	if roaming < 30 || shared < 3 {
		t.Errorf("%d sessions with several addresses, %d addresses with five users or more; that is too few", roaming, shared)
	}
}

func TestRun(t *testing.T) {
	folder := filepath.Join(t.TempDir(), "new", "folder")
	var out, complaints bytes.Buffer
	if err := run([]string{"-shape", "api", "-sessions", "5", "-seed", "9", "-pace", "fast", "-o", folder}, &out, &complaints); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"exchanges.ndjson.gz", "truth.csv"} {
		if info, err := os.Stat(filepath.Join(folder, name)); err != nil || info.Size() == 0 {
			t.Errorf("%s: %v", name, err)
		}
	}
	if err := run([]string{"-shape", "nonsense", "-o", folder}, &out, &complaints); err == nil || !strings.Contains(err.Error(), "use one of api, mixed,") {
		t.Errorf("an unknown shape: %v", err)
	}
	if err := run(nil, &out, &complaints); !errors.Is(err, errUsage) {
		t.Errorf("no flags: %v", err)
	}
}
