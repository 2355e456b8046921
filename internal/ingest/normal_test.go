package ingest

import (
	"strings"
	"testing"
	"time"

	"github.com/seshat-project/seshat"
)

func TestService(t *testing.T) {
	for _, test := range []struct{ scheme, host, want string }{
		{"https", "Shop.Example:443", "shop.example"},
		{"https", "shop.example:80", "shop.example:80"},
		{"http", "shop.example:80", "shop.example"},
		{"http", "shop.example:443", "shop.example:443"},
		{"", "shop.example:443", "shop.example"},
		{"", "shop.example:80", "shop.example"},
		{"", "shop.example:8080", "shop.example:8080"},
		{"https", "shop.example:", "shop.example"},
		{"https", "[2001:DB8::1]:443", "[2001:db8::1]"},
		{"https", "[2001:db8::80]", "[2001:db8::80]"},
		{"", "", ""},
	} {
		if got := Service(test.scheme, test.host); got != test.want {
			t.Errorf("Service(%q, %q) = %q, want %q", test.scheme, test.host, got, test.want)
		}
	}
}

func TestHTTPVersion(t *testing.T) {
	for text, want := range map[string]string{
		"HTTP/1.1": "1.1", "http/1.0": "1.0", "HTTP/2.0": "2", "HTTP/2": "2", "h2": "2", "h3": "3", "h3-29": "3", "HTTP/3.0": "3",
		"1.1": "1.1", "unknown": "", "": "", "HTTP/": "", "secret": "",
	} {
		if got := HTTPVersion(text); got != want {
			t.Errorf("HTTPVersion(%q) = %q, want %q", text, got, want)
		}
	}
}

func TestAddress(t *testing.T) {
	for text, want := range map[string]string{
		"192.0.2.1": "192.0.2.1", "::ffff:192.0.2.1": "192.0.2.1", "[2001:db8::1]": "2001:db8::1", "fe80::1%eth0": "fe80::1",
		"192.0.2.1:80": "192.0.2.1", "[2001:db8::1]:80": "2001:db8::1", "2001:db8::1": "2001:db8::1",
		"": "invalid IP", "host": "invalid IP", "host:80": "invalid IP", "192.0.2.256": "invalid IP",
	} {
		if got := AddressPort(text).String(); got != want {
			t.Errorf("AddressPort(%q) = %s, want %s", text, got, want)
		}
	}
	if a := Address("192.0.2.1:80"); a.IsValid() {
		t.Errorf("Address with a port is %s, want none", a)
	}
}

func TestDuration(t *testing.T) {
	for _, test := range []struct {
		n    float64
		unit time.Duration
		want time.Duration
	}{
		{1.5, time.Second, 1500 * time.Millisecond}, {-1, time.Second, 0}, {0, time.Second, 0}, {1e300, time.Second, 0}, {0.0005, time.Millisecond, 500 * time.Nanosecond},
	} {
		if got := Duration(test.n, test.unit); got != test.want {
			t.Errorf("Duration(%v, %v) = %v, want %v", test.n, test.unit, got, test.want)
		}
	}
}

func TestUnixTime(t *testing.T) {
	got, err := UnixTime(1767323045.678901)
	if want := time.Date(2026, 1, 2, 3, 4, 5, 678901000, time.UTC); err != nil || !got.Equal(want) {
		t.Errorf("%v, %v, want %v", got, err, want)
	}
	for _, seconds := range []float64{0, -1, 5, 1e11} {
		if got, err := UnixTime(seconds); err == nil {
			t.Errorf("UnixTime(%v) = %v, want an error", seconds, got)
		}
	}
}

func TestCodings(t *testing.T) {
	packed := "\x1f\x8b\x08\x00\x00\x00\x00\x00\x00\xff\xaa\xae\x05\x04\x00\x00\xff\xff\x43\xbf\xa6\xa3\x02\x00\x00\x00"
	brotli := "\x8b\x00\x80\x7b\x7d\x03"
	long := strings.Repeat("é", 100)[1:] + "x" // text, but for its first byte
	for _, test := range []struct{ name, coding, body, want string }{
		{"gzip", "gzip", packed, "{}"},
		{"cut in the checksum", "gzip", packed[:len(packed)-5], "{}"},
		{"cut before the end of the data", "gzip", packed[:len(packed)-9], "{}"},
		{"wrong checksum", "gzip", packed[:len(packed)-5] + "\x01" + packed[len(packed)-4:], "{}"},
		{"damaged after its beginning", "gzip", "\x1f\x8b\x08\x00\x00\x00\x00\x00\x00\xff\xaa\xae\x05\x04\x00\x00\xff\xff" + "\xff\xff\xff", "{}"},
		{"brotli", "br", brotli, "{}"},
		{"decoded already", "gzip", "{}", "{}"},
		{"decoded already, long", "br", strings.Repeat("é", 100), strings.Repeat("é", 100)},
		{"no text, and not packed", "gzip", long, long},
		{"no coding", "", packed, packed},
		{"unknown coding", "lzma", packed, packed},
		{"empty", "gzip", "", ""},
	} {
		var c Codings
		body := seshat.Body{Bytes: []byte(test.body), Size: int64(len(test.body))}
		var header []seshat.Field
		if test.coding != "" {
			header = []seshat.Field{{Name: "content-encoding", Value: test.coding}}
		}
		c.Remove(header, &body)
		if string(body.Bytes) != test.want || body.Size < int64(len(body.Bytes)) {
			t.Errorf("%s: %q of size %d, want %q", test.name, body.Bytes, body.Size, test.want)
		}
	}
}
