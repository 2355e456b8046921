package duckdb

import (
	"context"
	"database/sql"
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"path"
	"slices"
	"strconv"
	"strings"

	"github.com/seshat-project/seshat"
)

// migrationFiles are the steps from one version of the database to the next: migrations/NNNN_name.sql makes
// version NNNN. A step that was released is never changed.
//
//go:embed migrations/*.sql
var migrationFiles embed.FS

// migration is one step.
type migration struct {
	version int
	sql     string
}

// migrations reads the steps, in order. They must be numbered from 1 without a gap.
func migrations(files fs.FS) ([]migration, error) {
	names, err := fs.Glob(files, "migrations/*.sql")
	if err != nil {
		return nil, err
	}
	slices.Sort(names)
	steps := make([]migration, len(names))
	for i, name := range names {
		number, _, _ := strings.Cut(path.Base(name), "_")
		version, err := strconv.Atoi(number)
		if err != nil || version != i+1 {
			return nil, fmt.Errorf("%s: the name must begin with %04d_", name, i+1)
		}
		text, err := fs.ReadFile(files, name)
		if err != nil {
			return nil, err
		}
		steps[i] = migration{version: version, sql: string(text)}
	}
	return steps, nil
}

// migrate brings the database to the newest version, in one transaction. A database that is newer than that is
// left alone.
func migrate(ctx context.Context, conn *sql.Conn, files fs.FS) (err error) {
	steps, err := migrations(files)
	if err != nil {
		return err
	}
	version, err := schemaVersion(ctx, conn)
	if err != nil {
		return err
	}
	newest := len(steps)
	switch {
	case version > newest:
		return &seshat.Error{
			Kind: seshat.ErrorUnsupported, Op: "open database",
			Err:  fmt.Errorf("its format has version %d, and this program knows versions up to %d", version, newest),
			Hint: "use the newer seshat that wrote it, or another directory with --data",
		}
	case version == newest:
		return nil
	}
	if _, err := conn.ExecContext(ctx, "BEGIN"); err != nil {
		return err
	}
	defer func() {
		if err != nil {
			_, rollback := conn.ExecContext(context.WithoutCancel(ctx), "ROLLBACK")
			err = errors.Join(err, rollback)
		}
	}()
	for _, step := range steps[version:] {
		if _, err := conn.ExecContext(ctx, step.sql); err != nil {
			return fmt.Errorf("bring the database from version %d to %d: %w", step.version-1, step.version, err)
		}
	}
	if _, err := conn.ExecContext(ctx, "CREATE OR REPLACE TABLE schema_version AS SELECT ?::INTEGER AS version", newest); err != nil {
		return err
	}
	_, err = conn.ExecContext(ctx, "COMMIT")
	return err
}

// schemaVersion is the version of the database, 0 when it is new.
func schemaVersion(ctx context.Context, conn *sql.Conn) (int, error) {
	var tables int
	err := conn.QueryRowContext(ctx, `SELECT count(*) FROM duckdb_tables()
		WHERE database_name = 'data' AND schema_name = 'main' AND table_name = 'schema_version'`).Scan(&tables)
	if err != nil || tables == 0 {
		return 0, err
	}
	var version int
	err = conn.QueryRowContext(ctx, "SELECT version FROM schema_version").Scan(&version)
	return version, err
}
