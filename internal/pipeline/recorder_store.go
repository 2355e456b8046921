package pipeline

import (
	"context"
	"time"

	"github.com/seshat-project/seshat"
	"github.com/seshat-project/seshat/internal/store"
)

// longestStoreRetry is the longest pause between attempts: somebody has to make room or mend a disk.
const longestStoreRetry = 5 * time.Second

// patientStore is a store that is tried again when it fails, until the context is done: the disk may be full, or a server
// away. What is being written when the context ends is written to its end.
type patientStore struct {
	store.Store
	failed func(what string, err error)
	worked func(what string)
}

const theStore = "the store"

func (s *patientStore) try(ctx context.Context, f func(ctx context.Context) error) error {
	pause := firstRetry
	for {
		err := f(context.WithoutCancel(ctx))
		if err == nil {
			s.worked(theStore)
			return nil
		}
		if ctx.Err() != nil {
			return ctx.Err()
		}
		s.failed(theStore, err)
		if !sleep(ctx, pause) {
			return ctx.Err()
		}
		pause = min(2*pause, longestStoreRetry)
	}
}

// Commit implements [store.Store].
func (s *patientStore) Commit(ctx context.Context, batch *store.Batch) error {
	return s.try(ctx, func(ctx context.Context) error { return s.Store.Commit(ctx, batch) })
}

// Known implements [store.Store].
func (s *patientStore) Known(ctx context.Context, keys []seshat.ExchangeKey, times []time.Time) (known []bool, err error) {
	err = s.try(ctx, func(ctx context.Context) error {
		known, err = s.Store.Known(ctx, keys, times)
		return err
	})
	return known, err
}

// LoadState implements [store.Store].
func (s *patientStore) LoadState(ctx context.Context, keys []seshat.Digest) (state map[seshat.Digest][]byte, err error) {
	err = s.try(ctx, func(ctx context.Context) error {
		state, err = s.Store.LoadState(ctx, keys)
		return err
	})
	return state, err
}

// Position implements [store.Store].
func (s *patientStore) Position(ctx context.Context, source string) (position []byte, err error) {
	err = s.try(ctx, func(ctx context.Context) error {
		position, err = s.Store.Position(ctx, source)
		return err
	})
	return position, err
}
