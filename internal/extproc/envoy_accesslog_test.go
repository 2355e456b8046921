package extproc

import (
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/seshat-project/seshat/internal/accesslogservice"
)

func TestEnvoyAccessLog(t *testing.T) {
	w := newTwin()
	origin := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Add("Set-Cookie", "SESS=new; Expires=Wed, 21 Oct 2037 07:28:00 GMT; HttpOnly")
		w.Header().Add("Set-Cookie", "theme=dark")
		w.Header().Set("Location", "/elsewhere")
		w.WriteHeader(303)
		_, _ = w.Write([]byte("text"))
	}))
	t.Cleanup(origin.Close)
	log := accesslogservice.New(accesslogservice.Options{Observer: w})
	_, address := serve(t, w, Options{AccessLog: log})
	e := startEnvoy(t, "access-log-service.yaml", origin.URL, address)
	got := do(t, "PROPFIND", e.url+"/logged?a=%20b", "four", "Cookie", "SESS=old", "Authorization", "Bearer x", "X-Over", "1", "User-Agent", "agent")
	if got.StatusCode != 303 || got.Header.Get("RateLimit") != "" {
		t.Errorf("%d %v: the access log must not change anything", got.StatusCode, got.Header)
	}
	x := w.take(t, "/logged")
	if x.Request.Method != "PROPFIND" || x.Request.Query != "a=%20b" || x.Request.Host != e.host || x.Request.Scheme != "http" || x.Request.HTTPVersion != "1.1" ||
		x.Request.Body.Size != 4 || x.Client.IP.String() != "127.0.0.1" || x.Environment != "production" || x.Service != e.host ||
		x.Response.Status != 303 || x.Response.Body.Size != 4 || x.Duration <= 0 || x.Time.IsZero() || x.ID == "" {
		t.Errorf("%+v", x)
	}
	request, response := map[string][]string{}, map[string][]string{}
	for _, f := range x.Request.Header {
		request[f.Name] = append(request[f.Name], f.Value)
	}
	for _, f := range x.Response.Header {
		response[f.Name] = append(response[f.Name], f.Value)
	}
	if request["cookie"][0] != "SESS=old" || request["authorization"][0] != "Bearer x" || request["user-agent"][0] != "agent" {
		t.Errorf("%v", request)
	}
	if c := response["set-cookie"]; len(c) != 2 || c[0] != "SESS=new; Expires=Wed, 21 Oct 2037 07:28:00 GMT; HttpOnly" || c[1] != "theme=dark" {
		t.Errorf("%q", response)
	}
	if stats := log.Stats(); stats.Entries != 1 || stats.Bad != 0 || stats.Skipped != 0 {
		t.Errorf("%+v", stats)
	}
	w.settled(t)
}
