// Package ja4 makes the JA4 fingerprint of a TLS client, which names the software that speaks rather than who uses it. The
// method is FoxIO's, https://github.com/FoxIO-LLC/ja4 (technical_details/JA4.md), whose licence for JA4 (TLS client) is
// BSD 3-Clause.
package ja4

import (
	"crypto/sha256"
	"encoding/hex"
	"slices"
)

// Hello is what a ClientHello says of its client. The lists are in the order in which they were sent, values that only
// test tolerance (GREASE, RFC 8701) included.
type Hello struct {
	// Version is the protocol version of the hello itself, which counts when SupportedVersions is empty.
	Version             uint16
	SupportedVersions   []uint16 // the supported_versions extension
	CipherSuites        []uint16
	Extensions          []uint16
	SignatureAlgorithms []uint16
	// Protocols are the names of the application_layer_protocol_negotiation extension.
	Protocols []string
}

// The extensions that the first part of the fingerprint speaks of, and that its last part therefore leaves out.
const (
	extensionServerName = 0x0000
	extensionALPN       = 0x0010
)

// Length is how many bytes a fingerprint has: 10, 12 and 12, and two underscores.
const Length = 36

// none stands for the digest of an empty list.
const none = "000000000000"

// Fingerprint returns the JA4 fingerprint of a hello that came by TCP, such as
// "t13d1516h2_8daaf6152771_e5627efa2ab1".
func Fingerprint(h *Hello) string {
	ciphers := withoutGrease(h.CipherSuites)
	extensions := withoutGrease(h.Extensions)
	server := byte('i')
	if slices.Contains(extensions, extensionServerName) {
		server = 'd'
	}

	out := make([]byte, 0, Length)
	out = append(out, 't')
	out = append(out, version(h)...)
	out = append(out, server)
	out = appendCount(out, len(ciphers))
	out = appendCount(out, len(extensions))
	out = appendProtocol(out, h.Protocols)

	slices.Sort(ciphers)
	out = append(out, '_')
	out = append(out, digest(appendList(nil, ciphers))...)

	extensions = slices.DeleteFunc(extensions, func(x uint16) bool { return x == extensionServerName || x == extensionALPN })
	slices.Sort(extensions)
	list := appendList(nil, extensions)
	if algorithms := withoutGrease(h.SignatureAlgorithms); len(list) > 0 && len(algorithms) > 0 {
		list = appendList(append(list, '_'), algorithms)
	}
	out = append(out, '_')
	return string(append(out, digest(list)...))
}

// version is the highest version that the client speaks, in two characters.
func version(h *Hello) string {
	highest := h.Version
	if versions := withoutGrease(h.SupportedVersions); len(versions) > 0 {
		highest = slices.Max(versions)
	}
	switch highest {
	case 0x0304:
		return "13"
	case 0x0303:
		return "12"
	case 0x0302:
		return "11"
	case 0x0301:
		return "10"
	case 0x0300:
		return "s3"
	case 0x0002:
		return "s2"
	default:
		return "00"
	}
}

// appendCount appends a count in two digits; there is no more room.
func appendCount(dst []byte, n int) []byte {
	n = min(n, 99)
	return append(dst, byte('0'+n/10), byte('0'+n%10))
}

// appendProtocol appends the first and the last character of the first protocol: of its hexadecimal form where one of
// them is neither a letter nor a digit.
func appendProtocol(dst []byte, protocols []string) []byte {
	if len(protocols) == 0 || protocols[0] == "" {
		return append(dst, "00"...)
	}
	name := protocols[0]
	first, last := name[0], name[len(name)-1]
	if alphanumeric(first) && alphanumeric(last) {
		return append(dst, first, last)
	}
	const digits = "0123456789abcdef"
	return append(dst, digits[first>>4], digits[last&0x0f])
}

func alphanumeric(c byte) bool {
	return '0' <= c && c <= '9' || 'A' <= c && c <= 'Z' || 'a' <= c && c <= 'z'
}

// withoutGrease returns a copy of list without the values of RFC 8701: both bytes are the same and end in 0xa.
func withoutGrease(list []uint16) []uint16 {
	out := make([]uint16, 0, len(list))
	for _, v := range list {
		if v&0x0f0f == 0x0a0a && v>>8 == v&0xff {
			continue
		}
		out = append(out, v)
	}
	return out
}

// appendList appends the values in four hexadecimal digits each, with commas.
func appendList(dst []byte, list []uint16) []byte {
	for i, v := range list {
		if i > 0 {
			dst = append(dst, ',')
		}
		dst = hex.AppendEncode(dst, []byte{byte(v >> 8), byte(v)})
	}
	return dst
}

// digest returns the first twelve hexadecimal digits of the SHA-256 digest of a list.
func digest(list []byte) string {
	if len(list) == 0 {
		return none
	}
	sum := sha256.Sum256(list)
	return hex.EncodeToString(sum[:6])
}
