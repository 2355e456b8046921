package sessions_test

import (
	"net/http"
	"testing"

	"github.com/seshat-project/seshat/internal/api"
	"github.com/seshat-project/seshat/internal/console/consoletest"
	"github.com/seshat-project/seshat/internal/console/sessions"
	"github.com/seshat-project/seshat/internal/kv/memory"
	"github.com/seshat-project/seshat/internal/view"
)

// TestExportMenu: what is offered is what somebody may take away; of the rest it says why it is not there.
func TestExportMenu(t *testing.T) {
	f := func(wants, lacks []string, without ...api.Permission) {
		t.Helper()
		s := consoletest.New(t, sessions.Register).Without(without...)
		kv := memory.New(s.Now)
		t.Cleanup(func() { _ = kv.Close() })
		s.API.Views = view.NewKeeper(kv, s.Now)
		s.Get("/sessions").Want(http.StatusOK, wants...).Lacks(lacks...)
	}
	const csv, parquet, ndjson = "format=csv", "format=parquet", "format=ndjson"
	f([]string{csv, parquet, ndjson}, []string{"exchanges:reveal", "exchanges:export"})
	f([]string{ndjson, "they need the permission <code>exchanges:reveal</code>"}, []string{csv, parquet}, api.ExchangesReveal)
	f([]string{"needs the permission <code>exchanges:export</code>"}, []string{csv, parquet, ndjson}, api.ExchangesExport)
}
