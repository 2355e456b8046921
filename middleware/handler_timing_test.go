package middleware

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/seshat-project/seshat/internal/clientaddr"
	"github.com/seshat-project/seshat/internal/pipeline"
	"github.com/seshat-project/seshat/internal/pipeline/inlinetest"
)

// BenchmarkHandler is what the middleware adds to a request: identification, a decision, and the journal's batch.
func BenchmarkHandler(b *testing.B) {
	node := inlinetest.Start(b, rules, pipeline.InlineConfig{})
	addresses, err := clientaddr.New(clientaddr.Config{})
	if err != nil {
		b.Fatal(err)
	}
	h := newHandlers(node.Inline, addresses, "", time.Now)
	next := http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(http.StatusOK)
	})
	requests := make([]*http.Request, 1000)
	for i := range requests {
		requests[i] = httptest.NewRequest(http.MethodGet, "/orders/42", nil)
		requests[i].Header.Set("Cookie", fmt.Sprintf("SHOPSESS=k3vQ9xTt1LmN8pR2s%d", i))
		requests[i].Header.Set("User-Agent", "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0")
		requests[i].Header.Set("Accept", "application/json")
	}
	b.ReportAllocs()
	for i := 0; b.Loop(); i++ {
		_ = h.handle(httptest.NewRecorder(), requests[i%len(requests)], plain(next), nil)
	}
}
