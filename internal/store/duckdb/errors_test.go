package duckdb

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	engine "github.com/duckdb/duckdb-go/v2"

	"github.com/seshat-project/seshat"
)

func TestOperationalIsOneLine(t *testing.T) {
	const trace = "\n\nStack Trace:\n\n0 duckdb::Exception::ToJSON(...) + 52\n1 duckdb::IOException::IOException(...)"
	f := func(err error, kind seshat.ErrorKind, want string) {
		t.Helper()
		got := (&Store{dir: "d"}).operational("store exchanges", err)
		if got.Error() != want || seshat.KindOfError(got) != kind {
			t.Errorf("kind %v: %s\nwant %s", seshat.KindOfError(got), got, want)
		}
		if !errors.Is(got, err) {
			t.Errorf("%s hides its cause", got)
		}
	}
	const full = " (the disk is full; make room and try again, nothing that was stored is lost)"
	f(&engine.Error{Type: engine.ErrorTypeIO, Msg: `IO Error: Could not write file "x": No space left on device` + trace},
		seshat.ErrorUnavailable, `store exchanges: IO Error: Could not write file "x": No space left on device`+full)
	f(fmt.Errorf("append: %w", &engine.Error{Type: engine.ErrorTypeFatal, Msg: "FATAL Error: the database is invalid.\nOriginal error: No space left on device" + trace}),
		seshat.ErrorUnavailable, "store exchanges: append: FATAL Error: the database is invalid."+full)
	f(&engine.Error{Type: engine.ErrorTypeInternal, Msg: "INTERNAL Error: what" + trace}, seshat.ErrorInternal, "store exchanges: INTERNAL Error: what")
	f(errors.New("plain"), seshat.ErrorInternal, "store exchanges: plain")
	joined := errors.Join(errors.New("one"), errors.New("two"))
	if got := (&Store{}).operational("close", joined).Error(); !strings.Contains(got, "two") {
		t.Errorf("%q lacks the second error", got)
	}
}
