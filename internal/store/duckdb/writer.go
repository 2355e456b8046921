package duckdb

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"fmt"
	"log/slog"
	"time"

	engine "github.com/duckdb/duckdb-go/v2"

	"github.com/seshat-project/seshat"
	"github.com/seshat-project/seshat/internal/store"
)

// Bounds of what the writer remembers. What it forgot gets another number when it comes again, which costs a few
// bytes and is correct: numbers are names of rows, not of things.
const (
	rememberedSessions   = 16 << 10 // about 20 MB when both halves are full
	rememberedIdentities = 16 << 10
	rememberedContexts   = 16 << 10
	rememberedEndpoints  = 16 << 10
	rememberedAgents     = 16 << 10
)

// writer numbers what repeats, and adds up what a batch means for each session. It belongs to the one who holds
// [Store.write].
type writer struct {
	day        time.Time // of the batch in work; numbers are of one day, so that a day can be dropped
	batch      int64
	nextNumber number

	sessions   *recent[seshat.SessionID, *sessionRow]
	identities *recent[contentHash, int64]
	contexts   *recent[contentHash, int64]
	endpoints  *recent[contentHash, int64]
	agents     *recent[contentHash, int64]
	hasher     contentHasher
	texts      sharedTexts
	alike      *alike // in the batch in work

	touched []*sessionRow // by the batch in work
	slices  sessionSlices

	states    *stateFilter
	stateRows int64       // rows of the table state
	garbage   int64       // of them, those that compaction would remove
	round     *stateRound // nil when state is not being compacted
}

// number is the next number of each kind.
type number struct{ session, identity, context, endpoint, agent int64 }

func newWriter(ctx context.Context, conn *sql.Conn) (*writer, error) {
	w := &writer{
		sessions:   newRecent[seshat.SessionID, *sessionRow](rememberedSessions),
		identities: newRecent[contentHash, int64](rememberedIdentities),
		contexts:   newRecent[contentHash, int64](rememberedContexts),
		endpoints:  newRecent[contentHash, int64](rememberedEndpoints),
		agents:     newRecent[contentHash, int64](rememberedAgents),
		hasher:     newContentHasher(),
		alike:      new(alike),
	}
	// Numbers go on behind the highest that any row still uses, and batches behind the last one.
	err := conn.QueryRowContext(ctx, `SELECT
		1 + greatest((SELECT coalesce(max(session_no), 0) FROM sessions), (SELECT coalesce(max(session_no), 0) FROM exchanges)),
		1 + greatest((SELECT coalesce(max(identity_no), 0) FROM identities), (SELECT coalesce(max(identity_no), 0) FROM exchanges)),
		1 + greatest((SELECT coalesce(max(context_no), 0) FROM contexts), (SELECT coalesce(max(context_no), 0) FROM exchanges)),
		1 + (SELECT coalesce(max(endpoint_no), 0) FROM exchanges), 1 + (SELECT coalesce(max(agent_no), 0) FROM exchanges),
		greatest((SELECT coalesce(max(batch_no), 0) FROM state), (SELECT coalesce(max(batch_no), 0) FROM positions))`).
		Scan(&w.nextNumber.session, &w.nextNumber.identity, &w.nextNumber.context, &w.nextNumber.endpoint,
			&w.nextNumber.agent, &w.batch)
	if err != nil {
		return nil, fmt.Errorf("read the numbers in use: %w", err)
	}
	if err := w.count(ctx, conn); err != nil {
		return nil, err
	}
	if w.states, err = loadStateFilter(ctx, conn, w.stateRows); err != nil {
		return nil, fmt.Errorf("read the keys of correlation state: %w", err)
	}
	return w, nil
}

// count counts the rows of the tables that are compacted.
func (w *writer) count(ctx context.Context, conn *sql.Conn) (err error) {
	if w.slices, err = loadSessionSlices(ctx, conn); err != nil {
		return fmt.Errorf("count the rows of sessions: %w", err)
	}
	if err := conn.QueryRowContext(ctx, "SELECT count(*) FROM state").Scan(&w.stateRows); err != nil {
		return fmt.Errorf("count the rows of state: %w", err)
	}
	return nil
}

// forget drops what the writer remembers: after a batch that failed it may name rows that do not exist, and numbers
// are of one day.
func (w *writer) forget() {
	w.sessions.reset()
	w.identities.reset()
	w.contexts.reset()
	w.endpoints.reset()
	w.agents.reset()
	w.touched = w.touched[:0]
}

// commit writes a batch into the tables, in one transaction.
func (s *Store) commit(ctx context.Context, batch *store.Batch, positions []position) error {
	if err := s.writeTables(ctx, batch, positions); err != nil {
		s.writer.forget()
		return err
	}
	if err := s.keepPrivate(); err != nil { // the file that is written ahead may be new
		s.logOnce(ctx, "files of the store could not be made private", err)
	}
	s.extendSpan(batch.Exchanges)
	s.memberCache.written()
	s.compact(context.WithoutCancel(ctx)) // the batch is stored, so what follows cannot fail it
	return nil
}

func (s *Store) writeTables(ctx context.Context, batch *store.Batch, positions []position) error {
	w := s.writer
	if d := day(batch.StoredAt); !d.Equal(w.day) {
		w.forget()
		w.day = d
	}
	w.batch++
	return s.transaction(ctx, func() error {
		return s.conn.Raw(func(conn any) error {
			driverConn, ok := conn.(driver.Conn)
			if !ok {
				return fmt.Errorf("unexpected connection %T", conn)
			}
			b := newBulk(driverConn)
			w.addExchanges(b, batch.Exchanges)
			w.addFacts(b, batch.Sessions)
			w.addLinks(b, batch.Links)
			w.addSessions(b)
			w.addState(b, batch.State)
			for _, p := range positions {
				if a := b.appender("positions"); a != nil {
					b.append(a, text(p.source), w.batch, p.value)
				}
			}
			return b.close()
		})
	})
}

// transaction runs f between BEGIN and COMMIT on the writer's connection.
func (s *Store) transaction(ctx context.Context, f func() error) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	// An interrupted statement would leave the transaction in doubt; batches are small enough to finish.
	ctx = context.WithoutCancel(ctx)
	if _, err := s.conn.ExecContext(ctx, "BEGIN"); err != nil {
		return err
	}
	if err := f(); err != nil {
		_, _ = s.conn.ExecContext(ctx, "ROLLBACK") // err says why; there is nothing to roll back when COMMIT failed
		return err
	}
	if _, err := s.conn.ExecContext(ctx, "COMMIT"); err != nil {
		_, _ = s.conn.ExecContext(ctx, "ROLLBACK")
		return err
	}
	return nil
}

// checkpoint moves what was written ahead into the tables. While somebody reads what was there before the last
// transaction, that cannot be; it loses nothing, and the next checkpoint does it.
func (s *Store) checkpoint(ctx context.Context) error {
	_, err := s.conn.ExecContext(ctx, "CHECKPOINT data")
	var failed *engine.Error
	if errors.As(err, &failed) && failed.Type == engine.ErrorTypeTransaction {
		s.log.LogAttrs(ctx, slog.LevelDebug, "the checkpoint waits for readers", slog.Any("error", oneLine(err)))
		return nil
	}
	return err
}
