package listener

import (
	"bytes"
	"encoding/binary"
	"errors"
	"hash/crc32"
	"net/netip"
	"strconv"
	"strings"
)

// The errors of reading a PROXY header (https://www.haproxy.org/download/3.0/doc/proxy-protocol.txt).
var (
	errProxyIncomplete = errors.New("the PROXY header is not complete")
	errProxyMissing    = errors.New("the connection does not begin with a PROXY header")
	errProxyMalformed  = errors.New("the PROXY header is malformed")
	errProxyChecksum   = errors.New("the checksum of the PROXY header is wrong")
)

const (
	proxySignature1 = "PROXY "
	proxySignature2 = "\r\n\r\n\x00\r\nQUIT\n"
	// maxProxy1 is the longest line of version 1, by the specification.
	maxProxy1 = 107
	// maxProxy2 bounds a header of version 2, which could have 64 KiB. A client certificate in it has 1 to 2 KiB.
	maxProxy2 = 4096
)

// proxyHeader is what a PROXY header says.
type proxyHeader struct {
	// local says that the proxy speaks for itself, as in its health checks: the addresses are those of the socket.
	local               bool
	source, destination netip.AddrPort
}

// parseProxyHeader reads the header at the beginning of b and returns its length. errProxyIncomplete asks for more bytes; b
// with maxProxy2 bytes is never incomplete. Anything that the specification does not allow is malformed.
func parseProxyHeader(b []byte) (h proxyHeader, n int, err error) {
	switch {
	case bytes.HasPrefix(b, []byte(proxySignature1)):
		return parseProxy1(b)
	case bytes.HasPrefix(b, []byte(proxySignature2)):
		return parseProxy2(b)
	case strings.HasPrefix(proxySignature1, string(b[:min(len(b), len(proxySignature1))])),
		strings.HasPrefix(proxySignature2, string(b[:min(len(b), len(proxySignature2))])):
		return proxyHeader{}, 0, errProxyIncomplete
	default:
		return proxyHeader{}, 0, errProxyMissing
	}
}

// parseProxy1 reads the text form: "PROXY TCP4 192.0.2.1 192.0.2.2 1234 443\r\n".
func parseProxy1(b []byte) (h proxyHeader, n int, err error) {
	n = bytes.IndexByte(b[:min(len(b), maxProxy1)], '\n') + 1
	if n == 0 {
		if len(b) >= maxProxy1 {
			return proxyHeader{}, 0, errProxyMalformed
		}
		return proxyHeader{}, 0, errProxyIncomplete
	}
	line, ok := bytes.CutSuffix(b[:n], []byte("\r\n"))
	if !ok || bytes.IndexByte(line, '\r') >= 0 {
		return proxyHeader{}, 0, errProxyMalformed
	}
	words := strings.Split(string(line), " ")
	if words[1] == "UNKNOWN" { // the rest of the line is to be ignored
		return proxyHeader{local: true}, n, nil
	}
	const wordCount = 6
	if len(words) != wordCount || words[1] != "TCP4" && words[1] != "TCP6" {
		return proxyHeader{}, 0, errProxyMalformed
	}
	six := words[1] == "TCP6"
	var okSource, okDestination bool
	h.source, okSource = proxyAddress(words[2], words[4], six)
	h.destination, okDestination = proxyAddress(words[3], words[5], six)
	if !okSource || !okDestination {
		return proxyHeader{}, 0, errProxyMalformed
	}
	return h, n, nil
}

func proxyAddress(address, port string, six bool) (netip.AddrPort, bool) {
	a, err := netip.ParseAddr(address)
	if err != nil || a.Zone() != "" || a.Is4() == six {
		return netip.AddrPort{}, false
	}
	p, err := strconv.ParseUint(port, 10, 16)
	if err != nil || len(port) > 1 && port[0] == '0' {
		return netip.AddrPort{}, false
	}
	return netip.AddrPortFrom(a.Unmap(), uint16(p)), true
}

// The parts of the binary form.
const (
	proxy2Fixed    = 16 // signature, version and command, family and protocol, length
	proxy2TCP4     = 0x11
	proxy2TCP6     = 0x21
	proxy2TCP4Size = 4 + 4 + 2 + 2
	proxy2TCP6Size = 16 + 16 + 2 + 2
	proxy2Local    = 0x20
	proxy2Proxy    = 0x21
	proxy2CRC32C   = 0x03 // the type of the extension that holds a checksum
)

// parseProxy2 reads the binary form.
func parseProxy2(b []byte) (h proxyHeader, n int, err error) {
	if len(b) < proxy2Fixed {
		return proxyHeader{}, 0, errProxyIncomplete
	}
	command, family := b[12], b[13]
	if n = proxy2Fixed + int(binary.BigEndian.Uint16(b[14:])); n > maxProxy2 || command != proxy2Local && command != proxy2Proxy {
		return proxyHeader{}, 0, errProxyMalformed
	}
	if len(b) < n {
		return proxyHeader{}, 0, errProxyIncomplete
	}
	payload, extensions := b[proxy2Fixed:n], 0
	switch {
	case command == proxy2Local: // whatever follows is to be ignored
		return proxyHeader{local: true}, n, nil
	case family == proxy2TCP4 && len(payload) >= proxy2TCP4Size:
		h.source = netip.AddrPortFrom(netip.AddrFrom4([4]byte(payload)), binary.BigEndian.Uint16(payload[8:]))
		h.destination = netip.AddrPortFrom(netip.AddrFrom4([4]byte(payload[4:])), binary.BigEndian.Uint16(payload[10:]))
		extensions = proxy2TCP4Size
	case family == proxy2TCP6 && len(payload) >= proxy2TCP6Size:
		h.source = netip.AddrPortFrom(netip.AddrFrom16([16]byte(payload)).Unmap(), binary.BigEndian.Uint16(payload[32:]))
		h.destination = netip.AddrPortFrom(netip.AddrFrom16([16]byte(payload[16:])).Unmap(), binary.BigEndian.Uint16(payload[34:]))
		extensions = proxy2TCP6Size
	default: // UDP and UNIX sockets do not carry HTTP here, and "unspecified" names nobody
		return proxyHeader{}, 0, errProxyMalformed
	}
	if err := checkExtensions(b[:n], proxy2Fixed+extensions); err != nil {
		return proxyHeader{}, 0, err
	}
	return h, n, nil
}

// checkExtensions checks that the extensions, from position i, are whole, and the checksum if one is there.
func checkExtensions(header []byte, i int) error {
	const typeAndLength = 3
	for i < len(header) {
		if len(header)-i < typeAndLength {
			return errProxyMalformed
		}
		kind, size := header[i], int(binary.BigEndian.Uint16(header[i+1:]))
		i += typeAndLength
		if size > len(header)-i {
			return errProxyMalformed
		}
		if kind == proxy2CRC32C {
			if size != crc32.Size {
				return errProxyMalformed
			}
			table := crc32.MakeTable(crc32.Castagnoli)
			sum := crc32.Update(0, table, header[:i])
			sum = crc32.Update(sum, table, make([]byte, crc32.Size)) // the sum is made with zeros in its place
			sum = crc32.Update(sum, table, header[i+size:])
			if sum != binary.BigEndian.Uint32(header[i:]) {
				return errProxyChecksum
			}
		}
		i += size
	}
	return nil
}
