package remote

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"sync/atomic"
	"time"

	"github.com/seshat-project/seshat/internal/jwks"
	"github.com/seshat-project/seshat/internal/jwt"
)

// How often the set is asked for.
const (
	// missInterval is the least time between a fetch and one that tokens of unknown keys ask for. Anybody can send
	// such tokens; with it a flood of them makes two requests a minute, and a key that was published a moment ago
	// is known after half a minute at the latest.
	missInterval = 30 * time.Second
	// firstRetry is how long after a fetch that failed the next is tried. It doubles, up to lastRetry.
	firstRetry = 5 * time.Second
	lastRetry  = 5 * time.Minute
)

// Options are what a set of keys needs besides its address.
type Options struct {
	// Transport carries the requests; nil is one of its own, which uses the proxy of the environment.
	Transport http.RoundTripper
	// Now is the clock; nil is [time.Now].
	Now func() time.Time
}

// State is how a set of keys is doing, for whoever looks after it.
type State struct {
	Keys    int            // how many there are
	Skipped []jwks.Skipped // those of the last set that are not used
	Fetched time.Time      // when the keys came; zero when none ever did
	Tried   time.Time      // when the last fetch ended
	Err     error          // of the last fetch; nil when it brought keys
}

// Keys is the key set at an address. Its methods may be called at the same time.
type Keys struct {
	address string
	client  *http.Client
	now     func() time.Time

	current atomic.Pointer[jwt.KeySet]
	state   atomic.Pointer[State]
	fetches chan struct{} // holds one element while a fetch is going on
	missed  chan struct{} // holds one element when a token asked for newer keys
}

// New returns the key set at an address. It does not fetch it.
func New(address string, o Options) (*Keys, error) {
	u, err := url.Parse(address)
	if err != nil {
		return nil, fmt.Errorf("read the address: %w", withoutAddress(err))
	}
	if err := checkAddress(u); err != nil {
		return nil, err
	}
	k := &Keys{
		address: u.String(), client: newClient(o.Transport), now: o.Now,
		fetches: make(chan struct{}, 1), missed: make(chan struct{}, 1),
	}
	if k.now == nil {
		k.now = time.Now
	}
	k.state.Store(&State{})
	return k, nil
}

// Current returns the keys that were fetched last; they are empty before the first fetch. It never waits.
func (k *Keys) Current() *jwt.KeySet { return k.current.Load() }

// State returns how the set is doing. It never waits.
func (k *Keys) State() State { return *k.state.Load() }

// Miss says that a token could not be verified with the current keys and might be with newer ones. It never waits; Run
// fetches them, not more often than every half minute.
func (k *Keys) Miss() {
	select {
	case k.missed <- struct{}{}:
	default: // one is enough
	}
}

// Fetch fetches the set now. When it fails the current keys stay. One fetch runs at a time.
func (k *Keys) Fetch(ctx context.Context) error {
	_, err := k.fetch(ctx)
	return err
}

func (k *Keys) fetch(ctx context.Context) (fresh time.Duration, err error) {
	select {
	case k.fetches <- struct{}{}:
		defer func() { <-k.fetches }()
	case <-ctx.Done():
		return 0, ctx.Err()
	}
	set, fresh, err := fetch(ctx, k.client, k.address)
	if ctx.Err() != nil {
		return 0, ctx.Err() // who asked went away: it says nothing about the issuer
	}
	state := k.State()
	state.Tried, state.Err = k.now(), err
	if err == nil {
		k.current.Store(set.Keys)
		state.Keys, state.Skipped, state.Fetched = set.Keys.Len(), set.Skipped, state.Tried
	}
	k.state.Store(&state)
	return fresh, err
}

// Run keeps the set fresh until ctx ends: it fetches it at once, when its time is over, when a fetch failed, and when
// tokens ask for newer keys. It is to be called once.
func (k *Keys) Run(ctx context.Context) {
	retry := firstRetry
	for ctx.Err() == nil {
		select {
		case <-k.missed: // what was missed before a fetch is what it is for
		default:
		}
		wait, err := k.fetch(ctx)
		early := missInterval
		if err != nil {
			wait, early = retry, min(retry, missInterval)
			retry = min(2*retry, lastRetry)
		} else {
			retry = firstRetry
		}
		if !k.wait(ctx, wait, early) {
			return
		}
	}
}

// wait returns after a time, or when a token asks for newer keys, but not early. It returns false when ctx ended.
func (k *Keys) wait(ctx context.Context, long, early time.Duration) bool {
	first := time.NewTimer(min(early, long))
	defer first.Stop()
	select {
	case <-ctx.Done():
		return false
	case <-first.C:
	}
	if long <= early {
		return true
	}
	rest := time.NewTimer(long - early)
	defer rest.Stop()
	select {
	case <-ctx.Done():
		return false
	case <-k.missed:
	case <-rest.C:
	}
	return true
}
