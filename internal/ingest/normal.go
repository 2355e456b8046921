package ingest

import (
	"errors"
	"net/netip"
	"strings"
	"time"
	"unicode/utf8"
)

// The years that a time may lie in. Traffic was not recorded before there was HTTP; times far outside are broken
// clocks or units (milliseconds taken for seconds), and would not fit the 64-bit nanoseconds of the store.
const (
	firstYear = 1990
	lastYear  = 2199
)

// ErrTimeRange is returned for times that cannot be the time of an exchange.
var ErrTimeRange = errors.New("outside the years 1990 to 2199")

// CheckTime reports whether t can be the time of an exchange.
func CheckTime(t time.Time) error {
	if y := t.UTC().Year(); y < firstYear || y > lastYear {
		return ErrTimeRange
	}
	return nil
}

// UnixTime is the time of a number of seconds since 1970, as it stands in logs. It keeps microseconds: a float64
// of today's seconds holds no more.
func UnixTime(seconds float64) (time.Time, error) {
	if !(seconds > 0 && seconds < 1e10) {
		return time.Time{}, ErrTimeRange
	}
	t := time.UnixMicro(int64(seconds*1e6 + 0.5)).UTC()
	return t, CheckTime(t)
}

// maxDuration bounds the duration of an exchange: longer ones are broken clocks. It also keeps the arithmetic of
// durations away from overflow.
const maxDuration = 366 * 24 * time.Hour

// Duration turns a number of units into a duration. Negative ones (HAR writes -1) and impossible ones are unknown: 0.
func Duration(n float64, unit time.Duration) time.Duration {
	d := n * float64(unit)
	if !(d > 0 && d <= float64(maxDuration)) {
		return 0
	}
	return time.Duration(d + 0.5)
}

// HTTPVersion is the form that an exchange keeps of an HTTP version, however its source writes it: "HTTP/1.1",
// "http/2.0", "h2", "h3-29". Unknown ones are empty.
func HTTPVersion(s string) string {
	if len(s) > 5 && strings.EqualFold(s[:5], "HTTP/") {
		s = s[5:]
	}
	switch s {
	case "1.1", "1.0", "2", "3", "0.9":
		return s
	case "2.0", "h2", "H2", "h2c":
		return "2"
	case "3.0", "h3", "H3", "quic":
		return "3"
	}
	if strings.HasPrefix(s, "h3-") || strings.HasPrefix(s, "h3_") {
		return "3"
	}
	return ""
}

// Service is the service that a request belongs to when its source says nothing better: its host without the
// default port of its scheme (RFC 9110, section 4.2), in lower case. When the scheme is not known, both default
// ports are removed.
func Service(scheme, host string) string {
	name := host
	if i := strings.LastIndexByte(host, ':'); i >= 0 {
		switch port := host[i+1:]; {
		case port == "",
			port == "443" && !strings.EqualFold(scheme, "http"),
			port == "80" && !strings.EqualFold(scheme, "https"):
			name = host[:i]
		}
	}
	return strings.ToLower(name)
}

// Address reads an IP address. IPv4 addresses that are written as IPv6 ("::ffff:192.0.2.1") become IPv4, zones
// go, brackets are removed. It returns the invalid address for anything else.
func Address(s string) netip.Addr {
	if n := len(s); n > 2 && s[0] == '[' && s[n-1] == ']' {
		s = s[1 : n-1]
	}
	a, err := netip.ParseAddr(s)
	if err != nil {
		return netip.Addr{}
	}
	return a.Unmap().WithZone("")
}

// AddressPort reads an IP address that a port may follow, such as "192.0.2.1:1234" or "[2001:db8::1]:1234".
func AddressPort(s string) netip.Addr {
	if a := Address(s); a.IsValid() {
		return a
	}
	if i := strings.LastIndexByte(s, ':'); i > 0 {
		return Address(s[:i])
	}
	return netip.Addr{}
}

// Text is s as valid UTF-8: bytes that are not become U+FFFD. Every text of an exchange that comes out of a
// [Reader] went through it, so that whoever stores it need not ask.
func Text(s string) string {
	if utf8.ValidString(s) {
		return s
	}
	return strings.ToValidUTF8(s, "\uFFFD")
}
