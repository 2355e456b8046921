package main

import (
	"cmp"
	"context"
	"errors"
	"path/filepath"
	"slices"

	"github.com/seshat-project/seshat"
	"github.com/seshat-project/seshat/internal/api/client"
	"github.com/seshat-project/seshat/internal/api/wire"
	"github.com/seshat-project/seshat/internal/denylist"
	"github.com/seshat-project/seshat/internal/node"
	"github.com/seshat-project/seshat/internal/protect"
	"github.com/seshat-project/seshat/internal/revoked"
	"github.com/seshat-project/seshat/internal/store"
)

// withDenials is a store of the data directory with what its denylist says of sessions. Where the list cannot be had that
// is said: sessions are shown all the same.
func (a *app) withDenials(ctx context.Context, s store.Reader) store.Reader {
	denials, err := a.localDenials(ctx)
	if err != nil {
		a.complain("warning: which sessions are revoked is not known: " + err.Error())
	}
	return revoked.NewReader(s, denials, a.now())
}

// localDenials are the entries of the denylist in the data directory. Nothing is opened, nor made, where there is none.
func (a *app) localDenials(ctx context.Context) (denials []seshat.Denial, err error) {
	if !a.hasDenylist() {
		return nil, nil
	}
	err = a.withLocalDenylist(ctx, func(k *denylist.Keeper) error {
		denials, err = k.List(ctx)
		if err != nil && len(denials) > 0 {
			a.complain("warning: " + err.Error())
			err = nil
		}
		return err
	})
	return newestFirst(denials), err
}

func newestFirst(denials []seshat.Denial) []seshat.Denial {
	slices.SortFunc(denials, func(x, y seshat.Denial) int { return cmp.Or(y.At.Compare(x.At), cmp.Compare(x.Name, y.Name)) })
	return denials
}

// hasDenylist reports whether anything was ever put on the denylist of the data directory. Starting the server to find
// out would take longer than what most commands do.
func (a *app) hasDenylist() bool {
	// Where the server keeps the stream of a bucket, whatever the account is called.
	found, err := filepath.Glob(filepath.Join(a.path(resourcesDir), "jetstream", "*", "streams", "KV_"+node.DenylistBucket))
	return err == nil && len(found) > 0
}

func (a *app) withLocalDenylist(ctx context.Context, f func(*denylist.Keeper) error) (err error) {
	s, err := a.openState(ctx)
	if err != nil {
		return err
	}
	defer closing(s, &err)
	bucket, err := s.bucket(ctx, node.DenylistBucket)
	if err != nil {
		return err
	}
	return f(denylist.NewKeeper(bucket, a.now))
}

// denials are the entries of the denylist, the newest first.
func (a *app) denials(ctx context.Context) (denials []seshat.Denial, err error) {
	err = a.elsewhere(ctx, func(c *client.Client) error {
		defer func() { _ = c.Close() }()
		denials, err = c.Denials(ctx)
		return err
	}, func() error {
		denials, err = a.localDenials(ctx)
		return err
	})
	return denials, err
}

// removeDenial takes an entry off the denylist.
func (a *app) removeDenial(ctx context.Context, name string) error {
	return a.elsewhere(ctx, func(c *client.Client) error {
		defer func() { _ = c.Close() }()
		return c.RemoveDenial(ctx, name)
	}, func() error {
		if !a.hasDenylist() {
			return &seshat.Error{
				Kind: seshat.ErrorNotFound, Op: "remove the denial " + name, Err: errors.New("there is no such entry on the denylist"),
				Hint: "seshat denylist lists them",
			}
		}
		return a.withLocalDenylist(ctx, func(k *denylist.Keeper) error { return k.Remove(ctx, name, a.author().By) })
	})
}

// deny puts on the denylist what is asked for, under a name where one was chosen.
func (a *app) deny(ctx context.Context, r *wire.Revocation, name string) (denials []seshat.Denial, err error) {
	err = a.elsewhere(ctx, func(c *client.Client) error {
		defer func() { _ = c.Close() }()
		if name == "" {
			denials, err = c.Revoke(ctx, r)
			return err
		}
		one, err := c.Deny(ctx, name, r)
		denials = []seshat.Denial{one}
		return err
	}, func() error {
		request, err := a.denyRequest(r)
		if err != nil {
			return err
		}
		entries, err := request.Denials(a.now())
		if err != nil {
			return err
		}
		return a.withLocalDenylist(ctx, func(k *denylist.Keeper) error {
			for _, entry := range entries {
				entry.Name = name
				kept, err := k.Add(ctx, entry)
				if err != nil {
					return err
				}
				denials = append(denials, kept)
			}
			return nil
		})
	})
	return denials, err
}

// denyRequest is what a revocation asks for, with digests in place of secrets.
func (a *app) denyRequest(r *wire.Revocation) (*revoked.Request, error) {
	out, err := r.Request(func(secret string) (seshat.Digest, error) {
		// Without a key nothing was digested; one is made now, which later traffic is digested under.
		ring, err := protect.LoadOrCreateKey(a.path(keyFile), a.now())
		if err != nil {
			return seshat.Digest{}, err
		}
		return ring.Digests([]byte(secret))[0], nil
	})
	if err != nil {
		return nil, err
	}
	out.By = a.author().By
	return out, nil
}
