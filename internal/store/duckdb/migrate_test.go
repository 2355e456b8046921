package duckdb

import (
	"context"
	"io/fs"
	"os"
	"reflect"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"github.com/seshat-project/seshat"
	"github.com/seshat-project/seshat/internal/store"
)

// upTo returns the migrations up to a version, and a made-up one behind the newest.
func upTo(t *testing.T, version int, more ...string) fs.FS {
	t.Helper()
	steps, err := migrations(migrationFiles)
	if err != nil {
		t.Fatal(err)
	}
	files := fstest.MapFS{}
	for _, step := range steps[:version] {
		files["migrations/"+pad(step.version)+"_step.sql"] = &fstest.MapFile{Data: []byte(step.sql)}
	}
	for i, sql := range more {
		files["migrations/"+pad(version+i+1)+"_more.sql"] = &fstest.MapFile{Data: []byte(sql)}
	}
	return files
}

func pad(version int) string {
	return strings.Repeat("0", 4-len(string(rune('0'+version)))) + string(rune('0'+version))
}

// TestUpgrade brings a database of version 1, with rows in every table, to the newest version, and reads it.
func TestUpgrade(t *testing.T) {
	ctx, dir := context.Background(), t.TempDir()
	rows, err := os.ReadFile("testdata/version1.sql")
	if err != nil {
		t.Fatal(err)
	}
	// Version 1 as it was made then: its own migration, and rows as SQL.
	s := &Store{dir: dir}
	if s.lock, err = lockDirectory(ctx, dir, 0); err != nil {
		t.Fatal(err)
	}
	if err := s.attach(ctx, Options{}); err != nil {
		t.Fatal(err)
	}
	if err := migrate(ctx, s.conn, upTo(t, 1)); err != nil {
		t.Fatal(err)
	}
	if _, err := s.conn.ExecContext(ctx, string(rows)); err != nil {
		t.Fatal(err)
	}
	if err := s.release(); err != nil {
		t.Fatal(err)
	}
	now, err := Open(ctx, dir, Options{})
	if err != nil {
		t.Fatalf("open a database of version 1: %v", err)
	}
	defer func() { _ = now.Close() }()
	x, err := now.Exchange(ctx, "e1")
	if err != nil || x.Path != "/orders/42" || x.Endpoint != "/orders/{var1}" || x.Session != (seshat.SessionID{0x11}) || len(x.IDs) != 1 || len(x.Parameters) != 1 {
		t.Errorf("exchange %+v, %v; want that of version 1", x, err)
	}
	session, err := now.Session(ctx, seshat.SessionID{0x11})
	if err != nil || session.User != "alice" || session.Exchanges != 1 || len(session.ClientSessionIDs) != 1 {
		t.Errorf("session %+v, %v; want that of version 1", session, err)
	}
	state, err := now.LoadState(ctx, []seshat.Digest{{0x22}})
	if err != nil || string(state[seshat.Digest{0x22}]) != "state" {
		t.Errorf("state %q, %v; want that of version 1", state, err)
	}
	refused := &seshat.Observation{
		Key: 256, Time: x.Time.Add(time.Second), Method: "GET", Host: "api.shop.example", Path: "/", Status: 429,
		Verdict: seshat.ObservedVerdict{Action: seshat.ActionLimit, By: "Limit/login", Tags: []string{"Limit/strict"}},
	}
	if err := now.Commit(ctx, &store.Batch{StoredAt: x.Time, Exchanges: []seshat.Assigned{{Observation: refused, Session: x.Session}}}); err != nil {
		t.Fatalf("store on: %v", err)
	}
	session, err = now.Session(ctx, x.Session)
	if err != nil || session.Exchanges != 2 || session.Refused != 1 {
		t.Errorf("session %+v, %v; want one more exchange, which was refused", session, err)
	}
	y, err := now.Exchange(ctx, "0000000000000100")
	if err != nil || !reflect.DeepEqual(y.Verdict, refused.Verdict) || !reflect.DeepEqual(x.Verdict, seshat.ObservedVerdict{}) {
		t.Errorf("verdicts %+v and %+v, %v; want none and %+v", x.Verdict, y.Verdict, err, refused.Verdict)
	}
	if position, err := now.Position(ctx, "file"); err != nil || string(position) != "7" {
		t.Errorf("position %q, %v; want 7", position, err)
	}
}

func TestMigrate(t *testing.T) {
	ctx, dir := context.Background(), t.TempDir()
	s, err := Open(ctx, dir, Options{})
	if err != nil {
		t.Fatal(err)
	}
	steps, err := migrations(migrationFiles)
	if err != nil {
		t.Fatal(err)
	}
	newest := len(steps)
	// A step that fails leaves the version that was.
	if err := migrate(ctx, s.conn, upTo(t, newest, "CREATE TABLE added (x INTEGER)", "nonsense")); err == nil {
		t.Error("a broken step was taken")
	}
	if version, err := schemaVersion(ctx, s.conn); err != nil || version != newest {
		t.Errorf("version %d, %v after a broken step; want %d", version, err, newest)
	}
	if err := migrate(ctx, s.conn, upTo(t, newest, "CREATE TABLE added (x INTEGER)")); err != nil {
		t.Fatalf("the next step: %v", err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	// To this program, the database is now from the future.
	_, err = Open(ctx, dir, Options{})
	if seshat.KindOfError(err) != seshat.ErrorUnsupported {
		t.Fatalf("a newer database: %v; want unsupported", err)
	}
	for _, want := range []string{"version 3", "up to 2", "newer seshat"} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("error %q does not say %q", err, want)
		}
	}
	// It was let go of, and not changed.
	if _, err := Open(ctx, dir, Options{}); seshat.KindOfError(err) != seshat.ErrorUnsupported {
		t.Errorf("again: %v; want unsupported", err)
	}
}

func TestMigrationNames(t *testing.T) {
	for _, name := range []string{"0002_gap.sql", "one.sql", "0001.5_x.sql"} {
		if _, err := migrations(fstest.MapFS{"migrations/" + name: &fstest.MapFile{}}); err == nil || !strings.Contains(err.Error(), "0001_") {
			t.Errorf("migrations(%s) = %v; want an error that says what the name must be", name, err)
		}
	}
}
