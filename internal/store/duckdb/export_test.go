package duckdb_test

import (
	"context"
	"database/sql"
	"encoding/csv"
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	_ "github.com/duckdb/duckdb-go/v2"
	"github.com/google/go-cmp/cmp"

	"github.com/seshat-project/seshat"
	"github.com/seshat-project/seshat/internal/filter"
	"github.com/seshat-project/seshat/internal/store"
	"github.com/seshat-project/seshat/internal/store/duckdb"
	"github.com/seshat-project/seshat/internal/store/storetest"
)

// exported are the rows of a file, by column, read with an engine of their own.
func exported(t *testing.T, path, format string) []map[string]any {
	t.Helper()
	db, err := sql.Open("duckdb", "")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = db.Close() }()
	read := "read_parquet"
	if format == "csv" {
		read = "read_csv"
	}
	rows, err := db.Query("SELECT * FROM "+read+"(?)", path)
	if err != nil {
		t.Fatalf("read %s: %v", path, err)
	}
	defer func() { _ = rows.Close() }()
	columns, err := rows.Columns()
	if err != nil {
		t.Fatal(err)
	}
	var list []map[string]any
	for rows.Next() {
		values, targets := make([]any, len(columns)), make([]any, len(columns))
		for i := range values {
			targets[i] = &values[i]
		}
		if err := rows.Scan(targets...); err != nil {
			t.Fatal(err)
		}
		row := make(map[string]any)
		for i, name := range columns {
			row[name] = values[i]
		}
		list = append(list, row)
	}
	if err := rows.Err(); err != nil {
		t.Fatal(err)
	}
	return list
}

func TestExport(t *testing.T) {
	s := open(t, t.TempDir(), duckdb.Options{})
	batch := storetest.NewTraffic(3, 5).Batch(120)
	storetest.Commit(t, s, batch)
	ctx, now := context.Background(), storetest.Start
	expr, err := filter.Parse("status:>=200", filter.Exchanges(), now)
	if err != nil {
		t.Fatal(err)
	}
	exchanges := store.Query{Now: now, Filter: expr, Limit: 40}
	wantExchanges := storetest.Exchanges(t, s, exchanges)
	wantSessions := storetest.Sessions(t, s, store.Query{Now: now})
	// A file name is the one text that is pasted into SQL.
	for _, name := range []string{"plain", "it's", `quo"te`, "a'; DROP TABLE exchanges; --", "semi;colon", "Ünïcode ✓", "per%cent", `back\slash`} {
		for _, format := range []string{"parquet", "csv"} {
			path := filepath.Join(t.TempDir(), name+"."+format)
			rows, err := s.Export(ctx, store.DatasetExchanges, format, exchanges, path)
			if err != nil || rows != int64(len(wantExchanges)) {
				t.Fatalf("Export(exchanges, %q) = %d, %v; want %d rows", path, rows, err, len(wantExchanges))
			}
			for i, row := range exported(t, path, format) {
				x := wantExchanges[i]
				if row["key"] != storetest.Key(x.Key) || row["session_id"] != x.Session.String() || format == "parquet" && row["id"] != x.ID {
					t.Fatalf("%s, row %d: %v; want exchange %s of session %s", name, i, row, x.ID, x.Session)
				}
			}
			path = filepath.Join(t.TempDir(), name+"."+format)
			if rows, err = s.Export(ctx, store.DatasetSessions, format, store.Query{Now: now}, path); err != nil || rows != int64(len(wantSessions)) {
				t.Fatalf("Export(sessions, %q) = %d, %v; want %d rows", path, rows, err, len(wantSessions))
			}
			for i, row := range exported(t, path, format) {
				if row["session_id"] != wantSessions[i].ID.String() || row["exchanges"] != wantSessions[i].Exchanges {
					t.Fatalf("%s, row %d: %v; want session %s", name, i, row, wantSessions[i].ID)
				}
			}
			if left, _ := filepath.Glob(filepath.Join(filepath.Dir(path), "*.part")); len(left) > 0 {
				t.Errorf("left behind: %v", left)
			}
		}
	}
}

// TestExportColumns checks the columns against docs/formats/export.md, and their values against an exchange.
func TestExportColumns(t *testing.T) {
	s := open(t, t.TempDir(), duckdb.Options{})
	storetest.Commit(t, s, storetest.NewTraffic(4, 3).Batch(60))
	page, err := os.ReadFile(filepath.Join("..", "..", "..", "docs", "formats", "export.md"))
	if err != nil {
		t.Fatal(err)
	}
	_, text, _ := strings.Cut(string(page), "## Exchanges")
	exchanges, sessions, _ := strings.Cut(text, "## Sessions")
	f := func(what store.Dataset, section string) [][]string {
		t.Helper()
		path := filepath.Join(t.TempDir(), "x.csv")
		if _, err := s.Export(context.Background(), what, "csv", store.Query{Now: storetest.Start}, path); err != nil {
			t.Fatal(err)
		}
		file, err := os.Open(path)
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _ = file.Close() }()
		records, err := csv.NewReader(file).ReadAll()
		if err != nil {
			t.Fatal(err)
		}
		var documented []string
		for line := range strings.Lines(section) {
			if name, found := strings.CutPrefix(line, "| `"); found {
				documented = append(documented, name[:strings.IndexByte(name, '`')])
			}
		}
		if diff := cmp.Diff(documented, records[0]); diff != "" {
			t.Errorf("columns of %s: -documented +exported\n%s", what, diff)
		}
		return records
	}
	f(store.DatasetSessions, sessions)
	records := f(store.DatasetExchanges, exchanges)
	column := func(name string) int { return slices.Index(records[0], name) }
	for i, x := range storetest.Exchanges(t, s, store.Query{}) {
		row := records[i+1]
		ip := ""
		if x.ClientIP.IsValid() {
			ip = x.ClientIP.String()
		}
		ids := make(map[string]string)
		for _, id := range x.IDs {
			if id.Origin != seshat.OriginFallback && id.Masked != "" {
				if _, there := ids[seshat.AttributeName(id.Rule, id.Index)]; !there {
					ids[seshat.AttributeName(id.Rule, id.Index)] = id.Masked
				}
			}
		}
		got := make(map[string]string)
		if err := json.Unmarshal([]byte(row[column("client_session_ids")]), &got); err != nil {
			t.Fatalf("client_session_ids %q: %v", row[column("client_session_ids")], err)
		}
		if row[column("ip")] != ip || row[column("endpoint")] != x.Endpoint || row[column("path")] != x.Path || len(got) != len(ids) {
			t.Errorf("row %d: %v; want %+v", i, row, x)
		}
	}
}

func TestExportRefuses(t *testing.T) {
	s := open(t, t.TempDir(), duckdb.Options{})
	ctx := context.Background()
	if _, err := s.Export(ctx, store.DatasetExchanges, "xls", store.Query{}, filepath.Join(t.TempDir(), "x")); seshat.KindOfError(err) != seshat.ErrorUnsupported {
		t.Errorf("format xls: %v; want unsupported", err)
	}
	missing := filepath.Join(t.TempDir(), "no", "such", "directory.csv")
	if _, err := s.Export(ctx, store.DatasetExchanges, "csv", store.Query{}, missing); err == nil || !strings.Contains(err.Error(), "directory") {
		t.Errorf("no directory: %v; want an error that says so", err)
	}
}
