package gateway

import "math/rand/v2"

// choose takes a server that is well and has room. ErrBusy says that there is one that is well, without room.
func (p *Pool) choose(avoid *Backend) (*Backend, error) {
	if p.closed.Load() {
		return nil, ErrPoolClosed
	}
	if len(p.servers) == 1 {
		b := p.servers[0]
		switch {
		case !b.well.Load():
			return nil, ErrNoServer
		case !b.enter():
			return nil, ErrBusy
		}
		return b, nil
	}
	first := p.first()
	now := p.sweeper.now.Load()
	// The best that can be had: one that is neither ejected nor to be avoided; then one that is not ejected; then any
	// that is well: that every server failed lately is no reason to try none.
	for _, accept := range [...]func(b *Backend) bool{
		func(b *Backend) bool { return b != avoid && !b.ejected(now) },
		func(b *Backend) bool { return !b.ejected(now) },
		func(*Backend) bool { return true },
	} {
		found := false
		for i := range p.servers {
			b := p.servers[(first+i)%len(p.servers)]
			if !b.well.Load() || !accept(b) {
				continue
			}
			found = true
			if b.enter() {
				return b, nil
			}
		}
		if found {
			return nil, ErrBusy
		}
	}
	return nil, ErrNoServer
}

// first is the place of the server that is asked first.
func (p *Pool) first() int {
	n := uint32(len(p.servers))
	if p.config.Balance == RoundRobin {
		return int((p.next.Add(1) - 1) % n)
	}
	draw := rand.Uint64() //nolint:gosec // which server is asked first is no secret
	i := uint32(draw) % n
	j := (i + 1 + uint32(draw>>32)%(n-1)) % n
	if p.servers[j].flight.Load() < p.servers[i].flight.Load() && p.servers[j].usable(p.sweeper.now.Load()) {
		return int(j)
	}
	return int(i)
}
