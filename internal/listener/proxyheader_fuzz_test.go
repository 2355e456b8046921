package listener

import (
	"bufio"
	"bytes"
	"net/netip"
	"testing"

	proxyproto "github.com/pires/go-proxyproto"
)

// FuzzProxyHeader holds the strict parser to a lenient one: what is accepted here means the same there.
func FuzzProxyHeader(f *testing.F) {
	f.Add([]byte("PROXY TCP4 192.0.2.1 198.51.100.1 56324 443\r\nGET"))
	f.Add([]byte("PROXY TCP6 2001:db8::1 ::2 1 443\r\n"))
	f.Add([]byte("PROXY UNKNOWN x\r\n"))
	f.Add(binaryHeader(f, "192.0.2.1:56324", "198.51.100.1:443", false))
	f.Add(binaryHeader(f, "[2001:db8::1]:1", "[2001:db8::2]:443", false))
	f.Fuzz(func(t *testing.T, b []byte) {
		h, n, err := parseProxyHeader(b)
		if err != nil {
			return
		}
		if n <= 0 || n > len(b) || n > maxProxy2 {
			t.Fatalf("%q: a header of %d bytes", b, n)
		}
		reader := bufio.NewReaderSize(bytes.NewReader(b[:n]), maxProxy2)
		twin, err := proxyproto.Read(reader)
		if err != nil {
			if h.local { // the twin checks what the specification has ignored
				return
			}
			t.Fatalf("%q is accepted here, but: %v", b[:n], err)
		}
		if h.local {
			if !twin.Command.IsLocal() {
				t.Fatalf("%q is local here only", b[:n])
			}
			return
		}
		source, destination, ok := twin.TCPAddrs()
		if !ok {
			t.Fatalf("%q has no addresses there", b[:n])
		}
		unmap := func(a netip.AddrPort) netip.AddrPort { return netip.AddrPortFrom(a.Addr().Unmap(), a.Port()) }
		if unmap(source.AddrPort()) != h.source || unmap(destination.AddrPort()) != h.destination {
			t.Fatalf("%q: %+v here, %s and %s there", b[:n], h, source, destination)
		}
	})
}
