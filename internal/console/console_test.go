package console

import (
	"flag"
	"net/http"
	"os"
	"strings"
	"testing"

	"github.com/seshat-project/seshat/internal/console/assets"
	"github.com/seshat-project/seshat/internal/console/web"
)

var update = flag.Bool("update", false, "write the list of addresses again")

// TestAddresses: testdata/addresses.txt lists every address of the console. Scenarios visit all of them, so that what is new
// is looked at too.
func TestAddresses(t *testing.T) {
	const list = "testdata/addresses.txt"
	set, err := assets.Load()
	if err != nil {
		t.Fatal(err)
	}
	site, err := web.New(web.Options{API: http.NotFoundHandler(), Viewer: viewer, Assets: set})
	if err != nil {
		t.Fatal(err)
	}
	for _, register := range pages() {
		register(site)
	}
	got := strings.Join(site.Patterns(), "\n") + "\n"
	if *update {
		if err := os.WriteFile(list, []byte(got), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(list)
	if err != nil {
		t.Fatal(err)
	}
	if got != string(want) {
		t.Errorf("the addresses are not those of %s: run go test ./internal/console -update, and see to it that test/console_xss_test.go visits them\n%s", list, got)
	}
}
