package protect

import (
	"os"
	"regexp"
	"strings"
	"testing"
)

// TestFormatPage reads the example of docs/formats/digest-key.md, and computes the digests that the page states.
func TestFormatPage(t *testing.T) {
	page, err := os.ReadFile("../../docs/formats/digest-key.md")
	if err != nil {
		t.Fatal(err)
	}
	_, rest, _ := strings.Cut(string(page), "```json\n")
	example, text, ok := strings.Cut(rest, "```")
	if !ok {
		t.Fatal("the page has no example")
	}
	ring, err := decodeKeyring([]byte(example))
	if err != nil {
		t.Fatal(err)
	}
	if written, err := ring.encode(); err != nil || string(written) != example {
		t.Errorf("the example is written as %s, %v", written, err)
	}
	digests := ring.Digests([]byte("s%3Aabc.def"))
	want := []string{digests[0].String(), digests[1].String(), ring.Digester().HashLabelled(labelDevice, "de", "", "", "").String()}
	got := regexp.MustCompile("[0-9a-f]{32}").FindAllString(text, -1)
	if strings.Join(got, " ") != strings.Join(want, " ") {
		t.Errorf("the page has the digests %v, want %v", got, want)
	}
	for _, label := range []string{labelSessionClaim, labelParameter, labelDevice, labelPathSegment, valueKeyLabel, labelledKeyLabel} {
		if !strings.Contains(text, "`"+label+"`") {
			t.Errorf("the page does not name the label %q", label)
		}
	}
}
