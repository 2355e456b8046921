package listener

import (
	"errors"
	"net"
	"net/netip"
	"strings"
	"testing"

	proxyproto "github.com/pires/go-proxyproto"
)

func TestProxyHeaderText(t *testing.T) {
	f := func(text, source string, want error) {
		t.Helper()
		h, n, err := parseProxyHeader([]byte(text))
		if !errors.Is(err, want) {
			t.Errorf("%q: %v, want %v", text, err, want)
			return
		}
		if err != nil {
			return
		}
		got := "local"
		if !h.local {
			got = h.source.String()
		}
		if got != source || n != strings.Index(text, "\r\n")+2 {
			t.Errorf("%q: source %s, %d bytes, want %s", text, got, n, source)
		}
	}
	f("PROXY TCP4 192.0.2.1 198.51.100.1 56324 443\r\nGET / HTTP/1.1\r\n", "192.0.2.1:56324", nil)
	f("PROXY TCP6 2001:db8::1 2001:db8::2 1 443\r\n", "[2001:db8::1]:1", nil)
	f("PROXY TCP6 ::ffff:192.0.2.1 2001:db8::2 1 443\r\n", "192.0.2.1:1", nil)
	f("PROXY UNKNOWN\r\n", "local", nil)
	f("PROXY UNKNOWN ffff::1 ffff::2 65535 65535\r\n", "local", nil)

	for _, text := range []string{
		"PROXY TCP4 192.0.2.1 198.51.100.1 56324 443\n", "PROXY TCP4 192.0.2.1 198.51.100.1 56324 443 \r\n",
		"PROXY TCP4 192.0.2.1 198.51.100.1 56324\r\n", "PROXY  TCP4 192.0.2.1 198.51.100.1 56324 443\r\n",
		"PROXY TCP4 2001:db8::1 2001:db8::2 1 443\r\n", "PROXY TCP6 192.0.2.1 198.51.100.1 1 2\r\n",
		"PROXY TCP4 192.0.2.1 198.51.100.1 65536 443\r\n", "PROXY TCP4 192.0.2.1 198.51.100.1 +1 443\r\n",
		"PROXY TCP4 192.0.2.1 198.51.100.1 01 443\r\n", "PROXY TCP4 192.0.2.01 198.51.100.1 1 443\r\n",
		"PROXY TCP6 fe80::1%eth0 ::1 1 443\r\n", "PROXY UDP4 192.0.2.1 198.51.100.1 1 443\r\n", "PROXY \r\n",
		"PROXY UNKNOWN\r\r\n", "PROXY " + strings.Repeat("x", 120),
	} {
		f(text, "", errProxyMalformed)
	}
	for _, text := range []string{"", "P", "PROXY", "PROXY TCP4 192.0.2.1", "\r", "\r\n\r\n\x00\r\nQUIT\n\x21"} {
		f(text, "", errProxyIncomplete)
	}
	for _, text := range []string{"GET / HTTP/1.1\r\n\r\n", "POST", "proxy TCP4", "\x16\x03\x01", "\r\n\r\n\x00\r\nQUIX"} {
		f(text, "", errProxyMissing)
	}
}

// binaryHeader makes a header of version 2 with the library that most Go programs use.
func binaryHeader(t testing.TB, source, destination string, checksum bool) []byte {
	t.Helper()
	h := proxyproto.HeaderProxyFromAddrs(2, net.TCPAddrFromAddrPort(netip.MustParseAddrPort(source)),
		net.TCPAddrFromAddrPort(netip.MustParseAddrPort(destination)))
	if err := h.SetTLVs([]proxyproto.TLV{{Type: proxyproto.PP2_TYPE_UNIQUE_ID, Value: []byte("abc")}}); err != nil {
		t.Fatal(err)
	}
	if checksum {
		if err := h.SetTLVs([]proxyproto.TLV{{Type: proxyproto.PP2_TYPE_CRC32C, Value: make([]byte, 4)}}); err != nil {
			t.Fatal(err)
		}
	}
	b, err := h.Format()
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func TestProxyHeaderBinary(t *testing.T) {
	f := func(b []byte, source string, want error) {
		t.Helper()
		h, n, err := parseProxyHeader(append(b[:len(b):len(b)], "rest"...))
		if !errors.Is(err, want) || err == nil && (n != len(b) || h.source.String() != source) {
			t.Errorf("%q: %v, %d bytes, %v, want %s, %v", b, h, n, err, source, want)
		}
	}
	four := binaryHeader(t, "192.0.2.1:56324", "198.51.100.1:443", false)
	f(four, "192.0.2.1:56324", nil)
	f(binaryHeader(t, "[2001:db8::1]:1", "[2001:db8::2]:443", false), "[2001:db8::1]:1", nil)
	for i := range four {
		if _, _, err := parseProxyHeader(four[:i]); !errors.Is(err, errProxyIncomplete) {
			t.Errorf("%d bytes of %d: %v", i, len(four), err)
		}
	}
	change := func(i int, c byte) []byte {
		b := append([]byte(nil), four...)
		b[i] = c
		return b
	}
	f(change(12, 0x22), "", errProxyMalformed) // an unknown command
	f(change(12, 0x11), "", errProxyMalformed) // an unknown version
	f(change(13, 0x12), "", errProxyMalformed) // UDP
	f(change(13, 0x31), "", errProxyMalformed) // UNIX
	f(change(13, 0x00), "", errProxyMalformed) // unspecified
	f(change(13, 0x21), "", errProxyMalformed) // IPv6, and too short for it
	f(change(14, 0xff), "", errProxyMalformed) // too long
	f(change(len(four)-4, 200), "", errProxyMalformed)
	if h, _, err := parseProxyHeader(change(12, proxy2Local)); err != nil || !h.local {
		t.Errorf("LOCAL: %+v, %v", h, err)
	}
	summed := binaryHeader(t, "192.0.2.1:56324", "198.51.100.1:443", true)
	f(summed, "", errProxyChecksum)
	// The sum of this header, made by HAProxy's law: CRC32c over it with zeros in the place of the sum.
	copy(summed[len(summed)-4:], castagnoli(summed))
	f(summed, "192.0.2.1:56324", nil)
}

// castagnoli is CRC32c bit by bit, most significant byte first.
func castagnoli(b []byte) []byte {
	crc := ^uint32(0)
	for _, c := range b {
		crc ^= uint32(c)
		for range 8 {
			crc = crc>>1 ^ 0x82f63b78*(crc&1)
		}
	}
	crc = ^crc
	return []byte{byte(crc >> 24), byte(crc >> 16), byte(crc >> 8), byte(crc)}
}
