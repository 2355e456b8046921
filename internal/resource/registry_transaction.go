package resource

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/seshat-project/seshat"
	"github.com/seshat-project/seshat/internal/kv"
)

const (
	// resourcePrefix is what the keys of resources begin with.
	resourcePrefix = "resource/"
	// changeKey is the key of the newest transaction.
	changeKey = "change"
	// recordVersion is the version of the values. A reader refuses a newer one.
	recordVersion = 1
)

// record is the value of a resource's key.
type record struct {
	Version int `json:"version"`
	// Change is the number of the transaction that wrote the record.
	Change   uint64          `json:"change"`
	Action   Action          `json:"action"`
	By       string          `json:"by"`
	At       time.Time       `json:"at"`
	Resource json.RawMessage `json:"resource,omitempty"` // none for a deletion: its author is worth keeping
}

// transaction is the value of changeKey: a change as a whole. It is open until Done is set.
type transaction struct {
	Version int               `json:"version"`
	Number  uint64            `json:"number"`
	Done    bool              `json:"done"`
	Writes  map[string]record `json:"writes,omitempty"` // by Key; none once it is done

	revision kv.Revision // of changeKey
}

// intent is one write of a change that is planned.
type intent struct {
	Key      string
	Action   Action
	Resource *seshat.Resource // nil for a deletion
}

// commit writes a change: the transaction, its records, and that it is done. It is kv.ErrConflict when another change
// came since last. It returns the revisions of the records.
func (r *Registry) commit(ctx context.Context, last transaction, intents []intent, author Author) (map[string]kv.Revision, error) {
	t := transaction{Version: recordVersion, Number: last.Number + 1, Writes: make(map[string]record, len(intents))}
	for _, in := range intents {
		rec := record{Version: recordVersion, Change: t.Number, Action: in.Action, By: author.By, At: author.At.UTC()}
		if in.Resource != nil {
			text, err := Marshal([]seshat.Resource{*in.Resource}, FormatJSON)
			if err != nil {
				return nil, err
			}
			rec.Resource = text
		}
		t.Writes[in.Key] = rec
	}
	value, err := json.Marshal(t)
	if err != nil {
		return nil, fmt.Errorf("write change %d: %w", t.Number, err)
	}
	t.revision, err = r.store.Put(ctx, changeKey, value, last.revision)
	if errors.Is(err, kv.ErrTooLarge) {
		return nil, fmt.Errorf("change %d resources at once: %w; apply them in several parts", len(intents), err)
	}
	if err != nil {
		return nil, fmt.Errorf("write change %d: %w", t.Number, err)
	}
	_, revisions, err := r.finish(ctx, t)
	return revisions, err
}

// recover completes the newest transaction if its writer did not, and returns it.
func (r *Registry) recover(ctx context.Context) (transaction, error) {
	entry, err := r.store.Get(ctx, changeKey)
	if errors.Is(err, kv.ErrNotFound) {
		return transaction{revision: kv.None}, nil
	}
	if err != nil {
		return transaction{}, fmt.Errorf("read the newest change: %w", err)
	}
	t, err := decodeTransaction(entry)
	if err != nil || t.Done {
		return t, err
	}
	t, _, err = r.finish(ctx, t)
	return t, err
}

// finish writes what is missing of t, and that it is done. Several processes may do so at once: each write happens
// once, because a record that has the number of the transaction is not written again.
func (r *Registry) finish(ctx context.Context, t transaction) (transaction, map[string]kv.Revision, error) {
	revisions := make(map[string]kv.Revision, len(t.Writes))
	for key, rec := range t.Writes {
		revision, err := r.finishWrite(ctx, key, rec)
		if err != nil {
			return t, nil, err
		}
		revisions[key] = revision
	}
	done := transaction{Version: recordVersion, Number: t.Number, Done: true}
	value, err := json.Marshal(done)
	if err != nil {
		return t, nil, fmt.Errorf("finish change %d: %w", t.Number, err)
	}
	done.revision, err = r.store.Put(ctx, changeKey, value, t.revision)
	if errors.Is(err, kv.ErrConflict) {
		// Somebody else has marked it, and perhaps begun the next. What this transaction wanted is written.
		entry, err := r.store.Get(ctx, changeKey)
		if err != nil {
			return t, nil, fmt.Errorf("finish change %d: %w", t.Number, err)
		}
		newest, err := decodeTransaction(entry)
		return newest, revisions, err
	}
	if err != nil {
		return t, nil, fmt.Errorf("finish change %d: %w", t.Number, err)
	}
	return done, revisions, nil
}

// finishWrite writes one record of a transaction unless it, or a later one, is there already.
func (r *Registry) finishWrite(ctx context.Context, key string, rec record) (kv.Revision, error) {
	value, err := json.Marshal(rec)
	if err != nil {
		return 0, fmt.Errorf("write %s: %w", key, err)
	}
	for range maxAttempts {
		expected := kv.None
		entry, err := r.store.Get(ctx, resourcePrefix+key)
		switch {
		case errors.Is(err, kv.ErrNotFound):
		case err != nil:
			return 0, fmt.Errorf("write %s: %w", key, err)
		default:
			var there record
			if err := json.Unmarshal(entry.Value, &there); err != nil {
				return 0, fmt.Errorf("write %s: %w", key, err)
			}
			if there.Change >= rec.Change {
				return entry.Revision, nil
			}
			expected = entry.Revision
		}
		revision, err := r.store.Put(ctx, resourcePrefix+key, value, expected)
		if !errors.Is(err, kv.ErrConflict) {
			return revision, err
		}
	}
	return 0, fmt.Errorf("write %s: %w, again and again", key, kv.ErrConflict)
}

func decodeTransaction(entry kv.Entry) (transaction, error) {
	var t transaction
	if err := json.Unmarshal(entry.Value, &t); err != nil {
		return t, fmt.Errorf("read change at revision %d: %w", entry.Revision, err)
	}
	t.revision = entry.Revision
	return t, checkVersion(changeKey, t.Version)
}

func checkVersion(key string, version int) error {
	if version <= recordVersion {
		return nil
	}
	return &seshat.Error{
		Kind: seshat.ErrorUnsupported, Op: "read " + key, Hint: "use the version of Seshat that wrote it, or a newer one",
		Err: fmt.Errorf("it has version %d; this Seshat knows versions up to %d", version, recordVersion),
	}
}

// decodeRecord reads the entry of a resource's key.
func decodeRecord(entry kv.Entry) (Stored, error) {
	key := strings.TrimPrefix(entry.Key, resourcePrefix)
	kind, name, _ := strings.Cut(key, "/")
	out := Stored{Kind: seshat.Kind(kind), Name: name, Revision: entry.Revision}
	var rec record
	if err := json.Unmarshal(entry.Value, &rec); err != nil {
		return out, fmt.Errorf("read %s at revision %d: %w", key, entry.Revision, err)
	}
	if err := checkVersion(key, rec.Version); err != nil {
		return out, err
	}
	out.Action, out.Author = rec.Action, Author{By: rec.By, At: rec.At}
	if rec.Resource == nil {
		return out, nil
	}
	parsed, faults := Parse(key+".json", rec.Resource)
	if len(faults) > 0 || len(parsed) != 1 {
		return out, &seshat.Error{
			Kind: seshat.ErrorUnsupported, Op: fmt.Sprintf("read %s at revision %d", key, entry.Revision), Err: faults,
			Hint: "it was written by another version of Seshat; apply it anew or delete it",
		}
	}
	out.Resource = &parsed[0].Resource
	return out, nil
}
