package ja4

import (
	"slices"
	"strconv"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

// numbers reads hexadecimal values with commas between them.
func numbers(t testing.TB, list string) []uint16 {
	t.Helper()
	if list == "" {
		return nil
	}
	var out []uint16
	for text := range strings.SplitSeq(list, ",") {
		v, err := strconv.ParseUint(text, 16, 16)
		if err != nil {
			t.Fatal(err)
		}
		out = append(out, uint16(v))
	}
	return out
}

const (
	chromeCiphers    = "1301,1302,1303,c02b,c02f,c02c,c030,cca9,cca8,c013,c014,009c,009d,002f,0035"
	chromeExtensions = "001b,0000,0033,0010,4469,0017,002d,000d,0005,0023,0012,002b,ff01,000b,000a,0015"
	chromeAlgorithms = "0403,0804,0401,0503,0805,0501,0806,0601"
)

// TestPublishedVectors holds the fingerprint to the examples of the specification.
func TestPublishedVectors(t *testing.T) {
	f := func(name string, h Hello, want string) {
		t.Helper()
		if got := Fingerprint(&h); got != want {
			t.Errorf("%s: got %s, want %s", name, got, want)
		}
	}
	chrome := Hello{
		Version: 0x0303, SupportedVersions: []uint16{0x0304, 0x0303}, Protocols: []string{"h2", "http/1.1"},
		CipherSuites: numbers(t, chromeCiphers), Extensions: numbers(t, chromeExtensions),
		SignatureAlgorithms: numbers(t, chromeAlgorithms),
	}
	f("the example", chrome, "t13d1516h2_8daaf6152771_e5627efa2ab1")

	greased := chrome
	greased.SupportedVersions = append([]uint16{0xfafa}, chrome.SupportedVersions...)
	greased.CipherSuites = append([]uint16{0x0a0a}, chrome.CipherSuites...)
	greased.Extensions = append(append([]uint16{0x5a5a}, chrome.Extensions...), 0xeaea)
	greased.SignatureAlgorithms = append([]uint16{0x1a1a}, chrome.SignatureAlgorithms...)
	f("the example with GREASE", greased, "t13d1516h2_8daaf6152771_e5627efa2ab1")

	unsigned := chrome
	unsigned.SignatureAlgorithms = nil
	f("no signature algorithms", unsigned, "t13d1516h2_8daaf6152771_6d807ffa2a79")

	address := chrome
	address.Extensions = slices.DeleteFunc(slices.Clone(chrome.Extensions), func(x uint16) bool { return x == 0 })
	f("no server name", address, "t13i1515h2_8daaf6152771_e5627efa2ab1")

	f("nothing at all", Hello{Version: 0x0301}, "t10i000000_000000000000_000000000000")
	f("only a server name", Hello{Version: 0x0300, Extensions: []uint16{0}}, "ts3d000100_000000000000_000000000000")
	f("looks like GREASE but is not", Hello{Version: 0x0a0a, CipherSuites: []uint16{0x0a1a}}, "t00i010000_"+digest([]byte("0a1a"))+"_000000000000")
}

func TestProtocolCharacters(t *testing.T) {
	f := func(protocol, want string) {
		t.Helper()
		if got := string(appendProtocol(nil, []string{protocol})); got != want {
			t.Errorf("protocol %q: got %s, want %s", protocol, got, want)
		}
	}
	f("h2", "h2")
	f("http/1.1", "h1")
	f("x", "xx")
	f("", "00")
	f("\xab", "ab")
	f("\xab\xcd", "ad")
	f("\x30\xab", "3b")
	f("\x30\x31\xab\xcd", "3d")
	f("\x30\xab\xcd\x31", "01")
	if got := string(appendProtocol(nil, nil)); got != "00" {
		t.Errorf("no protocols: got %s, want 00", got)
	}
}

func TestCountsEndAtNinetyNine(t *testing.T) {
	many := make([]uint16, 120)
	for i := range many {
		many[i] = uint16(0x0100 + i)
	}
	got := Fingerprint(&Hello{Version: 0x0303, CipherSuites: many, Extensions: many})
	if !strings.HasPrefix(got, "t12i999900_") {
		t.Errorf("got %s", got)
	}
}

// TestOrderAndGreaseDoNotMatter shuffles what browsers shuffle.
func TestOrderAndGreaseDoNotMatter(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		values := rapid.SliceOfN(rapid.Uint16(), 0, 40)
		h := Hello{
			Version: 0x0303, CipherSuites: values.Draw(t, "ciphers"), Extensions: values.Draw(t, "extensions"),
			SignatureAlgorithms: values.Draw(t, "algorithms"), Protocols: []string{"h2"},
		}
		want := Fingerprint(&h)
		if len(want) != Length {
			t.Fatalf("%q has %d bytes, want %d", want, len(want), Length)
		}
		other := h
		other.CipherSuites = append(rapid.Permutation(h.CipherSuites).Draw(t, "ciphers again"), 0x4a4a)
		other.Extensions = append(rapid.Permutation(h.Extensions).Draw(t, "extensions again"), 0xbaba)
		if got := Fingerprint(&other); got != want {
			t.Fatalf("shuffled: got %s, want %s", got, want)
		}
	})
}
