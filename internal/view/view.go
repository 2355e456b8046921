// Package view keeps saved views of the console: a name for the query string of a page. They are kept in a key-value
// store beside the resources, because they are small, change rarely and belong to the installation.
package view

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/seshat-project/seshat"
	"github.com/seshat-project/seshat/internal/kv"
)

const (
	prefix = "view/"
	// formatVersion is the version of a view as it is stored.
	formatVersion = 1
	// MaxPerOwner is how many views one person may keep: more than a menu can show.
	MaxPerOwner = 100
	// MaxViews is how many views there may be in all: a list of all of them, at some hundred bytes each, is to be read at
	// once.
	MaxViews = 5_000
	// MaxName is how many characters a name may have.
	MaxName = 100
	// MaxQuery is how many bytes a query string may have: as many as a filter, which is the longest part of it.
	MaxQuery = 8 << 10
	// maxOwner is how many bytes of the name of an owner are kept.
	maxOwner = 256
	// ownerDigits and idDigits are the parts of an ID: of whom it is, and which one.
	ownerDigits, idDigits = 16, 13
)

// Pages are the pages that a view can be of.
func Pages() []string { return []string{"sessions", "explorer"} }

// View is one saved view.
type View struct {
	ID       string      `json:"-"`
	Revision kv.Revision `json:"-"`

	Name    string    `json:"name"`
	Page    string    `json:"page"`
	Query   string    `json:"query"`
	Shared  bool      `json:"shared,omitempty"`
	Owner   string    `json:"owner"`
	Created time.Time `json:"created"`
	Changed time.Time `json:"changed"`
}

// stored is a view as it is stored.
type stored struct {
	Version int `json:"version"`
	View
}

// Keeper keeps views in a key-value store. Its methods may be called at the same time.
type Keeper struct {
	store kv.Store
	now   func() time.Time
}

// NewKeeper returns the keeper of the views in store. Now is the clock.
func NewKeeper(store kv.Store, now func() time.Time) *Keeper { return &Keeper{store: store, now: now} }

// List returns the views of owner and those that are shared, by name. Views that cannot be read are left out: a newer
// version may have made them.
func (k *Keeper) List(ctx context.Context, owner string) ([]View, error) {
	all, err := k.all(ctx)
	if err != nil {
		return nil, err
	}
	return slices.DeleteFunc(all, func(v View) bool { return v.Owner != owner && !v.Shared }), nil
}

func (k *Keeper) all(ctx context.Context) ([]View, error) {
	entries, err := k.store.List(ctx, prefix)
	if err != nil {
		return nil, storeError("list views", err)
	}
	out := make([]View, 0, len(entries))
	for i := range entries {
		if v, err := decode(&entries[i]); err == nil {
			out = append(out, v)
		}
	}
	slices.SortFunc(out, func(a, b View) int {
		if c := strings.Compare(strings.ToLower(a.Name), strings.ToLower(b.Name)); c != 0 {
			return c
		}
		return strings.Compare(a.ID, b.ID)
	})
	return out, nil
}

// Get returns one view, whoever it belongs to.
func (k *Keeper) Get(ctx context.Context, id string) (View, error) {
	if !validID(id) {
		return View{}, missing(id)
	}
	entry, err := k.store.Get(ctx, prefix+id)
	if err != nil {
		return View{}, storeError("get the view "+id, err)
	}
	return decode(&entry)
}

// Add keeps a new view. Its owner is who it belongs to from then on. Nobody has two views of one name for a page. The
// bounds are checked before it is written, so that requests at the same moment may go over them by as many as they are.
func (k *Keeper) Add(ctx context.Context, v View) (View, error) {
	if err := v.check(); err != nil {
		return View{}, err
	}
	if err := k.room(ctx, &v); err != nil {
		return View{}, err
	}
	v.ID = ownerPart(v.Owner) + "-" + strings.ToLower(rand.Text()[:idDigits])
	v.Created = k.now().UTC()
	v.Changed = v.Created
	return k.put(ctx, v, kv.None)
}

// Replace puts what a view says in place of what it said. Owner, ID and time of creation stay. Expected is the revision
// that it must have, or [kv.Any].
func (k *Keeper) Replace(ctx context.Context, v View, expected kv.Revision) (View, error) {
	before, err := k.Get(ctx, v.ID)
	if err != nil {
		return View{}, err
	}
	v.Owner, v.Created, v.Changed = before.Owner, before.Created, k.now().UTC()
	if err := v.check(); err != nil {
		return View{}, err
	}
	if v.Name != before.Name || v.Page != before.Page {
		if err := k.room(ctx, &v); err != nil {
			return View{}, err
		}
	}
	return k.put(ctx, v, expected)
}

// Delete removes a view if it has the expected revision, which may be [kv.Any].
func (k *Keeper) Delete(ctx context.Context, id string, expected kv.Revision) error {
	if !validID(id) {
		return missing(id)
	}
	_, err := k.store.Delete(ctx, prefix+id, expected)
	return storeError("delete the view "+id, err)
}

func (k *Keeper) put(ctx context.Context, v View, expected kv.Revision) (View, error) {
	value, err := json.Marshal(stored{formatVersion, v})
	if err != nil {
		return View{}, fmt.Errorf("encode the view %s: %w", v.ID, err)
	}
	v.Revision, err = k.store.Put(ctx, prefix+v.ID, value, expected)
	if err != nil {
		return View{}, storeError("keep the view "+v.Name, err)
	}
	return v, nil
}

// room sees to it that one more view, or one under another name, may be kept.
func (k *Keeper) room(ctx context.Context, v *View) error {
	all, err := k.all(ctx)
	if err != nil {
		return err
	}
	op, own := "keep the view "+v.Name, 0
	for i := range all {
		if all[i].Owner != v.Owner || all[i].ID == v.ID {
			continue
		}
		own++
		if all[i].Name == v.Name && all[i].Page == v.Page {
			return &seshat.Error{
				Kind: seshat.ErrorConflict, Op: op, Err: errors.New("you have a view of this name for the page already"), Hint: "choose another name, or change that one",
			}
		}
	}
	switch isNew := v.ID == ""; {
	case isNew && own >= MaxPerOwner:
		return &seshat.Error{
			Kind: seshat.ErrorInvalid, Op: op, Err: fmt.Errorf("you have %d views, and more are not kept", MaxPerOwner), Hint: "delete one that is not used",
		}
	case isNew && len(all) >= MaxViews:
		return &seshat.Error{
			Kind: seshat.ErrorInvalid, Op: op, Err: fmt.Errorf("there are %d views in all, and more are not kept", MaxViews), Hint: "delete some that are not used",
		}
	}
	return nil
}

// check finds what is wrong with what somebody says of a view.
func (v *View) check() error {
	v.Name = strings.TrimSpace(v.Name)
	v.Query = strings.TrimPrefix(v.Query, "?")
	bad := func(what, hint string) error {
		return &seshat.Error{Kind: seshat.ErrorInvalid, Op: "keep the view", Err: errors.New(what), Hint: hint}
	}
	switch {
	case v.Name == "":
		return bad("it has no name", "")
	case utf8.RuneCountInString(v.Name) > MaxName:
		return bad(fmt.Sprintf("its name has more than %d characters", MaxName), "")
	case !utf8.ValidString(v.Name) || strings.ContainsFunc(v.Name, unicode.IsControl):
		return bad("its name holds characters that cannot be shown", "")
	case !slices.Contains(Pages(), v.Page):
		return bad("there is no such page", "one of "+strings.Join(Pages(), ", "))
	case len(v.Query) > MaxQuery:
		return bad(fmt.Sprintf("its query has more than %d bytes", MaxQuery), "use a shorter filter")
	case !utf8.ValidString(v.Query) || strings.ContainsFunc(v.Query, func(r rune) bool { return unicode.IsControl(r) || r == ' ' || r == '#' }):
		return bad("its query is not that of a URL", "percent-encode it")
	case v.Owner == "" || len(v.Owner) > maxOwner:
		return bad("it has no owner", "sign in under a name")
	}
	return nil
}

func decode(entry *kv.Entry) (View, error) {
	var s stored
	if err := json.Unmarshal(entry.Value, &s); err != nil {
		return View{}, fmt.Errorf("read the view %s: %w", entry.Key, err)
	}
	if s.Version != formatVersion {
		return View{}, &seshat.Error{Kind: seshat.ErrorUnsupported, Op: "read the view " + entry.Key, Err: errors.New("a newer version has made it")}
	}
	s.ID, s.Revision = strings.TrimPrefix(entry.Key, prefix), entry.Revision
	return s.View, nil
}

// ownerPart is the part of an ID that says whose view it is, without saying the name.
func ownerPart(owner string) string {
	digest := sha256.Sum256([]byte(owner))
	return hex.EncodeToString(digest[:])[:ownerDigits]
}

func validID(id string) bool {
	return len(id) == ownerDigits+1+idDigits && !strings.ContainsFunc(id, func(r rune) bool {
		return (r < 'a' || r > 'z') && (r < '0' || r > '9') && r != '-'
	})
}

func missing(id string) error {
	return &seshat.Error{Kind: seshat.ErrorNotFound, Op: "get the view " + id, Err: errors.New("there is no such view")}
}

// storeError gives the errors of the store their kind.
func storeError(op string, err error) error {
	switch {
	case err == nil:
		return nil
	case errors.Is(err, kv.ErrNotFound):
		return &seshat.Error{Kind: seshat.ErrorNotFound, Op: op, Err: errors.New("there is no such view")}
	case errors.Is(err, kv.ErrConflict):
		return &seshat.Error{Kind: seshat.ErrorConflict, Op: op, Err: errors.New("it has changed meanwhile"), Hint: "look at what changed, and try again"}
	case errors.Is(err, context.DeadlineExceeded), errors.Is(err, context.Canceled):
		return err
	default:
		return &seshat.Error{Kind: seshat.ErrorUnavailable, Op: op, Err: err}
	}
}
