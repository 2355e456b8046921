package config

import (
	"errors"
	"math"
	"net/netip"
	"strconv"
	"strings"
)

// Prefix is a range of addresses, written as 10.0.0.0/8 or, for one address, as 10.0.0.1.
type Prefix struct{ netip.Prefix }

var errBadPrefix = errors.New(`not a range of addresses: write it as in "10.0.0.0/8", "2001:db8::/32" or "10.0.0.1"`)

// UnmarshalText implements [encoding.TextUnmarshaler].
func (p *Prefix) UnmarshalText(text []byte) error {
	s := string(text)
	if !strings.Contains(s, "/") {
		address, err := netip.ParseAddr(s)
		if err != nil || address.Zone() != "" {
			return errBadPrefix
		}
		p.Prefix = netip.PrefixFrom(address.Unmap(), address.Unmap().BitLen())
		return nil
	}
	prefix, err := netip.ParsePrefix(s)
	if err != nil || prefix != prefix.Masked() {
		return errBadPrefix
	}
	p.Prefix = prefix
	return nil
}

// Prefixes are the ranges of ps.
func Prefixes(ps []Prefix) []netip.Prefix {
	out := make([]netip.Prefix, len(ps))
	for i := range ps {
		out[i] = ps[i].Prefix
	}
	return out
}

// Size is a number of bytes, written as in 64KiB, 10MiB, 2GiB or 4096.
type Size int64

var errBadSize = errors.New(`not a size: write it as in "64KiB", "10MiB", "2GiB" or "4096"`)

// UnmarshalText implements [encoding.TextUnmarshaler].
func (s *Size) UnmarshalText(text []byte) error {
	digits, unit := string(text), int64(1)
	for _, u := range []struct {
		suffix string
		bytes  int64
	}{{"KiB", 1 << 10}, {"MiB", 1 << 20}, {"GiB", 1 << 30}, {"TiB", 1 << 40}} {
		if cut, found := strings.CutSuffix(digits, u.suffix); found {
			digits, unit = cut, u.bytes
			break
		}
	}
	n, err := strconv.ParseUint(digits, 10, 62)
	if err != nil || int64(n) > math.MaxInt64/unit { //nolint:gosec // of 62 bits
		return errBadSize
	}
	*s = Size(int64(n) * unit) //nolint:gosec // as above
	return nil
}

// Trust adds ranges of addresses to the trusted proxies.
func (c *Config) Trust(ranges ...string) error {
	for _, text := range ranges {
		var p Prefix
		if err := p.UnmarshalText([]byte(text)); err != nil {
			return err
		}
		c.TrustedProxies = append(c.TrustedProxies, p)
	}
	return nil
}
