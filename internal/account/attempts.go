package account

import (
	"container/list"
	"fmt"
	"net/netip"
	"sync"
	"time"
)

// The rates of failed sign-ins. A person who mistypes is not held up; a guesser has some 1,500 guesses a day at a user,
// where NIST SP 800-63B asks for fewer than a hundred in a row, and as many as 8,700 from one address over all users.
const (
	// burst is how many attempts may fail one after the other.
	burst = 10
	// userEvery and addressEvery are after how long one more may.
	userEvery    = time.Minute
	addressEvery = 10 * time.Second
	// maxCounted is how many users and addresses are counted, each; the ones that failed last. It is some megabytes.
	maxCounted = 20_000
	// network6 is how much of an IPv6 address counts: whoever has one has all of its network.
	network6 = 64
)

// LimitedError says that there were too many failed attempts.
type LimitedError struct{ RetryAfter time.Duration }

// Error implements error.
func (e *LimitedError) Error() string {
	return fmt.Sprintf("too many failed sign-ins; try again in %s", e.RetryAfter.Round(time.Second))
}

// attempts counts failed sign-ins, by user and by address.
type attempts struct {
	mu               sync.Mutex
	users, addresses counters
}

func newAttempts() *attempts {
	return &attempts{users: newCounters(userEvery), addresses: newCounters(addressEvery)}
}

// counters are buckets that leak: each attempt fills one by one step, and each step is gone after a time.
type counters struct {
	every time.Duration
	byKey map[string]*list.Element
	order *list.List // of *counter, the one that was used last at the front
}

type counter struct {
	key string
	// free is when the bucket will be empty. It is full when that is burst steps away.
	free time.Time
}

func newCounters(every time.Duration) counters {
	return counters{every: every, byKey: map[string]*list.Element{}, order: list.New()}
}

// wait is how long the next attempt has to wait.
func (c *counters) wait(key string, now time.Time) time.Duration {
	e := c.byKey[key]
	if e == nil {
		return 0
	}
	return max(0, e.Value.(*counter).free.Sub(now)-(burst-1)*c.every)
}

func (c *counters) add(key string, now time.Time) {
	e := c.byKey[key]
	if e == nil {
		e = c.order.PushFront(&counter{key: key})
		c.byKey[key] = e
		if last := c.order.Back(); c.order.Len() > maxCounted {
			delete(c.byKey, last.Value.(*counter).key)
			c.order.Remove(last)
		}
	}
	c.order.MoveToFront(e)
	one := e.Value.(*counter)
	one.free = later(one.free, now).Add(c.every)
}

// giveBack takes one step back.
func (c *counters) giveBack(key string) {
	if e := c.byKey[key]; e != nil {
		one := e.Value.(*counter)
		one.free = one.free.Add(-c.every)
	}
}

func (c *counters) clear(key string) {
	if e := c.byKey[key]; e != nil {
		delete(c.byKey, key)
		c.order.Remove(e)
	}
}

// begin counts an attempt as failed before it is known, so that many at once are not all let through. The user is empty
// where none is named.
func (a *attempts) begin(user, address string, now time.Time) error {
	address = network(address)
	a.mu.Lock()
	defer a.mu.Unlock()
	wait := a.addresses.wait(address, now)
	if user != "" {
		wait = max(wait, a.users.wait(user, now))
	}
	if wait > 0 {
		return &LimitedError{RetryAfter: wait}
	}
	a.addresses.add(address, now)
	if user != "" {
		a.users.add(user, now)
	}
	return nil
}

// succeed takes back what begin counted. What others failed at from the same address stays counted.
func (a *attempts) succeed(user, address string) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.addresses.giveBack(network(address))
	if user != "" {
		a.users.clear(user)
	}
}

// undo takes back an attempt that was not decided.
func (a *attempts) undo(user, address string) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.addresses.giveBack(network(address))
	if user != "" {
		a.users.giveBack(user)
	}
}

// network is what of an address counts.
func network(address string) string {
	ip, err := netip.ParseAddr(address)
	if err != nil {
		return address
	}
	ip = ip.Unmap().WithZone("")
	if ip.Is6() {
		if p, err := ip.Prefix(network6); err == nil {
			return p.String()
		}
	}
	return ip.String()
}
